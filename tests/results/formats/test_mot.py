import pytest

from pgnet.errors import PgnetError
from pgnet.results import ModelInfo, SourceInfo, TargetTrack, Track
from pgnet.results.formats import mot, read

SEQINFO = """[Sequence]
name=MOT17-02-DPM
imDir=img1
frameRate=30
seqLength=600
imWidth=1920
imHeight=1080
imExt=.jpg

"""
TRUTH = "1,1,912,484,97,109,0,7,1\n2,1,912,484,97,109,0,7,1\n1,2,1338,418,167,379,1,1,0.5\n4,2,1340,420,160,370,1,1,0\n"


@pytest.fixture
def sequence(tmp_path):
    folder = tmp_path / "MOT17-02"
    (folder / "gt").mkdir(parents=True)
    (folder / "gt" / "gt.txt").write_text(TRUTH)
    (folder / "seqinfo.ini").write_text(SEQINFO)
    return folder


def test_ground_truth(sequence):
    track = read(sequence)
    assert track.source == SourceInfo("MOT17-02-DPM", "video", 1920, 1080, 30.0, 600)
    first, second = track.targets
    assert (first.label, second.label) == ("static person", "pedestrian")
    assert first.boxes[0].tolist() == [911, 483, 97, 109]  # pixels count from 1, and so do frames
    assert first.scores.tolist() == [0, 0]  # not to be evaluated
    assert second.frames.tolist() == [0, 1, 2, 3]
    assert second.absent.tolist() == [False, True, True, False]
    assert second.occluded.tolist() == [False, False, False, True]
    assert second.times.tolist() == [0, 1 / 30, 2 / 30, 0.1]
    assert track.warnings == ["How far boxes are visible (between 0 and 1) was left out."]
    assert read(sequence / "gt" / "gt.txt").source == track.source


def test_labels_of_cvat_and_datumaro(sequence):
    (sequence / "gt" / "labels.txt").write_text("cat\ndog\n")
    track = read(sequence)
    assert [target.label for target in track.targets] == ["class 7", "cat"]
    assert "Class 7 has no name; give gt/labels.txt." in track.warnings


@pytest.mark.parametrize(
    "line", ["3,5,1.5,2.5,3,4,0.9,-1,-1,-1", "3 5 1.5 2.5 3 4 0.9", "3, 5, 1.5, 2.5, 3, 4, 0.9, -1"]
)
def test_results(line, tmp_path):
    (tmp_path / "clip.txt").write_text(line + "\n")
    track = read(tmp_path / "clip.txt", "mot")
    assert (track.source.name, track.target.id, track.target.label) == ("clip", 5, "")
    assert (track.frames.tolist(), track.boxes.tolist(), track.scores.tolist()) == ([2], [[0.5, 1.5, 3, 4]], [0.9])


def test_detections_of_one_target_are_a_track(tmp_path):
    (tmp_path / "det").mkdir()
    det = tmp_path / "det" / "det.txt"
    det.write_text("1,-1,10,20,30,40,32.7,-1,-1,-1\n2,-1,11,20,30,40,30.1,-1,-1,-1\n")
    assert read(tmp_path).target.id == 1
    det.write_text("1,-1,10,20,30,40,1\n1,-1,90,20,30,40,1\n")
    with pytest.raises(PgnetError, match=r"line 2: a second box without id \(-1\) in one frame: these are detections"):
        read(tmp_path)


def test_a_broken_seqinfo(sequence):
    (sequence / "seqinfo.ini").write_text("[Sequence]\nimWidth=wide\n")
    with pytest.raises(PgnetError, match=r"seqinfo.ini: the imwidth is 'wide'"):
        read(sequence)
    (sequence / "seqinfo.ini").write_text("imWidth=3\n")
    with pytest.raises(PgnetError, match=r"seqinfo.ini: it cannot be read"):
        read(sequence)


def test_what_is_written(tmp_path):
    track = Track(SourceInfo("a b.mp4", "video", 640, 360, 29.97, 9), targets=[TargetTrack(0, "dog"), TargetTrack(1)])
    track.targets[0].append(2, 0.08, (1.5, 2, 3, 4), occluded=True)
    track.targets[1].append(1, 0.04, (5, 6, 7, 8))
    notes = " ".join(mot.write(track, tmp_path / "seq"))
    assert "1 was added to every id" in notes  # 0 is none of MOTChallenge's
    assert "29.97 became 30" in notes
    assert (tmp_path / "seq/gt/gt.txt").read_text() == "2,2,6,7,7,8,1,2,1\n3,1,2.5,3,3,4,1,1,0\n"
    assert (tmp_path / "seq/gt/labels.txt").read_text() == "dog\nobject\n"
    assert "frameRate=30\nseqLength=9\nimWidth=640\nimHeight=360\n" in (tmp_path / "seq/seqinfo.ini").read_text()


def test_scores_make_it_a_result(tmp_path):
    track = Track(SourceInfo("a.mp4", "video"), ModelInfo("pgnet-lite", "0"))
    track.append(0, 0, (0, 0, 3, 4), 1)
    track.append(1, 1, (0, 0, 3, 4), 0.75)
    mot.write(track, tmp_path / "a.txt")
    assert (tmp_path / "a.txt").read_text() == "1,1,1,1,3,4,1,-1,-1,-1\n2,1,1,1,3,4,0.75,-1,-1,-1\n"
