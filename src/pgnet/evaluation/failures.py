"""Where trackers lost the target."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pgnet.evaluation.metrics import Array
from pgnet.evaluation.scoring import Scores

LEAST = 10
"""Frames without any overlap that make a failure; shorter ones are hidden targets more often than lost ones."""


class Failure(NamedTuple):
    """Frames in which a tracker had nothing of the target."""

    sequence: str
    first: int
    """Index of the first frame without overlap."""
    end: int
    """Index of the frame in which it had the target again; the sequence's length if it never did."""
    found_again: bool


def find_failures(scores: Scores) -> list[Failure]:
    """All failures of a tracker, sequence by sequence. Frames without a truth are passed over.

    On VOT each failure that the toolkit counted is one.
    """
    least = 1 if scores.dataset.startswith("vot") else LEAST
    return [
        Failure(name, first, end, end < len(overlaps))
        for name, overlaps in scores.overlaps.items()
        for first, end in stretches(overlaps, least)
    ]


def stretches(overlaps: Array, least: int) -> list[tuple[int, int]]:
    """First frame and frame after the last of each stretch of at least so many known overlaps that are all 0.

    Args:
        overlaps: (N,), NaN where the overlap is not known.
    """
    known = np.flatnonzero(~np.isnan(overlaps))
    lost = np.concatenate([[False], overlaps[known] <= 0, [False]])
    edges = np.flatnonzero(lost[1:] != lost[:-1]).reshape(-1, 2)
    after = np.append(known, len(overlaps))
    return [(int(known[first]), int(after[end])) for first, end in edges.tolist() if end - first >= least]
