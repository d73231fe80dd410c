import cv2
import pytest

pytest.importorskip("matplotlib")

from pgnet.cli import main
from pgnet.results import SourceInfo, Track


@pytest.fixture
def run(tmp_path):
    track = Track(SourceInfo("clip.mp4", "video", 100, 80, 10.0))
    for i in range(6):
        track.append(i, i / 10, (10 + i, 10, 20, 20), 0.9 - i / 10)
    track.write_json(tmp_path / "track.json")
    return tmp_path


def plot(root, *more):
    return main(["plot-track", str(root / "track.json"), "--out", str(root / "out.png"), *more])


def test_picture_with_and_without_truth(run, capsys):
    assert plot(run) == 0
    height = cv2.imread(str(run / "out.png")).shape[0]
    (run / "truth.txt").write_text("11,11,20,20\n" * 6)
    assert plot(run, "--truth", str(run / "truth.txt"), "--truth-format", "otb", "--overwrite") == 0
    assert cv2.imread(str(run / "out.png")).shape[0] > height
    assert plot(run) == 2
    assert "--overwrite" in capsys.readouterr().err


def test_boxes_in_another_format(run):
    assert main(["convert", str(run / "track.json"), str(run / "boxes.xml")]) == 0
    assert main(["plot-track", str(run / "boxes.xml"), "--out", str(run / "xml.png")]) == 0
    assert cv2.imread(str(run / "xml.png")).size


def test_what_is_wrong_is_one_sentence(run, capsys):
    assert plot(run, "--truth", str(run / "nothing.txt")) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not (run / "out.png").exists()
