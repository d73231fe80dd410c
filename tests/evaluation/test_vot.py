import numpy as np
import pytest

from pgnet.evaluation.annotations import Annotation
from pgnet.evaluation.vot import (
    expected_average_overlap,
    expected_overlaps,
    per_frame,
    region_overlaps,
    run,
    scores,
)

LIMIT = (1000, 1000)


def square(x, y, size):
    return [[x, y], [x + size, y], [x + size, y + size], [x, y + size]]


def overlap(a, b, limit=LIMIT):
    return region_overlaps(np.array([a], np.float32), np.array([b], np.float32), limit)[0]


def test_drawn_overlap_counts_border_pixels():
    assert overlap(square(10, 10, 9), square(10, 10, 9)) == 1
    assert overlap(square(10, 10, 9), square(15, 10, 9)) == np.float32(50) / np.float32(150)  # 10 x 10 pixels each
    assert overlap(square(10, 10, 9), square(100, 10, 9)) == 0


def test_touching_hulls_do_not_overlap():
    """They share a column of pixels, but the upright hulls only touch."""
    assert overlap(square(10, 10, 10), square(20, 10, 10)) == 0


def test_overlap_is_in_single_precision():
    value = overlap(square(0, 0, 9), square(0, 0, 20))
    assert value == np.float64(np.float32(100) / np.float32(441)) != 100 / 441


def test_frames_cut_regions():
    assert overlap(square(-50, 10, 59), square(0, 10, 9), (1000, 19)) == pytest.approx(1)


def test_diamond_is_drawn_without_its_tips():
    """Rows through a lone corner stay empty: 1 + 3 + ... are drawn as 3, 5, ..., 5, 3."""
    diamond = [[10, 5], [15, 10], [10, 15], [5, 10]]
    pixels = 11 + 2 * (9 + 7 + 5 + 3)
    assert overlap(diamond, square(5, 5, 10)) == pytest.approx(pixels / 121)


def test_corners_round_away_from_zero():
    assert overlap(square(0.5, 0.5, 8), square(1, 1, 8)) == 1


def test_polygons_of_different_size():
    triangle = [[0, 0], [20, 0], [0, 20]]
    padded = [*square(0, 0, 20)]
    assert 0.45 < overlap(triangle, padded) < 0.55


ANNOTATION = Annotation(
    "s", np.ones((60, 4)), "vot2018", polygons=np.tile(np.array(square(10, 10, 20)).ravel(), (60, 1)), size=(100, 100)
)
BOX = np.array([10.0, 10, 20, 20])


def rows(failure=None):
    """A perfect run, or one that fails and starts again five frames later."""
    out = [np.array([1.0])] + [BOX] * 59
    if failure is not None:
        out[failure : failure + 6] = [np.array([2.0])] + [np.array([0.0])] * 4 + [np.array([1.0])]
    return out


def test_frames_after_a_start_do_not_count_for_accuracy():
    found = run(rows(20), ANNOTATION)
    assert np.flatnonzero(np.isnan(found.overlaps)).tolist() == [0, 20, 21, 22, 23, 24, 25]
    assert np.flatnonzero(~np.isnan(found.burnt_in)).tolist() == [*range(10, 20), *range(35, 60)]
    assert found.failures.tolist() == [20]


def test_polygon_rows_are_regions_too():
    polygon = rows()
    polygon[5] = np.array(square(10, 10, 20), float).ravel()
    assert run(polygon, ANNOTATION).overlaps[5] == 1


def test_expected_overlap_without_and_with_a_failure():
    perfect, failing = run(rows(), ANNOTATION), run(rows(20), ANNOTATION)
    assert expected_overlaps({"s": [perfect]}).tolist() == [1.0] * 60
    expected = expected_overlaps({"s": [failing]})
    assert expected[19] == 1
    # Up to 34 frames there are the piece that failed at 20, continued by zeros, and the 34 frames from 25 on.
    assert expected[34] == pytest.approx((19 / 34 + 1) / 2)
    assert expected[35] == pytest.approx(19 / 35)


def test_pieces_count_by_their_marked_frames():
    marks = {"s": np.arange(60) < 26}
    expected = expected_overlaps({"s": [run(rows(20), ANNOTATION)]}, marks)
    share = 1 / 35  # of the second piece, of which only the first frame is marked
    assert expected[30] == pytest.approx((19 / 30 + share) / (1 + share))


def test_repetitions_are_averaged():
    group = [run(rows(), ANNOTATION), run(rows(20), ANNOTATION)]
    assert per_frame(group)[25] == 1
    found = scores({"s": group}, "vot2018")
    assert found["lost"] == 0.5
    assert found["robustness"] == pytest.approx(100 * 0.5 / 60)
    assert found["accuracy"] == 1


def test_eao_is_a_mean_over_the_challenges_lengths():
    expected = np.arange(400.0)
    assert expected_average_overlap(expected, "vot2018") == np.arange(99, 356).mean()
    assert expected_average_overlap(expected, "vot2016") == np.arange(107, 371).mean()
    assert expected_average_overlap(expected, "vot2019") == np.arange(45, 291).mean()
