import cv2
import numpy as np
import pytest

from pgnet.cli import main
from pgnet.cli.frame import grid_step, with_grid


def test_still_has_the_frames_size_and_the_grid(video, tmp_path, capsys):
    out = tmp_path / "first.png"
    assert main(["frame", str(video), "--out", str(out)]) == 0
    assert cv2.imread(str(out)).shape == (120, 160, 3)
    said = capsys.readouterr().out
    assert "160 x 120" in said
    assert "--box X,Y,W,H" in said


@pytest.mark.parametrize(("at", "index"), [("7", 7), ("0.5s", 6)])
def test_at(video, tmp_path, capsys, at, index):
    assert main(["frame", str(video), "--out", str(tmp_path / "still.jpg"), "--at", at]) == 0
    assert f"frame {index} " in capsys.readouterr().out


def test_grid_lines_stand_where_the_labels_say():
    grey = np.full((240, 320, 3), 90, np.uint8)
    picture = with_grid(grey)
    step = grid_step(320, 240)
    changed = (picture != grey).any(-1)
    row = 3 * step + step // 2  # between horizontal lines, below the labels of the top row
    columns = np.flatnonzero(changed[row, 3 * step + step // 2 :]) + 3 * step + step // 2
    assert columns.tolist() == [x for x in range(0, 320, step) if x > 3 * step]


@pytest.mark.parametrize(("size", "lines"), [((320, 240), 16), ((1920, 1080), 19.2), ((3840, 2160), 19.2)])
def test_grid_is_neither_crowded_nor_empty(size, lines):
    assert size[0] / grid_step(*size) == lines


@pytest.mark.parametrize("out", ["still.gif", "still", "absent/still.png"])
def test_unusable_output(video, tmp_path, capsys, out):
    assert main(["frame", str(video), "--out", str(tmp_path / out)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_existing_still_is_kept(video, tmp_path, capsys):
    out = tmp_path / "still.png"
    out.write_text("mine")
    assert main(["frame", str(video), "--out", str(out)]) == 2
    assert out.read_text() == "mine"
    assert main(["frame", str(video), "--out", str(out), "--overwrite"]) == 0
    assert cv2.imread(str(out)) is not None


def test_after_the_end(video, tmp_path, capsys):
    assert main(["frame", str(video), "--out", str(tmp_path / "still.png"), "--at", "999"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not (tmp_path / "still.png").exists()
