"""The server as a user starts it, with real processes and the real model."""

import json
import threading

import cv2
import numpy as np
import pytest

pytest.importorskip("fastapi", reason="the extra [serve] is not installed")

from pgnet.results import formats
from pgnet.video import FrameReader

from .helpers import BOX, FPS, FRAMES, HEIGHT, WIDTH, Server, number


def picture(server, video, n, **query):
    response = server.http.get(f"/api/videos/{video}/frames/{n}", params=query)
    assert response.headers["content-type"] == "image/jpeg"
    return cv2.imdecode(np.frombuffer(response.content, np.uint8), cv2.IMREAD_COLOR)


@pytest.fixture(scope="module")
def video(server, clip):
    return server.upload(clip)["id"]


@pytest.fixture(scope="module")
def duck(server, video):
    """A target that has been tracked."""
    target = server.send("POST", f"/api/videos/{video}/targets", {"name": "duck", "frame": 0, "box": BOX})["id"]
    job = server.track(video)
    assert (job["state"], job["done"], job["total"]) == ("done", FRAMES - 1, FRAMES - 1), job
    return target


def test_info(server):
    info = server.get("/api/info")
    assert [model["name"] for model in info["models"] if model["default"]] == ["pgnet-lite"]
    assert sum(engine["default"] for engine in info["engines"]) == 1
    assert {form["name"] for form in info["formats"]} == set(formats.FORMATS)


def test_every_frame_is_the_files_own(server, video):
    found = server.get(f"/api/videos/{video}")
    assert (found["state"], found["width"], found["height"], found["frame_count"]) == ("ready", WIDTH, HEIGHT, FRAMES)
    assert server.get(f"/api/videos/{video}/times")["times"] == pytest.approx([i / FPS for i in range(FRAMES)])
    for n in (0, 39, 7, 6, 5, 21):
        assert number(picture(server, video, n)) == n
    assert picture(server, video, 3, width=80).shape == (60, 80, 3)
    missing = server.http.get(f"/api/videos/{video}/frames/40")
    assert missing.status_code == 404
    assert "40" in missing.json()["detail"]


def test_tracked_rows(server, video, duck):
    (rows,) = server.get(f"/api/videos/{video}/rows")["targets"]
    assert rows["target"] == duck
    assert rows["runs"] == [[0, FRAMES]]
    assert rows["by"] == "k" + "t" * (FRAMES - 1)
    assert len(rows["boxes"]) == 4 * FRAMES
    assert len(rows["presence"]) == len(rows["states"]) == FRAMES
    (some,) = server.get(f"/api/videos/{video}/rows", **{"from": 5, "to": 8, "target": duck})["targets"]
    assert some["runs"] == [[5, 3]]
    assert some["boxes"] == rows["boxes"][20:32]


def test_a_correction_streams_its_rows_to_another_page(server, video, duck):
    before = server.get(f"/api/videos/{video}/rows")["targets"][0]
    events, opened = [], threading.Event()

    def listen():
        with server.http.stream("GET", "/api/events", params={"video": video}) as stream:
            kind = ""
            for line in stream.iter_lines():
                if line.startswith("event: "):
                    kind = line[7:]
                elif line.startswith("data: "):
                    events.append((kind, json.loads(line[6:])))
                    opened.set()
                    if kind == "job" and events[-1][1]["state"] in ("done", "failed"):
                        return

    page = threading.Thread(target=listen)
    page.start()
    assert opened.wait(60)
    change = server.send("PUT", f"/api/targets/{duck}/keyframes/20", {"box": [40, 40, 32, 24]})
    assert (change["job"]["total"], change["job"]["done"]) == (19 * 2 + 19, 19)
    page.join(120)
    assert not page.is_alive()
    kinds = [kind for kind, _ in events]
    assert kinds[0] == "hello"
    assert {"changed", "video", "job", "rows"} <= set(kinds)
    frames = {
        n
        for kind, data in events
        if kind == "rows"
        for first, count in data["runs"]
        for n in range(first, first + count)
    }
    assert frames == set(range(1, FRAMES)) - {20}
    assert [data["state"] for kind, data in events if kind == "job"][-1] == "done"
    server.send("POST", f"/api/videos/{video}/undo")
    assert server.get(f"/api/videos/{video}/rows")["targets"][0] == before


def test_export_and_import(server, video, duck, tmp_path):
    response = server.http.get(f"/api/videos/{video}/export/cvat")
    assert response.headers["content-disposition"] == 'attachment; filename="clip.cvat.xml"'
    (tmp_path / "clip.cvat.xml").write_bytes(response.content)
    track = formats.read(tmp_path / "clip.cvat.xml")
    assert [target.label for target in track.targets] == ["duck"]
    imported = server.check(
        server.http.post(f"/api/videos/{video}/import", params={"name": "clip.xml"}, content=response.content)
    )
    assert [target["name"] for target in imported["targets"]] == ["duck"]
    several = server.http.get(f"/api/videos/{video}/export/otb")
    assert several.status_code == 400
    assert "one target" in several.json()["detail"]
    folder = server.http.get(f"/api/videos/{video}/export/yolo", params={"target": duck})
    assert folder.headers["content-disposition"].endswith('.yolo.zip"')
    again = server.check(
        server.http.post(f"/api/videos/{video}/import", params={"name": "yolo.zip"}, content=folder.content)
    )
    assert 0 < again["targets"][0]["rows"] <= FRAMES  # frames in which it was lost have no row there
    for _ in range(2):
        server.send("POST", f"/api/videos/{video}/undo")
    assert len(server.get(f"/api/videos/{video}")["targets"]) == 1
    wrong = server.http.post(f"/api/videos/{video}/import", params={"name": "x.xml"}, content=b"<annotations><track")
    assert wrong.status_code == 400
    assert str(server.data) not in wrong.text
    assert not [path for path in server.data.iterdir() if path.name.startswith(("export-", "import-"))]


