import pytest

from pgnet.datasets import read_tc128
from pgnet.datasets.tc128 import NAMES
from pgnet.errors import PgnetError


@pytest.fixture
def bird(put, frames, tmp_path):
    frames("Bird/img", "{:04d}.jpg", range(1, 9))
    put("Bird/Bird_gt.txt", "11,21,5,6\n12,21,5,6\n")
    put("Bird/Bird_frames.txt", "4,5\n")
    return tmp_path


def test_range_of_frames(bird):
    (sequence,) = read_tc128(bird)
    assert [path.name for path in sequence.frames] == ["0004.jpg", "0005.jpg"]
    assert sequence.boxes[0].tolist() == [10, 20, 5, 6]
    assert sequence.attributes == ()


def test_attributes_and_names_in_another_case(bird, put, tmp_path):
    for file in (bird / "Bird").glob("Bird_*"):
        file.rename(file.with_name(file.name.lower()))
    put("Bird/bird_att.txt", "DEF, OPR\nOCC")
    (sequence,) = read_tc128(bird)
    assert sequence.name == "Bird"
    assert sequence.attributes == ("DEF", "OPR", "OCC")


@pytest.mark.parametrize("text", ["4", "first,last", "4,9"])
def test_damaged_range(bird, put, text):
    put("Bird/Bird_frames.txt", text)
    with pytest.raises(PgnetError, match="Bird"):
        read_tc128(bird)


def test_official_sequences():
    assert len(set(NAMES)) == 129  # 128, of which Jogging has two targets
