import csv
import json
import os
import signal
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import cv2
import pytest

from pgnet.cli import main
from pgnet.results import Track

BOX = "20,30,40,25"


def one_sentence(capsys) -> str:
    """What was said on stderr, which must be one line and no traceback."""
    said = capsys.readouterr()
    assert said.out == ""
    lines = said.err.splitlines()
    assert len(lines) == 1, said.err
    assert "Traceback" not in said.err
    return lines[0]


def frame_times(path: Path) -> list[Fraction]:
    with av.open(path) as container:
        return [frame.pts * frame.time_base for frame in container.decode(video=0)]


def test_writes_video_json_and_csv(video, tracker, tmp_path, capsys):
    out = tmp_path / "new" / "out"
    assert main(["track", str(video), "--box", BOX, "--out", str(out)]) == 0
    assert sorted(path.name for path in out.iterdir()) == ["track.csv", "track.json", "track.mp4"]
    track = Track.read_json(out / "track.json")
    assert track.frames.tolist() == list(range(24))
    assert track.boxes[:, 0].tolist() == [20 + i for i in range(24)]
    assert track.scores.tolist() == [1.0] + [0.75] * 23
    assert (track.source.width, track.source.height, track.status) == (160, 120, "complete")
    assert track.model.name == "pgnet-lite"
    assert len(track.model.sha256) == 64
    assert track.target.keyframes.tolist() == [True] + [False] * 23
    assert track.options["tracking"]["window_influence"] == tracker.options.window_influence
    rows = list(csv.DictReader((out / "track.csv").open()))
    assert [float(row["x"]) for row in rows] == track.boxes[:, 0].tolist()
    assert frame_times(out / "track.mp4") == frame_times(video)
    said = capsys.readouterr()
    assert said.err == ""  # no progress bar without a terminal
    assert "24 frames" in said.out
    assert "frames per second" in said.out


def test_several_targets_in_one_pass(video, tracker, tmp_path, capsys):
    """One of them comes later, and one leaves before the end."""
    out = tmp_path / "out"
    boxes = ["--box", f"dog@{BOX}", "--box", "10:60,30,20,20", "--box", "dog@15:absent"]
    assert main(["track", str(video), *boxes[:3], "bird@10:60,30,20,20", *boxes[4:], "--out", str(out)]) == 0
    dog, bird = Track.read_json(out / "track.json").targets
    assert (dog.id, dog.label, bird.id, bird.label) == (1, "dog", 2, "bird")
    assert dog.frames.tolist() == list(range(16)) and bird.frames.tolist() == list(range(10, 24))
    assert dog.boxes[:15, 0].tolist() == [20 + i for i in range(15)] and dog.absent.tolist() == [False] * 15 + [True]
    assert bird.boxes[:, 0].tolist() == [60 + i for i in range(14)]
    assert dog.keyframes[[0, 15]].all() and bird.keyframes[0]
    assert tracker.updates == 23  # both at once
    assert len(frame_times(out / "track.mp4")) == 24
    assert tracker.boxes == {}  # it may follow others now


def test_a_correction_on_the_way(video, tracker, tmp_path):
    """Between two boxes that a person set, forward and backward pass go over into each other."""
    out = tmp_path / "out"
    assert main(["track", str(video), "--box", BOX, "--box", "6:24,30,40,25", "--out", str(out)]) == 0
    track = Track.read_json(out / "track.json")
    assert track.frames.tolist() == list(range(24))
    assert track.target.keyframes.nonzero()[0].tolist() == [0, 6]
    assert track.boxes[[0, 6], 0].tolist() == [20, 24]
    # Forwards it is at 20 + i, backwards at 24 + 6 - i.
    expected = [(20 + i) * (1 - i / 6) + (30 - i) * i / 6 for i in range(1, 6)]
    assert track.boxes[1:6, 0].tolist() == pytest.approx(expected, abs=1e-3)
    assert track.boxes[7:, 0].tolist() == [24 + i for i in range(1, 18)]
    assert tracker.updates == 22 + 5
    assert frame_times(out / "track.mp4") == frame_times(video)


def test_offline(video, tracker, tmp_path):
    out = tmp_path / "out"
    assert main(["track", str(video), "--box", BOX, "--out", str(out), "--offline"]) == 0
    track = Track.read_json(out / "track.json")
    assert tracker.updates == 23 + 22 and track.options["offline"] is True
    assert track.boxes[[0, 1, 23], 0].tolist() == [20, pytest.approx(21, abs=1.5), 43]
    assert (track.boxes[13:23, 0] > [20 + n for n in range(13, 23)]).all()  # it drifts to the right both ways
    assert frame_times(out / "track.mp4") == frame_times(video)


