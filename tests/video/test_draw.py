import numpy as np
import pytest

from pgnet.video.draw import draw_prediction


@pytest.mark.parametrize(("width", "height"), [(64, 64), (320, 240), (641, 359), (1920, 1080), (3840, 2160)])
def test_box_and_label_are_drawn_on_a_copy(width: int, height: int) -> None:
    image = np.full((height, width, 3), 128, np.uint8)
    x, y, w, h = width * 0.3, height * 0.4, width * 0.4, height * 0.3
    out = draw_prediction(image, (x, y, w, h), 0.87, 123, colour=(255, 0, 0))
    assert (image == 128).all()
    assert out.shape == image.shape
    assert out.dtype == np.uint8
    red = (out[..., 0] > 180) & (out[..., 1] < 110)
    row = red[int(y + h / 2)]
    thickness = max(1, round(min(width, height) / 240))
    for edge in (x, x + w):
        at = round(edge - 0.5)
        assert row[max(0, at - 1) : at + 2].any(), "the edge is where the box says"
    assert thickness <= row.sum() <= 2 * thickness + 8
    assert (out[int(y + h / 2), int(x + w / 2)] == 128).all(), "the target itself stays visible"
    assert red[: int(y) - thickness].any(), "the label stands above"


@pytest.mark.parametrize("ground", [0, 255])
def test_box_is_visible_on_any_ground(ground: int) -> None:
    image = np.full((240, 320, 3), ground, np.uint8)
    out = draw_prediction(image, (100, 80, 60, 60), colour=(ground, ground, ground))
    assert (out != ground).any()


@pytest.mark.parametrize(
    "box",
    [
        (-50, -50, 100, 100),
        (300, 200, 100, 100),
        (-10, -10, 400, 300),
        (1e9, 1e9, 5, 5),
        (5, 5, 0, 0),
        (60, 0, 90, 240),
    ],
)
def test_box_partly_or_fully_outside(box: tuple[float, ...]) -> None:
    image = np.zeros((240, 320, 3), np.uint8)
    out = draw_prediction(image, box, 0.5, 7, colour=(0, 255, 0))
    assert (out[..., 1] > 200).sum() > 200, "the label stays inside the frame"


def test_without_a_box_the_number_remains() -> None:
    image = np.zeros((240, 320, 3), np.uint8)
    assert draw_prediction(image, None, None, 12).any()
    assert not draw_prediction(image, None).any()


def test_views_that_are_not_contiguous() -> None:
    image = np.zeros((240, 320, 3), np.uint8)[:, ::-1]
    assert draw_prediction(image, (10, 10, 50, 50)).any()
    assert not image.any()
