"""What the network should say for each anchor (spec C.6)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pgnet import anchors, boxes

POSITIVE_IOU = 0.6
NEGATIVE_IOU = 0.3


class AnchorTargets(NamedTuple):
    """Attributes:
    label: (A, 25, 25) int8: 1 target, 0 background, -1 neither.
    offsets: (4, A, 25, 25) float32, meaningful where the label is 1.
    """

    label: NDArray[np.int8]
    offsets: NDArray[np.float32]


def anchor_targets(grid: NDArray[np.float64], box: NDArray[np.float64] | None, any_size: bool = False) -> AnchorTargets:
    """Labels and offsets for a target box in the search crop, or for a negative pair (None: all background).

    Args:
        grid: (A, 25, 25, 4) from `pgnet.anchors.grid`.
        box: (4,) cx, cy, w, h in crop pixels.
        any_size: compare the anchors, which all have one area, with the box brought to that area. Else a target whose
            sides are more than 1.29 times as long, or as short, has no anchor, and its size is never learned.
    """
    if box is None:
        return AnchorTargets(np.zeros(grid.shape[:3], np.int8), np.zeros((4, *grid.shape[:3]), np.float32))
    shown = box
    if any_size:
        shown = np.concatenate([box[:2], box[2:] * np.sqrt(grid[0, 0, 0, 2:].prod() / box[2:].prod())])
    overlap = boxes.iou(boxes.cxcywh_to_xywh(grid), boxes.cxcywh_to_xywh(shown))
    label = np.full(grid.shape[:3], -1, np.int8)
    label[overlap <= NEGATIVE_IOU] = 0
    label[overlap >= POSITIVE_IOU] = 1
    return AnchorTargets(label, np.moveaxis(anchors.encode(grid, box), -1, 0).astype(np.float32))
