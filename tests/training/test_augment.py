"""Photometric augmentation keeps shape and type, and changes the picture."""

import numpy as np
import pytest

from pgnet.training import augment


@pytest.mark.parametrize(
    "change", [augment.colour_jitter, augment.blur, augment.low_resolution, augment.noise, augment.photometric]
)
@pytest.mark.parametrize("seed", range(4))
def test_changes_content_not_layout(change, seed: int) -> None:
    image = np.random.default_rng(0).integers(0, 256, (127, 127, 3), dtype=np.uint8)
    before = image.copy()
    out = change(image, np.random.default_rng(seed))
    assert out.shape == image.shape and out.dtype == np.uint8
    assert (out != image).any()
    assert (image == before).all()
    assert (change(image, np.random.default_rng(seed)) == out).all()


def test_grey_has_equal_channels() -> None:
    image = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    out = augment.grey(image)
    assert (out[..., 0] == out[..., 1]).all() and (out[..., 1] == out[..., 2]).all()
