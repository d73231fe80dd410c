from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("matplotlib")

from pgnet.cli import main

LENGTH = 12
LASOT = Path(__file__).parents[2] / "../shared/data/lasot"


@pytest.fixture
def lasot(tmp_path):
    """airplane-9 of the paper's figure and dog-1, which is not in it, and the results of two trackers."""
    boxes = "".join(f"{10 + i},10,20,20\n" for i in range(LENGTH))
    for tracker in ("A", "B"):
        (tmp_path / tracker).mkdir()
    for name in ("airplane-9", "dog-1"):
        folder = tmp_path / "lasot" / name
        (folder / "img").mkdir(parents=True)
        (folder / "groundtruth.txt").write_text(boxes)
        for i in range(LENGTH):
            cv2.imwrite(str(folder / f"img/{i + 1:08d}.jpg"), np.full((60, 80, 3), 90, np.uint8))
        for tracker in ("A", "B"):
            (tmp_path / tracker / f"{name}.txt").write_text(boxes)
    return tmp_path


def figure(root, *more):
    arguments = [str(root / "lasot"), str(root / "A"), str(root / "B"), "--out", str(root / "figure.png"), *more]
    return main(["figure", *arguments])


def test_the_papers_sequences_that_are_there(lasot, capsys):
    assert figure(lasot) == 0
    said = capsys.readouterr()
    assert said.out.startswith("airplane-9: frames ")
    assert "dog-1" not in said.out
    assert "bird-3, cat-20, kite-6" in said.err
    assert "left out" in said.err
    assert cv2.imread(str(lasot / "figure.png")).shape[1] == 2160  # 7.2 inches
    assert figure(lasot) == 2
    assert "--overwrite" in capsys.readouterr().err


def test_chosen_sequences_and_frames(lasot, capsys):
    assert figure(lasot, "--sequences", "dog-1,airplane-9", "--frames", "1,5;2,12", "--zoom") == 0
    said = capsys.readouterr()
    assert said.out.splitlines()[:2] == ["dog-1: frames 1, 5", "airplane-9: frames 2, 12"]
    assert said.err == ""


def test_a_tracker_without_a_result(lasot, capsys):
    (lasot / "B/dog-1.txt").unlink()
    assert figure(lasot, "--sequences", "dog-1") == 0
    assert "B is not drawn on dog-1" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--sequences", "cat-1"], "no sequence cat-1"),
        (["--frames", "1,x"], "--frames takes auto"),
        (["--frames", "13"], "airplane-9 has no frame 13; its frames are 1 to 12"),
        (["--frames", "1;2;3"], "3 lists for 1 sequences"),
        (["--out", "figure.gif"], "not 'figure.gif'"),
    ],
)
def test_what_is_wrong_is_one_sentence(lasot, capsys, arguments, message):
    assert figure(lasot, *arguments) == 2
    said = capsys.readouterr().err
    assert message in said
    assert len(said.splitlines()) == 1


@pytest.mark.skipif(not LASOT.is_dir(), reason="the frames in ../shared are absent")
def test_real_frames_and_trackers(tmp_path, capsys):
    results = sorted(map(str, (LASOT / "results").iterdir()))
    assert main(["figure", str(LASOT), *results, "--out", str(tmp_path / "f.png"), "--columns", "2"]) == 0
    assert "airplane-1: frames" in capsys.readouterr().out
    assert cv2.imread(str(tmp_path / "f.png")).std() > 20
