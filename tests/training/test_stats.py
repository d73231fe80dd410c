from pathlib import Path

import cv2
import numpy as np
import pytest

from pgnet.errors import PgnetError
from pgnet.training.adapters import read_layout
from pgnet.training.annotations import Annotations, Target
from pgnet.training.stats import GAP, LABEL, TILE, contact_sheet, statistics, write_sheet


def test_each_set_is_counted(training_root: Path) -> None:
    rows = {(row.kind, row.name): row for row in statistics(read_layout(training_root))}
    shapes, clips = rows["stills", "shapes"], rows["videos", "clip"]
    assert (shapes.pictures, shapes.targets, shapes.videos) == (60, 60, 0)
    assert shapes.size == (50, 50, 50) and shapes.aspect == (1, 1, 1)
    assert (clips.videos, clips.targets, clips.frames, clips.pictures) == (30, 30, 90, 120)
    np.testing.assert_allclose(clips.size, [np.sqrt(1200)] * 3)
    assert rows["photos", "any"].pictures == 60 and rows["photos", "any"].size == ()
    assert rows["stills", "whole"].targets == 2


def test_the_sheet_shows_boxes_below_a_title(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((90, 120, 3), 128, np.uint8))
    target = Target(tmp_path / "grey.png", np.array([30.0, 20, 60, 50]))
    sheet = contact_sheet(Annotations(stills={"a": [target]}), samples=1).astype(int)
    assert (sheet[:LABEL] < 100).any()
    ys, xs = np.nonzero(sheet[LABEL:, :, 1] > sheet[LABEL:, :, 0] + 60)  # the green of the box
    scale = TILE[0] / 120
    found = [xs.min(), ys.min(), np.ptp(xs), np.ptp(ys)]
    np.testing.assert_allclose(found, [GAP + 30 * scale, 20 * scale, 60 * scale, 50 * scale], atol=2.5)


def test_every_set_has_its_place_and_the_choice_is_fixed(training_root: Path) -> None:
    found = read_layout(training_root)
    sheet = contact_sheet(found)
    assert sheet.shape[0] * sheet.shape[1] >= 4 * 6 * TILE[0] * TILE[1]
    assert (contact_sheet(found) == sheet).all()


def test_an_unreadable_picture_leaves_a_note(training_root: Path, tmp_path: Path) -> None:
    (tmp_path / "photos/a").mkdir(parents=True)
    (tmp_path / "photos/a/1.png").write_bytes(b"no picture")
    sheet = contact_sheet(read_layout(tmp_path), samples=1)
    assert (sheet[LABEL:] < 100).any() and (sheet.min(axis=2) == sheet.max(axis=2)).all()


def test_the_sheet_is_written(training_root: Path, tmp_path: Path) -> None:
    write_sheet(tmp_path / "sheet.png", read_layout(training_root))
    assert cv2.imread(str(tmp_path / "sheet.png")).shape[2] == 3
    with pytest.raises(PgnetError, match=r"\.png or \.jpg"):
        write_sheet(tmp_path / "sheet.gif", read_layout(training_root))
    with pytest.raises(PgnetError, match="nothing in the data to draw"):
        contact_sheet(Annotations())
