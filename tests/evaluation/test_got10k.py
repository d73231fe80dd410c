import numpy as np
import pytest

from pgnet.evaluation.annotations import Annotation
from pgnet.evaluation.got10k import overlaps, scores, success_curve

TRUTH = np.array([[10.0, 10, 20, 20]] * 5)


def test_first_frame_and_hidden_frames_do_not_count():
    results = TRUTH.copy()
    results[0] = results[3] = 500
    annotation = Annotation("s", TRUTH, cover=np.array([8, 8, 1, 0, 8], np.uint8))
    assert overlaps(results, annotation).tolist() == [1, 1, 1]
    assert overlaps(results, Annotation("s", TRUTH)).tolist() == [1, 1, 0, 1]


def test_boxes_are_cut_to_the_frame_in_the_toolkits_way():
    truth = np.array([[0.0, 0, 20, 20]] * 2)
    results = np.array([[0.0, 0, 20, 20], [-10, 0, 20, 20]])  # becomes 0, 0, 20, 20: the width stays
    assert overlaps(results, Annotation("s", truth, size=(100, 100))).tolist() == [1]
    assert overlaps(results, Annotation("s", truth)).tolist() == [pytest.approx(1 / 3)]
    assert overlaps(truth + [90, 0, 0, 0], Annotation("s", truth + [90, 0, 20, 0], size=(100, 100))).tolist() == [1]


def test_rows_without_numbers_have_no_overlap():
    results = TRUTH.copy()
    results[2] = np.nan
    assert overlaps(results, Annotation("s", TRUTH)).tolist() == [1, 0, 1, 1]


def test_scores_are_strict():
    found = scores(np.array([0.5, 0.75, 0.76, 1.0]))
    assert found == {"ao": pytest.approx(0.7525), "sr50": 0.75, "sr75": 0.5}


def test_curve():
    curve = success_curve(np.array([0.2, 0.6]))
    assert len(curve) == 101
    assert (curve[0], curve[30], curve[99]) == (1, 0.5, 0)
