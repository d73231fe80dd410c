import pytest

from pgnet.datasets import read_uav
from pgnet.datasets.reading import read_boxes
from pgnet.datasets.uav import FIRST_FRAME, VERSIONS
from pgnet.errors import PgnetError


@pytest.fixture
def make(put, frames):
    def sequence(name, folder, images, rows, version="UAV123"):
        frames(f"data_seq/UAV123/{folder}", "{:06d}.jpg", images)
        put(f"anno/{version}/{name}.txt", "\n".join(rows))

    return sequence


def test_parts_of_a_longer_folder(make, tmp_path):
    make("bird1_2", "bird1", range(770, 780), ["11,21,5,6", "NaN,NaN,NaN,NaN", "12,21,5,6"])
    (sequence,) = read_uav(tmp_path)
    assert [path.name for path in sequence.frames] == ["000775.jpg", "000776.jpg", "000777.jpg"]
    assert sequence.frames[0].parent.name == "bird1"
    assert sequence.boxes[0].tolist() == [10, 20, 5, 6]
    assert sequence.absent.tolist() == [False, True, False]


def test_names_with_a_letter_have_their_own_folder(make, tmp_path):
    make("car1_s", "car1_s", range(1, 3), ["1,1,5,5"] * 2)
    (sequence,) = read_uav(tmp_path)
    assert all(path.is_file() for path in sequence.frames)


def test_long_sequences(make, tmp_path):
    make("bird1", "bird1", range(1, 4), ["1,1,5,5"] * 3, "UAV20L")
    make("bird1_1", "bird1", range(1, 4), ["1,1,5,5"] * 2)
    assert [(s.name, len(s)) for s in read_uav(tmp_path, version="UAV20L")] == [("bird1", 3)]
    assert [(s.name, len(s)) for s in read_uav(tmp_path)] == [("bird1_1", 2)]


def test_attributes(make, put, tmp_path):
    make("bike1", "bike1", range(1, 2), ["1,1,5,5"])
    put("anno/UAV123/att/bike1.txt", "1,1,0,1,0,0,0,0,1,1,1,1")
    assert read_uav(tmp_path)[0].attributes == ("SV", "ARC", "FM", "IV", "VC", "CM", "SOB")
    put("anno/UAV123/att/bike1.txt", "1,1,0")
    with pytest.raises(PgnetError, match="3 attributes instead of 12"):
        read_uav(tmp_path)


def test_missing_images(put, tmp_path):
    put("anno/UAV123/bike1.txt", "1,1,5,5")
    with pytest.raises(PgnetError, match="frames of bike1 is missing"):
        read_uav(tmp_path)


def test_official_sequences():
    assert len(set(VERSIONS["UAV123"])) == 123
    assert len(set(VERSIONS["UAV20L"])) == 20
    assert set(FIRST_FRAME) <= set(VERSIONS["UAV123"])


def test_parts_join_up(uav_annotations):
    """A part begins on the last frame of the one before it, but for three that leave frames out."""
    for name, first in FIRST_FRAME.items():
        folder, _, number = name.rpartition("_")
        before = f"{folder}_{int(number) - 1}"
        end = FIRST_FRAME.get(before, 1) + len(read_boxes(uav_annotations / f"{before}.txt")) - 1
        assert first == end if name not in ("bird1_2", "bird1_3", "uav1_3") else first > end
