import numpy as np
import pytest

from pgnet import anchors


def test_grid_is_centred_on_the_search_crop():
    grid = anchors.grid()
    assert grid.shape == (5, 25, 25, 4)
    assert grid[:, 12, 12, :2] == pytest.approx(anchors.SEARCH_SIZE / 2)
    assert grid[0, 12, 13, 0] - grid[0, 12, 12, 0] == anchors.STRIDE
    assert grid[0, 13, 12, 1] - grid[0, 12, 12, 1] == anchors.STRIDE
    assert grid[..., :2].mean() == pytest.approx(anchors.SEARCH_SIZE / 2)


def test_those_of_the_near_crop_are_the_middle_of_the_whole():
    grid, near = anchors.grid(), anchors.near(anchors.grid())
    assert near == pytest.approx(anchors.grid(17, anchors.NEAR_SIZE))
    offset = near[2, 3, 4, :2] - grid[2, 7, 8, :2]
    assert offset == pytest.approx((anchors.NEAR_SIZE - anchors.SEARCH_SIZE) / 2)


def test_anchors_share_their_area_and_differ_in_ratio():
    grid = anchors.grid()
    assert grid[..., 2] * grid[..., 3] == pytest.approx((anchors.STRIDE * anchors.SCALE) ** 2)
    assert (grid[..., 3] / grid[..., 2])[:, 0, 0] == pytest.approx(anchors.RATIOS)


def test_decode_inverts_encode():
    rng = np.random.default_rng(0)
    grid = anchors.grid()
    box = np.array([100.0, 140.0, 50.0, 80.0])
    assert anchors.decode(grid, anchors.encode(grid, box)) == pytest.approx(np.broadcast_to(box, grid.shape))
    offsets = rng.normal(size=grid.shape)
    assert anchors.encode(grid, anchors.decode(grid, offsets)) == pytest.approx(offsets)


def test_anchor_itself_has_no_offsets():
    grid = anchors.grid()
    assert not anchors.encode(grid, grid).any()


def test_wild_offsets_decode_to_finite_boxes():
    grid = anchors.grid()
    assert np.isfinite(anchors.decode(grid, np.full(grid.shape, 1e4))).all()
