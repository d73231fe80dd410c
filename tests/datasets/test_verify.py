import pytest

from pgnet.datasets import DATASETS, OFFICIAL, dataset_reader, lasot
from pgnet.datasets.verify import missing
from pgnet.errors import PgnetError


def test_missing_sequences_frames_and_annotations(put, frames, tmp_path):
    for name, rows in (("Dog", 3), ("Deer", 4), ("Man", 3)):
        frames(f"{name}/img", "{:04d}.jpg", range(1, 4))
        put(f"{name}/groundtruth_rect.txt", "1,1,2,2\n" * rows)
    put("Man/groundtruth_rect.txt", "nonsense")
    says = missing("otb100", tmp_path)
    assert len(says) == 97 + 2
    assert "Sequence Basketball is missing." in says
    assert not any("Dog " in line for line in says)
    assert sum("Deer has 3 frames" in line for line in says) == 1
    assert sum("Man/groundtruth_rect.txt" in line.replace("\\", "/") for line in says) == 1


def test_frames_are_looked_up(put, frames, tmp_path):
    for name in lasot.TEST:
        put(f"{name}/groundtruth.txt", "1,1,2,2\n" * 3)
        frames(f"{name}/img", "{:08d}.jpg", range(1, 4))
    assert missing("lasot", tmp_path) == []
    (tmp_path / "bear-2" / "img" / "00000002.jpg").unlink()
    (says,) = missing("LaSOT", tmp_path)
    assert says.startswith("Sequence bear-2 lacks 1 of 3 frames, first ")
    assert "00000002.jpg" in says


def test_counts_and_lists(put, frames, tmp_path):
    put("tn/TEST/anno/a_0.txt", "1,1,2,2\n")
    frames("tn/TEST/frames/a_0", "{}.jpg", range(5))
    assert missing("trackingnet", tmp_path / "tn") == ["TEST has 1 of 511 sequences."]
    put("vot/list.txt", "bag\nbook\n")
    put("vot/bag/groundtruth.txt", "1,1,2,2\n")
    frames("vot/bag/color", "{:08d}.jpg", range(1, 2))
    assert missing("vot2018", tmp_path / "vot") == ["Sequence book is missing."]


def test_unknown_data_set(tmp_path):
    with pytest.raises(PgnetError, match="no data set 'otb1000'; the known ones are otb2013"):
        dataset_reader("otb1000")
    with pytest.raises(PgnetError, match="does not hold"):
        missing("lasot", tmp_path)


def test_official_sizes():
    sizes = {"otb2013": 51, "otb50": 50, "otb100": 100, "uav123": 123, "lasot": 280, "got10k-val": 180}
    assert sizes.items() <= {name: len(set(names)) for name, names in OFFICIAL.items()}.items()
    assert OFFICIAL.keys() <= DATASETS.keys()
