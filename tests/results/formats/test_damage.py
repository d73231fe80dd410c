"""Damaged files: a sentence that names the file (and the line), never a traceback, never half a result."""

import json
import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgnet.cli import main
from pgnet.errors import PgnetError
from pgnet.results import SourceInfo, TargetTrack, Track
from pgnet.results.formats import FORMATS, read_all, write

KNOWN = SourceInfo("", "video", 640, 360, 25.0)


def small(targets=1):
    track = Track(SourceInfo("clip.mp4", "video", 640, 360, 25.0, 8), targets=[])
    for number in range(1, targets + 1):
        track.targets.append(TargetTrack(number, "dog"))
        for frame in (0, 1, 2):
            track.targets[-1].append(frame, frame / 25, (10.5, 20, 30, 40), 1, absent=frame == 1, keyframe=frame == 0)
    return track


@pytest.fixture(params=list(FORMATS))
def written(request, tmp_path):
    """The name of a format, the path of a small track in it, and the one file there that holds the boxes."""
    name = request.param
    path = tmp_path / f"clip{FORMATS[name].suffix}"
    write(small(), path, name)
    inside = {"yolo": "labels/clip_000000.txt", "got10k": "groundtruth.txt", "lasot": "groundtruth.txt"}
    return name, path, path / inside[name] if name in inside else path


def reads_or_says(name, path, file):
    """Reads, or raises one sentence that names a file; anything else is an error of the test."""
    try:
        return read_all(path, name, known=KNOWN)
    except PgnetError as error:
        said = str(error)
    assert str(path) in said or str(file) in said
    assert "\n" not in said
    return None


def test_cut_off_at_every_byte(written):
    name, path, file = written
    whole = file.read_bytes()
    (track,) = read_all(path, name, known=KNOWN)
    read_although_cut = 0
    for length in range(len(whole)):
        file.write_bytes(whole[:length])
        tracks = reads_or_says(name, path, file)
        if tracks is not None:
            read_although_cut += 1
            # Nothing is made up: lines are complete or missing, but for a number cut short at the very end.
            frames = {int(frame) for target in tracks[0].targets for frame in target.frames}
            assert frames <= set(track.targets[0].frames.tolist())
    if FORMATS[name].suffix in (".json", ".xml"):  # these know their end
        assert read_although_cut <= 1  # but for the last line feed


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.data())
def mutate(written, data):
    name, path, file = written
    whole = bytearray(ORIGINALS.setdefault(str(file), file.read_bytes()))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(whole) - 1))
        junk = data.draw(
            st.binary(max_size=3)
            | st.sampled_from(
                [b"-", b"9" * 20, b"1e999", b"nan", b"0", b",", b"\n", b'"', b"[", b"null", b"\xff", b"\x00"]
            )
        )
        whole[at : at + data.draw(st.integers(0, 4))] = junk
    file.write_bytes(whole)
    reads_or_says(name, path, file)


ORIGINALS: dict[str, bytes] = {}
JUNK = [b"-", b"9" * 20, b"1e999", b"nan", b"0", b",", b"\n", b'"', b"[", b"null", b"\xff", b"\x00"]


def test_any_change_of_the_bytes(written):
    mutate(written)


ODD = [None, True, -1, 1.5, math.nan, 10**30, "x", "\ud800", [], {}, [[1]]]


def leaves(value, path=()):
    """The paths of the members of a JSON document; of arrays the first two."""
    items = value.items() if isinstance(value, dict) else enumerate(value[:2]) if isinstance(value, list) else ()
    for key, member in items:
        yield (*path, key)
        yield from leaves(member, (*path, key))


@pytest.mark.parametrize("name", ["pgnet", "coco", "labelstudio"])
def test_any_odd_value_in_json(name, tmp_path):
    path = tmp_path / "clip.json"
    write(small(2), path, name)
    text = path.read_text()
    for number, place in enumerate(leaves(json.loads(text))):
        for odd in [*ODD[number % 3 :: 3], ...]:
            data = json.loads(text)
            holder = data
            for key in place[:-1]:
                holder = holder[key]
            if odd is ...:
                del holder[place[-1]]
            else:
                holder[place[-1]] = odd
            path.write_text(json.dumps(data))
            tracks = reads_or_says(name, path, path)
            if tracks is not None:  # what was read can be written
                for track in tracks:
                    track.write_json(tmp_path / "again.json")


