"""The square context crop around a box, as SiamFC and its descendants cut template and search images."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pgnet.anchors import SEARCH_SIZE, TEMPLATE_SIZE

Image = NDArray[Any]
"""(H, W, 3) uint8; OpenCV's type stubs know no narrower type for what it returns."""


def template_side(width: float, height: float, context: float = 0.5) -> float:
    """Side in frame pixels of the template square around a target of this size (context amount 0.5, SiamFC)."""
    margin = context * (width + height)
    return math.sqrt((width + margin) * (height + margin))


def search_side(width: float, height: float, context: float = 0.5, size: int = SEARCH_SIZE) -> float:
    """Side in frame pixels of the search square: the template's, enlarged by size / 127, so both share one scale."""
    return template_side(width, height, context) * size / TEMPLATE_SIZE


def mean_colour(image: Image) -> tuple[float, ...]:
    """Mean of each channel of an (H, W, 3) image, from at most about 128 x 128 pixels: what lies outside a frame."""
    step_y, step_x = max(1, image.shape[0] // 128), max(1, image.shape[1] // 128)
    return tuple(float(v) for v in image[::step_y, ::step_x].reshape(-1, image.shape[2]).mean(0))


def square_crop(
    image: Image, cx: float, cy: float, side: float, size: int, fill: tuple[float, ...] | None = None
) -> Image:
    """The side x side square of an (H, W, 3) image centred at (cx, cy), resized to (size, size, 3) uint8.

    Centre and side are in continuous frame pixels (see `pgnet.boxes`). Only the region of interest is touched; what
    lies outside the image is filled with `fill`, by default the image's mean colour.
    """
    height, width = image.shape[:2]
    scale = size / side
    left, top = cx - side / 2, cy - side / 2
    # Bilinear resampling needs two more pixels around; a strongly shrunk region is averaged first (below).
    x0, y0 = max(0, math.floor(left) - 2), max(0, math.floor(top) - 2)
    x1, y1 = min(width, math.ceil(left + side) + 2), min(height, math.ceil(top + side) + 2)
    if fill is None:
        fill = mean_colour(image)
    if x1 <= x0 or y1 <= y0:
        return np.broadcast_to(np.array(fill).round().astype(np.uint8), (size, size, image.shape[2])).copy()
    factor = max(1, int(1 / scale))
    x0, x1 = _whole_blocks(x0, x1, factor, width)
    y0, y1 = _whole_blocks(y0, y1, factor, height)
    region = image[y0:y1, x0:x1]
    sx = sy = 1.0
    if factor > 1:
        shrunk = (max(1, region.shape[1] // factor), max(1, region.shape[0] // factor))
        sx, sy = shrunk[0] / region.shape[1], shrunk[1] / region.shape[0]
        region = cv2.resize(region, shrunk, interpolation=cv2.INTER_AREA)
    # Pixel centres: crop (u + 0.5) / scale + left = frame x + 0.5.
    to_crop = np.array(
        [
            [scale / sx, 0, scale * (0.5 / sx + x0 - left) - 0.5],
            [0, scale / sy, scale * (0.5 / sy + y0 - top) - 0.5],
        ]
    )
    return cv2.warpAffine(
        region, to_crop, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=fill
    )


def _whole_blocks(begin: int, end: int, factor: int, limit: int) -> tuple[int, int]:
    """A range of pixels made a multiple of `factor` long: OpenCV averages whole blocks 3 to 16 times as fast.

    It grows inside 0 to `limit`; where there is no room, less than one block is left out.
    """
    length = math.ceil((end - begin) / factor) * factor
    begin = max(0, min(begin, limit - length))
    length = min(length, limit - begin)
    return begin, begin + (length // factor * factor or length)
