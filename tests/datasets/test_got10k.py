from pathlib import Path

import numpy as np
import pytest

from pgnet.datasets import read_got10k
from pgnet.datasets.got10k import official_names
from pgnet.errors import PgnetError

SHARED = Path(__file__).parents[2] / "../shared/data/train/videos"
META = """[METAINFO]
url: https://example.org/watch?v=100%25
begin: 00:00:12
object_class: brown bear
resolution: (1280, 720)
"""


@pytest.fixture
def make(put, frames):
    def sequence(split, number, length=3, rows=None):
        name = f"GOT-10k_{split.capitalize()}_{number:06d}"
        frames(f"{split}/{name}", "{:08d}.jpg", range(1, length + 1))
        boxes = [f"{10 + i}.0000,20.5000,30.0000,40.0000" for i in range(rows or length)]
        put(f"{split}/{name}/groundtruth.txt", "\n".join(boxes) + "\n")
        return name

    return sequence


def test_labels_and_meta(make, put, tmp_path):
    name = make("val", 1)
    put("val/list.txt", f"{name}\nGOT-10k_Val_000002\n")  # one of them is not there
    put(f"val/{name}/absence.label", "0\n0\n1\n")
    put(f"val/{name}/cover.label", "8\n5\n0\n")
    put(f"val/{name}/cut_by_image.label", "0\n1\n0\n")
    put(f"val/{name}/meta_info.ini", META)
    (sequence,) = read_got10k(tmp_path, split="val")
    assert sequence.name == name
    assert sequence.boxes[1].tolist() == [11, 20.5, 30, 40]
    assert sequence.absent.tolist() == [False, False, True]
    assert sequence.cover.tolist() == [8, 5, 0]
    assert sequence.tags["cut_by_image"].tolist() == [False, True, False]
    assert sequence.size == (1280, 720)
    assert sequence.meta["object_class"] == "brown bear"
    assert sequence.meta["url"].endswith("v=100%25")
    assert all(path.is_file() for path in sequence.frames)


def test_test_sequences_have_one_box(make, tmp_path):
    make("test", 1, length=5, rows=1)
    (sequence,) = read_got10k(tmp_path, split="test")
    assert len(sequence) == 5
    assert sequence.boxes[0].tolist() == [10, 20.5, 30, 40]
    assert np.isnan(sequence.boxes[1:]).all()
    assert sequence.absent is None and sequence.cover is None and sequence.size is None


def test_root_may_be_the_split_and_the_list_orders(make, put, tmp_path):
    names = [make("train", number) for number in (1, 2, 3)]
    put("train/list.txt", "\n".join([names[2], names[0]]))
    assert [sequence.name for sequence in read_got10k(tmp_path / "train", split="train")] == [names[2], names[0]]
    assert [sequence.name for sequence in read_got10k(tmp_path, [names[0].lower()], "train")] == [names[0]]
    with pytest.raises(PgnetError, match="There is no sequence cat"):
        read_got10k(tmp_path, ["cat"], "train")


def test_resolution_that_makes_no_sense(make, put, tmp_path):
    put(f"val/{make('val', 1)}/meta_info.ini", "[METAINFO]\nresolution: large\n")
    with pytest.raises(PgnetError, match=r"resolution large .* is not \(width, height\)"):
        read_got10k(tmp_path, split="val")


def test_official_names():
    assert official_names("val")[0] == "GOT-10k_Val_000001"
    assert official_names("test")[-1] == "GOT-10k_Test_000180"
    assert len(official_names("train")) == 9335


@pytest.mark.skipif(not SHARED.is_dir(), reason="the videos in ../shared are absent")
def test_real_videos_in_its_layout():
    sequences = read_got10k(SHARED)
    assert len(sequences) == 68
    assert all(path.is_file() for sequence in sequences for path in (sequence.frames[0], sequence.frames[-1]))
