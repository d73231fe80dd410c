"""How far two trackers that should do the same come apart on the same frames."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pgnet.boxes import iou
from pgnet.tracking import Tracker


@dataclass(frozen=True, eq=False)
class Drift:
    """Of one clip, its first frame left out.

    Attributes:
        iou: (n,) overlap of the two boxes of each frame.
        score_change: (n,) the second tracker's score less the first one's.
    """

    iou: NDArray[np.float64]
    score_change: NDArray[np.float64]


def drift(first: Tracker, second: Tracker, frames: Iterable[NDArray[np.uint8]], box: ArrayLike) -> Drift:
    """Track a clip with both, each on its own.

    Args:
        first, second: the trackers; two of their own objects.
        frames: (H, W, 3) uint8 RGB, at least two.
        box: x, y, w, h in 0-based pixels of the first frame.

    Raises:
        PgnetError: the box does not fit.
    """
    overlaps, changes = [], []
    for i, frame in enumerate(frames):
        if i == 0:
            first.init(frame, box)
            second.init(frame, box)
            continue
        one, other = first.update(frame), second.update(frame)
        overlaps.append(float(iou(one.box, other.box)))
        changes.append(other.score - one.score)
    return Drift(np.array(overlaps), np.array(changes))
