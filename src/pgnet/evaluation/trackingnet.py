"""TrackingNet's scores (Müller et al., ECCV 2018), as its server and devkit count them.

Boxes are rounded to whole pixels, overlaps count both border pixels, and every score is the area under a curve of 21
thresholds, by the trapezoid rule, in percent.
"""

from __future__ import annotations

import numpy as np

from pgnet.boxes import Boxes
from pgnet.evaluation.metrics import Array, Curves, count_within, distance

OVERLAP_THRESHOLDS: Array = np.linspace(0, 1, 21)
ERROR_THRESHOLDS: Array = np.linspace(0, 50, 21)
NORMALIZED_THRESHOLDS: Array = np.linspace(0, 0.5, 21)


def curves(results: Boxes, truth: Boxes) -> Curves:
    """(N, 4) and (N, 4) x, y, w, h -> the three curves of one sequence, at the 21 thresholds each."""
    boxes, target = np.round(results), np.round(truth)
    boxes[0] = target[0]
    low = np.maximum(boxes[:, :2], target[:, :2])
    high = np.minimum(boxes[:, :2] + boxes[:, 2:], target[:, :2] + target[:, 2:])
    intersection = np.maximum(high - low, 0).prod(axis=1)
    union = boxes[:, 2:].prod(axis=1) + target[:, 2:].prod(axis=1) - intersection
    offset = boxes[:, :2] + (boxes[:, 2:] + 1) / 2 - target[:, :2] - (target[:, 2:] + 1) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        overlap = intersection / union
        normalized = np.sqrt(((offset / target[:, 2:]) ** 2).sum(axis=1))
    error = distance(offset, np.zeros_like(offset))
    return Curves(
        count_within(-overlap, -OVERLAP_THRESHOLDS) / len(target),  # at least, not above
        count_within(error, ERROR_THRESHOLDS) / len(target),
        count_within(normalized, NORMALIZED_THRESHOLDS) / len(target),
    )


def covered(results: Boxes, truth: Boxes) -> float:
    """Share of the frames that have a box at all."""
    boxes = np.round(results)
    boxes[0] = np.round(truth[0])
    return float((boxes.sum(axis=1) > 0).mean())


def scores(mean: Curves, coverage: float) -> dict[str, float]:
    """The four numbers in percent, from curves averaged over the sequences and the share of frames with a box."""
    area = {name: float(np.trapezoid(curve, dx=1 / 20)) for name, curve in mean._asdict().items()}
    return {
        "success": 100 * area["success"],
        "precision": 100 * area["precision"],
        "normalized_precision": 100 * area["normalized"],
        "coverage": 100 * coverage,
    }
