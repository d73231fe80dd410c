import pytest

from pgnet.cli import main
from pgnet.results import ModelInfo, SourceInfo, TargetTrack, Track
from pgnet.results.formats import read


@pytest.fixture
def track(tmp_path):
    """track.json of two targets in 24 frames of 160 x 120 pixels."""
    made = Track(SourceInfo("clip.mp4", "video", 160, 120, 12.0, 24), ModelInfo("pgnet-lite", "ab" * 32), targets=[])
    for number in (1, 2):
        made.targets.append(TargetTrack(number, "dog"))
        for frame in range(24):
            made.targets[-1].append(frame, frame / 12, (10 + frame, 20 * number, 30, 25), 0.5)
    made.write_json(tmp_path / "track.json")
    return tmp_path / "track.json"


def test_says_what_was_written_and_lost(track, tmp_path, capsys):
    assert main(["convert", str(track), str(tmp_path / "boxes.xml")]) == 0
    said = capsys.readouterr()
    assert said.out == f"Wrote {tmp_path / 'boxes.xml'} (CVAT for video 1.1): 2 targets, 48 boxes.\n"
    assert said.err == (
        "Note: CVAT for video 1.1 has no place for scores, the frame rate, the record of the run (model, options). "
        "CVAT for video 1.1 keeps keyframes only: 48 boxes that no person set become keyframes.\n"
    )
    assert len(read(tmp_path / "boxes.xml").targets) == 2


def test_one_target(track, tmp_path, capsys):
    command = ["convert", str(track), str(tmp_path / "dog-1"), "--to", "lasot"]
    assert main(command) == 2
    assert capsys.readouterr().err == "LaSOT holds one target and there are 2; choose one with --target: 1, 2.\n"
    assert main([*command, "--target", "2"]) == 0
    assert read(tmp_path / "dog-1").boxes[0].tolist() == [10, 40, 30, 25]
    assert main([*command, "--target", "3", "--overwrite"]) == 2
    assert "has no target 3; it has 1, 2" in capsys.readouterr().err


def test_the_video_gives_size_and_times(video, tmp_path):
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "a_0.txt").write_text("0 0.5 0.5 0.25 0.5\n")
    (tmp_path / "labels" / "a_6.txt").write_text("0 0.5 0.5 0.25 0.5\n")
    command = ["convert", str(tmp_path / "labels"), str(tmp_path / "out.json"), "--to", "labelstudio"]
    assert main([*command, "--video", str(video)]) == 0
    back = read(tmp_path / "out.json")
    assert (back.source.name, back.source.width, back.source.height, back.source.fps) == (str(video), 160, 120, 12)
    assert back.boxes[0].tolist() == [60, 30, 40, 60]
    assert back.times[-1] == 0.5


def test_size_and_rate_by_hand(tmp_path):
    (tmp_path / "gt.txt").write_text("1,1,10,20,30,40,1,1,1\n3,1,10,20,30,40,1,1,1\n")
    command = ["convert", str(tmp_path / "gt.txt"), str(tmp_path / "out.csv"), "--size", "640x360", "--fps", "29.97"]
    assert main(command) == 0
    assert read(tmp_path / "out.csv").times[2] == pytest.approx(2 / 29.97)


@pytest.mark.parametrize("options", [["--overwrite"], []])
@pytest.mark.parametrize("out", ["old.json", "folder"])
def test_existing_output(track, tmp_path, capsys, out, options):
    (tmp_path / "old.json").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "notes.txt").write_text("mine")
    command = ["convert", str(track), str(tmp_path / out), "--to", "mot" if out == "folder" else "coco", *options]
    assert main(command) == (0 if options else 2)
    assert (tmp_path / "folder" / "notes.txt").read_text() == "mine"
    if not options:
        assert capsys.readouterr().err == f"{tmp_path / out} exists already; give another name or --overwrite.\n"
        assert (tmp_path / "old.json").read_text() == "mine"
        assert len(list((tmp_path / "folder").iterdir())) == 1
    else:
        assert len(read(tmp_path / out).targets) == 2


def test_an_empty_folder_may_be_filled(track, tmp_path):
    (tmp_path / "new").mkdir()
    assert main(["convert", str(track), str(tmp_path / "new"), "--to", "yolo"]) == 0
    assert len(list((tmp_path / "new" / "labels").iterdir())) == 24


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--size", "640"], "--size takes the frame's width and height in pixels, such as 1280x720"),
        (["--size", "0x5"], "--size takes"),
        (["--fps", "0"], "--fps takes the frames per second"),
        (["--fps", "nan"], "--fps takes"),
        (["--size", "320x240"], "is for frames of 160 x 120 pixels and the video's are 320 x 240"),
        (["--from", "kitti"], "There is no format kitti"),
        (["--to", "kitti"], "There is no format kitti"),
        (["--from", "coco"], "images is missing"),
        (["--video", "none.mp4"], "There is no file or folder none.mp4"),
        (["--video-name", "b"], "has no video b; it has clip.mp4"),
    ],
)
def test_unusable_options(track, tmp_path, capsys, options, says):
    assert main(["convert", str(track), str(tmp_path / "new.xml"), *options]) == 2
    said = capsys.readouterr()
    assert says in said.err
    assert len(said.err.splitlines()) == 1 and said.out == ""
    assert not (tmp_path / "new.xml").exists()


def test_the_video_says_its_size(track, video, tmp_path, capsys):
    assert main(["convert", str(track), str(tmp_path / "a.xml"), "--video", str(video), "--size", "1x1"]) == 2
    assert "not both" in capsys.readouterr().err


def test_no_folder_to_write_to(track, tmp_path, capsys):
    for form, out in (("coco", "no/a.json"), ("yolo", "no/a")):
        assert main(["convert", str(track), str(tmp_path / out), "--to", form]) == 2
        assert "does not exist; create it first" in capsys.readouterr().err


def test_track_writes_other_formats(video, tracker, tmp_path, capsys):
    """`pgnet track --format`: beside its own files, with what is lost."""
    command = ["track", str(video), "--box", "20,30,40,25", "--out", str(tmp_path / "out"), "--no-video"]
    assert main([*command, "--format", "cvat", "--format", "yolo"]) == 0
    said = capsys.readouterr()
    assert f"track.csv, {tmp_path / 'out' / 'track.cvat.xml'}, {tmp_path / 'out' / 'track.yolo'}.\n" in said.out
    assert [line.split(" has ")[0] for line in said.err.splitlines()] == ["Note: CVAT for video 1.1", "Note: YOLO"]
    track = read(tmp_path / "out" / "track.cvat.xml")
    assert (track.source.name, track.source.width, len(track)) == (str(video), 160, 24)
    assert len(list((tmp_path / "out" / "track.yolo" / "labels").iterdir())) == 24
    (tmp_path / "out" / "track.json").unlink()
    (tmp_path / "out" / "track.csv").unlink()
    assert main([*command, "--format", "cvat"]) == 2
    assert "track.cvat.xml exists already" in capsys.readouterr().err
    assert main([*command, "--format", "kitti"]) == 2
    assert "There is no format kitti" in capsys.readouterr().err
