import copy
import csv
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pgnet.errors import PgnetError
from pgnet.results import ModelInfo, SourceInfo, TargetTrack, Track

DOCUMENT = Path(__file__).parents[2] / "docs" / "track-format.md"


def make(count: int = 3) -> Track:
    track = Track(
        SourceInfo("cliché.mp4", "video", 640, 360, 29.97, count),
        ModelInfo("pgnet-lite", "ab" * 32),
        options={"box": [1, 2, 3.5, 4], "start": None},
        warnings=["It is truncated."],
    )
    for i in range(count):
        track.append(i + 5, i / 30, (i + 0.1234567, 2, 30, 40), 0.5)
    return track


def test_appending_and_reading_out() -> None:
    track = make()
    np.testing.assert_array_equal(track.frames, [5, 6, 7])
    np.testing.assert_allclose(track.times, [0, 1 / 30, 2 / 30])
    np.testing.assert_allclose(track.boxes[1], [1.1234567, 2, 30, 40])
    np.testing.assert_array_equal(track.scores, [0.5] * 3)
    assert len(track) == 3
    boxes = track.boxes
    track.append(8, 0.2, (1, 2, 3, 4), 1)  # while an array is held
    assert len(boxes) == 3


@pytest.mark.parametrize(
    ("frame", "box", "score"),
    [(7, (1, 2, 3, 4), 0.5), (6, (1, 2, 3, 4), 0.5), (9, (1, 2, 3, np.nan), 0.5), (9, (1, 2, 3, 4), np.inf)],
)
def test_what_cannot_be_appended(frame: int, box: tuple[float, ...], score: float) -> None:
    track = make()
    with pytest.raises(ValueError, match="frame"):
        track.append(frame, 1.0, box, score)
    assert len(track) == 3


def test_json_round_trip(tmp_path: Path) -> None:
    track = make()
    track.write_json(tmp_path / "track.json")
    back = Track.read_json(tmp_path / "track.json")
    assert (back.source, back.model, back.options) == (track.source, track.model, track.options)
    assert (back.status, back.warnings, back.pgnet, back.created) == (
        "complete",
        track.warnings,
        track.pgnet,
        track.created,
    )
    np.testing.assert_array_equal(back.frames, track.frames)
    np.testing.assert_array_equal(back.times, track.times)
    np.testing.assert_allclose(back.boxes, track.boxes, atol=0.0005)
    np.testing.assert_array_equal(back.scores, track.scores)
    back.write_json(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "track.json").read_bytes()
    assert list(json.loads((tmp_path / "track.json").read_text("utf-8")))[:2] == ["schema", "version"]


def test_without_frames_and_without_rate(tmp_path: Path) -> None:
    track = Track(SourceInfo("0", "camera", 640, 480), ModelInfo("m", "0"), status="interrupted")
    track.write_json(tmp_path / "track.json")
    back = Track.read_json(tmp_path / "track.json")
    assert len(back) == 0
    assert back.boxes.shape == (0, 4)
    assert back.source.fps is None
    assert back.status == "interrupted"


