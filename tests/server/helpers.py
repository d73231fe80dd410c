"""A workspace without processes, and a real server in a process of its own."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import numpy as np

from pgnet.server import schemas, work
from pgnet.server.settings import Settings
from pgnet.server.workspace import Workspace
from pgnet.video import FrameReader, VideoWriter

WIDTH, HEIGHT, FRAMES, FPS = 160, 120, 40, 20
BOX = [60.0, 40.0, 32.0, 24.0]
STARTING = 120
"""Seconds that a server may take to answer, on a machine that is busy."""


def write_clip(path: Path) -> Path:
    """40 frames, 160 x 120: a picture that moves to the left, with the frame's number as eight squares on top."""
    noise = np.random.default_rng(0).integers(0, 255, (HEIGHT // 4, WIDTH // 4 + FRAMES, 3), np.uint8)
    picture = noise.repeat(4, 0).repeat(4, 1)
    with VideoWriter(path, WIDTH, HEIGHT, fps=FPS) as writer:
        for i in range(FRAMES):
            image = picture[:, i : i + WIDTH].copy()
            for bit in range(8):
                image[:16, bit * 16 : bit * 16 + 16] = 255 if i >> bit & 1 else 0
            writer.write(image, i / FPS)
    return path


def number(image) -> int:
    """The number in a picture of the clip."""
    return sum(1 << bit for bit in range(8) if image[4:12, bit * 16 + 4 : bit * 16 + 12].mean() > 128)


class Space:
    """A workspace with one video that has been checked, without any process."""

    def __init__(self, folder: Path, clip: Path, **settings) -> None:
        self.settings = Settings(folder, **settings)
        self.open()
        self.project = self.workspace.create_project("Birds").id
        path = self.workspace.new_file(self.project)
        path.write_bytes(clip.read_bytes())
        self.video = self.workspace.add_video(self.project, "clip.mp4", path, path.stat().st_size).id
        with FrameReader(path) as frames:
            frames.index.save(path.with_suffix(".npz"))
        facts = work.Facts("video", WIDTH, HEIGHT, FPS, FRAMES, FRAMES / FPS, [])
        self.workspace.checked(self.video, facts)

    def open(self) -> None:
        self.workspace = Workspace(self.settings)

    def target(self, name="duck", frame=0, box=None) -> int:
        new = schemas.NewTarget(name=name, frame=frame, box=box or BOX)
        return self.workspace.create_target(self.video, new).id

    def track(self, limit: int | None = None, shift: float = 0.0, finish=True, **job) -> list[tuple[int, int, int]]:
        """Work on the next job as a process would: boxes drift by a pixel -> (target, frame, passes) of the rows."""
        if job or not any(job.state == "queued" for job in self.workspace.jobs()):
            self.workspace.start_job(self.video, schemas.NewJob(**job))
        taken = self.workspace.take_job()
        order = self.workspace.order(taken, 1)
        rows = []
        for span in order.spans:
            known = dict(span.rows)
            for way in span.span.passes:
                passes = 1 if way.direction > 0 else len(span.span.passes)
                for frame in way.frames:
                    if known.get(frame) is not None and known[frame].passes >= passes:
                        continue
                    box = (BOX[0] + frame / 4 + shift, *BOX[1:])
                    known[frame] = work.Row(span.target, frame, box, 0.9, 0.9, "present", span.mark, passes)
                    rows.append(known[frame])
        rows = rows[:limit]
        done = order.before + sum(row.passes for span in order.spans for row in span.rows.values()) + len(rows)
        self.workspace.save_rows(taken, work.Rows(rows, done, rows[-1].frame if rows else 0))
        if finish:
            self.workspace.finish_job(taken.id, "done")
            self.workspace.leave_job(taken.id)
        return [(row.target, row.frame, row.passes) for row in rows]

    def state(self, target: int) -> dict[int, tuple[float, str]]:
        """x and who set it, by frame."""
        for rows in self.workspace.rows(self.video, target=target).targets:
            frames = [n for first, count in rows.runs for n in range(first, first + count)]
            return {n: (rows.boxes[4 * i], rows.by[i]) for i, n in enumerate(frames)}
        return {}


class Server:
    """`pgnet serve`, as a user starts it."""

    def __init__(self, data: Path, *options: str) -> None:
        self.data, self.options = data, options
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "pgnet", "serve", "--data", str(self.data), "--port", "0", *self.options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        found = re.search(r"http://(\S+?)/(?:\?token=(\S+))?", line)
        assert found, line + self.process.stderr.read()
        self.address, self.token = f"http://{found[1]}", found[2]
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        self.http = httpx.Client(base_url=self.address, headers=headers, timeout=STARTING)
        end = time.monotonic() + STARTING
        while True:
            try:
                self.http.get("/api/projects")
                return
            except httpx.TransportError:
                assert self.process.poll() is None, self.process.stderr.read()
                assert time.monotonic() < end
                time.sleep(0.1)

    def kill(self) -> None:
        """As the system does when memory is short."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.http.close()

    def stop(self) -> int:
        """Ctrl-C -> the exit code."""
        self.http.close()
        self.process.send_signal(signal.SIGINT)
        _, errors = self.process.communicate(timeout=STARTING)
        assert "Traceback" not in errors, errors
        return self.process.returncode

    def get(self, path: str, **query):
        return self.check(self.http.get(path, params=query))

    def send(self, method: str, path: str, body=None, **query):
        return self.check(self.http.request(method, path, json=body, params=query))

    @staticmethod
    def check(response):
        assert response.is_success, response.text
        return response.json() if response.content else None

    def upload(self, path: Path, name: str = "clip.mp4") -> dict:
        """A video in a new project, when it has been checked."""
        project = self.send("POST", "/api/projects", {"name": "Birds"})["id"]
        url = f"/api/projects/{project}/videos"
        video = self.check(self.http.post(url, params={"name": name}, content=path.read_bytes()))
        return self.wait(f"/api/videos/{video['id']}", lambda video: video["state"] != "checking")

    def wait(self, path: str, until) -> dict:
        end = time.monotonic() + STARTING
        while not until(found := self.get(path)):
            assert time.monotonic() < end, found
            time.sleep(0.1)
        return found

    def track(self, video: int, **job) -> dict:
        """A job, when it has come to its end."""
        job = self.send("POST", f"/api/videos/{video}/jobs", job)
        return self.wait(f"/api/jobs/{job['id']}", lambda job: job["state"] in ("done", "failed"))
