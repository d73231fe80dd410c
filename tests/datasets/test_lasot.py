from pathlib import Path

import pytest

from pgnet.datasets import read_lasot
from pgnet.datasets.lasot import EXTENSION, TEST
from pgnet.errors import PgnetError

SHARED = Path(__file__).parents[2] / "../shared/data/lasot"


@pytest.fixture
def make(put, frames):
    def sequence(folder, length=3, **files):
        frames(f"{folder}/img", "{:08d}.jpg", range(1, length + 1))
        put(f"{folder}/groundtruth.txt", "".join(f"{11 + i},21,30,40\n" for i in range(length)))
        for name, text in files.items():
            put(f"{folder}/{name}.txt", text)

    return sequence


def test_both_layouts(make, tmp_path):
    make("bear/bear-10")
    make("bear/bear-2")
    make("cat-1")
    sequences = read_lasot(tmp_path)
    assert [sequence.name for sequence in sequences] == ["bear-2", "bear-10", "cat-1"]
    assert sequences[0].boxes.tolist() == [[10, 20, 30, 40], [11, 20, 30, 40], [12, 20, 30, 40]]
    assert [path.name for path in sequences[0].frames] == ["00000001.jpg", "00000002.jpg", "00000003.jpg"]
    assert all(path.is_file() for sequence in sequences for path in sequence.frames)
    assert sequences[0].absent is None


def test_hidden_or_outside_is_absent(make, tmp_path):
    make("bear-2", 4, full_occlusion="0,1,0,0", out_of_view="0,0,0,1\n")
    (sequence,) = read_lasot(tmp_path)
    assert sequence.absent.tolist() == [False, True, False, True]
    assert sequence.tags["full_occlusion"].tolist() == [False, True, False, False]


def test_splits(make, tmp_path):
    make("bear/bear-2")  # of the test set
    make("bear/bear-1")
    make("atv/atv-10")
    for split, name in {"test": "bear-2", "train": "bear-1", "extension": "atv-10"}.items():
        assert [sequence.name for sequence in read_lasot(tmp_path, split=split)] == [name]


def test_official_test_set():
    assert len(set(TEST)) == 280
    categories = [name.rpartition("-")[0] for name in TEST]
    assert all(categories.count(category) == 4 for category in categories)
    assert len(set(categories)) == 70


def test_extension():
    assert len(set(EXTENSION)) == 150
    assert not set(EXTENSION) & set(TEST)


def test_attributes_of_the_toolkit(make, put, tmp_path):
    make("bear-2")
    put("att/bear-2.txt", "0,1,1,0,1,0,0,0,1,0,0,1,0,1\n")
    (sequence,) = read_lasot(tmp_path)
    assert sequence.attributes == ("POC", "DEF", "CM", "SV", "OV", "ARC")


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"full_occlusion": "0,1", "out_of_view": "0,1"}, "3 frames, but 2 values of absent"),
        ({"groundtruth": "1,2,3\n"}, "groundtruth.txt should have four numbers"),
        ({"groundtruth": "1,2,3,4\na,b,c,d\n"}, "groundtruth.txt, line 2: 'a,b,c,d' is not 4 numbers"),
    ],
)
def test_damaged_annotation(make, tmp_path, files, says):
    make("bear-2", **files)
    make("bear-4")
    with pytest.raises(PgnetError, match=says):
        read_lasot(tmp_path)
    problems = {}
    assert [sequence.name for sequence in read_lasot(tmp_path, problems=problems)] == ["bear-4"]
    assert list(problems) == ["bear-2"]


def test_nothing_there(tmp_path):
    with pytest.raises(PgnetError, match="does not hold LaSOT"):
        read_lasot(tmp_path)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the LaSOT sequence in ../shared is absent")
def test_real_sequence():
    (sequence,) = read_lasot(SHARED, ["airplane-1"])
    assert len(sequence) == 400
    assert sequence.boxes[0].tolist() == [366, 100, 41, 16]
    assert not sequence.absent.any()
    assert sequence.image(399).shape[2] == 3
