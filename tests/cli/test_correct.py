import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from pgnet.cli import main
from pgnet.results import TargetTrack, Track
from pgnet.video import FrameReader

BOX = "20,30,40,25"


@pytest.fixture
def run(video, tracker, tmp_path, capsys):
    """Three targets tracked in one pass: a dog, a cat, and one without name from frame 4 on."""
    out = tmp_path / "run"
    boxes = ["--box", f"dog@{BOX}", "--box", "cat@60,40,30,30", "--box", "3@4:90,50,30,30"]
    assert main(["track", str(video), *boxes, "--out", str(out)]) == 0
    assert tracker.updates == 23
    capsys.readouterr()
    tracker.updates = 0
    return out / "track.json"


def test_one_of_three_is_corrected_in_the_middle(run, tracker, capsys):
    before = Track.read_json(run)
    assert main(["correct", str(run), "--box", "cat@12:70,40,30,30"]) == 0
    after = Track.read_json(run)
    # 11 frames forwards to the end, and back until nothing was to be gained: the way there is known.
    said = capsys.readouterr().out
    assert f"Redone: frames 1-23 of target 2 (cat), in {tracker.updates} steps of the tracker;" in said
    assert 11 < tracker.updates <= 11 + 11
    for id in (0, 2):
        np.testing.assert_array_equal(after.targets[id].boxes, before.targets[id].boxes)
    cat = after.targets[1]
    assert cat.boxes[12].tolist() == [70, 40, 30, 30] and np.flatnonzero(cat.keyframes).tolist() == [0, 12]
    assert cat.boxes[13:, 0].tolist() == [70 + i for i in range(1, 12)]
    assert sorted(path.name for path in run.parent.iterdir()) == ["track.csv", "track.json", "track.mp4"]
    with FrameReader(run.with_name("track.mp4")) as frames:
        assert len(frames) == 24
    # A second one concerns only what lies between this and the end.
    tracker.updates = 0
    assert main(["correct", str(run), "--box", "2@18:80,40,30,30", "--no-video"]) == 0
    again = Track.read_json(run).targets[1]
    assert tracker.updates <= 5 + 5
    np.testing.assert_array_equal(again.boxes[:13], cat.boxes[:13])
    assert not run.with_name("track.mp4").exists()  # it would not fit


def test_the_target_is_absent_from_a_frame_on(run, tracker, capsys):
    assert main(["correct", str(run), "--box", "dog@10:absent", "--no-video"]) == 0
    dog = Track.read_json(run).targets[0]
    assert dog.frames.tolist() == list(range(11)) and dog.absent[10] and tracker.updates == 0
    assert "Redone: frames 1-23 of target 1 (dog), in 0 steps of the tracker;" in capsys.readouterr().out


def test_where_a_box_is_confirmed_tracking_again_ends(run, tracker, capsys):
    before = Track.read_json(run)
    assert main(["correct", str(run), "--confirm", "2@10", "--box", "cat@14:70,40,30,30", "--no-video"]) == 0
    after = Track.read_json(run)
    cat = after.targets[1]
    assert cat.boxes[10].tolist() == before.targets[1].boxes[10].tolist()
    assert np.flatnonzero(cat.keyframes).tolist() == [0, 10, 14]
    # Back from 10 to where it meets the way there; forwards to 13 and back again; forwards from 14 to the end.
    assert tracker.updates == 9 + 3 + 3 + 9
    assert (
        f"Redone: frames 1-23 of target 2 (cat), in {tracker.updates} steps of the tracker;" in capsys.readouterr().out
    )
    # What lies before the confirmed frame stays as it is, whatever is said after it.
    tracker.updates = 0
    assert main(["correct", str(run), "--box", "cat@13:90,40,30,30", "--no-video"]) == 0
    np.testing.assert_array_equal(Track.read_json(run).targets[1].boxes[:11], cat.boxes[:11])
    assert "Redone: frames 11-12 of target 2 (cat), in 2 steps of the tracker;" in capsys.readouterr().out
    assert tracker.updates == 2  # the way there is known


