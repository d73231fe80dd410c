"""What all formats share: which one it is, which video, and how a file appears."""

import pytest

from pgnet.errors import PgnetError
from pgnet.results import SourceInfo, Track
from pgnet.results.formats import FORMATS, detect, format_for, read, write


def make(frames=3):
    track = Track(SourceInfo("clip.mp4", "video", 640, 360, 25.0))
    for frame in range(frames):
        track.append(frame, frame / 25, (10, 20, 30, 40), 1)
    return track


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("a.xml", "cvat"),
        ("a.csv", "csv"),
        ("track.pgnet.json", "pgnet"),
        ("track.COCO.json", "coco"),
        ("a.mot.txt", "mot"),
        ("labels.yolo", "yolo"),
    ],
)
def test_the_name_says_what_to_write(name, form):
    assert format_for(name) == form


@pytest.mark.parametrize("name", ["a.json", "a.txt", "yolo", "mot"])
def test_a_name_that_does_not_say(name):
    with pytest.raises(PgnetError, match=f"does not say which format to write; give --to: {', '.join(FORMATS)}"):
        format_for(name)


@pytest.mark.parametrize("text", ["", "hello\n", "{}", "[]", "<html/>", "1,2,3\n"])
def test_content_that_does_not_say(text, tmp_path):
    (tmp_path / "a").write_text(text)
    with pytest.raises(PgnetError, match="cannot be told from its content; pgnet convert --from takes it"):
        detect(tmp_path / "a")


def test_nothing_there(tmp_path):
    for form in (None, "cvat", "yolo", "mot"):
        with pytest.raises(PgnetError, match="There is no file or folder"):
            read(tmp_path / "none", form)


@pytest.mark.parametrize("name", ["pgnet", "csv", "cvat", "coco", "labelstudio"])
def test_a_folder_for_a_file(name, tmp_path):
    with pytest.raises(PgnetError, match="is a folder, and "):
        read(tmp_path, name)
    with pytest.raises(PgnetError, match="is a folder, and "):
        write(make(), tmp_path, name)


@pytest.mark.parametrize("name", ["yolo", "got10k", "lasot"])
def test_a_file_for_a_folder(name, tmp_path):
    (tmp_path / "a").write_text("")
    with pytest.raises(PgnetError, match="it is a file"):
        write(make(), tmp_path / "a", name)


def test_unknown_format(tmp_path):
    with pytest.raises(PgnetError, match="There is no format kitti; known are pgnet, csv"):
        write(make(), tmp_path / "a", "kitti")


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_to_write(name, tmp_path):
    track = Track(SourceInfo("clip.mp4", "video", 640, 360, 25.0))
    track.target.append(0, 0, (0, 0, 0, 0), absent=True)
    with pytest.raises(PgnetError, match="There are no boxes to write"):
        write(track, tmp_path / "a", name)
    assert list(tmp_path.iterdir()) == []


def test_boxes_that_do_not_fit_the_video_are_said(tmp_path):
    write(make(5), tmp_path / "a.mot.txt")
    known = SourceInfo("clip.mp4", "video", 8, 15, 25.0, 4)
    assert read(tmp_path / "a.mot.txt", known=known).warnings == [
        "The boxes go on to frame 4, and the video has 4 frames.",
        "5 of 5 boxes lie outside of the 8 x 15 frame; check the frame size.",
    ]


def test_another_frame_size_is_refused(tmp_path):
    write(make(), tmp_path / "a.xml")
    with pytest.raises(PgnetError, match=r"a.xml is for frames of 640 x 360 pixels and the video's are 320 x 180"):
        read(tmp_path / "a.xml", known=SourceInfo("", "video", 320, 180))
    track = read(tmp_path / "a.xml", known=SourceInfo("b.mp4", "video", 640, 360, 50.0))
    assert (track.source.name, track.times.tolist()) == ("b.mp4", [0, 0.02, 0.04])
