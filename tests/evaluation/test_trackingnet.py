import numpy as np
import pytest

from pgnet.evaluation.trackingnet import covered, curves, scores

TRUTH = np.array([[10.0, 10, 20, 20]] * 4)


def test_perfect_result():
    found = scores(curves(TRUTH, TRUTH), covered(TRUTH, TRUTH))
    assert found == {name: pytest.approx(100) for name in ("success", "precision", "normalized_precision", "coverage")}


def test_boxes_are_rounded_and_the_first_is_the_truth():
    results = TRUTH + 0.4
    results[0] = 500
    assert curves(results, TRUTH).success[20] == 1


def test_overlap_at_a_threshold_is_enough():
    results = TRUTH + [0, 0, 0, 20]  # overlap exactly 0.5
    found = curves(results, TRUTH).success
    assert found[10] == 1
    assert found[11] == 1 / 4


def test_missing_rows_are_misses_and_zeros_are_not_covered():
    results = TRUTH.copy()
    results[2] = np.nan
    results[3] = 0
    found = curves(results, TRUTH)
    assert found.success[1] == found.precision[0] == 2 / 4
    assert covered(results, TRUTH) == 2 / 4
