import pytest

from pgnet.errors import PgnetError
from pgnet.results import SourceInfo, TargetTrack, Track
from pgnet.results.formats import read, read_all, yolo

KNOWN = SourceInfo("", "video", 200, 100, 10.0)


@pytest.fixture
def folder(tmp_path):
    def make(files, where="labels", names="dog\ncat\n"):
        (tmp_path / where).mkdir(exist_ok=True)
        for name, text in files.items():
            (tmp_path / where / name).write_text(text)
        if names:
            (tmp_path / "classes.txt").write_text(names)
        return tmp_path

    return make


def test_a_class_is_a_target(folder):
    track = read(
        folder({"clip_0.txt": "1 0.5 0.5 0.1 0.2\n", "clip_1.txt": "", "clip_2.txt": "1 0.5 0.5 0.2 0.2\n"}),
        known=KNOWN,
    )
    assert (track.source.name, track.target.id, track.target.label) == ("clip", 2, "cat")
    assert track.boxes.round(9).tolist() == [[90, 40, 20, 20], [0, 0, 0, 0], [80, 40, 40, 20]]
    assert track.target.absent.tolist() == [False, True, False]  # an empty file: nothing is in the frame
    assert track.times.tolist() == [0, 0.1, 0.2]


def test_track_ids_and_confidences(folder):
    line = "0 0.5 0.5 0.1 0.2"
    path = folder({"a_0.txt": f"{line} 7\n{line} 8\n"})
    assert [target.id for target in read(path, known=KNOWN).targets] == [7, 8]
    path = folder({"a_0.txt": f"{line} 0.75\n", "a_1.txt": f"{line} 1.0\n"})
    assert read(path, known=KNOWN).scores.tolist() == [0.75, 1]
    path = folder({"a_0.txt": f"{line} 0.75 7\n{line} 0.5 8\n", "a_1.txt": f"{line} 0.5 7\n"})
    assert [target.scores.tolist() for target in read(path, known=KNOWN).targets] == [[0.75, 0.5], [0.5]]


@pytest.mark.parametrize("where", [".", "obj_train_data"])
def test_other_layouts(folder, where):
    path = folder({"frame_000003.txt": "0 0.5 0.5 0.1 0.2\n"}, where, names="")
    (path / "train.txt").write_text("data/obj_train_data/frame_000003.png\n")
    (path / "obj.names").write_text("duck\n")
    track = read(path, known=KNOWN)
    assert (track.frames.tolist(), track.target.label) == ([3], "duck")
    assert "the first is 3" in " ".join(track.warnings)


def test_without_names_the_labels_are_numbers(folder):
    track = read(folder({"a_0.txt": "4 0.5 0.5 0.1 0.2\n"}, names=""), known=KNOWN)
    assert track.target.label == "4"
    assert track.warnings == [
        "There is neither classes.txt nor obj.names nor data.yaml; the labels are the numbers of the classes."
    ]


@pytest.mark.parametrize(
    "names",
    [
        "names: [dog, 'big cat']",
        "names:\n- dog\n- big cat",
        "names:\n  0: dog\n  1: big cat",
        "names: {'1': big cat, '0': dog}",
    ],
)
@pytest.mark.parametrize("where", ["labels", "train/labels", "labels/train"])
def test_names_of_ultralytics(folder, names, where):
    (folder({}) / where).mkdir(parents=True, exist_ok=True)
    path = folder({"a_0.txt": "1 0.5 0.5 0.1 0.2\n"}, where, names="")
    (path / "classes.txt").unlink()
    (path / "data.yaml").write_text(f"path: ../data  # root\nnc: 2\n{names}\n", encoding="utf-8")
    assert read(path, known=KNOWN).target.label == "big cat"
    assert where != "labels" or read(path / "labels", known=KNOWN).target.label == "big cat"  # names beside it


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("names: [dog", "this is not YAML"),
        ("nc: 2", "names is neither a list nor a table"),
        ("names: {1: dog}", "names is neither a list nor a table"),
        ("- 1", "names is neither"),
        ('names: ["a\\nb"]', "the name of class 0 is"),
    ],
)
def test_names_that_cannot_be_read(folder, text, says):
    path = folder({"a_0.txt": "1 0.5 0.5 0.1 0.2\n"}, names="")
    (path / "data.yaml").write_text(text)
    with pytest.raises(PgnetError, match=rf"data\.yaml: {says}"):
        read(path, known=KNOWN)


