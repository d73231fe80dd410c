import cv2
import numpy as np
import pytest

from pgnet.errors import PgnetError
from pgnet.training.adapters import davis

RED, GREEN, WHITE = (0, 0, 128), (0, 128, 0), (255, 255, 255)
"""Colours of the first two objects of DAVIS 2017's palette, and the one of 2016, in OpenCV's order."""


@pytest.fixture
def make(tmp_path, picture):
    def video(name, *masks):
        for i, boxes in enumerate(masks):
            picture(tmp_path / f"JPEGImages/480p/{name}/{i:05d}.jpg")
            mask = np.zeros((48, 64, 3), np.uint8)
            for colour, (x, y, w, h) in boxes.items():
                mask[y : y + h, x : x + w] = colour
            path = tmp_path / f"Annotations/480p/{name}/{i:05d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), mask)
        return tmp_path

    return video


def test_masks_become_boxes_and_outlines_of_each_object(make):
    root = make("bike", {RED: (4, 6, 10, 8), GREEN: (30, 10, 5, 20)}, {GREEN: (31, 10, 5, 20)})
    first, second = davis.read(root).videos["davis"]
    assert (first.name, first.target, second.target) == ("bike", "1", "2")
    assert [t.box.tolist() for t in first] == [[4, 6, 10, 8]]
    assert [t.box.tolist() for t in second] == [[30, 10, 5, 20], [31, 10, 5, 20]]
    (outline,) = first[0].polygons
    assert outline.min(0).tolist() == [4.5, 6.5] and outline.max(0).tolist() == [13.5, 13.5]
    assert second[1].path.name == "00001.jpg"


def test_lists_of_both_years(make):
    root = make("bear", {WHITE: (1, 2, 3, 4)})
    make("cows", {WHITE: (1, 2, 3, 4)})
    old, new = root / "ImageSets/480p", root / "ImageSets/2017"
    old.mkdir(parents=True)
    (old / "train.txt").write_text("/JPEGImages/480p/cows/00000.jpg /Annotations/480p/cows/00000.png \n")
    assert [v.name for v in davis.read(root).videos["davis"]] == ["cows"]
    new.mkdir()
    (new / "train.txt").write_text("bear\n")
    (new / "val.txt").write_text("cows\n")
    assert [v.name for v in davis.read(root).videos["davis"]] == ["bear"]
    assert [v.name for v in davis.read(root, "val").videos["davis"]] == ["cows"]
    with pytest.raises(PgnetError, match="no split 'test'; found: train, val"):
        davis.read(root, "test")


def test_frames_and_masks_that_differ_are_noted(make):
    root = make("bear", {WHITE: (1, 2, 3, 4)}, {WHITE: (1, 2, 3, 4)})
    make("cows", {WHITE: (1, 2, 3, 4)})
    (root / "Annotations/480p/bear/00001.png").unlink()
    found = davis.read(root)
    assert [v.name for v in found.videos["davis"]] == ["cows"]
    assert len(found.damaged) == 1 and "2 frames" in found.damaged[0] and "bear" in found.damaged[0]


def test_a_damaged_mask_is_named(make):
    root = make("bear", {WHITE: (1, 2, 3, 4)})
    (root / "Annotations/480p/bear/00000.png").write_bytes(b"no picture")
    assert "00000.png cannot be read" in davis.read(root).damaged[0]
