import numpy as np
import pytest

from pgnet.errors import PgnetError
from pgnet.evaluation.statistics import bootstrap, compare

RNG = np.random.default_rng(1)


def test_interval_has_the_width_of_the_normal_law():
    values = RNG.normal(0.5, 0.2, 400)
    found = bootstrap(values)
    assert found.mean == values.mean()
    error = 1.96 * values.std() / 20
    assert found.low == pytest.approx(found.mean - error, abs=0.1 * error)
    assert found.high == pytest.approx(found.mean + error, abs=0.1 * error)
    assert bootstrap(values) == found  # the same numbers each time


def test_clear_difference():
    first = RNG.normal(0.5, 0.2, 100)
    found = compare(first, first - 0.1)
    assert found.p < 0.001
    assert found.difference.mean == pytest.approx(0.1)
    assert (found.better, found.worse) == (100, 0)


def test_small_sample_has_the_exact_chance():
    """Of the 8 ways to exchange three pairs, 2 give a difference as large as all signs equal."""
    assert compare([1, 1, 1], [0, 0, 0]).p == pytest.approx(0.25, abs=0.02)


def test_equal_trackers():
    found = compare([0.5, 0.6], [0.5, 0.6])
    assert found.p == 1
    assert (found.better, found.worse) == (0, 0)


def test_no_difference_is_rarely_significant():
    results = [compare(*RNG.normal(0.5, 0.1, (2, 30))).p for _ in range(40)]
    assert sum(p < 0.05 for p in results) < 8


def test_too_few_sequences():
    with pytest.raises(PgnetError, match="1 sequence says nothing"):
        bootstrap([0.5])
    with pytest.raises(PgnetError, match="cannot be compared"):
        compare([1, 2, 3], [1, 2])