@pytest.mark.parametrize("kind", ["annotated", "follow-crop", "pixelate"])
def test_videos_are_made(server, video, duck, tmp_path, kind):
    new = {"kind": kind, "target": duck, "width": 64, "height": 96}
    job = server.send("POST", f"/api/videos/{video}/renders", new)
    job = server.wait(f"/api/jobs/{job['id']}", lambda job: job["state"] in ("done", "failed"))
    assert job["file"]["name"] == f"clip.{kind}.mp4", job
    (tmp_path / "made.mp4").write_bytes(server.http.get(job["file"]["url"]).content)
    with FrameReader(tmp_path / "made.mp4") as frames:
        assert len(frames) == FRAMES
        size = frames.source.width, frames.source.height
        assert size == ((64, 96) if kind == "follow-crop" else (WIDTH, HEIGHT))
        changed = (
            np.abs(frames[0].image.astype(int) - picture(server, video, 0)[..., ::-1]).mean() if size[0] > 64 else 9
        )
    assert changed > 0.5


def test_pause_and_go_on(server, clip):
    video = server.upload(clip)["id"]
    server.send("POST", f"/api/videos/{video}/targets", {"frame": 0, "box": BOX})
    job = server.send("POST", f"/api/videos/{video}/jobs", {})["id"]
    server.wait(f"/api/jobs/{job}", lambda job: job["done"] > 0)
    paused = server.send("POST", f"/api/jobs/{job}/pause")
    if paused["state"] == "paused":  # it may have been faster
        server.send("POST", f"/api/jobs/{job}/resume")
    done = server.wait(f"/api/jobs/{job}", lambda job: job["state"] == "done")
    assert done["done"] == done["total"] == FRAMES - 1
    assert server.get(f"/api/videos/{video}/rows")["targets"][0]["runs"] == [[0, FRAMES]]


@pytest.mark.parametrize(
    "content",
    [
        b"not a video at all" * 100,
        b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        bytes(range(256)) * 200,
    ],
    ids=["text", "playlist", "script", "noise"],
)
def test_what_is_no_video_fails_and_the_server_goes_on(server, content, tmp_path):
    (tmp_path / "clip.mp4").write_bytes(content)
    video = server.upload(tmp_path / "clip.mp4")
    assert video["state"] == "failed"
    assert "video" in video["error"]
    assert str(server.data) not in video["error"]
    assert server.http.get(f"/api/videos/{video['id']}/frames/0").status_code == 409


def test_a_damaged_video_is_taken_as_far_as_it_goes(server, clip, tmp_path):
    data = bytearray(clip.read_bytes())
    data[len(data) // 2 :] = np.random.default_rng(0).integers(0, 256, len(data) - len(data) // 2, np.uint8).tobytes()
    (tmp_path / "clip.mp4").write_bytes(data)
    video = server.upload(tmp_path / "clip.mp4")
    if video["state"] == "ready":
        statuses = {server.http.get(f"/api/videos/{video['id']}/frames/{n}").status_code for n in range(0, 40, 3)}
        assert statuses <= {200, 400, 404}
    assert server.get("/api/projects")


def test_the_page_and_what_is_malformed(server):
    assert server.http.post("/api/projects", json={"name": ""}).status_code == 422
    assert "name" in server.http.post("/api/projects", json={"name": "a\nb"}).json()["detail"]
    assert server.http.get("/api/nothing").json()["detail"] == "Not Found."
    assert server.http.get("/static/../../api.py").status_code == 404
    assert server.http.get("/static/%2e%2e/api.py").status_code == 404


def test_limits(tmp_path, clip):
    server = Server(tmp_path / "data", "--max-upload", "0.001", "--max-frames", "30", "--token", "correct-horse")
    try:
        assert server.token is not None
        project = server.send("POST", "/api/projects", {"name": "Birds"})["id"]
        url = f"/api/projects/{project}/videos"
        for content in (b"x" * (2 << 20), iter([b"x" * (1 << 20)] * 2)):
            refused = server.http.post(url, params={"name": "x.mp4"}, content=content)
            assert refused.status_code == 413
            assert "1 MiB" in refused.json()["detail"]
        assert list((tmp_path / "data" / "videos").iterdir()) == []
        video = server.upload(clip)
        assert (video["state"], "40 frames" in video["error"]) == ("failed", True)
        assert server.http.get("/api/projects", headers={"Authorization": ""}).status_code == 401
    finally:
        server.stop()