def test_what_a_person_set_is_taken_back(run, tracker, capsys):
    before = Track.read_json(run)
    assert main(["correct", str(run), "--box", "cat@12:70,40,30,30", "--box", "dog@10:absent", "--no-video"]) == 0
    tracker.updates = 0
    assert main(["correct", str(run), "--remove", "cat@12", "--remove", "dog@10", "--no-video"]) == 0
    after = Track.read_json(run)
    for one, other in zip(after.targets, before.targets, strict=True):
        np.testing.assert_array_equal(one.boxes, other.boxes)
        np.testing.assert_array_equal(one.keyframes, other.keyframes)
    assert tracker.updates == 23  # one way through the frames after the first, for both
    redone = "frames 1-23 of target 1 (dog), frames 1-23 of target 2 (cat)"
    assert f"Redone: {redone}, in 46 steps of the tracker; everything else" in capsys.readouterr().out
    # Once more, what is said is nothing new.
    assert main(["correct", str(run), "--confirm", "cat@0", "--no-video"]) == 0
    assert tracker.updates == 23 and "Nothing had to be done again." in capsys.readouterr().out


def test_the_result_may_go_elsewhere(run, tracker, tmp_path, capsys):
    old, other = run.read_text(), tmp_path / "other"
    command = ["correct", str(run), "--box", "cat@12:70,40,30,30", "--no-video", "--out", str(other)]
    assert main(command) == 0
    assert run.read_text() == old and Track.read_json(other / "track.json").targets[1].keyframes[12]
    capsys.readouterr()
    assert main(command) == 2
    assert "--overwrite" in capsys.readouterr().err
    # A copy under another name must not overwrite the track beside it.
    copy = run.with_name("copy.json")
    shutil.copy(run, copy)
    assert main(["correct", str(copy), "--box", "cat@12:70,40,30,30"]) == 2
    assert "--overwrite" in capsys.readouterr().err


def test_boxes_of_a_file_and_a_video_that_was_moved(run, video, tracker, tmp_path, capsys):
    moved, boxes = tmp_path / "elsewhere.mp4", tmp_path / "boxes.csv"
    video.rename(moved)
    boxes.write_text("frame,target,x,y,w,h\n12,2,70,40,30,30\n")
    command = ["correct", str(run), "--boxes", str(boxes), "--no-video"]
    assert main(command) == 2
    assert "--video" in capsys.readouterr().err
    assert main([*command, "--video", str(moved)]) == 0
    assert Track.read_json(run).source.name == str(moved)
    assert Track.read_json(run).targets[1].keyframes[12]


def test_boxes_of_its_own_cvat_file(video, tracker, tmp_path):
    """It closes each track with an absence, which is behind the last frame where the track ends before the video."""
    run, file = tmp_path / "run" / "track.json", tmp_path / "annotations.xml"
    assert main(["track", str(video), "--box", BOX, "--end", "10", "--no-video", "--out", str(run.parent)]) == 0
    assert main(["convert", str(run), str(file), "--to", "cvat"]) == 0
    assert main(["correct", str(run), "--boxes", str(file), "--no-video"]) == 0
    assert Track.read_json(run).frames.tolist() == list(range(10))


def test_an_interrupted_track_stays_as_long_as_it_is(run, tracker):
    track = Track.read_json(run)
    targets = [TargetTrack(target.id, target.label) for target in track.targets]
    for short, target in zip(targets, track.targets, strict=True):
        for row in filter(None, map(target.row, range(12))):
            short.add(row)
    replace(track, status="interrupted", targets=targets).write_json(run)
    assert main(["correct", str(run), "--box", "cat@8:70,40,30,30"]) == 0
    after = Track.read_json(run)
    assert (after.status, [int(target.frames[-1]) for target in after.targets]) == ("interrupted", [11] * 3)
    assert tracker.updates <= 3 + 7
    with FrameReader(run.with_name("track.mp4")) as frames:
        assert len(frames) == 12


