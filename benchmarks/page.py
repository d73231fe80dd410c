"""Measure what docs/serve-api.md says about the speed of `pgnet serve`, against `pgnet track` in the same run.

    python benchmarks/page.py

The clip is the demo's at 1280 x 720. A server is started as a user starts it; a client uploads the clip, listens to the
events as the page does, and tracks. Tracking in the page is timed from the request to the event that says it is done;
`pgnet track --no-video` by what it prints, which leaves out loading. Both take turns; the numbers are medians. Needs
the extra [serve].
"""

from __future__ import annotations

import http.client
import json
import random
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import av
import cv2
import numpy as np
import typer

from pgnet.cli import run_script
from pgnet.demo import FPS, demo_frames

WIDTH, HEIGHT = 1280, 720


class Client:
    """Talks to a server that it has started."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "pgnet", "serve", "--data", str(folder), "--port", "0"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        found = re.search(r"127\.0\.0\.1:(\d+)", self._process.stdout.readline())
        assert found, "the server did not start"
        self._port = int(found[1])

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        data = body if isinstance(body, bytes) or body is None else json.dumps(body)
        with closing(http.client.HTTPConnection("127.0.0.1", self._port, timeout=300)) as connection:
            connection.request(method, f"/api{path}", data, {"Content-Type": "application/json"})
            response = connection.getresponse()
            answer = response.read()
        assert response.status < 300, answer
        return json.loads(answer) if response.headers["Content-Type"] == "application/json" else answer

    def wait_for_job(self, video: int, ready: threading.Event) -> None:
        """Listens as the page does, until a job is done."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=300)
        connection.request("GET", f"/api/events?video={video}")
        response = connection.getresponse()
        kind = ""
        while line := response.readline().decode():
            if line.startswith("event: "):
                kind = line[7:].strip()
            elif line.startswith("data: "):
                ready.set()
                if kind == "job" and json.loads(line[6:])["state"] in ("done", "failed"):
                    return

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()


def write_clip(path: Path, frames: int, gop: int) -> list[float]:
    """The demo clip in 720p, with a key frame every `gop` frames -> the box in its first frame."""
    first: list[float] = []
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.gop_size = gop
        for image, box in demo_frames(frames):
            scale = WIDTH / image.shape[1]
            first = first or (np.asarray(box) * scale).tolist()
            large = cv2.resize(image, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(large, format="rgb24")))
        container.mux(stream.encode(None))
    return first


def open_video(client: Client, path: Path) -> int:
    """Uploads a video -> its id, when it is ready."""
    project = client("POST", "/projects", {"name": "Speed"})["id"]
    video: int = client("POST", f"/projects/{project}/videos?name=clip.mp4", path.read_bytes())["id"]
    while client("GET", f"/videos/{video}")["state"] == "checking":
        time.sleep(0.1)
    return video


def track_in_the_page(client: Client, video: int) -> float:
    """Seconds from the request to the event that says that it is done."""
    ready = threading.Event()
    listener = threading.Thread(target=client.wait_for_job, args=(video, ready))
    listener.start()
    ready.wait()
    begin = time.perf_counter()
    job = client("POST", f"/videos/{video}/jobs", {"again": True})
    listener.join()
    seconds = time.perf_counter() - begin
    assert client("GET", f"/jobs/{job['id']}")["state"] == "done"
    return seconds


def track_on_the_command_line(path: Path, box: Iterable[float], out: Path) -> float:
    """Frames per second that the command prints."""
    values = ",".join(f"{value:.2f}" for value in box)
    command = [sys.executable, "-m", "pgnet", "track", str(path), "--box", values, "--no-video", "--out", str(out)]
    done = subprocess.run([*command, "--overwrite"], capture_output=True, text=True, check=True)
    found = re.search(r"([\d.]+) frames per second", done.stdout)
    assert found, done.stdout
    return float(found[1])


def milliseconds(work: Callable[[int], object], numbers: Iterable[int]) -> tuple[float, float]:
    """Median and 95th percentile of what is done for each number."""
    times = []
    for number in numbers:
        begin = time.perf_counter()
        work(number)
        times.append(1000 * (time.perf_counter() - begin))
    return statistics.median(times), float(np.percentile(times, 95))


def main(
    frames: Annotated[int, typer.Option(min=20, help="Of the clip.")] = 500,
    rounds: Annotated[int, typer.Option(min=1, help="Turns that both take.")] = 3,
) -> None:
    """Print tables in Markdown."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        client = Client(folder / "data")
        try:
            tracking(client, folder, frames, rounds)
            stepping(client, folder, frames)
        finally:
            client.close()


def tracking(client: Client, folder: Path, frames: int, rounds: int) -> None:
    """Frames per second, in the page and on the command line."""
    box = write_clip(folder / "clip.mp4", frames, 60)
    video = open_video(client, folder / "clip.mp4")
    client("POST", f"/videos/{video}/targets", {"frame": 0, "box": box})
    track_in_the_page(client, video)  # loads the model
    page, line = [], []
    for _ in range(rounds):
        page.append((frames - 1) / track_in_the_page(client, video))
        line.append(track_on_the_command_line(folder / "clip.mp4", box, folder / "out"))
    page_rate, line_rate = statistics.median(page), statistics.median(line)
    print(f"| tracking {frames} frames of {WIDTH} x {HEIGHT} with pgnet-lite | frames/s |\n|---|---:|")
    print(f"| in the page | {page_rate:.1f} |\n| `pgnet track --no-video` | {line_rate:.1f} |")
    print(f"| ratio | {page_rate / line_rate:.2f} |\n")


def stepping(client: Client, folder: Path, frames: int) -> None:
    """Milliseconds from the request of a frame to the last byte of its picture."""
    print(f"| a frame of {WIDTH} x {HEIGHT} | key frames every | median, ms | 95 %, ms |\n|---|---:|---:|---:|")
    for gop in (30, 250):
        write_clip(folder / f"{gop}.mp4", frames, gop)
        video = open_video(client, folder / f"{gop}.mp4")

        middle = frames // 2
        ways = {
            "forwards": range(middle),
            "backwards": range(frames - 1, middle, -1),
            "anywhere": random.Random(0).sample(range(frames), min(60, frames)),
        }
        for width, (way, numbers) in enumerate(ways.items(), WIDTH):  # not smaller, but not the same request either
            median, most = milliseconds(partial(step, client, video, width), numbers)
            print(f"| {way} | {gop} | {median:.0f} | {most:.0f} |")


def step(client: Client, video: int, width: int, number: int) -> None:
    """Get the picture of a frame."""
    client("GET", f"/videos/{video}/frames/{number}?width={width}")


if __name__ == "__main__":
    run_script(main)
