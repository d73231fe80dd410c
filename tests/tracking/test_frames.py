import numpy as np
import pytest

from pgnet.errors import PgnetError
from pgnet.tracking.frames import to_rgb

RGB = np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8)


def test_rgb_is_not_copied():
    assert np.shares_memory(to_rgb(RGB), RGB)
    assert np.array_equal(to_rgb(RGB), RGB)


def test_bgr():
    assert np.array_equal(to_rgb(RGB[..., ::-1], bgr=True), RGB)


def test_alpha_is_ignored():
    rgba = np.dstack([RGB, np.zeros((6, 8), np.uint8)])
    bgra = np.dstack([RGB[..., ::-1], np.zeros((6, 8), np.uint8)])
    assert np.array_equal(to_rgb(rgba), RGB)
    assert np.array_equal(to_rgb(bgra, bgr=True), RGB)


@pytest.mark.parametrize("grey", [RGB[..., 0], RGB[..., :1]])
@pytest.mark.parametrize("bgr", [False, True])
def test_grey(grey, bgr):
    assert np.array_equal(to_rgb(grey, bgr=bgr), RGB[..., [0, 0, 0]])


def test_16_bit():
    assert np.array_equal(to_rgb(RGB.astype(np.uint16) * 257), RGB)
    assert to_rgb(np.full((4, 4), 65535, np.uint16)).max() == 255


@pytest.mark.parametrize("dtype", [np.float32, bool, np.int32])
def test_other_types_are_refused(dtype):
    with pytest.raises(PgnetError, match="uint8 or uint16"):
        to_rgb(np.zeros((4, 4, 3), dtype))


@pytest.mark.parametrize("shape", [(4,), (4, 4, 2), (4, 4, 5), (1, 4, 4, 3), (0, 4, 3), ()])
def test_other_shapes_are_refused(shape):
    with pytest.raises(PgnetError, match="A frame has shape"):
        to_rgb(np.zeros(shape, np.uint8))


def test_none_is_refused():
    with pytest.raises(PgnetError):
        to_rgb(None)
