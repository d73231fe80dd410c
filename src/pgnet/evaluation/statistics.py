"""How sure a score is: the sequences of a data set are a sample, and trackers differ on them by chance too."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from pgnet.errors import PgnetError
from pgnet.evaluation.metrics import Array

DRAWS = 10_000
"""Random samples behind every number here."""


class Interval(NamedTuple):
    """A mean and where it would lie in 95 of 100 data sets like this one."""

    mean: float
    low: float
    high: float


class Comparison(NamedTuple):
    """Two trackers on the same sequences."""

    difference: Interval
    """Of the means, the first minus the second."""
    p: float
    """Chance of a difference of the means at least as large if the trackers were equally good."""
    better: int
    """Sequences on which the first is better; ties are neither's."""
    worse: int


def bootstrap(values: ArrayLike, seed: int = 0) -> Interval:
    """The mean of one score per sequence with its 95% interval, by the percentile bootstrap (Efron 1979).

    Args:
        values: (N,) scores, one per sequence.

    Raises:
        PgnetError: fewer than two sequences.
    """
    scores = _checked(values)
    rng = np.random.default_rng(seed)
    # In parts, so that many sequences do not need gigabytes.
    means = [scores[rng.integers(0, len(scores), (500, len(scores)))].mean(axis=1) for _ in range(DRAWS // 500)]
    low, high = np.percentile(np.concatenate(means), [2.5, 97.5])
    return Interval(float(scores.mean()), float(low), float(high))


def compare(first: ArrayLike, second: ArrayLike, seed: int = 0) -> Comparison:
    """Two trackers by a paired permutation test, two-sided: on each sequence their scores are exchanged at random.

    Args:
        first: (N,) scores, one per sequence.
        second: (N,) those of the other tracker on the same sequences in the same order.

    Raises:
        PgnetError: fewer than two sequences, or different numbers of them.
    """
    a, b = _checked(first), _checked(second)
    if a.shape != b.shape:
        raise PgnetError(f"Scores on {len(a)} and {len(b)} sequences cannot be compared; use the same sequences.")
    difference = a - b
    rng = np.random.default_rng(seed)
    signs = (rng.choice([-1.0, 1.0], (500, len(a))) for _ in range(DRAWS // 500))
    chance = np.concatenate([np.abs(sign @ difference) for sign in signs])
    # The observed order is one of the permutations, so p is never 0.
    p = (1 + np.count_nonzero(chance >= abs(difference.sum()) - 1e-12)) / (1 + len(chance))
    return Comparison(bootstrap(difference, seed), float(p), int((difference > 0).sum()), int((difference < 0).sum()))


def _checked(values: ArrayLike) -> Array:
    scores = np.asarray(values, np.float64)
    if len(scores) < 2:
        raise PgnetError(f"{len(scores)} sequence says nothing of how sure a score is; two or more are needed.")
    return scores
