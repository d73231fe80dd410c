"""Box geometry: the only place that converts between box layouts.

Coordinate frame: continuous 0-based pixels; pixel i covers [i, i + 1), so a box ``x, y, w, h`` covers
``[x, x + w) x [y, y + h)`` and its centre is ``x + w / 2``. 1-based integer boxes (OTB, LaSOT) become this by
subtracting 1 from x and y. Everything is float64; the last axis holds the four values.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pgnet.errors import PgnetError

Boxes = NDArray[np.float64]


def xywh_to_xyxy(boxes: ArrayLike) -> Boxes:
    """(..., 4) x, y, w, h -> (..., 4) left, top, right, bottom."""
    b = np.asarray(boxes, np.float64)
    return np.concatenate([b[..., :2], b[..., :2] + b[..., 2:]], axis=-1)


def xyxy_to_xywh(boxes: ArrayLike) -> Boxes:
    """(..., 4) left, top, right, bottom -> (..., 4) x, y, w, h."""
    b = np.asarray(boxes, np.float64)
    return np.concatenate([b[..., :2], b[..., 2:] - b[..., :2]], axis=-1)


def xywh_to_cxcywh(boxes: ArrayLike) -> Boxes:
    """(..., 4) x, y, w, h -> (..., 4) centre x, centre y, w, h."""
    b = np.asarray(boxes, np.float64)
    return np.concatenate([b[..., :2] + b[..., 2:] / 2, b[..., 2:]], axis=-1)


def cxcywh_to_xywh(boxes: ArrayLike) -> Boxes:
    """(..., 4) centre x, centre y, w, h -> (..., 4) x, y, w, h."""
    b = np.asarray(boxes, np.float64)
    return np.concatenate([b[..., :2] - b[..., 2:] / 2, b[..., 2:]], axis=-1)


def area(boxes: ArrayLike) -> Boxes:
    """Areas of (..., 4) xywh boxes -> (...); boxes without extent have area 0."""
    b = np.asarray(boxes, np.float64)
    return np.maximum(b[..., 2], 0) * np.maximum(b[..., 3], 0)


def iou(a: ArrayLike, b: ArrayLike) -> Boxes:
    """Intersection over union of (..., 4) xywh boxes, broadcast against each other -> (...), 0 where both are empty."""
    p, q = xywh_to_xyxy(a), xywh_to_xyxy(b)
    # Column by column: numpy is slow along an axis of two.
    width = np.minimum(p[..., 2], q[..., 2]) - np.maximum(p[..., 0], q[..., 0])
    height = np.minimum(p[..., 3], q[..., 3]) - np.maximum(p[..., 1], q[..., 1])
    intersection = np.maximum(width, 0) * np.maximum(height, 0)
    union = area(a) + area(b) - intersection
    return np.divide(intersection, union, out=np.zeros_like(union), where=union > 0)


def clip(boxes: ArrayLike, width: float, height: float) -> Boxes:
    """The part of (..., 4) xywh boxes inside a width x height frame; a box fully outside gets zero extent."""
    b = xywh_to_xyxy(boxes)
    limit = np.array([width, height, width, height], np.float64)
    return xyxy_to_xywh(np.clip(b, 0, limit))


def check_target_box(box: ArrayLike, width: int, height: int) -> Boxes:
    """A user's x, y, w, h for a width x height frame, checked -> (4,) float64, clipped to the frame.

    Raises:
        PgnetError: not four finite numbers, no extent, larger than the frame, or outside of it.
    """
    try:
        b = np.asarray(box, np.float64).reshape(-1)
    except (TypeError, ValueError) as error:
        raise PgnetError(f"A box is four numbers x, y, width, height in pixels, not {box!r}.") from error
    if b.shape != (4,):
        raise PgnetError(f"A box is four numbers x, y, width, height in pixels; {b.size} given.")
    text = ",".join(f"{v:g}" for v in b)
    if not np.isfinite(b).all():
        raise PgnetError(f"The box {text} has a value that is not a finite number; give x,y,width,height in pixels.")
    if b[2] <= 0 or b[3] <= 0:
        raise PgnetError(f"The box {text} has no extent; give x,y,width,height with a positive width and height.")
    if b[2] < 1 or b[3] < 1:
        raise PgnetError(f"The box {text} is smaller than a pixel; give x,y,width,height in pixels.")
    if b[2] > width or b[3] > height:
        raise PgnetError(f"The box {text} is larger than the frame ({width} x {height}); give one inside of it.")
    inside = clip(b, width, height)
    if inside[2] < 1 or inside[3] < 1:
        raise PgnetError(f"The box {text} lies outside the frame ({width} x {height}); give one inside of it.")
    return inside
