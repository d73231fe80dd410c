import numpy as np
import pytest

from pgnet.errors import PgnetError
from pgnet.evaluation import otb_curves
from pgnet.evaluation.annotations import Annotation
from pgnet.evaluation.conventions import CONVENTIONS, complete, repaired

FRAMES = 20
TRUTH = np.array([[10.0, 10, 20, 20]] * FRAMES)
NAMES = sorted(CONVENTIONS)


def curves(name, results, truth=TRUTH, **more):
    return CONVENTIONS[name].curves(np.array(results, float), Annotation("s", truth, **more))


@pytest.mark.parametrize("name", NAMES)
def test_perfect_result(name):
    found = curves(name, TRUTH)
    assert found.auc == pytest.approx(20 / 21)  # overlap > 1 is never true
    assert found.precision20 == found.normalized20 == 1


@pytest.mark.parametrize("name", NAMES)
def test_success_is_strict_and_precision_is_not(name):
    results = TRUTH + np.array([0, 0, 0, 20])  # overlap exactly 0.5, centre 10 px, or half a height, off
    results[0] = TRUTH[0]
    found = curves(name, results)
    assert found.success[9] == 1
    assert found.success[10] == pytest.approx(1 / FRAMES)
    assert found.precision[9] == pytest.approx(1 / FRAMES)
    assert found.precision[10] == 1
    assert found.normalized[49] == pytest.approx(1 / FRAMES)


@pytest.mark.parametrize(("name", "hit"), [("official", 1), ("pytracking", 1), ("got10k", 1), ("pysot", 0)])
def test_first_row(name, hit):
    results = TRUTH.copy()
    results[0] = 500
    assert curves(name, results).success[0] * FRAMES == FRAMES - 1 + hit


@pytest.mark.parametrize("bad", [[np.nan] * 4, [10, 10, 0, 20], [10, 10, 20, -1]])
def test_damaged_row(bad):
    results = TRUTH.copy()
    results[7] = bad
    for name, hits in {"official": 20, "pytracking": 20, "pysot": 19, "got10k": 19}.items():
        assert curves(name, results).success[0] * FRAMES == pytest.approx(hits)


def test_damaged_row_becomes_the_row_before():
    results = TRUTH + np.outer(np.arange(FRAMES), [1, 0, 0, 0])
    results[2] = results[3] = np.nan
    assert repaired(results, TRUTH)[:5, 0].tolist() == [10, 11, 11, 11, 14]


def test_damaged_row_stays_where_the_truth_is_nan():
    results, truth = TRUTH.copy(), TRUTH.copy()
    results[2] = results[3] = np.nan
    truth[2] = np.nan
    assert np.isnan(repaired(results, truth)[2]).all()
    assert np.isnan(repaired(results, truth)[3]).all()


# What a frame without a valid truth is: a miss in overlap, and in error a hit (1), a miss (0) or not counted.
@pytest.mark.parametrize(
    ("name", "dataset", "frames", "hit"),
    [
        ("official", "otb100", 20, 1),
        ("pysot", "otb100", 20, 1),
        ("pytracking", "otb100", 19, 0),
        ("pytracking", "uav123", 20, 1),
        ("got10k", "otb100", 19, 0),
    ],
)
def test_frame_without_truth(name, dataset, frames, hit):
    truth = TRUTH.copy()
    truth[2] = np.nan
    found = curves(name, TRUTH, truth, dataset=dataset)
    assert found.success[0] == pytest.approx(19 / frames)
    assert found.precision[0] == pytest.approx((19 + hit) / frames)


def test_valid_truth_differs():
    """A truth that reaches over the upper left corner: the official toolkits and pysot's overlap do not count it."""
    truth = TRUTH.copy()
    truth[2] = [0, 10, 20, 20]
    results = truth.copy()
    for name, hits in {"official": 19, "pysot": 19, "pytracking": 20, "got10k": 20}.items():
        assert curves(name, results, truth, dataset="otb100").success[0] * FRAMES == pytest.approx(hits)
        assert curves(name, results + [0, 400, 0, 0], truth).precision20 * FRAMES == pytest.approx(
            {"official": 2, "pysot": 0, "pytracking": 1, "got10k": 1}[name]
        )


# Frames of LaSOT that are labelled absent count in the length; pysot, the official toolkit and pytracking skip them.
@pytest.mark.parametrize(("name", "hits"), [("official", 15), ("pysot", 15), ("pytracking", 15), ("got10k", 20)])
def test_absent_frames(name, hits):
    absent = np.arange(FRAMES) >= 15
    found = curves(name, TRUTH, dataset="lasot", absent=absent)
    assert found.success[0] * FRAMES == pytest.approx(hits)
    assert found.precision20 * FRAMES == pytest.approx(hits)
    assert found.normalized20 * FRAMES == pytest.approx(hits)


def test_got10k_divides_by_one_pixel_at_least():
    truth = TRUTH * [1, 1, 0, 0] + [0, 0, 0.5, 20]
    found = curves("got10k", truth + [0.25, 0, 0, 0], truth)
    assert found.normalized[25] == 1  # 0.25 pixels over 1, not over 0.5
    assert curves("official", truth + [0.25, 0, 0, 0], truth).normalized[25] == pytest.approx(1 / FRAMES)


def test_missing_last_rows_are_the_last_one():
    results = TRUTH + np.outer(np.arange(FRAMES), [1, 0, 0, 0])
    assert complete(results[:18], Annotation("s", TRUTH))[:, 0].tolist() == [*range(10, 28), 27, 27]


@pytest.mark.parametrize("rows", [0, 17, 21])
def test_number_of_rows_must_fit(rows):
    with pytest.raises(PgnetError, match=f"{rows} result rows do not belong to 20 frames"):
        complete(np.ones((rows, 4)), Annotation("s", TRUTH))


def test_rows_before_the_start_are_dropped():
    """Tiger1 of OTB starts at frame 6."""
    tiger = Annotation("Tiger1", TRUTH, first_row=5)
    results = np.arange(4.0 * (FRAMES + 5)).reshape(-1, 4)
    assert complete(results, tiger)[0].tolist() == [20, 21, 22, 23]
    assert complete(results[:FRAMES], tiger)[0].tolist() == [0, 1, 2, 3]


def test_monkey_17_is_cut():
    assert len(complete(np.ones((FRAMES + 500, 4)), Annotation("monkey-17", TRUTH))) == FRAMES


def test_annotated_rows_are_taken():
    annotation = Annotation("s", TRUTH[:2], rows=np.array([0, 3]))
    assert complete(np.arange(24.0).reshape(-1, 4), annotation)[:, 0].tolist() == [0, 12]


def test_otb_curves_take_0_based_boxes():
    """1-based, a truth at 0, 0 is at 1, 1, which is valid; one at -1 is not."""
    at_corner = TRUTH * [0, 0, 1, 1]
    assert otb_curves(at_corner, at_corner).success[0] == 1
    outside = at_corner - [1, 0, 0, 0]
    assert otb_curves(outside, outside).success[0] == 0
    assert otb_curves(outside + 90, outside).precision20 == 1
