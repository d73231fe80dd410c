import json
import tarfile
from pathlib import Path

import numpy as np
import pytest

from pgnet.datasets.otb import read_boxes
from pgnet.errors import PgnetError
from pgnet.evaluation import mean_curves, otb_curves
from pgnet.evaluation.metrics import OVERLAP_THRESHOLDS, repair

PARITY = Path(__file__).parents[2] / "../shared/data/parity"
TRUTH = np.array([[10.0, 10, 20, 20]] * 5)


def test_perfect_result():
    curves = otb_curves(TRUTH, TRUTH)
    assert curves.auc == pytest.approx(20 / 21)  # overlap > 1 is never true
    assert curves.precision20 == 1


def test_success_is_strict_and_precision_is_not():
    results = TRUTH + np.array([0, 0, 0, 20])  # overlap exactly 0.5, centre 10 px off
    curves = otb_curves(results, TRUTH)
    frames = 4 / 5  # the first row counts as the ground truth
    assert curves.success[9] == 1
    assert curves.success[10] == pytest.approx(1 - frames)
    assert curves.precision[9] == pytest.approx(1 - frames)
    assert curves.precision[10] == 1


def test_thresholds_are_matlabs():
    assert len(OVERLAP_THRESHOLDS) == 21
    assert OVERLAP_THRESHOLDS[7] == 7 * 0.05
    assert OVERLAP_THRESHOLDS[14] == 1 - 6 * 0.05 != 14 * 0.05
    assert OVERLAP_THRESHOLDS[20] == 1


def test_first_row_becomes_the_ground_truth():
    results = TRUTH.copy()
    results[0] = 500
    assert otb_curves(results, TRUTH)[0].tolist() == otb_curves(TRUTH, TRUTH)[0].tolist()


@pytest.mark.parametrize("bad", [[np.nan] * 4, [10, 10, 0, 20], [10, 10, 20, -1]])
def test_invalid_row_becomes_the_row_before(bad):
    results = TRUTH + np.outer(np.arange(5), [1, 0, 0, 0])
    results[2] = results[3] = bad
    assert repair(results, TRUTH)[:, 0].tolist() == [10, 11, 11, 11, 14]


def test_short_result_is_continued_by_its_last_row():
    assert repair([TRUTH[0], TRUTH[0] + 1], TRUTH)[:, 0].tolist() == [10, 11, 11, 11, 11]


@pytest.mark.parametrize("rows", [0, 6])
def test_number_of_rows_must_fit(rows):
    with pytest.raises(PgnetError, match=f"{rows} result rows"):
        otb_curves(np.ones((rows, 4)), TRUTH)


@pytest.mark.parametrize("absent", [[-1, 10, 20, 20], [10, 10, 0, 20], [np.nan] * 4])
def test_frame_without_truth_is_a_miss_in_overlap_and_a_hit_in_error(absent):
    truth = TRUTH.copy()
    truth[2] = absent
    curves = otb_curves(TRUTH, truth)
    assert curves.success[0] == pytest.approx(4 / 5)
    assert curves.precision[0] == 1


def test_sequences_count_the_same_whatever_their_length():
    good, bad = otb_curves(TRUTH, TRUTH), otb_curves(TRUTH[:2] + 500, TRUTH[:2])
    mean = mean_curves([good, bad])
    assert mean.auc == pytest.approx((good.auc + bad.auc) / 2)
    assert mean.precision20 == pytest.approx((1 + 0.5) / 2)


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    if not (PARITY / "otb100.tar.xz").is_file():
        pytest.skip("the raw results in ../shared are absent")
    folder = tmp_path_factory.mktemp("parity")
    with tarfile.open(PARITY / "otb100.tar.xz") as tar:
        tar.extractall(folder, filter="data")
    return folder / "otb100"


@pytest.mark.parametrize("tracker", ["DaSiamRPN", "MDNet", "SiamFC", "SiamRPN"])
def test_scores_of_known_trackers_are_the_toolkits(archive, tracker):
    def key(path):
        return path.stem.lower().replace("_", "-").replace(".", "-")

    to_0_based = np.array([-1, -1, 0, 0])
    truth = {key(path): read_boxes(path) + to_0_based for path in archive.glob("annotations/*.txt")}
    truth["tiger1"] = truth["tiger1"][5:]
    files = list(archive.glob(f"results/{tracker}/*.txt"))
    mean = mean_curves(otb_curves(read_boxes(path) + to_0_based, truth[key(path)]) for path in files)
    (expected,) = (
        row
        for row in json.loads((PARITY / "expected.json").read_text())
        if (row["dataset"], row["tracker"], row["convention"]) == ("otb100", tracker, "official")
    )
    assert len(files) == 100
    assert mean.auc == pytest.approx(expected["success_auc"], abs=1e-5)
    assert mean.precision20 == pytest.approx(expected["precision20"], abs=1e-5)
