"""Success and precision curves: what all toolkits count, over thresholds that differ in the last bit.

How a toolkit treats first, damaged and unannotated rows is in `pgnet.evaluation.conventions`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pgnet.boxes import Boxes

Array = NDArray[np.float64]

# MATLAB builds 0:0.05:1 from both ends; k * 0.05 throughout differs in the last bit, and single frames flip.
OVERLAP_THRESHOLDS: Array = np.concatenate([np.arange(10) * 0.05, [0.5], 1 - (10 - np.arange(1, 11)) * 0.05])
"""(21,) overlaps 0 to 1; a frame succeeds where its overlap is greater."""
ERROR_THRESHOLDS: Array = np.arange(51.0)
"""(51,) pixels; a frame is precise where its centre error is at most this."""
NORMALIZED_THRESHOLDS: Array = np.arange(51) / 100
"""(51,) centre errors in widths and heights of the target, 0 to 0.5."""


class Curves(NamedTuple):
    """Shares of the frames, of one sequence or averaged over several."""

    success: Array
    """(21,) at `OVERLAP_THRESHOLDS`."""
    precision: Array
    """(51,) at `ERROR_THRESHOLDS`; (21,) in TrackingNet's way."""
    normalized: Array
    """As `precision`, at `NORMALIZED_THRESHOLDS`."""

    @property
    def auc(self) -> float:
        """Area under the success curve: its mean."""
        return float(self.success.mean())

    @property
    def precision20(self) -> float:
        """Precision at 20 pixels."""
        return float(self.precision[20])

    @property
    def normalized20(self) -> float:
        """Normalised precision at 0.2."""
        return float(self.normalized[20])


def mean_curves(curves: Iterable[Curves]) -> Curves:
    """Every sequence counts the same, whatever its length."""
    success, precision, normalized = zip(*curves, strict=True)
    return Curves(np.mean(success, axis=0), np.mean(precision, axis=0), np.mean(normalized, axis=0))


def count_above(values: Array, thresholds: Array) -> Array:
    """How many of (N,) values are greater than each of (T,) ascending thresholds -> (T,); NaN is greater than none."""
    known = np.sort(values[~np.isnan(values)])
    return (len(known) - np.searchsorted(known, thresholds, side="right")).astype(np.float64)


def count_within(values: Array, thresholds: Array) -> Array:
    """How many of (N,) values are at most each of (T,) thresholds -> (T,); NaN is within none."""
    known = np.sort(values[~np.isnan(values)])
    return np.searchsorted(known, thresholds, side="right").astype(np.float64)


def centres(boxes: Boxes) -> Array:
    """(N, 4) x, y, w, h -> (N, 2) centre in the toolkits' way: that of the pixels x ... x + w - 1."""
    return boxes[:, :2] + (boxes[:, 2:] - 1) / 2


def distance(a: Array, b: Array) -> Array:
    """(N, 2) points and (N, 2) points -> (N,) Euclidean distances."""
    return np.sqrt(((a - b) ** 2).sum(axis=1))
