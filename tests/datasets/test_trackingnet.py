import numpy as np
import pytest

from pgnet.datasets import read_trackingnet
from pgnet.datasets.trackingnet import TRAIN
from pgnet.errors import PgnetError


@pytest.fixture
def make(put, frames):
    def sequence(split, name, length, rows):
        frames(f"{split}/frames/{name}", "{}.jpg", range(length))
        put(f"{split}/anno/{name}.txt", "".join(f"{10.5 + i},20,30,40\n" for i in range(rows)))

    return sequence


def test_test_set_has_first_boxes_only(make, tmp_path):
    make("TEST", "-3TIfnTSM6c_2", 12, 1)
    (sequence,) = read_trackingnet(tmp_path)
    assert [path.name for path in sequence.frames] == [f"{i}.jpg" for i in range(12)]  # 2 before 10
    assert sequence.boxes[0].tolist() == [10.5, 20, 30, 40]
    assert np.isnan(sequence.boxes[1:]).all()


def test_training_splits_that_are_there(make, tmp_path):
    make("TRAIN_0", "b", 3, 3)
    make("TRAIN_11", "a", 4, 4)
    sequences = read_trackingnet(tmp_path, splits=TRAIN)
    assert [(sequence.name, len(sequence)) for sequence in sequences] == [("b", 3), ("a", 4)]
    assert [sequence.name for sequence in read_trackingnet(tmp_path, splits=["TRAIN_11"])] == ["a"]
    with pytest.raises(PgnetError, match=r"anno/NAME\.txt and frames/NAME in TEST"):
        read_trackingnet(tmp_path)


def test_names_that_differ_only_in_case(make, tmp_path):
    make("TEST", "aB_0", 2, 1)
    make("TEST", "Ab_0", 3, 1)
    assert len(read_trackingnet(tmp_path, ["Ab_0"])[0]) == 3
    assert len(read_trackingnet(tmp_path, ["aB_0"])[0]) == 2