def test_boxes_of_a_file(video, tracker, tmp_path, capsys):
    boxes, out = tmp_path / "boxes.csv", tmp_path / "out"
    boxes.write_text("frame,target,label,x,y,w,h\n0,4,dog,20,30,40,25\n8,2,cat,60,30,20,20\n")
    command = ["track", str(video), "--boxes", str(boxes), "--no-video", "--out", str(out)]
    assert main(command) == 0
    track = Track.read_json(out / "track.json")
    assert [(t.id, t.label, len(t)) for t in track.targets] == [(2, "cat", 16), (4, "dog", 24)]
    boxes.write_text("frame,x,y,w,h\n24,20,30,40,25\n")
    capsys.readouterr()
    assert main([*command, "--overwrite"]) == 2
    assert "frame 24, and the last one to track is frame 23" in one_sentence(capsys)
    record = (out / "track.json").read_text().replace('"width": 160', '"width": 320')
    (tmp_path / "other.json").write_text(record)
    assert main(["track", str(video), "--boxes", str(tmp_path / "other.json"), "--out", str(tmp_path / "new")]) == 2
    assert "320 x 120 pixels and the video's are 160 x 120" in one_sentence(capsys)
    assert not (tmp_path / "new").exists()


def test_default_folder_is_named_after_the_source(video, tracker, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["track", str(video), "--box", BOX]) == 0
    assert (tmp_path / "pgnet-clip" / "track.json").is_file()


@pytest.mark.parametrize(
    ("start", "end", "frames"),
    [("6", "9", [6, 7, 8]), ("0.5s", "0.75s", [6, 7, 8]), ("1.5", None, list(range(18, 24)))],
    ids=["frames", "seconds", "seconds without unit"],
)
def test_start_and_end(video, tracker, tmp_path, start, end, frames):
    limits = ["--start", start] + (["--end", end] if end else [])
    assert main(["track", str(video), "--box", BOX, "--out", str(tmp_path / "out"), "--no-video", *limits]) == 0
    assert Track.read_json(tmp_path / "out" / "track.json").frames.tolist() == frames


def test_no_video_leaves_no_video_of_an_earlier_run(video, tracker, tmp_path):
    out = tmp_path / "out"
    assert main(["track", str(video), "--box", BOX, "--out", str(out)]) == 0
    assert main(["track", str(video), "--box", BOX, "--out", str(out), "--overwrite", "--no-video"]) == 0
    assert sorted(path.name for path in out.iterdir()) == ["track.csv", "track.json"]


def test_existing_output_is_refused_and_kept(video, tracker, tmp_path, capsys):
    out = tmp_path / "out"
    out.mkdir()
    (out / "track.csv").write_text("mine")
    assert main(["track", str(video), "--box", BOX, "--out", str(out)]) == 2
    assert "--overwrite" in one_sentence(capsys)
    assert (out / "track.csv").read_text() == "mine"
    assert main(["track", str(video), "--box", BOX, "--out", str(out), "--overwrite"]) == 0
    assert (out / "track.csv").read_text() != "mine"


@pytest.mark.parametrize(
    ("box", "says"),
    [
        ("1,2,3", "four numbers"),
        ("1,2,3,4,5", "four numbers"),
        ("a,b,c,d", "four numbers"),
        ("200,30,40,25", "outside"),
        ("20,30,0,25", "extent"),
        ("20,30,-4,25", "extent"),
        ("nan,30,40,25", "finite"),
        ("-10,-10,300,20", "larger"),
        ("7:absent", "No frame has a box"),
        ("99:20,30,40,25", "last one to track is frame 23"),
    ],
)
def test_unusable_box(video, tracker, tmp_path, capsys, box, says):
    out = tmp_path / "out"
    assert main(["track", str(video), "--box", box, "--out", str(out)]) == 2
    assert says in one_sentence(capsys)
    assert not out.exists()


@pytest.mark.parametrize("content", [None, b"", b"not a video at all" * 100], ids=["missing", "empty", "foreign"])
def test_unusable_source(tracker, tmp_path, capsys, content):
    source, out = tmp_path / "video.mp4", tmp_path / "out"
    if content is not None:
        source.write_bytes(content)
    assert main(["track", str(source), "--box", BOX, "--out", str(out)]) == 2
    assert "video.mp4" in one_sentence(capsys)
    assert not out.exists()


