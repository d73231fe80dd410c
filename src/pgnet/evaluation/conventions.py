"""The conventions of four toolkits for one-pass evaluation: how boxes become the curves of one sequence.

Numbers are those of the files, 1-based where the data set is. `docs/scores.md` tells the conventions apart in words.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from pgnet.boxes import Boxes, iou
from pgnet.errors import PgnetError
from pgnet.evaluation.annotations import Annotation
from pgnet.evaluation.metrics import (
    ERROR_THRESHOLDS,
    NORMALIZED_THRESHOLDS,
    OVERLAP_THRESHOLDS,
    Array,
    Curves,
    centres,
    count_above,
    count_within,
    distance,
)


@dataclass(frozen=True)
class Convention:
    """One toolkit's way from boxes to scores."""

    name: str
    curves: Callable[[Boxes, Annotation], Curves]
    """(N, 4) results, a row for each annotated frame, and the annotation -> curves of the sequence."""
    normalized: Literal["normalized_precision20", "normalized_precision_mean"] = "normalized_precision20"
    """The number that stands for the curve of normalised precision: its value at 0.2, or its mean."""


def complete(results: Boxes, annotation: Annotation) -> Boxes:
    """The (M, 4) rows of a result as (N, 4), one for each annotated frame; the last one stands for missing ones.

    Raises:
        PgnetError: no row, too many, or more than a tenth of them missing (two, in a short sequence).
    """
    rows, expected = len(results), annotation.result_rows
    if annotation.first_row and rows == expected + annotation.first_row:
        results = results[annotation.first_row :]
    elif annotation.name == "monkey-17" or annotation.rows is not None:
        # LaSOT cut monkey-17 to its first 2,260 frames; the last frames may be among those that are not annotated.
        results = results[:expected]
    if not 0 < len(results) <= expected or expected - len(results) > max(2, expected // 10):
        raise PgnetError(f"{rows} result rows do not belong to {expected} frames; give one row per frame.")
    results = np.concatenate([results, np.repeat(results[-1:], max(0, expected - len(results)), axis=0)])
    return results if annotation.rows is None else results[annotation.rows]


def repaired(results: Boxes, truth: Boxes) -> Boxes:
    """What the official toolkits score: a row with NaN or without extent becomes the row before it.

    The first becomes the truth. Where the truth is NaN a row stays as it is.
    """
    valid = np.isfinite(results).all(axis=1) & (results[:, 2:] > 0).all(axis=1) | np.isnan(truth).any(axis=1)
    boxes = results[np.maximum.accumulate(np.where(valid, np.arange(len(results)), 0))]
    boxes[0] = truth[0]
    return boxes


def official_curves(results: Boxes, annotation: Annotation) -> Curves:
    """The MATLAB toolkits of OTB, LaSOT (with its absent labels), UAV123, TC-128 and NfS."""
    truth = annotation.boxes
    boxes = repaired(results, truth)
    if annotation.absent is not None:  # out of the numerator, not of the denominator
        boxes, truth = boxes[~annotation.absent], truth[~annotation.absent]
    valid = (truth > 0).all(axis=1)
    boxes, truth = boxes[valid], truth[valid]
    error = distance(centres(boxes), centres(truth))
    normalized = distance(centres(boxes) / truth[:, 2:], centres(truth) / truth[:, 2:])
    hits = np.count_nonzero(~valid)  # without a valid truth the overlap is -1, a miss, and the error -1, a hit
    return Curves(
        count_above(iou(boxes, truth), OVERLAP_THRESHOLDS) / len(results),
        (count_within(error, ERROR_THRESHOLDS) + hits) / len(results),
        (count_within(normalized, NORMALIZED_THRESHOLDS) + hits) / len(results),
    )


def pysot_curves(results: Boxes, annotation: Annotation) -> Curves:
    """pysot-toolkit: nothing is repaired, and what is a valid truth differs between overlap and error."""
    boxes, truth = results, annotation.boxes
    if annotation.absent is not None:
        boxes, truth = boxes[~annotation.absent], truth[~annotation.absent]
    whole = (truth > 0).all(axis=1)
    extent = truth[:, 2:] + 1e-16

    def within(target: Array, found: Array, thresholds: Array) -> Array:
        valid = (target > 0).all(axis=1)
        hits = np.count_nonzero(~valid)
        return (count_within(distance(target[valid], found[valid]), thresholds) + hits) / len(results)

    with np.errstate(invalid="ignore", over="ignore"):
        return Curves(
            count_above(np.minimum(iou(truth[whole], boxes[whole]), 1), np.arange(0, 1.05, 0.05)) / len(results),
            within(centres(truth), centres(boxes), ERROR_THRESHOLDS),
            within(centres(truth) / extent, centres(boxes) / extent, NORMALIZED_THRESHOLDS),
        )


def pytracking_curves(results: Boxes, annotation: Annotation) -> Curves:
    """pytracking: as the official toolkits, but for frames without a valid truth.

    Their error is infinite, a miss, where the official ones count a hit; -1, a hit, on UAV123 and UAV20L. They count in
    the length of LaSOT's and UAV's sequences, not of others. Only on LaSOT itself, not on its extension, is an absent
    frame a miss in normalised precision too.
    """
    uav, lasot = annotation.dataset.startswith("uav"), annotation.dataset == "lasot"
    truth = annotation.boxes
    boxes = repaired(results, truth)
    absent = np.zeros(len(truth), bool) if annotation.absent is None else annotation.absent
    valid = (truth[:, 2:] > 0).all(axis=1) & ~absent
    length = len(truth) if uav or lasot else np.count_nonzero(valid)
    hits = np.count_nonzero(~valid & ~absent if lasot else ~valid)
    boxes, truth = boxes[valid], truth[valid]
    error = distance(centres(boxes), centres(truth))
    normalized = np.sqrt((((centres(boxes) - centres(truth)) / truth[:, 2:]) ** 2).sum(axis=1))
    return Curves(
        count_above(iou(boxes, truth), OVERLAP_THRESHOLDS) / length,
        (count_within(error, ERROR_THRESHOLDS) + (hits if uav else 0)) / length,
        (count_within(normalized, NORMALIZED_THRESHOLDS) + hits) / length,
    )


def got10k_curves(results: Boxes, annotation: Annotation) -> Curves:
    """The GOT-10k toolkit's experiments on other data sets: absent labels are not used, NaN truth is not counted."""
    known = np.isfinite(annotation.boxes).all(axis=1)
    boxes, truth = results.copy(), annotation.boxes
    boxes[0] = truth[0]
    boxes, truth = boxes[known], truth[known]
    error = centres(boxes) - centres(truth)
    normalized = error / np.maximum(1, truth[:, 2:])
    return Curves(
        count_above(np.clip(iou(boxes, truth), 0, 1), np.linspace(0, 1, 21)) / len(truth),
        count_within(np.sqrt((error**2).sum(axis=1)), ERROR_THRESHOLDS) / len(truth),
        count_within(np.sqrt((normalized**2).sum(axis=1)), np.linspace(0, 0.5, 51)) / len(truth),
    )


CONVENTIONS = {
    convention.name: convention
    for convention in (
        Convention("official", official_curves),
        Convention("pysot", pysot_curves),
        Convention("got10k", got10k_curves, normalized="normalized_precision_mean"),
        Convention("pytracking", pytracking_curves),
    )
}
"""The conventions by the names that the command line uses."""


def otb_curves(results: ArrayLike, truth: ArrayLike) -> Curves:
    """Curves of one sequence to the digit of the OTB toolkit, for boxes inside this package.

    Args:
        results: (M, 4) x, y, w, h in 0-based pixels.
        truth: (N, 4) x, y, w, h in 0-based pixels, a row per frame.

    Raises:
        PgnetError: the number of rows does not fit.
    """
    one_based = np.array([1.0, 1.0, 0.0, 0.0])
    annotation = Annotation("", np.asarray(truth, np.float64).reshape(-1, 4) + one_based)
    return official_curves(complete(np.asarray(results, np.float64).reshape(-1, 4) + one_based, annotation), annotation)
