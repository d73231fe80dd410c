"""Frames as they come, into what the network sees: (H, W, 3) uint8 RGB."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pgnet.errors import PgnetError


def to_rgb(frame: NDArray[Any], *, bgr: bool = False) -> NDArray[np.uint8]:
    """An image -> (H, W, 3) uint8 RGB, a view of it where possible.

    Args:
        frame: (H, W) or (H, W, 1) grey, (H, W, 3) colour or (H, W, 4) colour with alpha (ignored); uint8, or uint16
            over the full range (its high byte is taken, so scale 10- or 12-bit data first).
        bgr: colour channels are in OpenCV's order, blue first.

    Raises:
        PgnetError: another shape or type, or an image without pixels.
    """
    image = np.asarray(frame)
    channels = image.shape[2] if image.ndim == 3 else 1
    if image.ndim not in (2, 3) or channels not in (1, 3, 4) or image.size == 0:
        raise PgnetError(f"A frame has shape (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), not {image.shape}.")
    if image.dtype == np.uint16:
        image = (image >> 8).astype(np.uint8)
    elif image.dtype != np.uint8:
        raise PgnetError(f"A frame is uint8 or uint16, not {image.dtype}; convert it first.")
    if channels == 1:
        return np.broadcast_to(image.reshape(*image.shape[:2], 1), (*image.shape[:2], 3))
    return image[..., 2::-1] if bgr else image[..., :3]