LINES = [
    ("mot", "1,1,10,20,30,40,1,1,1\n2,1,10,20,x,40,1,1,1\n", "line 2: the value 5 is 'x', not a number"),
    ("mot", "1,1,10,20,30,40,1\n\n0,1,10,20,30,40,1\n", "line 3: the frame is 0.0, not a whole number from 1"),
    ("mot", "1,1,10,20,30,40,1\n1,1,10,20,30,40,1\n", "line 2: target 1 has a second box in frame 0"),
    ("mot", "1,-1,10,20,30,40,1\n1,-1,15,20,30,40,1\n", "line 2: .*detections, not tracks"),
    ("mot", "1,1,10,20,30\n", "line 1: it has 5 values"),
    ("mot", "1,1,10,20,-30,40,1\n", "line 1: the box is -30 wide"),
    ("otb", "1,2,3,4\n1,2,3\n", "line 2: it has 3 values"),
    ("otb", "1,2,3,4\n\n1,2,3,4\n", "line 2: it is blank"),
    ("otb", "1,2,3,4\n1,inf,3,4\n", "line 2: the y is 'inf', not a finite number"),
    ("vot", "1,2,3,4\n1,2,3,4,5\n", "line 2: it has 5 values"),
    ("vot", "1,2,3,4\nm1,2\n", "line 2: it is no mask"),
    ("csv", "frame,x,y,w\n", "line 1: the header lacks h"),
    ("csv", "frame,x,y,w,h\n1,2,3,4\n", "line 2: it has 4 values"),
    ("csv", "frame,x,y,w,h,absent\n1,2,3,4,5,yes\n", "line 2: absent is 'yes'"),
    ("csv", "frame,x,y,w,h,state\n1,2,3,4,5,gone\n", "line 2: state is 'gone'"),
    ("csv", "frame,x,y,w,h,presence\n1,2,3,4,5,1.5\n", "line 2: presence is 1.5"),
    ("csv", 'frame,x,y,w,h\n1,2,3,4,"5\n', "line 2: this is no CSV"),
    ("cvat", "<annotations>\n<track></annotations>", "line 2: "),
    ("cvat", "<annotations>\n<track id='x' label='a'/></annotations>", "line 2: the id of the track is 'x'"),
    (
        "cvat",
        "<annotations><track id='0' label='a'>\n<box frame='1'/></track></annotations>",
        "line 2: the xtl is None",
    ),
    ("cvat", "<html>\n</html>", "line 1: CVAT's files begin with <annotations>"),
    ("coco", '{"images": [],\n"annotations": [}', "line 2: this is not JSON"),
    ("labelstudio", '[{"annotations":\n', "line 2: this is not JSON"),
]


@pytest.mark.parametrize(
    ("name", "text", "sentence"), LINES, ids=[f"{name}{i}" for i, (name, _, _) in enumerate(LINES)]
)
def test_the_line_is_named(name, text, sentence, tmp_path):
    path = tmp_path / "boxes.txt"
    path.write_text(text)
    with pytest.raises(PgnetError, match=sentence) as caught:
        read_all(path, name, known=KNOWN)
    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize("text", ["[" * 100_000, "9" * 5000, '"\\ud800"', "[1]", '{"a": 1}', "null", ""])
def test_json_of_another_kind(text, tmp_path):
    path = tmp_path / "boxes.json"
    path.write_text(text)
    for name in ("pgnet", "coco", "labelstudio"):
        assert reads_or_says(name, path, path) is None


def test_a_damaged_number_does_not_fill_the_memory(tmp_path):
    boxes = [f"<box frame='{frame}' outside='0' xtl='1' ytl='1' xbr='2' ybr='2'/>" for frame in (0, 10**12)]
    path = tmp_path / "boxes.xml"
    path.write_text(f"<annotations><track id='0' label='a'>{''.join(boxes)}</track></annotations>")
    with pytest.raises(PgnetError, match="the frame is '1000000000000', not a whole number from 0 to 3000000"):
        read_all(path)


@pytest.mark.parametrize("out", ["new.json", "kept.json", "folder"])
def test_a_failed_conversion_leaves_nothing_and_keeps_what_was(out, tmp_path, capsys):
    (tmp_path / "kept.json").write_text("mine")
    source = tmp_path / "boxes.txt"
    source.write_text("1,1,10,20,30,40,1\n2,1,10,20,30\n")
    before = sorted(tmp_path.iterdir())
    to = "yolo" if out == "folder" else "coco"
    command = ["convert", str(source), str(tmp_path / out), "--from", "mot", "--to", to, "--overwrite"]
    assert main(command) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"{source}, line 2: ") and len(said.err.splitlines()) == 1
    assert sorted(tmp_path.iterdir()) == before
    assert (tmp_path / "kept.json").read_text() == "mine"


def test_a_failing_writer_leaves_nothing(tmp_path, monkeypatch):
    from pgnet.results.formats import yolo

    def broken(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", broken)
    with pytest.raises(PgnetError, match="No space left"):
        yolo.write(small(), tmp_path / "labels")
    with pytest.raises(PgnetError, match="No space left"):
        FORMATS["coco"].write(small(), tmp_path / "boxes.json")
    assert list(tmp_path.iterdir()) == []
