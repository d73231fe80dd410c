import json

import pytest

from pgnet.errors import PgnetError
from pgnet.results import ModelInfo, SourceInfo, TargetTrack, Track
from pgnet.results.formats import labelstudio, read, read_all

KNOWN = SourceInfo("", "video", 200, 100)


def key(frame, x, *, enabled=True, rotation=0, **more):
    return {"frame": frame, "enabled": enabled, "rotation": rotation, "x": x, "y": 20, "width": 10, "height": 40} | more


def region(*sequence, labels=("Car",), **more):
    value = {"framesCount": 10, "duration": 2.0, "sequence": list(sequence), "labels": list(labels)}
    return {"id": "aBc-9", "type": "videorectangle", "from_name": "box", "to_name": "video", "value": value} | more


def task(*regions, **more):
    return {
        "id": 1,
        "data": {"video": "/data/upload/1/clip.mp4"},
        "annotations": [{"id": 3, "result": list(regions)}],
    } | more


@pytest.fixture
def write_json(tmp_path):
    def write(data):
        path = tmp_path / "export.json"
        path.write_text(json.dumps(data))
        return path

    return write


def test_an_export(write_json):
    path = write_json([task(region(key(2, 10), key(4, 14, enabled=False), key(7, 50)))])
    track = read(path, known=KNOWN)
    assert track.source == SourceInfo("/data/upload/1/clip.mp4", "video", 200, 100, 5.0, 10)
    target = track.target
    assert (target.id, target.label) == (1, "Car")
    # Percent of 200 x 100; frames from 1; away between a box that ends a span and the next; then to the last frame.
    assert target.frames.tolist() == list(range(1, 10))
    assert target.boxes[:3].round(9).tolist() == [[20, 20, 20, 40], [24, 20, 20, 40], [28, 20, 20, 40]]
    assert target.frames[target.absent].tolist() == [4, 5]
    assert target.frames[target.keyframes].tolist() == [1, 3, 6]
    assert target.boxes[-1].tolist() == [100, 20, 20, 40]
    assert target.times[0] == 0.2


def test_the_short_export(write_json):
    """JSON-MIN: the values stand in the task under the tag's name."""
    short = {"video": "a.mp4", "id": 2, "box": [region(key(1, 10, enabled=False))["value"]], "annotator": 1}
    track = read(write_json([short]), known=KNOWN)
    assert (track.source.name, track.target.label, track.frames.tolist()) == ("a.mp4", "Car", [0])


def test_predictions_and_a_lone_task(write_json):
    more = {"annotations": [], "predictions": [{"result": [region(key(1, 10, enabled=False, score=0.5))]}]}
    assert read(write_json(task(**more)), known=KNOWN).scores.tolist() == [0.5]


def test_what_is_left_out_is_said(write_json):
    others = [{"type": "timelinelabels", "value": {"ranges": []}}]
    found = task(region(key(1, 10, rotation=90), labels=("Car", "Red")), *others)
    found["annotations"].append({"result": []})
    found["annotations"].insert(0, {"result": [], "was_cancelled": True})
    track = read(write_json([found]), known=KNOWN)
    assert (
        track.warnings
        == [
            "There are 2 annotations of one task; the first was taken.",
            "Left out, as it is not of type videorectangle: 1 result.",
            "A target has the labels ['Car', 'Red']; the first was taken.",
            "Taken as the upright box around it: 1 rotated box.",
            "1 of 10 boxes lie outside of the 200 x 100 frame; check the frame size.",
        ][:4]
    )
    assert track.boxes[0].round(9).tolist() == [-20, 20, 40, 20]  # turned about its upper left corner


def test_labels_in_a_result_of_their_own(write_json):
    box = region(key(1, 10))
    del box["value"]["labels"]
    labels = {"id": "aBc-9", "type": "labels", "value": {"labels": ["Dog"]}}
    track = read(write_json([task(box, labels)]), known=KNOWN)
    assert (track.target.label, track.warnings) == ("Dog", [])


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ([task()], "has no video rectangles"),
        (
            [{"data": {"image": "a.png"}, "annotations": [{"result": [{"type": "rectanglelabels", "value": {}}]}]}],
            "no video",
        ),
        ([task(region(key(0, 10)))], r"value.sequence\[0\]: the frame is 0, not a whole number from 1"),
        ([task(region(key(2, 10), key(2, 12)))], r"value.sequence\[1\]: a second box in frame 2"),
        ([task(region(key(1, 10, enabled="yes")))], r"value.sequence\[0\]: enabled is 'yes'"),
        ([task(region({"frame": 1}))], r"value.sequence\[0\]: x is missing"),
        ([task(region(key(1, "ten")))], r"\[0\].annotations\[0\].result\[0\].value.sequence\[0\]: the x is 'ten'"),
    ],
)
def test_what_is_wrong_is_named(write_json, data, sentence):
    with pytest.raises(PgnetError, match=sentence):
        read(write_json(data), "labelstudio", known=KNOWN)


def test_the_frame_size_is_needed(write_json):
    path = write_json([task(region(key(1, 10)))])
    with pytest.raises(PgnetError, match="percent of a frame; give --size WIDTHxHEIGHT"):
        read(path)
    path = write_json([task(region(key(1, 10), original_width=200, original_height=100))])
    assert (read(path).source.width, read(path).source.height) == (200, 100)


def test_several_tasks(write_json):
    tasks = [task(region(key(1, 10)), data={"video": name}) for name in ("a.mp4", "b.mp4")]
    assert [track.source.name for track in read_all(write_json(tasks), known=KNOWN)] == ["a.mp4", "b.mp4"]


def test_what_is_written(tmp_path):
    track = Track(
        SourceInfo("a.mp4", "video", 200, 100, 5.0, 9), ModelInfo("pgnet-lite", "0"), targets=[TargetTrack(7)]
    )
    for frame in range(6):
        track.target.append(frame, frame / 5, (20, 10, 50, 25), 0.5, absent=frame == 2)
    labelstudio.write(track, tmp_path / "a.json")
    ((found,),) = [json.loads((tmp_path / "a.json").read_text())]
    assert found["data"] == {"video": "a.mp4"}
    (answer,) = found["predictions"]
    assert answer["model_version"] == "pgnet-lite"
    (result,) = answer["result"]
    assert (result["id"], result["value"]["labels"]) == ("7", ["object"])
    assert (result["value"]["framesCount"], result["value"]["duration"]) == (9, 1.8)
    sequence = result["value"]["sequence"]
    assert [(item["frame"], item["enabled"]) for item in sequence] == [
        (1, True),
        (2, False),  # the target leaves
        (4, True),
        (5, True),
        (6, False),
    ]
    assert sequence[0] == {
        "frame": 1,
        "time": 0.0,
        "enabled": True,
        "x": 10,
        "y": 10,
        "width": 25,
        "height": 25,
        "rotation": 0,
        "score": 0.5,
    }


def test_times_are_needed(tmp_path):
    track = Track(SourceInfo("a.mp4", "video", 200, 100))
    track.append(0, float("nan"), (1, 2, 3, 4), 1)
    with pytest.raises(PgnetError, match="needs the times of the frames; give --fps"):
        labelstudio.write(track, tmp_path / "a.json")
