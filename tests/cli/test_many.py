import csv
import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from pgnet import models
from pgnet.cli import main, many
from pgnet.results import Track
from pgnet.results.formats import read

BOX = "20,30,40,25"


@pytest.fixture
def clips(video, tmp_path, monkeypatch):
    """A folder with two videos and one that is none, and the list of the three."""
    folder = tmp_path / "clips"
    folder.mkdir()
    for name in ("a.mp4", "b c.mp4"):
        shutil.copy(video, folder / name)
    (folder / "broken.mp4").write_bytes(b"not a video" * 50)
    (folder / "list.csv").write_text(f'source,x,y,w,h\n# a comment\na.mp4,{BOX}\n"b c.mp4", {BOX}\nbroken.mp4,{BOX}\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(many, "resolve", lambda model: models.resolve(model))  # the one that the fixtures replace
    many._loaded.cache_clear()
    return folder


def summary(out="out"):
    with Path(out, "summary.csv").open() as file:
        return {row["source"]: row for row in csv.DictReader(file)}


def test_one_failing_video_does_not_stop_the_others(clips, tracker, capsys):
    assert main(["track", "--list", "clips/list.csv", "--out", "out", "--no-video"]) == 2
    assert sorted(path.name for path in Path("out").iterdir()) == ["a", "b-c", "summary.csv"]
    track = Track.read_json("out/b-c/track.json")
    assert len(track) == 24
    assert track.boxes[:, 0].tolist() == [20 + i for i in range(24)]
    said = capsys.readouterr()
    assert said.out == "Tracked 2 of 3 videos, 48 frames. Results and summary.csv are in out.\n"
    broken = str(Path("clips/broken.mp4"))
    assert said.err.splitlines()[0].startswith(f"{broken}: ")
    assert said.err.splitlines()[1] == f"1 of 3 videos failed: {broken}."
    rows = summary()
    assert (rows[str(Path("clips/a.mp4"))]["status"], rows[str(Path("clips/a.mp4"))]["frames"]) == ("done", "24")
    assert "cannot be read" in rows[broken]["status"]


def test_the_same_command_goes_on(clips, tracker, capsys):
    (clips / "list.csv").write_text(f"a.mp4,{BOX}\n")
    assert main(["track", "--list", "clips/list.csv", "--out", "out", "--no-video"]) == 0
    stamp = Path("out/a/track.json").stat().st_mtime_ns
    (clips / "list.csv").write_text(f"a.mp4,{BOX}\nb c.mp4,{BOX}\n")
    assert main(["track", "--list", "clips/list.csv", "--out", "out", "--no-video"]) == 0
    assert "Tracked 1 of 2 videos, 24 frames; 1 were done before." in capsys.readouterr().out
    assert Path("out/a/track.json").stat().st_mtime_ns == stamp
    assert main(["track", "--list", "clips/list.csv", "--out", "out", "--no-video", "--overwrite"]) == 0
    assert Path("out/a/track.json").stat().st_mtime_ns != stamp


@pytest.mark.parametrize(
    ("line", "options", "other"),
    [
        (f"more/a.mp4,{BOX}\n", [], "is of "),
        ("a.mp4,21,30,40,25\n", [], "is of another box"),
        (f"a.mp4,{BOX}\n", ["--end", "6"], "has another --start or --end"),
        (f"a.mp4,{BOX}\n", ["--format", "cvat"], "is without track.cvat.xml"),
    ],
)
def test_results_of_something_else_are_not_taken_for_done(clips, tracker, capsys, line, options, other):
    shutil.copytree(clips, clips / "more")
    (clips / "list.csv").write_text(f"a.mp4,{BOX}\n")
    command = ["track", "--list", "clips/list.csv", "--out", "out", "--no-video"]
    assert main(command) == 0
    before = Path("out/a/track.json").read_bytes()
    (clips / "list.csv").write_text(f"{line}b c.mp4,{BOX}\n")
    assert main([*command, *options]) == 2
    said = capsys.readouterr()
    assert f"The track in {Path('out/a')} {other}" in said.err and "--overwrite" in said.err
    assert "Tracked 1 of 2 videos" in said.out, "the others are tracked all the same"
    assert Path("out/a/track.json").read_bytes() == before


def test_what_was_done_before_is_counted_in_the_summary(clips, tracker):
    (clips / "list.csv").write_text(f"a.mp4,{BOX}\n")
    for _ in range(2):
        assert main(["track", "--list", "clips/list.csv", "--out", "out", "--no-video"]) == 0
    row = summary()[str(Path("clips/a.mp4"))]
    assert (row["status"], row["frames"]) == ("done before", "24")


def test_folder_with_boxes_beside_the_videos(clips, tracker):
    (clips / "broken.mp4").unlink()
    (clips / "shots").mkdir()
    for i in range(3):
        cv2.imwrite(str(clips / "shots" / f"{i}.png"), np.zeros((120, 160, 3), np.uint8))
    for name in ("a", "shots"):  # the other video has no box and is left out
        (clips / f"{name}.txt").write_text(f"{BOX}\n")
    assert main(["track", "--list", "clips", "--no-video"]) == 0
    assert sorted(path.name for path in Path("pgnet-clips").iterdir()) == ["a", "shots", "summary.csv"]
    assert len(Track.read_json("pgnet-clips/shots/track.json")) == 3


def test_names_that_come_again_get_a_number(clips, tracker):
    shutil.copytree(clips, clips / "more")
    (clips / "list.csv").write_text(f"a.mp4,{BOX}\nmore/a.mp4,{BOX}\n{clips}/a.mp4,{BOX}\n")
    assert main(["track", "--list", "clips/list.csv", "--out", "out", "--no-video"]) == 0
    assert sorted(path.name for path in Path("out").iterdir()) == ["a", "a-2", "a-3", "summary.csv"]


def test_processes_and_limits(clips, capfd):
    """With the real model, which each process loads for itself."""
    arguments = ["track", "--list", "clips/list.csv", "--out", "out", "--workers", "2", "--start", "2", "--end", "6"]
    assert main([*arguments, "--format", "cvat"]) == 2
    assert read("out/a/track.cvat.xml").frames.tolist() == [2, 3, 4, 5, 6]  # and there it is absent
    track = Track.read_json("out/a/track.json")
    assert track.frames.tolist() == [2, 3, 4, 5]
    assert (Path("out/b-c/track.mp4")).is_file()
    said = capfd.readouterr()
    assert "Tracked 2 of 3 videos, 8 frames" in said.out
    assert len(said.out.splitlines()) == 1  # the processes say nothing
    assert len(said.err.splitlines()) == 2


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--list", "nowhere.csv"], "nowhere.csv cannot be read"),
        (["--list", "clips/empty.csv"], "names no video"),
        (["--list", "clips/short.csv"], "line 2: the box should be four numbers"),
        (["--list", "clips/binary.csv"], "is no CSV file"),
        (["--list", "clips"], "names no video"),
        (["--list", "clips/list.csv", "--box", BOX], "stand in the list"),
        (["a.mp4", "--list", "clips/list.csv"], "stand in the list"),
        (["--list", "clips/list.csv", "--show"], "no --show"),
        (["--list", "clips/list.csv", "--format", "wav"], "no format wav"),
        (["--list", "clips/list.csv", "--out", "clips/list.csv"], "is a file"),
        (["--list", "clips/list.csv", "--model", "pgnet-huge"], "no model 'pgnet-huge'"),
        ([], "--list"),
    ],
)
def test_what_is_wrong(clips, capsys, arguments, says):
    (clips / "empty.csv").touch()
    (clips / "short.csv").write_text(f"a.mp4,{BOX}\na.mp4,1,2,3\n")
    (clips / "binary.csv").write_bytes(os.urandom(200) + b"\xff\xfe\x00")
    assert main(["track", *arguments]) == 2
    said = capsys.readouterr()
    assert says in said.err
    assert len(said.err.splitlines()) == 1
    assert not Path("out").exists()
