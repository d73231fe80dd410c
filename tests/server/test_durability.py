"""What was shown as saved is not lost, whatever happens to the server."""

import os
import signal
import sys
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="the extra [serve] is not installed")

from pgnet.demo import write_demo_clip

from .helpers import Server

FRAMES = 120


def children(process: int) -> list[int]:
    """The processes that a process has started."""
    lists = [file.read_text().split() for file in Path(f"/proc/{process}/task").glob("*/children")]
    return [int(number) for numbers in lists for number in numbers]


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().split(") ")[1][0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="processes are listed as Linux does")
def test_killed_while_tracking(tmp_path):
    boxes = write_demo_clip(tmp_path / "demo.mp4", FRAMES)
    server = Server(tmp_path / "data")
    video = server.upload(tmp_path / "demo.mp4")["id"]
    target = {"name": "stone", "frame": 0, "box": boxes[0].tolist()}
    duck = server.send("POST", f"/api/videos/{video}/targets", target)["id"]
    job = server.send("POST", f"/api/videos/{video}/jobs", {})["id"]

    def rows():
        (found,) = server.get(f"/api/videos/{video}/rows")["targets"]
        return found

    server.wait(f"/api/jobs/{job}", lambda job: job["done"] >= 5)
    shown = rows()
    processes = children(server.process.pid)
    assert processes
    server.kill()
    server.start()
    assert not [process for process in processes if alive(process)], "nothing goes on without the server"
    saved = rows()
    count = len(shown["states"])
    assert 5 < count <= len(saved["states"])
    assert saved["boxes"][: 4 * count] == shown["boxes"]
    # The tracking process dies: the job fails with a sentence, what it found stays, and it can go on.
    server.wait(f"/api/jobs/{job}", lambda job: job["done"] > count + 3 or job["state"] == "done")
    for process in children(server.process.pid):
        os.kill(process, signal.SIGKILL)
    ended = server.wait(f"/api/jobs/{job}", lambda job: job["state"] in ("done", "failed"))
    if ended["state"] == "failed":
        assert "process died" in ended["error"]
        assert len(rows()["states"]) > count
        server.send("POST", f"/api/jobs/{job}/resume")
        ended = server.wait(f"/api/jobs/{job}", lambda job: job["state"] in ("done", "failed"))
    assert (ended["state"], ended["done"]) == ("done", FRAMES - 1)
    whole = rows()
    assert whole["runs"] == [[0, FRAMES]]
    assert whole["boxes"][: 4 * count] == shown["boxes"], "what was saved was not tracked again"
    # Ctrl-C while a job runs: it goes on as well.
    job = server.send("POST", f"/api/videos/{video}/jobs", {"again": True, "targets": [duck]})["id"]
    server.wait(f"/api/jobs/{job}", lambda job: job["done"] >= 2)
    assert server.stop() == 130
    server.start()
    assert server.wait(f"/api/jobs/{job}", lambda job: job["state"] in ("done", "failed"))["state"] == "done"
    assert server.stop() == 130
