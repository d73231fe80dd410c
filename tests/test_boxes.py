import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgnet import boxes
from pgnet.errors import PgnetError

coordinate = st.floats(-1e4, 1e4)
extent = st.floats(0.01, 1e4)
xywh = st.tuples(coordinate, coordinate, extent, extent)


@given(xywh)
def test_conversions_are_inverse(box):
    assert boxes.xyxy_to_xywh(boxes.xywh_to_xyxy(box)) == pytest.approx(box, abs=1e-6)
    assert boxes.cxcywh_to_xywh(boxes.xywh_to_cxcywh(box)) == pytest.approx(box, abs=1e-6)


def test_conversions_of_one_box_and_of_many():
    assert boxes.xywh_to_xyxy([10, 20, 30, 40]).tolist() == [10, 20, 40, 60]
    assert boxes.xywh_to_cxcywh([[10, 20, 30, 40]]).tolist() == [[25, 40, 30, 40]]


@given(xywh, xywh)
def test_iou_is_symmetric_and_between_0_and_1(a, b):
    assert 0 <= boxes.iou(a, b) <= 1 + 1e-6
    assert boxes.iou(a, b) == pytest.approx(boxes.iou(b, a))
    assert boxes.iou(a, a) == pytest.approx(1, abs=1e-6)


def test_iou_values():
    assert boxes.iou([0, 0, 2, 2], [1, 0, 2, 2]) == pytest.approx(1 / 3)
    assert boxes.iou([0, 0, 2, 2], [2, 0, 2, 2]) == 0
    assert boxes.iou([0, 0, 0, 0], [0, 0, 0, 0]) == 0
    assert boxes.iou([[0, 0, 2, 2], [5, 5, 1, 1]], [0, 0, 2, 2]).tolist() == [1, 0]


def test_clip_keeps_what_is_inside():
    assert boxes.clip([-5, 10, 20, 200], 100, 50).tolist() == [0, 10, 15, 40]
    assert boxes.area(boxes.clip([200, 10, 20, 20], 100, 50)) == 0


def test_target_box_is_clipped_to_the_frame():
    assert boxes.check_target_box((-4, 5, 20, 10), 100, 50).tolist() == [0, 5, 16, 10]
    assert boxes.check_target_box(np.array([1.5, 2.5, 3.25, 4]), 100, 50).tolist() == [1.5, 2.5, 3.25, 4]


@pytest.mark.parametrize(
    ("box", "complaint"),
    [
        ((1, 2, 3), "3 given"),
        ((1, 2, 3, 4, 5), "5 given"),
        ("abcd", "four numbers"),
        ((1, 2, float("nan"), 4), "finite"),
        ((1, 2, float("inf"), 4), "finite"),
        ((1, 2, 0, 4), "no extent"),
        ((1, 2, 3, -4), "no extent"),
        ((1, 2, 0.5, 4), "smaller than a pixel"),
        ((0, 0, 101, 10), "larger than the frame"),
        ((200, 10, 20, 20), "outside the frame"),
        ((-20, 10, 20, 20), "outside the frame"),
    ],
)
def test_bad_target_box_is_refused(box, complaint):
    with pytest.raises(PgnetError, match=complaint):
        boxes.check_target_box(box, 100, 50)
