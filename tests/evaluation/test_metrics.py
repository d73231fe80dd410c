import numpy as np
import pytest

from pgnet.evaluation.metrics import OVERLAP_THRESHOLDS, Curves, centres, count_above, count_within, mean_curves


def test_thresholds_are_matlabs():
    assert len(OVERLAP_THRESHOLDS) == 21
    assert OVERLAP_THRESHOLDS[7] == 7 * 0.05
    assert OVERLAP_THRESHOLDS[14] == 1 - 6 * 0.05 != 14 * 0.05
    assert OVERLAP_THRESHOLDS[20] == 1


def test_above_is_strict_and_within_is_not():
    values = np.array([0.0, 0.5, 1.0, np.nan, 0.5])
    thresholds = np.array([0.0, 0.5, 1.0])
    assert count_above(values, thresholds).tolist() == [3, 1, 0]
    assert count_within(values, thresholds).tolist() == [1, 3, 4]


def test_infinite_values_are_counted_as_such():
    values = np.array([-1.0, np.inf, 3.0])
    assert count_within(values, np.array([0.0, 50.0])).tolist() == [1, 2]


def test_sequences_count_the_same_whatever_their_length():
    mean = mean_curves(Curves(np.full(21, v), np.full(51, v), np.full(51, v / 2)) for v in (0.2, 0.6))
    assert mean.auc == pytest.approx(0.4)
    assert mean.precision20 == pytest.approx(0.4)
    assert mean.normalized20 == pytest.approx(0.2)


def test_centre_is_that_of_pixels():
    assert centres(np.array([[1.0, 1, 3, 5]])).tolist() == [[2, 3]]
