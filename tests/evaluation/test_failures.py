import numpy as np

from pgnet.evaluation.failures import Failure, find_failures, stretches
from pgnet.evaluation.scoring import Scores

NAN = np.nan


def test_stretches_pass_over_frames_without_truth():
    overlaps = np.array([1, 0, NAN, 0, 0.5, 0, 1, NAN, 0, 0, 0])
    assert stretches(overlaps, 1) == [(1, 4), (5, 6), (8, 11)]
    assert stretches(overlaps, 2) == [(1, 4), (8, 11)]
    assert stretches(overlaps, 4) == []


def test_failures_of_a_tracker():
    lost = np.array([1.0] * 5 + [0] * 12 + [1] * 3 + [0] * 20)
    scores = Scores("mine", "lasot", "official", overlaps={"dog-1": lost, "cat-1": np.ones(9)})
    assert find_failures(scores) == [Failure("dog-1", 5, 17, True), Failure("dog-1", 20, 40, False)]


def test_on_vot_each_failure_counts():
    scores = Scores("mine", "vot2018", "official", overlaps={"bag": np.array([NAN, 1, 0, NAN, NAN, 1])})
    assert find_failures(scores) == [Failure("bag", 2, 5, True)]
