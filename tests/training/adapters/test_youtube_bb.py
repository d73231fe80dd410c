import pytest

from pgnet.errors import PgnetError
from pgnet.training.adapters import youtube_bb

ROWS = """\
AAA-BBB_CCC,2000,0,person,0,present,0.25,0.75,0.5,1.0
AAA-BBB_CCC,1000,0,person,0,present,0.0,0.5,0.0,0.5
AAA-BBB_CCC,3000,0,person,0,absent,-1,-1,-1,-1
AAA-BBB_CCC,4000,0,person,0,uncertain,-1,-1,-1,-1
AAA-BBB_CCC,1000,0,person,1,present,0.5,1.0,0.0,1.0
gone_since1,1000,23,bird,0,present,0.5,1.0,0.0,1.0
"""
FRAMES = ("AAA-BBB_CCC_1000_0_0", "AAA-BBB_CCC_2000_0_0", "AAA-BBB_CCC_1000_0_1")


@pytest.fixture
def root(tmp_path, picture):
    (tmp_path / "yt_bb_detection_train.csv").write_text(ROWS)
    for name in FRAMES:
        picture(tmp_path / f"yt_bb_detection_train/0/{name}.jpg", 160, 120)
    return tmp_path


def test_relative_boxes_become_pixels_and_lost_videos_are_left_out(root):
    first, second = youtube_bb.read(root).videos["youtube_bb"]
    assert first.name == second.name == "AAA-BBB_CCC" and (first.target, second.target) == ("0_0", "0_1")
    assert [t.box.tolist() for t in first] == [[0, 0, 80, 60], [40, 60, 80, 60]]
    assert [t.path.stem for t in first] == list(FRAMES[:2])


def test_a_single_lost_frame_is_missing(root):
    (root / f"yt_bb_detection_train/0/{FRAMES[0]}.jpg").unlink()
    assert [p.stem for p in youtube_bb.read(root).missing()] == [FRAMES[0]]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("AAA,1000,0,person,0,present,0.5", r"Line 7 of .*yt_bb_detection_train\.csv has 7 columns instead of 10"),
        ("AAA,1000,0,person,0,present,left,1,0,1", r"yt_bb_detection_train\.csv is damaged: .*left"),
        ("AAA,soon,0,person,0,present,0,1,0,1", r"yt_bb_detection_train\.csv is damaged: .*soon"),
    ],
)
def test_a_damaged_table_is_said(root, line, message):
    (root / "yt_bb_detection_train.csv").write_text(ROWS + line + "\n")
    with pytest.raises(PgnetError, match=message):
        youtube_bb.read(root)


def test_frames_that_were_never_extracted_are_said(root):
    (root / "yt_bb_detection_validation.csv").write_text(ROWS)
    with pytest.raises(PgnetError, match=r"yt_bb_detection_validation has no frame of the videos .* extract them"):
        youtube_bb.read(root, "validation")


def test_a_damaged_first_frame_is_noted(root):
    (root / f"yt_bb_detection_train/0/{FRAMES[0]}.jpg").write_bytes(b"no picture")
    found = youtube_bb.read(root)
    assert len(found.damaged) >= 1 and FRAMES[0] in found.damaged[0]
