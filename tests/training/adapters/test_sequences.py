"""LaSOT, GOT-10k and TrackingNet, which `pgnet.datasets` reads: which split, and which frames."""

import pytest

from pgnet.errors import PgnetError
from pgnet.training.adapters import got10k, lasot, trackingnet

BOXES = "11,21,30,40\n12,21,30,40\n13,21,30,40\n14,21,30,40\n"


def lasot_sequence(root, name, picture):
    folder = root / name.rpartition("-")[0] / name
    for i in range(1, 5):
        picture(folder / f"img/{i:08d}.jpg")
    (folder / "groundtruth.txt").write_text(BOXES)
    (folder / "full_occlusion.txt").write_text("0,1,0,0")
    (folder / "out_of_view.txt").write_text("0,0,1,0")


def test_lasot_keeps_its_test_sequences_out_of_training(tmp_path, picture):
    lasot_sequence(tmp_path, "bird-1", picture)
    lasot_sequence(tmp_path, "bird-2", picture)  # of the official test set
    (video,) = lasot.read(tmp_path).videos["lasot"]
    assert video.name == "bird-1" and video.rows.tolist() == [0, 3]
    assert video[1].box.tolist() == [13, 20, 30, 40] and video[1].path.name == "00000004.jpg"
    assert [v.name for v in lasot.read(tmp_path, "test").videos["lasot"]] == ["bird-2"]


def test_lasot_says_where_a_split_is_empty(tmp_path, picture):
    lasot_sequence(tmp_path, "bird-2", picture)
    with pytest.raises(PgnetError, match="no sequence of LaSOT's split train; give the other split"):
        lasot.read(tmp_path)


def got10k_sequence(folder, picture):
    for i in range(1, 5):
        picture(folder / f"{i:08d}.jpg")
    (folder / "groundtruth.txt").write_text("10.0,20.0,30.0,40.0\n" * 4)
    (folder / "absence.label").write_text("0\n1\n0\n0\n")
    (folder / "cover.label").write_text("8\n0\n0\n5\n")


def test_got10k_leaves_out_what_is_absent_or_covered(tmp_path, picture):
    for split, name in (("train", "GOT-10k_Train_000001"), ("val", "GOT-10k_Val_000001")):
        got10k_sequence(tmp_path / split / name, picture)
        (tmp_path / split / "list.txt").write_text(name + "\n")
    (video,) = got10k.read(tmp_path).videos["got10k"]
    assert video.name == "GOT-10k_Train_000001" and video.rows.tolist() == [0, 3]
    assert [v.name for v in got10k.read(tmp_path / "val").videos["got10k"]] == ["GOT-10k_Val_000001"]
    with pytest.raises(PgnetError, match="no split 'test'; found: train, val"):
        got10k.read(tmp_path, "test")


def trackingnet_sequence(root, split, name, picture):
    for i in range(12):
        picture(root / split / f"frames/{name}/{i}.jpg")
    (root / split / "anno").mkdir(parents=True, exist_ok=True)
    (root / split / f"anno/{name}.txt").write_text("".join(f"{i}.0,2.0,30.0,40.0\n" for i in range(12)))


def test_trackingnet_takes_the_training_folders_that_are_there(tmp_path, picture):
    for split, name in (("TRAIN_0", "a_1"), ("TRAIN_3", "b_2"), ("TEST", "c_3")):
        trackingnet_sequence(tmp_path, split, name, picture)
    videos = trackingnet.read(tmp_path).videos["trackingnet"]
    assert [v.name for v in videos] == ["a_1", "b_2"]
    assert videos[0][10].path.name == "10.jpg" and videos[0][10].box.tolist() == [10, 2, 30, 40]
    assert [v.name for v in trackingnet.read(tmp_path, "TRAIN_3").videos["trackingnet"]] == ["b_2"]


def test_damaged_sequences_are_noted_and_missing_frames_listed(tmp_path, picture):
    for name in ("a_1", "b_2"):
        trackingnet_sequence(tmp_path, "TRAIN_0", name, picture)
    (tmp_path / "TRAIN_0/anno/a_1.txt").write_text("1,2,3\n")
    (tmp_path / "TRAIN_0/frames/b_2/7.jpg").unlink()
    found = trackingnet.read(tmp_path)
    assert len(found.damaged) == 1 and "a_1.txt" in found.damaged[0]
    assert [p.name for p in found.missing()] == ["7.jpg"]
