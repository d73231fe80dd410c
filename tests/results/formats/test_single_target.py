"""OTB, LaSOT, GOT-10k and VOT: a line for each frame."""

from pathlib import Path

import numpy as np
import pytest

from pgnet.datasets import read_otb
from pgnet.errors import PgnetError
from pgnet.results import SourceInfo, TargetTrack, Track
from pgnet.results.formats import got10k, lasot, otb, read, vot

SHARED = Path(__file__).parents[3] / "../shared/data"


def track_of(*absent, first=0, count=4, label="dog", targets=1):
    track = Track(SourceInfo("a.mp4", "video", 640, 360, 25.0, 9), targets=[])
    for number in range(1, targets + 1):
        track.targets.append(TargetTrack(number, label))
        for frame in range(first, first + count):
            track.targets[-1].append(frame, frame / 25, (10.5, 20, 30, 40), absent=frame in absent)
    return track


@pytest.mark.parametrize("line", ["11,21,30,40", "11\t21\t30\t40", "11 21 30 40", "11, 21, 30, 40"])
def test_otb(line, tmp_path):
    (tmp_path / "groundtruth_rect.txt").write_text(f"{line}\n0,0,0,0\nNaN,NaN,NaN,NaN\n{line}")
    for path in (tmp_path, tmp_path / "groundtruth_rect.txt"):
        track = read(path)
        assert track.source.name == tmp_path.name
        assert track.boxes[[0, 3]].tolist() == [[10, 20, 30, 40]] * 2
        assert track.target.absent.tolist() == [False, True, True, False]


def test_otb_with_several_targets(tmp_path):
    otb.write(track_of(targets=2), tmp_path / "Jogging")
    assert sorted(path.name for path in (tmp_path / "Jogging").iterdir()) == [
        "groundtruth_rect.1.txt",
        "groundtruth_rect.2.txt",
    ]
    assert [target.id for target in read(tmp_path / "Jogging").targets] == [1, 2]
    with pytest.raises(
        PgnetError, match="An OTB file holds one target and there are 2; choose one with --target: 1, 2"
    ):
        otb.write(track_of(targets=2), tmp_path / "a.txt")


def test_lines_are_frames_from_the_first_on(tmp_path):
    notes = otb.write(track_of(first=2, count=1), tmp_path / "a.txt")
    assert (tmp_path / "a.txt").read_text() == "0,0,0,0\n0,0,0,0\n11.5,21,30,40\n"
    assert "tracks that begin later (absent before)" in notes[0]


def test_lasot(tmp_path):
    folder = tmp_path / "airplane-12"
    folder.mkdir()
    (folder / "groundtruth.txt").write_text("367,101,41,16\n366,103,45,16\n364,108,48,11\n")
    (folder / "full_occlusion.txt").write_text("0,1,0\n")
    (folder / "out_of_view.txt").write_text("0,0,1")
    track = read(folder)
    assert (track.source.name, track.target.label) == ("airplane-12", "airplane")
    assert track.boxes[1].tolist() == [365, 102, 45, 16]
    assert track.target.absent.tolist() == [False, True, True]
    assert track.target.occluded.tolist() == [False, True, False]
    lasot.write(track, tmp_path / "airplane-13")
    for name in ("full_occlusion.txt", "out_of_view.txt"):
        assert (tmp_path / "airplane-13" / name).read_text().strip() == (folder / name).read_text().strip()
    assert (tmp_path / "airplane-13" / "groundtruth.txt").read_text() == "367,101,41,16\n0,0,0,0\n0,0,0,0\n"
    (folder / "out_of_view.txt").write_text("0,0")
    with pytest.raises(PgnetError, match=r"out_of_view.txt: it should have 0 or 1 for each of the 3 frames"):
        read(folder)


def test_lasot_says_that_its_folder_is_the_label(tmp_path):
    assert "labels" in lasot.write(track_of(), tmp_path / "a")[0]
    assert not any("labels" in note for note in lasot.write(track_of(), tmp_path / "dog-1"))


