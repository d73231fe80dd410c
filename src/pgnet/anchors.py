"""The 25 x 25 x 5 anchor grid of the search crop: encode and decode (SiamRPN convention, spec section C.6)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RATIOS = (1 / 3, 1 / 2, 1.0, 2.0, 3.0)
"""Height / width of the five anchors."""
SCALE = 8
STRIDE = 8
SEARCH_SIZE = 255
NEAR_SIZE = 191
"""Of the search crop around a target that hardly moves; it costs 0.6 of the whole one."""
TEMPLATE_SIZE = 127
GRID = 25

Array = NDArray[np.float64]


def grid(
    size: int = GRID,
    crop: int = SEARCH_SIZE,
    stride: int = STRIDE,
    scale: float = SCALE,
    ratios: tuple[float, ...] = RATIOS,
) -> Array:
    """Anchors as (A, size, size, 4) centre x, centre y, w, h in crop pixels, the grid centred on the crop.

    The area of every anchor is ``(stride * scale) ** 2``; ``[a, row, column]`` is the network's output layout.
    """
    side = stride * scale
    centres = crop / 2 + (np.arange(size) - (size - 1) / 2) * stride
    r = np.asarray(ratios, np.float64)
    # Each coordinate lies in one piece, and numpy keeps it so in all that is computed from it: twice as fast.
    anchors = np.moveaxis(np.empty((4, len(r), size, size)), 0, -1)
    anchors[..., 0] = centres[None, None, :]
    anchors[..., 1] = centres[None, :, None]
    anchors[..., 2] = (side / np.sqrt(r))[:, None, None]
    anchors[..., 3] = (side * np.sqrt(r))[:, None, None]
    return anchors


def near(anchors: Array) -> Array:
    """The middle of the (A, G, G, 4) anchors of the whole search crop, as those of the crop of `NEAR_SIZE` pixels."""
    margin = (SEARCH_SIZE - NEAR_SIZE) // 2
    left_out = margin // STRIDE
    middle = anchors[:, left_out:-left_out, left_out:-left_out].copy(order="K")
    middle[..., :2] -= margin
    return middle


def encode(anchors: Array, box: Array) -> Array:
    """Regression targets of a (4,) or broadcastable cx, cy, w, h box (crop pixels) for (..., 4) anchors -> (..., 4).

    dx, dy in anchor sizes, dw, dh as logarithms of the ratios of sizes.
    """
    out = np.empty(np.broadcast_shapes(anchors.shape, np.shape(box)))
    out[..., :2] = (box[..., :2] - anchors[..., :2]) / anchors[..., 2:]
    out[..., 2:] = np.log(box[..., 2:] / anchors[..., 2:])
    return out


def decode(anchors: Array, offsets: Array) -> Array:
    """The inverse of `encode`: (..., 4) anchors and (..., 4) offsets -> (..., 4) cx, cy, w, h in crop pixels."""
    out = np.empty_like(anchors)
    out[..., :2] = anchors[..., :2] + offsets[..., :2] * anchors[..., 2:]
    out[..., 2:] = anchors[..., 2:] * np.exp(np.clip(offsets[..., 2:], -4, 4))
    return out
