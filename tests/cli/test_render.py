import pytest

from pgnet.cli import main
from pgnet.video import FrameReader

BOX = "20,30,40,25"


def size(path):
    with FrameReader(path) as frames:
        return frames.source.width, frames.source.height, len(frames)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def run(video, tracker, tmp_path):
    """Two targets in frames 2 to 19, without a video."""
    out = tmp_path / "run"
    boxes = ["--box", f"dog@{BOX}", "--box", "60,40,30,30"]
    assert main(["track", str(video), *boxes, "--out", str(out), "--no-video", "--start", "2", "--end", "20"]) == 0
    return out / "track.json"


def test_videos_of_a_track(run, capsys):
    assert main(["render", str(run)]) == 0
    assert size(run.with_name("track.mp4")) == (160, 120, 18)
    assert main(["render", str(run), "--crop-follow", "9:16", "--blur", "--pixelate"]) == 0
    assert names(run.parent) == [
        "blurred.mp4", "crop-1.mp4", "crop-2.mp4", "pixelated.mp4", "track.csv", "track.json", "track.mp4"
    ]  # fmt: skip
    width, height, count = size(run.with_name("crop-2.mp4"))
    assert width / height == pytest.approx(9 / 16, rel=0.05) and count == 18
    assert size(run.with_name("blurred.mp4")) == (160, 120, 18)
    assert "crop-2.mp4" in capsys.readouterr().out


def test_one_target_elsewhere(run, tmp_path, capsys):
    out = tmp_path / "new"
    command = ["render", str(run), "--target", "2", "--crop-follow", "square", "--out", str(out)]
    assert main(command) == 0
    assert names(out) == ["crop.mp4"]
    capsys.readouterr()
    assert main(command) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert main([*command, "--overwrite"]) == 0


def test_track_writes_them_too(video, tracker, tmp_path):
    out = tmp_path / "out"
    assert main(["track", str(video), "--box", BOX, "--out", str(out), "--crop-follow", "16:9", "--pixelate"]) == 0
    assert names(out) == ["crop.mp4", "pixelated.mp4", "track.csv", "track.json", "track.mp4"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--crop-follow", "round"], "square or WIDTH:HEIGHT"),
        (["--crop-follow", "1:20"], "square or WIDTH:HEIGHT"),
        (["--target", "7"], "no target 7; it has 1, 2"),
        (["--video", "nowhere.mp4"], "nowhere.mp4"),
    ],
)
def test_bad_input(run, capsys, arguments, complaint):
    capsys.readouterr()
    assert main(["render", str(run), *arguments]) == 2
    said = capsys.readouterr()
    assert complaint in said.err and len(said.err.splitlines()) == 1 and said.out == ""
    assert names(run.parent) == ["track.csv", "track.json"]


def test_a_wrong_ratio_is_said_before_tracking(video, tracker, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["track", str(video), "--box", BOX, "--out", str(out), "--crop-follow", "wide"]) == 2
    assert "9:16" in capsys.readouterr().err and tracker.updates == 0 and not out.exists()
