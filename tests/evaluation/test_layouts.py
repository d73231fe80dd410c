import zipfile

import numpy as np
import pytest

from pgnet.datasets import DATASETS
from pgnet.errors import PgnetError
from pgnet.evaluation.layouts import LAYOUTS, RawResults, Run

BOXES = np.array([[0, 10, 20, 30], [0.123456, 11, 20, 30], [2, 12, 20, 30]])
RUN = Run(BOXES, np.array([0.5, 0.25, 0.25]))
RESET = Run(
    np.array([[np.nan] * 4, BOXES[1], [np.nan] * 4, [np.nan] * 4]),
    np.array([0.5, 0.25, 0.25, np.nan]),
    np.array([1, -1, 2, 0], np.int8),
)


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_every_data_set_has_a_layout():
    assert LAYOUTS.keys() == DATASETS.keys()


@pytest.mark.parametrize(
    ("dataset", "expected", "first"),
    [
        ("otb100", ["a.txt", "a_time.txt"], "1.0000,11.0000,20.0000,30.0000"),
        ("lasot", ["a.txt", "a_time.txt"], "1.0000,11.0000,20.0000,30.0000"),
        ("nfs30", ["a.txt", "a_time.txt"], "0.0000,10.0000,20.0000,30.0000"),
        ("trackingnet", ["a.txt", "a_time.txt"], "0.0000,10.0000,20.0000,30.0000"),
        ("got10k-val", ["a/a_001.txt", "a/a_time.txt"], "0.0000,10.0000,20.0000,30.0000"),
    ],
)
def test_one_pass(tmp_path, dataset, expected, first):
    results = RawResults(tmp_path, LAYOUTS[dataset])
    results.write("a", RUN)
    assert files(tmp_path) == expected
    lines = (tmp_path / expected[0]).read_text().splitlines()
    assert lines[0] == first
    assert len(lines) == 3
    stored = results.read("a")
    assert stored.boxes == pytest.approx(BOXES, abs=1e-4)
    assert stored.seconds.tolist() == [0.5, 0.25, 0.25]
    assert stored.codes is None


def test_resets(tmp_path):
    results = RawResults(tmp_path, LAYOUTS["vot2018"])
    results.write("bag", RESET)
    assert files(tmp_path) == ["baseline/bag/bag_001.txt", "baseline/bag/bag_time.txt"]
    assert results.boxes_path("bag").read_text().split() == ["1", "0.1235,11.0000,20.0000,30.0000", "2", "0"]
    stored = results.read("bag")
    assert stored.codes.tolist() == [1, -1, 2, 0]
    assert np.isnan(stored.boxes[[0, 2, 3]]).all()


def test_repetitions_add_columns_of_times(tmp_path):
    results = RawResults(tmp_path, LAYOUTS["got10k-val"])
    assert results.repetitions("a", 3) == 0
    for number in (1, 2, 3):
        results.write("a", RUN._replace(seconds=RUN.seconds * number), number)
        assert results.repetitions("a", 3) == number
    assert results.times_path("a").read_text().splitlines()[0] == "0.500000,1.000000,1.500000"
    assert results.read("a", 2).seconds.tolist() == [1, 0.5, 0.5]
    assert results.same("a", 3)
    results.write("a", RUN._replace(boxes=BOXES + 1), 2)  # again: what came after it goes
    assert results.repetitions("a", 3) == 2
    assert not results.same("a", 3)


def test_what_is_not_complete_does_not_count(tmp_path):
    results = RawResults(tmp_path, LAYOUTS["otb100"])
    results.write("a", RUN)
    assert results.repetitions("a", 3) == 1
    assert results.repetitions("a", 4) == 0  # of another length
    results.times_path("a").unlink()
    assert results.repetitions("a", 3) == 0
    with pytest.raises(PgnetError, match=r"a_time\.txt cannot be read"):
        results.read("a")


def test_zip_for_a_server(tmp_path):
    for dataset, expected in (
        ("got10k-test", ["a/a_001.txt", "a/a_002.txt", "a/a_time.txt"]),
        ("trackingnet", ["a.txt"]),
    ):
        results = RawResults(tmp_path / dataset, LAYOUTS[dataset])
        results.write("a", RUN)
        if dataset == "got10k-test":
            results.write("a", RUN, 2)
        results.write_zip(tmp_path / "1.zip", ["a"])
        results.write_zip(tmp_path / "2.zip", ["a"])
        with zipfile.ZipFile(tmp_path / "1.zip") as file:
            assert sorted(file.namelist()) == expected
            assert file.read(expected[0]) == results.boxes_path("a").read_bytes()
        assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()
