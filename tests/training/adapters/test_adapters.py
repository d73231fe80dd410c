"""Layouts are told apart, and what is wrong with a root is said."""

from pathlib import Path

import pytest

from pgnet.errors import PgnetError
from pgnet.training.adapters import LAYOUTS, find_layout, read_layout

TRUE_FILES = {
    "mixed": "videos/bird_1/groundtruth.txt",
    "coco": "annotations/instances_train2017.json",
    "imagenet-det": "Annotations/DET/train/ILSVRC2014_train_0000/a.xml",
    "imagenet-vid": "Annotations/VID/train/ILSVRC2015_VID_train_0000/a/000000.xml",
    "youtube-bb": "yt_bb_detection_train.csv",
    "davis": "JPEGImages/480p/bear/00000.jpg",
    "voc": "VOC2012/ImageSets/Main/trainval.txt",
    "trackingnet": "TRAIN_0/anno/a.txt",
    "got10k": "train/GOT-10k_Train_000001/absence.label",
}


@pytest.mark.parametrize("layout", TRUE_FILES)
def test_layouts_are_told_apart(layout: str, tmp_path: Path) -> None:
    file = tmp_path / TRUE_FILES[layout]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    assert [name for name, module in LAYOUTS.items() if module.matches(tmp_path)] == [layout]


def test_lasot_and_clips_are_told_apart(tmp_path: Path) -> None:
    for name in ("lasot/bird/bird-1/img", "clips/walk/images"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "lasot/bird/bird-1/groundtruth.txt").touch()
    (tmp_path / "clips/walk/annotations.xml").touch()
    assert [find_layout(tmp_path / name) for name in ("lasot", "clips")] == ["lasot", "clips"]


def test_a_wrong_root_or_layout_is_said(tmp_path: Path) -> None:
    with pytest.raises(PgnetError, match="does not exist"):
        read_layout(tmp_path / "nowhere")
    with pytest.raises(PgnetError, match="none of the layouts"):
        read_layout(tmp_path)
    with pytest.raises(PgnetError, match="no layout 'imagenet'; known are mixed, clips, coco"):
        read_layout(tmp_path, "imagenet")
    with pytest.raises(PgnetError, match=r"has not the layout voc; see docs/training-data\.md"):
        read_layout(tmp_path, "voc")
