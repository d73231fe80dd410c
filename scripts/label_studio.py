"""Send a track through Label Studio itself and compare: python scripts/label_studio.py FOLDER

Label Studio (Apache-2.0) gets an environment of its own in FOLDER/venv and a database in FOLDER/data. The script starts
it on this machine, makes a project for each track, imports what pgnet writes, accepts it where it is a prediction,
and reads both exports again. Nothing but the two targets' boxes and labels is sent, and only to this machine.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np

from pgnet.results import ModelInfo, SourceInfo, TargetTrack, Track
from pgnet.results.formats import read, write

VERSION = "1.23.2"
PORT = 8977
CONFIG = (
    '<View><Labels name="videoLabels" toName="video"><Label value="object"/><Label value="dog"/></Labels>'
    '<Video name="video" value="$video" framerate="25"/><VideoRectangle name="box" toName="video"/></View>'
)


class Server:
    """A running Label Studio."""

    def __init__(self, folder: Path) -> None:
        self.token = secrets.token_hex(20)
        program = folder / "venv/bin/label-studio"
        if not program.exists():
            subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
            subprocess.run([str(program.with_name("pip")), "install", "-q", f"label-studio=={VERSION}"], check=True)
        settings = {"LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true", "COLLECT_ANALYTICS": "False"}
        login = ["--username", f"{self.token[:8]}@example.org", "--password", self.token, "--user-token", self.token]
        self._process = subprocess.Popen(
            [str(program), "start", "--no-browser", "--port", str(PORT), "--data-dir", str(folder / "data"), *login],
            env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | settings,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def __enter__(self) -> Server:
        for _ in range(120):
            try:
                self.ask("GET", "/health")
                return self
            except OSError:
                time.sleep(1)
        self.__exit__()
        raise SystemExit("Label Studio did not start.")

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()

    def ask(self, method: str, path: str, data: Any = None) -> Any:
        """One request of its API."""
        headers = {"Authorization": f"Token {self.token}", "Content-Type": "application/json"}
        body = None if data is None else json.dumps(data).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{PORT}{path}", body, headers, method=method)
        with urllib.request.urlopen(request) as answer:
            return json.loads(answer.read() or b"null")


def tracks() -> list[Track]:
    """One that people annotated, with an absence, and one of a model."""
    info = SourceInfo("http://example.org/clip.mp4", "video", 640, 360, 25.0, 12)
    annotated = Track(info, targets=[TargetTrack(1, "dog"), TargetTrack(2)])
    tracked = Track(info, ModelInfo("pgnet-lite", "0" * 64))
    for frame in range(10):
        box = (10.25 + 7 * frame, 20.5, 60, 40)
        annotated.targets[0].append(frame, frame / 25, box, absent=frame in (4, 5), keyframe=frame in (0, 3, 6, 9))
        tracked.target.append(frame, frame / 25, box, 0.9, state="lost" if frame in (4, 5) else "present")
    for frame in range(3, 9):
        annotated.targets[1].append(frame, frame / 25, (300, 100 + frame**2, 50.5, 25))
    return [annotated, tracked]


def through(server: Server, track: Track, folder: Path) -> None:
    """Import a track, export it, and compare. Raises: AssertionError where something changed."""
    project = server.ask("POST", "/api/projects", {"title": "pgnet", "label_config": CONFIG})["id"]
    write(track, folder / "tasks.json", "labelstudio")
    server.ask("POST", f"/api/projects/{project}/import", json.loads((folder / "tasks.json").read_text()))
    (task,) = server.ask("GET", f"/api/tasks?project={project}&fields=all")["tasks"]
    for prediction in server.ask("GET", f"/api/predictions?task={task['id']}"):
        server.ask("POST", f"/api/tasks/{task['id']}/annotations/", {"result": prediction["result"]})
    for kind in ("JSON", "JSON_MIN"):
        path = folder / f"{kind}.json"
        path.write_text(json.dumps(server.ask("GET", f"/api/projects/{project}/export?exportType={kind}")))
        back = read(path, known=SourceInfo("", "video", 640, 360))
        for target, other in zip(track.targets, back.targets, strict=True):
            assert (target.id, target.label) == (other.id, other.label)
            seen, there = ~target.missing, ~other.missing
            assert target.frames[seen].tolist() == other.frames[there].tolist()
            assert np.abs(target.boxes[seen] - other.boxes[there]).max() < 1e-4
        names = " and ".join(str(target.id) for target in back.targets)
        print(f"Label Studio {VERSION}, export {kind}: target {names} unchanged.")


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with Server(folder.resolve()) as server:
        for track in tracks():
            through(server, track, folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