def test_got10k(tmp_path):
    folder = tmp_path / "GOT-10k_Val_000001"
    folder.mkdir()
    (folder / "groundtruth.txt").write_text("347.0000,443.0000,429.0000,272.0000\n" * 2)
    (folder / "absence.label").write_text("0\n1\n")
    (folder / "cover.label").write_text("8\n5\n")
    (folder / "cut_by_image.label").write_text("0\n0\n")
    (folder / "meta_info.ini").write_text(
        "[METAINFO]\nurl: https://example.org/watch?v=x\nbegin: 00:00:28\nend: 00:00:37\nanno_fps: 10Hz\n"
        "object_class: bear\nmotion_class: walking\nresolution: (1920, 1080)"
    )
    track = read(folder)
    assert track.source == SourceInfo("GOT-10k_Val_000001", "video", 1920, 1080, 10.0)
    assert (track.target.label, track.target.absent.tolist()) == ("bear", [False, True])
    assert track.boxes[0].tolist() == [347, 443, 429, 272]
    assert track.warnings == ["How much of the target is visible (cover.label) was left out."]
    (folder / "meta_info.ini").write_text("[METAINFO]\nresolution: 1920x1080\n")
    with pytest.raises(PgnetError, match=r"meta_info.ini, line 2: the resolution is '1920x1080'"):
        read(folder)


def test_vot_regions(tmp_path):
    path = tmp_path / "groundtruth.txt"
    path.write_text("10.5,20,30,40\n1,2,5,2,5,9,1,9\nm10,20,4,3,0,12\nnan,nan,nan,nan\n0\nm0,0,0,0,0\n")
    track = read(path, "vot")
    assert track.boxes[:3].tolist() == [[10.5, 20, 30, 40], [1, 2, 4, 7], [10, 20, 4, 3]]
    assert track.target.absent.tolist() == [False] * 3 + [True] * 3
    assert track.warnings == [
        "Taken as the upright box around it: 1 polygon.",
        "Taken as the upright box around it: 2 masks.",
        "Without a box, as its code is 'skipped': 1 frame.",
    ]


def test_vot_results_of_a_tracker(tmp_path):
    path = tmp_path / "basketball_001.txt"
    path.write_text("1\n10,20,30,40\n2\n0\n1\n10,20,30,40\n")
    track = read(path, "vot")
    assert track.frames.tolist() == [1, 2, 3, 5]
    assert track.target.absent.tolist() == [False, True, True, False]


def test_vot_sequence(tmp_path):
    notes = vot.write(track_of(2, targets=1), tmp_path / "a")
    assert (tmp_path / "a/groundtruth.txt").read_text() == "10.5,20,30,40\n" * 2 + "nan,nan,nan,nan\n10.5,20,30,40\n"
    assert "fps=25\nwidth=640\nheight=360\nlength=9\n" in (tmp_path / "a/sequence").read_text()
    assert read(tmp_path / "a").source == SourceInfo("a", "video", 640, 360, 25.0, 9)
    assert "labels" in notes[0]
    vot.write(track_of(targets=3), tmp_path / "b")
    assert [target.id for target in read(tmp_path / "b").targets] == [1, 2, 3]


def test_four_numbers_are_of_no_format_in_particular(tmp_path):
    (tmp_path / "boxes.txt").write_text("1,2,3,4\n")
    with pytest.raises(
        PgnetError, match=r"boxes.txt cannot be told from its content; pgnet convert --from takes it: .*lasot, otb, vot"
    ):
        read(tmp_path / "boxes.txt")


@pytest.mark.parametrize("write", [lasot.write, got10k.write])
def test_one_target_only(write, tmp_path):
    with pytest.raises(PgnetError, match="holds one target and there are 2"):
        write(track_of(targets=2), tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not SHARED.is_dir(), reason="the data in ../shared are absent")
def test_real_data():
    jogging = read(SHARED / "devbench/OTB100/Jogging")
    for target, sequence in zip(
        jogging.targets, read_otb(SHARED / "devbench/OTB100", ["Jogging-1", "Jogging-2"]), strict=True
    ):
        np.testing.assert_array_equal(target.boxes, sequence.boxes)
    airplane = read(SHARED / "lasot/airplane/airplane-1")
    assert (airplane.target.label, len(airplane)) == ("airplane", 400)
    swan = read(SHARED / "train/videos/davis_blackswan")
    assert swan.boxes[0].tolist() == [71.38, 41.03, 215.27, 175.36]
