"""GOT-10k's own scores (Huang, Zhao, Huang, TPAMI 2021): the overlaps of all frames of all sequences in one pool."""

from __future__ import annotations

import numpy as np

from pgnet.boxes import Boxes, iou
from pgnet.evaluation.annotations import Annotation
from pgnet.evaluation.metrics import Array, count_above

THRESHOLDS: Array = np.linspace(0, 1, 101)
"""Of the success curve."""


def overlaps(results: Boxes, annotation: Annotation) -> Array:
    """Overlaps of one sequence's frames that count -> (M,).

    The first frame does not count, nor one where nothing of the target is visible (cover 0). Boxes are cut to the frame
    where its size is known, in the toolkit's way: a corner left of 0 moves to 0 and the width stays.

    Args:
        results: (N, 4) x, y, w, h, a row for each annotated frame.
    """
    boxes, truth = results[1:], annotation.boxes[1:]
    if annotation.size is not None:
        boxes, truth = _cut(boxes, annotation.size), _cut(truth, annotation.size)
    values = np.clip(np.nan_to_num(iou(boxes, truth)), 0, 1)
    return values if annotation.cover is None else values[annotation.cover[1:] > 0]


def _cut(boxes: Boxes, size: tuple[int, int]) -> Boxes:
    corner = np.clip(boxes[:, :2], 0, size)
    return np.concatenate([corner, np.clip(boxes[:, 2:], 0, np.array(size) - corner)], axis=1)


def scores(values: Array) -> dict[str, float]:
    """Average overlap, and the shares of frames with an overlap above 0.5 and 0.75."""
    return {
        "ao": float(values.mean()),
        "sr50": float((values > 0.5).mean()),
        "sr75": float((values > 0.75).mean()),
    }


def success_curve(values: Array) -> Array:
    """(101,) shares of the frames with an overlap above each of `THRESHOLDS`."""
    return count_above(values, THRESHOLDS) / len(values)
