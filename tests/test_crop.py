import numpy as np
import pytest

from pgnet.crop import mean_colour, search_side, square_crop, template_side


def ramp(width, height):
    """An image whose red is x and green is y."""
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0] = np.arange(width)
    image[..., 1] = np.arange(height)[:, None]
    return image


def test_sides_follow_the_context_convention():
    assert template_side(40, 40) == 80  # 0.5 context: half of width + height is added to each
    assert template_side(30, 60) == pytest.approx(np.sqrt(75 * 105))
    assert template_side(30, 60, context=0) == pytest.approx(np.sqrt(30 * 60))
    assert search_side(40, 40) == pytest.approx(80 * 255 / 127)


def test_unscaled_crop_copies_pixels():
    image = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    assert np.array_equal(square_crop(image, 40.5, 30.5, 21, 21), image[20:41, 30:51])


@pytest.mark.parametrize(("side", "size"), [(20, 101), (50.5, 101), (101.3, 25), (99.3, 17), (120, 31)])
def test_crop_keeps_coordinates(side, size):
    cx, cy = 60.25, 61.75
    # Two grey levels a pixel: the mean of a block of any size is a whole one.
    crop = square_crop(2 * ramp(125, 125), cx, cy, side, size).astype(float)
    # Pixel i covers [i, i + 1): its centre is at i + 0.5 in the crop and in the frame.
    position = (np.arange(size) + 0.5) * side / size - side / 2
    for values, centre in ((crop[size // 2, :, 0], cx), (crop[:, size // 2, 1], cy)):
        error = values - 2 * (centre + position - 0.5)
        assert np.abs(error).max() <= 1  # whole grey levels, rounded twice where the region is shrunk first
        assert abs(error.mean()) < 0.15


def test_a_shrunk_region_reaches_the_borders_of_the_frame():
    """It is averaged in whole blocks, here of four pixels, which do not fit into 30; what is left out is not seen."""
    image = np.full((30, 33, 3), 200, np.uint8)
    crop = square_crop(image, 16.5, 15, 48, 12, fill=(0, 0, 0))[..., 0]
    assert (crop[3:9, 2:9] == 200).all()
    assert crop[0].max() == 0
    assert crop[:, 0].max() == 0


def test_outside_of_the_frame_is_its_mean_colour():
    image = np.full((40, 40, 3), (10, 20, 30), np.uint8)
    image[:, 20:] = (110, 120, 130)
    crop = square_crop(image, 0, 20, 20, 20)
    assert crop[10, 2].tolist() == [60, 70, 80]
    assert crop[10, 15].tolist() == [10, 20, 30]
    assert square_crop(image, 500, 500, 20, 8).tolist() == np.full((8, 8, 3), (60, 70, 80)).tolist()


def test_fill_can_be_given():
    crop = square_crop(np.zeros((40, 40, 3), np.uint8), 0, 0, 20, 20, fill=(1, 2, 3))
    assert crop[0, 0].tolist() == [1, 2, 3]


def test_mean_colour_of_a_large_image_is_sampled():
    assert mean_colour(ramp(200, 400))[0] == pytest.approx(99.5, abs=1)


def test_views_crop_like_copies():
    image = np.random.default_rng(1).integers(0, 256, (90, 90, 3), np.uint8)
    flipped = image[..., ::-1]
    assert np.array_equal(square_crop(flipped, 30, 40, 33, 50), square_crop(flipped.copy(), 30, 40, 33, 50))