def test_what_was_made_of_the_track_before_is_named(run, capsys):
    others = ("blurred.mp4", "crop-2.mp4", "track.cvat.xml", "notes.txt")
    for name in others:
        run.with_name(name).write_text("of before")
    assert main(["correct", str(run), "--confirm", "cat@5", "--no-video"]) == 0
    assert "Note: blurred.mp4, crop-2.mp4, track.cvat.xml in" in capsys.readouterr().err
    assert all(run.with_name(name).exists() for name in others)


def test_another_model_is_said(run, capsys):
    data = json.loads(run.read_text())
    data["model"]["sha256"] = "0" * 64
    run.write_text(json.dumps(data))
    assert main(["correct", str(run), "--box", "cat@12:70,40,30,30", "--no-video"]) == 0
    assert "the rest was not" in capsys.readouterr().err
    assert len(Track.read_json(run).warnings) == 1


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "Give a --box"),
        (["--box", BOX], "say which frame"),
        (["--box", f"12:{BOX}"], "several targets"),
        (["--box", f"bird@12:{BOX}"], "no target bird; it has 1 (dog), 2 (cat), 3"),
        (["--box", f"9@12:{BOX}"], "no target 9"),
        (["--box", f"cat@24:{BOX}"], "last one to track is frame 23"),
        (["--box", f"cat@12:{BOX}", "--box", f"2@12:{BOX}"], "a box in frame 12 already"),
        (["--box", "cat@12:300,30,40,25"], "outside the frame"),
        (["--box", f"cat@12:{BOX}", "--model", "pgnet-huge"], "pgnet-huge"),
        (["--boxes", "nowhere.csv"], "nowhere.csv"),
        (["--confirm", "12"], "several targets"),
        (["--confirm", "cat@24"], "--confirm cat@24 is for frame 24, and the last one to track is frame 23"),
        (["--confirm", "3@2"], "the track has no box there; give --box 2:X,Y,W,H, or --box 2:absent"),
        (["--remove", "cat@12"], "no person set frame 12 of target 2 (cat); those that were set are 0."),
        (["--remove", "bird@0"], "no target bird"),
        (["--remove", "cat@0"], "No frame has a box of target 2 (cat)"),
        (["--remove", "cat@0", "--box", f"2@0:{BOX}"], "are for the same frame of target 2 (cat)"),
        (["--confirm", "cat@8", "--confirm", "2@8"], "a box in frame 8 already"),
    ],
)
def test_what_cannot_be_corrected_changes_nothing(run, tracker, capsys, arguments, complaint):
    before = {path: path.read_bytes() for path in run.parent.iterdir()}
    assert main(["correct", str(run), *arguments]) == 2
    said = capsys.readouterr()
    assert complaint in said.err and len(said.err.splitlines()) == 1 and said.out == ""
    assert {path: path.read_bytes() for path in run.parent.iterdir()} == before
    assert tracker.updates == 0


def test_what_the_tracker_lost_cannot_be_confirmed(run, capsys):
    data = json.loads(run.read_text())
    row = next(row for row in data["frames"] if row["frame"] == 12 and row["target"] == 2)
    row |= {"presence": 0.1, "state": "lost"}
    run.write_text(json.dumps(data))
    assert main(["correct", str(run), "--confirm", "cat@12"]) == 2
    assert "lost the target there; give --box 12:X,Y,W,H, or --box 12:absent" in capsys.readouterr().err


def test_labels_that_contradict_each_other(run, tmp_path, capsys):
    boxes = tmp_path / "boxes.csv"
    boxes.write_text("frame,target,label,x,y,w,h\n12,2,horse,70,40,30,30\n")
    assert main(["correct", str(run), "--boxes", str(boxes)]) == 2
    assert "Target 2 is horse in the file and cat in the track" in capsys.readouterr().err


def test_a_target_without_a_box_is_said(run, capsys):
    data = json.loads(run.read_text())
    data["targets"].append({"id": 9, "label": "ghost"})
    run.write_text(json.dumps(data))
    assert main(["correct", str(run), "--box", "cat@12:70,40,30,30"]) == 2
    assert "No frame has a box of target 9 (ghost)" in capsys.readouterr().err
