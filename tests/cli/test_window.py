import numpy as np
import pytest

pytest.importorskip("tkinter")
from pgnet.cli.window import drawn_box, fit


def test_box_is_the_same_however_it_is_drawn():
    expected = (20.0, 40.0, 60.0, 80.0)
    assert drawn_box((10, 20), (40, 60), 0.5) == expected
    assert drawn_box((40, 60), (10, 20), 0.5) == expected
    assert drawn_box((40, 20), (10, 60), 0.5) == expected


def test_large_frames_are_shrunk_and_small_ones_left_alone():
    image, scale = fit(np.zeros((1080, 1920, 3), np.uint8), 960, 800)
    assert image.shape == (540, 960, 3)
    assert scale == 0.5
    image, scale = fit(np.zeros((120, 160, 3), np.uint8), 960, 800)
    assert image.shape == (120, 160, 3)
    assert scale == 1.0
