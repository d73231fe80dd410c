import numpy as np
import pytest

from pgnet.boxes import area
from pgnet.datasets import read_vot
from pgnet.datasets.vot import upright_boxes
from pgnet.errors import PgnetError


@pytest.fixture
def make(put, frames, tmp_path):
    put("list.txt", "bag\nants1\n")

    def sequence(name, regions, images="color"):
        frames(f"{name}/{images}".rstrip("/"), "{:08d}.jpg", range(1, len(regions) + 1))
        put(f"{name}/groundtruth.txt", "\n".join(regions))
        return tmp_path

    return sequence


def test_polygons_and_rectangles(make):
    make("ants1", ["10,20,14,20,14,28,10,28"] * 2)
    root = make("bag", ["10.5,20,4,8"], images="")  # until 2017
    bag, ants = read_vot(root)  # in the order of the list
    assert bag.boxes.tolist() == [[10.5, 20, 4, 8]]
    assert bag.regions is None
    assert bag.frames[0] == root / "bag" / "00000001.jpg"
    assert ants.regions.tolist() == [[10, 20, 14, 20, 14, 28, 10, 28]] * 2
    assert ants.boxes[0].tolist() == [10, 20, 5, 9]  # pixels 10 to 14 and 20 to 28
    assert ants.frames[1] == root / "ants1" / "color" / "00000002.jpg"
    assert all(path.is_file() for path in (*bag.frames, *ants.frames))


def test_rotated_rectangle_keeps_centre_and_area():
    angle, half = np.radians(30), np.array([[-10, -5], [10, -5], [10, 5], [-10, 5]])
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    (box,) = upright_boxes((half @ turn + [100, 50]).reshape(1, 8))
    assert box[:2] + (box[2:] - 1) / 2 == pytest.approx([100, 50])
    assert (box[2] - 1) * (box[3] - 1) == pytest.approx(200)
    assert area(box) > 200
    assert upright_boxes(np.full((1, 8), 7.0)).tolist() == [[7, 7, 1, 1]]  # a point


def test_tags_may_be_short(make, put):
    root = make("ants1", ["1,2,3,4"] * 4)
    put("ants1/camera_motion.tag", "0\n1\n")
    put("ants1/occlusion.label", "1\n1\n0\n0\n1\n")
    (sequence,) = read_vot(root)
    assert sequence.tags["camera_motion"].tolist() == [False, True, False, False]
    assert sequence.tags["occlusion"].tolist() == [True, True, False, False]


def test_damaged(make, tmp_path):
    make("ants1", ["1,2,3,4,5"])
    with pytest.raises(PgnetError, match="four or eight numbers"):
        read_vot(tmp_path)
    with pytest.raises(PgnetError, match=r"does not hold list\.txt"):
        read_vot(tmp_path / "ants1")
