"""Success and precision of one-pass evaluation, to the digit of the OTB toolkit (MATLAB, TPAMI 2015).

Boxes are this package's, 0-based. The toolkit counts from 1, which matters in one place: a ground truth with any of its
four 1-based values <= 0 has overlap -1 (a miss at every threshold) and centre error -1 (a hit at every threshold).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pgnet.boxes import Boxes, iou
from pgnet.errors import PgnetError

Array = NDArray[np.float64]

# MATLAB builds 0:0.05:1 from both ends; k * 0.05 throughout differs in the last bit, and single frames flip.
OVERLAP_THRESHOLDS: Array = np.concatenate([np.arange(10) * 0.05, [0.5], 1 - (10 - np.arange(1, 11)) * 0.05])
"""(21,) overlaps 0 to 1; a frame succeeds where its overlap is greater."""
ERROR_THRESHOLDS: Array = np.arange(51.0)
"""(51,) pixels; a frame is precise where its centre error is at most this."""


class Curves(NamedTuple):
    """Shares of the frames, of one sequence or averaged over several."""

    success: Array
    """(21,) at `OVERLAP_THRESHOLDS`."""
    precision: Array
    """(51,) at `ERROR_THRESHOLDS`."""

    @property
    def auc(self) -> float:
        """Area under the success curve: its mean."""
        return float(self.success.mean())

    @property
    def precision20(self) -> float:
        """Precision at 20 pixels."""
        return float(self.precision[20])


def repair(results: ArrayLike, truth: Boxes) -> Boxes:
    """A tracker's (M, 4) rows as the toolkit scores them -> (N, 4) for N rows of ground truth.

    The first row becomes the ground truth, a row with NaN or without extent the row before it, and the last row
    stands for those that are missing.

    Raises:
        PgnetError: no row, or more rows than the ground truth.
    """
    boxes = np.array(results, np.float64).reshape(-1, 4)
    if not 0 < len(boxes) <= len(truth):
        raise PgnetError(f"{len(boxes)} result rows do not belong to {len(truth)} frames; give one row per frame.")
    boxes = np.concatenate([boxes, np.repeat(boxes[-1:], len(truth) - len(boxes), axis=0)])
    boxes[0] = truth[0]
    valid = np.isfinite(boxes).all(1) & (boxes[:, 2:] > 0).all(1)
    return boxes[np.maximum.accumulate(np.where(valid, np.arange(len(boxes)), 0))]


def otb_curves(results: ArrayLike, truth: ArrayLike) -> Curves:
    """Curves of one sequence.

    Args:
        results: (M, 4) x, y, w, h, M <= N.
        truth: (N, 4) x, y, w, h, a row per frame.

    Raises:
        PgnetError: the number of rows does not fit.
    """
    target = np.asarray(truth, np.float64)
    boxes = repair(results, target)
    annotated = (target[:, :2] > -1).all(1) & (target[:, 2:] > 0).all(1)
    overlap = np.where(annotated, iou(boxes, target), -1)
    # The toolkit's centre x + (w - 1) / 2 lies half a pixel off ours for both boxes alike.
    error = np.hypot(*(boxes[:, :2] + boxes[:, 2:] / 2 - target[:, :2] - target[:, 2:] / 2).T)
    error = np.where(annotated, error, -1)
    return Curves(
        (overlap[:, None] > OVERLAP_THRESHOLDS).mean(0),
        (error[:, None] <= ERROR_THRESHOLDS).mean(0),
    )


def mean_curves(curves: Iterable[Curves]) -> Curves:
    """Every sequence counts the same, whatever its length."""
    success, precision = zip(*curves, strict=True)
    return Curves(np.mean(success, axis=0), np.mean(precision, axis=0))