def test_truncated_video_is_tracked_as_far_as_it_goes(video, tracker, tmp_path, capsys):
    broken, out = tmp_path / "broken.mp4", tmp_path / "out"
    data = video.read_bytes()
    broken.write_bytes(data[: len(data) * 2 // 3])
    assert main(["track", str(broken), "--box", BOX, "--out", str(out)]) == 0
    track = Track.read_json(out / "track.json")
    assert 0 < len(track) < 24
    assert len(frame_times(out / "track.mp4")) == len(track)
    assert track.warnings
    said = capsys.readouterr()
    assert said.err.startswith("Note: ")
    assert track.warnings[0] in said.err


def test_interrupt_saves_what_was_tracked(video, tracker, tmp_path, capsys, monkeypatch):
    update = tracker.update

    def interrupted(frame):
        if tracker.updates == 9:
            signal.raise_signal(signal.SIGINT)
        return update(frame)

    monkeypatch.setattr(tracker, "update", interrupted)
    before = signal.getsignal(signal.SIGINT)
    out = tmp_path / "out"
    assert main(["track", str(video), "--box", BOX, "--out", str(out)]) == 130
    track = Track.read_json(out / "track.json")
    assert len(track) == 11
    assert track.status == "interrupted"
    assert len(frame_times(out / "track.mp4")) == 11
    assert "11 frames tracked so far are saved" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGINT) is before


def test_second_interrupt_gives_up_and_leaves_nothing(video, tracker, tmp_path, monkeypatch):
    def interrupted(frame):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(tracker, "update", interrupted)
    assert main(["track", str(video), "--box", BOX, "--out", str(tmp_path / "out")]) == 130
    assert not (tmp_path / "out").exists()


def test_an_error_on_the_way_leaves_nothing(tracker, tmp_path, capsys):
    shots, out = tmp_path / "shots", tmp_path / "out"
    shots.mkdir()
    for i, size in enumerate([(120, 160), (120, 160), (60, 80)]):
        cv2.imwrite(str(shots / f"{i}.png"), cv2.randu(cv2.UMat(*size, cv2.CV_8UC3), 0, 255).get())
    assert main(["track", str(shots), "--box", BOX, "--out", str(out)]) == 2
    assert "2.png" in one_sentence(capsys)
    assert not out.exists()


def test_output_below_a_file(video, tracker, tmp_path, capsys):
    (tmp_path / "file").touch()
    assert main(["track", str(video), "--box", BOX, "--out", str(tmp_path / "file")]) == 2
    assert "is a file" in one_sentence(capsys)
    assert main(["track", str(video), "--box", BOX, "--out", str(tmp_path / "file" / "out")]) == 2
    assert "--out" in one_sentence(capsys)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may write anywhere")
def test_output_without_permission(video, tracker, tmp_path, capsys):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    assert main(["track", str(video), "--box", BOX, "--out", str(closed)]) == 2
    assert "--out" in one_sentence(capsys)


@pytest.mark.parametrize(
    ("model", "says"),
    [("pgnet-huge", "pgnet-huge"), ("foreign.safetensors", "foreign"), ("absent.safetensors", "absent")],
)
def test_unusable_model(video, tracker, tmp_path, capsys, model, says, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "foreign.safetensors").write_bytes(b"\x00" * 64)
    assert main(["track", str(video), "--box", BOX, "--model", model, "--out", "out"]) == 2
    assert says in one_sentence(capsys)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("option", ["--start", "--end"])
@pytest.mark.parametrize("value", ["soon", "-3", "1:30", "1e3", "2.5 s", "3f"])
def test_unusable_moment(video, tracker, capsys, option, value):
    assert main(["track", str(video), "--box", BOX, option, value]) == 2
    assert one_sentence(capsys).startswith(option)


def test_start_after_the_end_of_the_video(video, tracker, tmp_path, capsys):
    assert main(["track", str(video), "--box", BOX, "--start", "500", "--out", str(tmp_path / "out")]) == 2
    assert "start" in one_sentence(capsys)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere there is always a display")
@pytest.mark.parametrize("option", [[], ["--show", "--box", BOX]], ids=["no box", "show"])
def test_without_a_display(video, tracker, tmp_path, capsys, monkeypatch, option):
    monkeypatch.delenv("DISPLAY", raising=False)
    assert main(["track", str(video), *option, "--out", str(tmp_path / "out")]) == 2
    said = one_sentence(capsys)
    assert "--show" in said if option else ("--box" in said and "pgnet frame" in said)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "arguments", [["track"], ["trak"], ["track", "a.mp4", "--threads", "0"], ["track", "a.mp4", "--nonsense"]]
)
def test_usage_errors(capsys, arguments):
    assert main(arguments) == 2
    assert "--help" in one_sentence(capsys)


def test_version_on_the_module(tmp_path):
    done = subprocess.run([sys.executable, "-m", "pgnet", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("pgnet ")


def test_record_is_plain_json(video, tracker, tmp_path):
    out = tmp_path / "out"
    assert main(["track", str(video), "--box", BOX, "--out", str(out), "--no-video", "--start", "2"]) == 0
    data = json.loads((out / "track.json").read_text())
    assert (data["schema"], data["version"]) == ("pgnet.track", 1)
    assert (data["options"]["start"], data["options"]["end"]) == (2, None)
    assert data["frames"][0]["frame"] == 2