def test_outlines_are_refused_without_being_told_the_format(folder):
    with pytest.raises(PgnetError, match=r"a_0\.txt, line 1: it has 9 values, .* outline"):
        read(folder({"a_0.txt": "0 0.1 0.1 0.2 0.1 0.2 0.3 0.1 0.3\n"}), known=KNOWN)


def test_several_videos(folder):
    path = folder({"a_0.txt": "0 0.5 0.5 0.1 0.2\n", "b-17.txt": "0 0.5 0.5 0.1 0.2\n"})
    assert [track.source.name for track in read_all(path, known=KNOWN)] == ["a", "b"]
    with pytest.raises(PgnetError, match=r"2 videos; choose one with --video-name: a, b"):
        read(path, known=KNOWN)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("0 0.5 0.5 0.1", "line 1: it has 4 values"),
        ("0 0.5 0.5 0.1 0.2\n0 0.1 0.1 0.2 0.1 0.2 0.3 0.1 0.3", "line 2: it has 9 values.* an outline or a pose"),
        ("0 90 40 20 20", "line 1: the box is not in shares of the frame"),
        ("0 0.5 0.5 0.1 0.2\n0 0.6 0.5 0.1 0.2", "line 2: a second box of its class and no track id: detections"),
        ("5 0.5 0.5 0.1 0.2", "line 1: class 5 has no name; classes.txt has 2"),
        ("0 0.5 0.5 0.1 0.2\n0 0.6 0.5 0.1 0.2 3", "line 1: it has 5 values, and other lines another number"),
    ],
)
def test_what_is_wrong_is_named(folder, text, sentence):
    with pytest.raises(PgnetError, match=rf"a_0.txt, {sentence}"):
        read(folder({"a_0.txt": text}), "yolo", known=KNOWN)


def test_the_frame_size_is_needed(folder):
    path = folder({"a_0.txt": "0 0.5 0.5 0.1 0.2\n"})
    with pytest.raises(PgnetError, match="give --size WIDTHxHEIGHT"):
        read(path)
    track = Track(SourceInfo("a.mp4", "video"))
    track.append(0, 0, (1, 2, 3, 4), 1)
    with pytest.raises(PgnetError, match="YOLO needs the frame size"):
        yolo.write(track, path / "new")


def test_what_is_written(tmp_path):
    track = Track(SourceInfo("a b.mp4", "video", 200, 100, 10.0), targets=[TargetTrack(1, "dog")])
    track.append(0, 0, (90, 40, 20, 20), 1)
    track.target.append(1, 0.1, (90, 40, 20, 20), absent=True)
    track.append(2, 0.2, (-30, 40, 40, 20), 1)  # its centre is outside
    track.append(3, 0.3, (250, 40, 40, 20), 1)  # all of it is
    notes = " ".join(yolo.write(track, tmp_path / "out"))
    texts = [(tmp_path / f"out/labels/a_b_{i:06d}.txt").read_text() for i in range(4)]
    assert texts == ["0 0.5 0.5 0.1 0.2\n", "", "0 0.025 0.5 0.05 0.2\n", ""]
    assert (tmp_path / "out/classes.txt").read_text() == "dog\n"
    assert "2 were cut" in notes
    track.targets.append(TargetTrack(5, "dog"))
    track.targets[1].append(0, 0, (90, 40, 20, 20))
    yolo.write(track, tmp_path / "two")
    assert (tmp_path / "two/labels/a_b_000000.txt").read_text() == "0 0.5 0.5 0.1 0.2 1\n0 0.5 0.5 0.1 0.2 5\n"


def test_labels_of_an_earlier_longer_track_go(tmp_path):
    for count in (5, 2):
        track = Track(SourceInfo("a.mp4", "video", 200, 100, 10.0))
        for frame in range(count):
            track.append(frame, frame / 10, (90, 40, 20, 20), 1)
        yolo.write(track, tmp_path / "out")
        (tmp_path / "out/labels/a_notes.txt").write_text("mine")
    assert sorted(path.name for path in (tmp_path / "out/labels").iterdir()) == [
        "a_000000.txt",
        "a_000001.txt",
        "a_notes.txt",
    ]