def test_csv(tmp_path: Path) -> None:
    make().write_csv(tmp_path / "track.csv")
    with (tmp_path / "track.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["frame", "time", "x", "y", "w", "h", "score"]
    assert rows[1] == {
        "frame": "6",
        "time": str(1 / 30),
        "x": "1.123",
        "y": "2.0",
        "w": "30.0",
        "h": "40.0",
        "score": "0.5",
    }
    assert len(rows) == 3


def test_many_frames_stay_small(tmp_path: Path) -> None:
    track = make(20_000)
    rows = track.target._rows
    assert len(rows) * rows.itemsize + len(track.target._flags) == 20_000 * 65
    track.write_json(tmp_path / "track.json")
    assert len(Track.read_json(tmp_path / "track.json")) == 20_000


def test_documented_example_is_read(tmp_path: Path) -> None:
    (example,) = re.findall(r"```json\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    (tmp_path / "track.json").write_text(example, encoding="utf-8")
    track = Track.read_json(tmp_path / "track.json")
    assert track.source.frame_count == len(track) == 2
    assert track.target.keyframes.tolist() == [True, False]  # the given box
    # It has every member that is written, and in the written order.
    made = make()
    made.append(9, 0.1, (1, 2, 3, 4), 0.5, presence=0.3, state="uncertain")
    made.write_json(tmp_path / "made.json")
    written, documented = json.loads((tmp_path / "made.json").read_text("utf-8")), json.loads(example)
    assert list(written) == list(documented)
    for name in ("source", "model"):
        assert list(written[name]) == list(documented[name])
    assert list(written["frames"][-1]) == list(documented["frames"][1])
    assert list(written["targets"][0]) == list(documented["targets"][0])


def test_version_1_is_still_read(tmp_path: Path) -> None:
    (tmp_path / "track.json").write_text(json.dumps(data()))
    track = Track.read_json(tmp_path / "track.json")
    assert (track.target.id, track.target.label, len(track)) == (1, "", 2)
    assert not track.target.absent.any()
    track.write_json(tmp_path / "track.json")
    assert json.loads((tmp_path / "track.json").read_text())["version"] == 1  # an old reader understands it
    assert Track.read_json(tmp_path / "track.json").boxes.tolist() == track.boxes.tolist()


def doubtful() -> Track:
    track = make()
    track.append(8, 0.1, (1, 2, 3, 4), 0.5, presence=0.31234, state="uncertain")
    track.append(9, 0.2, (1, 2, 3, 4), 0.1, presence=0.01, state="lost")
    return track


def test_what_the_tracker_thinks_of_its_boxes(tmp_path: Path) -> None:
    track = doubtful()
    track.target.append(10, 0.3, (1, 2, 3, 4), keyframe=True, presence=0.2, state="lost")  # a person knows better
    track.write_json(tmp_path / "track.json")
    rows = json.loads((tmp_path / "track.json").read_text())["frames"]
    assert [(row.get("presence"), row.get("state")) for row in rows] == [
        *[(None, None)] * 3,
        (0.3123, "uncertain"),
        (0.01, "lost"),
        (None, None),
    ]
    back = Track.read_json(tmp_path / "track.json").target
    assert back.states == ["present"] * 3 + ["uncertain", "lost", "present"] == track.target.states
    assert back.presence.tolist() == [1, 1, 1, 0.3123, 0.01, 1]
    assert back.missing.tolist() == [False] * 4 + [True, False]
    assert not back.absent.any()
    track.write_csv(tmp_path / "track.csv")
    assert (tmp_path / "track.csv").read_text().splitlines()[0].endswith("score,presence,state,keyframe")


@pytest.mark.parametrize(("what", "sentence"), [({"presence": 1.1}, "probability"), ({"state": "gone"}, "not one of")])
def test_no_belief(tmp_path: Path, what: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        make().append(9, 1.0, (1, 2, 3, 4), 0.5, **what)
    (tmp_path / "track.json").write_text(json.dumps(data() | {"frames": [data()["frames"][0] | what]}))
    with pytest.raises(PgnetError, match=sentence):
        Track.read_json(tmp_path / "track.json")


def several() -> Track:
    track = Track(SourceInfo("a.mp4", "video"), targets=[TargetTrack(4, "dog"), TargetTrack(2)])
    track.targets[0].append(0, float("nan"), (1, 2, 3, 4), keyframe=True)
    track.targets[0].append(3, float("nan"), (1, 2, 3, 4), 0.5, absent=True, occluded=True)
    track.targets[1].append(1, 0.25, (5, 6, 7, 8))
    return track


def test_several_targets(tmp_path: Path) -> None:
    track = several()
    track.write_json(tmp_path / "track.json")
    assert json.loads((tmp_path / "track.json").read_text())["version"] == 2
    rows = json.loads((tmp_path / "track.json").read_text())["frames"]
    assert [(row["frame"], row["target"]) for row in rows] == [(0, 4), (1, 2), (3, 4)]
    back = Track.read_json(tmp_path / "track.json")
    assert (back.model, back.source.width, len(back)) == (None, None, 3)
    first, second = back.targets
    assert (first.id, first.label, second.id, second.label) == (4, "dog", 2, "")
    assert np.isnan(first.times).all()
    assert (first.keyframes.tolist(), first.absent.tolist(), first.occluded.tolist()) == (
        [True, False],
        [False, True],
        [False, True],
    )
    with pytest.raises(ValueError, match="has 2 targets; choose one"):
        _ = back.boxes


@pytest.mark.parametrize("label", ["a\nb", "\x00", "\ud800", "\u2028"])
def test_labels_are_on_one_line(label: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not a text on one line"):
        TargetTrack(1, label)
    several().write_json(tmp_path / "track.json")
    text = (tmp_path / "track.json").read_text().replace('"dog"', json.dumps(label))
    (tmp_path / "track.json").write_text(text)
    with pytest.raises(PgnetError, match="is damaged: targets: the label"):
        Track.read_json(tmp_path / "track.json")


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('"id": 2', '"id": 4', "targets is empty or has an id twice"),
        ('"target": 2', '"target": 3', r"frames\[1\].target is 3, which targets does not have"),
        ('"absent": true', '"absent": 1', r"frames\[2\].absent is 1, not bool"),
        ('"options": {}', '"options": {"a": NaN}', "options has a number that is not finite"),
        ('"warnings": []', '"warnings": [3]', "warnings has something else than sentences"),
    ],
)
def test_what_is_wrong_with_targets_is_named(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    several().write_json(tmp_path / "track.json")
    text = (tmp_path / "track.json").read_text()
    assert old in text
    (tmp_path / "track.json").write_text(text.replace(old, new))
    with pytest.raises(PgnetError, match=sentence):
        Track.read_json(tmp_path / "track.json")


def data() -> dict[str, Any]:
    row = {"frame": 0, "time": 0, "box": [1, 2, 3, 4], "score": 1}
    return {
        "schema": "pgnet.track",
        "version": 1,
        "pgnet": "0.1.0",
        "created": "2025-06-01T12:00:00+00:00",
        "status": "complete",
        "warnings": [],
        "source": {"name": "a", "kind": "video", "width": 4, "height": 4, "fps": 25, "frame_count": None},
        "model": {"name": "m", "sha256": "0"},
        "options": {},
        "frames": [row, {**row, "frame": 1}],
    }


@pytest.mark.parametrize(
    ("where", "value", "sentence"),
    [
        (["schema"], "other", "no track file"),
        (["version"], 3, "update pgnet"),
        (["version"], "1", "update pgnet"),
        (["source"], [], "source is"),
        (["source", "width"], "wide", "source.width is 'wide'"),
        (["source", "name"], ..., "source.name is missing"),
        (["model", "sha256"], None, "model.sha256"),
        (["status"], "half", "status is 'half'"),
        (["frames"], ..., "frames is missing"),
        (["frames", 1], 7, r"frames\[1\] is no object"),
        (["frames", 1, "box"], [1, 2, 3], r"frames\[1\].box"),
        (["frames", 1, "box"], [1, 2, 3, "4"], r"frames\[1\].box"),
        (["frames", 1, "score"], None, r"frames\[1\].score"),
        (["frames", 1, "score"], float("nan"), r"frames\[1\].*finite"),
        (["frames", 1, "frame"], 0, r"frames\[1\].*after"),
        (["frames", 1, "frame"], True, r"frames\[1\].frame"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, where: list[Any], value: object, sentence: str) -> None:
    broken = copy.deepcopy(data())
    item: Any = broken
    for key in where[:-1]:
        item = item[key]
    if value is ...:
        del item[where[-1]]
    else:
        item[where[-1]] = value
    (tmp_path / "track.json").write_text(json.dumps(broken))
    with pytest.raises(PgnetError, match=sentence):
        Track.read_json(tmp_path / "track.json")


def test_members_of_the_future_are_passed_over(tmp_path: Path) -> None:
    more = data() | {"colour": "green"}
    (tmp_path / "track.json").write_text(json.dumps(more))
    assert len(Track.read_json(tmp_path / "track.json")) == 2


def test_unreadable_files(tmp_path: Path) -> None:
    (tmp_path / "half.json").write_text('{"schema": "pgnet.tr')
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "list.json").write_text("[1]")
    cases = {"none.json": "cannot be read", "half.json": "not JSON", "binary.json": "not JSON", "list.json": "no track"}
    for name, sentence in cases.items():
        with pytest.raises(PgnetError, match=sentence):
            Track.read_json(tmp_path / name)


def test_unwritable(tmp_path: Path) -> None:
    for write in (make().write_json, make().write_csv):
        with pytest.raises(PgnetError, match="does not exist"):
            write(tmp_path / "no" / "track")
    bad = make()
    bad.options["value"] = float("nan")
    with pytest.raises(ValueError, match="JSON"):
        bad.write_json(tmp_path / "track.json")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "version"),
    [
        ({}, 1),
        ({"flags": {"keyframe": True}}, 1),
        ({"flags": {"occluded": True}}, 2),
        ({"time": float("nan")}, 2),
        ({"model": None}, 2),
        ({"source": SourceInfo("a", "video")}, 2),
        ({"targets": [TargetTrack(1), TargetTrack(2)]}, 2),
    ],
)
def test_the_version_grows_only_with_the_content(tmp_path: Path, change: dict[str, Any], version: int) -> None:
    track = make(2)
    track.source = change.get("source", track.source)
    track.model = change.get("model", track.model)
    track.target.append(9, change.get("time", 0.3), (1, 2, 3, 4), **change.get("flags", {}))
    track.targets += change.get("targets", [])[1:]
    track.write_json(tmp_path / "track.json")
    assert json.loads((tmp_path / "track.json").read_text("utf-8"))["version"] == version
    assert len(Track.read_json(tmp_path / "track.json")) == 3
