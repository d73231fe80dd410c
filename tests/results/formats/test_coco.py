import json

import pytest

from pgnet.errors import PgnetError
from pgnet.results import SourceInfo, TargetTrack, Track
from pgnet.results.formats import coco, read, read_all

VID = {
    "videos": [{"id": 1, "name": "a", "width": 640, "height": 360, "fps": 30}, {"id": 2, "name": "b"}],
    "images": [
        {"id": 10, "video_id": 1, "frame_id": 0, "file_name": "a/0.jpg", "width": 640, "height": 360},
        {"id": 11, "video_id": 1, "frame_id": 1, "file_name": "a/1.jpg", "width": 640, "height": 360},
        {"id": 12, "video_id": 1, "frame_id": 2, "file_name": "a/2.jpg", "width": 640, "height": 360},
        {"id": 20, "video_id": 2, "frame_index": 7, "file_name": "b/7.jpg", "width": 100, "height": 50},
    ],
    "categories": [{"id": 3, "name": "dog"}, {"id": 8, "name": "cat"}],
    "annotations": [
        {"id": 1, "image_id": 12, "video_id": 1, "category_id": 3, "instance_id": 5, "bbox": [3, 4, 5, 6]},
        {"id": 2, "image_id": 10, "video_id": 1, "category_id": 3, "instance_id": 5, "bbox": [1.5, 2, 3, 4]},
        {"id": 3, "image_id": 20, "category_id": 8, "track_id": 5, "bbox": [1, 2, 3, 4], "score": 0.25},
    ],
}


@pytest.fixture
def write_json(tmp_path):
    def write(data):
        path = tmp_path / "boxes.json"
        path.write_text(json.dumps(data))
        return path

    return write


def test_cocovid_and_tao(write_json):
    a, b = read_all(write_json(VID))
    assert a.source == SourceInfo("a", "video", 640, 360, 30.0)
    assert (a.target.id, a.target.label) == (5, "dog")
    assert a.frames.tolist() == [0, 1, 2]
    assert a.target.absent.tolist() == [False, True, False]  # the frame is there, the dog is not
    assert a.boxes[[0, 2]].tolist() == [[1.5, 2, 3, 4], [3, 4, 5, 6]]
    assert a.times.tolist() == [0, 1 / 30, 2 / 30]
    assert (b.source.width, b.source.height, b.frames.tolist(), b.scores.tolist()) == (100, 50, [7], [0.25])
    assert b.target.label == "cat"


def test_an_export_of_cvat(write_json):
    """Its frames are numbers in the names of files, its track ids are attributes, and it has no videos."""
    image = {"width": 64, "height": 48, "license": 0}
    attributes = {"occluded": True, "rotation": 0.0, "track_id": 0, "keyframe": True}
    data = {
        "licenses": [{"name": "", "id": 0, "url": ""}],
        "info": {"contributor": "", "description": ""},
        "categories": [{"id": 1, "name": "dog", "supercategory": ""}],
        "images": [{**image, "id": i, "file_name": f"frame_{i - 1:06d}.PNG"} for i in (1, 2)],
        "annotations": [
            {
                "id": 1,
                "image_id": 2,
                "category_id": 1,
                "segmentation": [],
                "bbox": [1, 2, 3, 4],
                "attributes": attributes,
            }
        ],
    }
    track = read(write_json(data))
    assert (track.target.id, track.frames.tolist(), track.source.name) == (0, [1], "boxes")
    assert track.target.occluded.tolist() == track.target.keyframes.tolist() == [True]


@pytest.mark.parametrize(
    ("where", "value", "sentence"),
    [
        (["annotations", 0, "instance_id"], ..., r"annotations\[0\]: it has no track_id .*not tracks"),
        (["annotations", 0, "bbox"], [1, 2, 3], r"annotations\[0\]: bbox is not an array of four numbers"),
        (["annotations", 0, "bbox"], [1, 2, "x", 4], r"annotations\[0\]: the width is 'x', not a number"),
        (["annotations", 1, "image_id"], 99, r"annotations\[1\]: image_id is 99, which images does not have"),
        (["annotations", 1, "image_id"], 12, r"annotations\[1\]: target 5 has a second box in frame 2"),
        (["annotations", 1, "category_id"], 4, r"annotations\[1\]: category_id is 4, which categories does not have"),
        (["annotations", 1, "category_id"], 8, r"annotations\[1\]: target 5 is 'cat' here and 'dog' before"),
        (["images", 3, "video_id"], 9, r"images\[3\]: video_id is 9, which videos does not have"),
        (["images", 1, "width"], 320, r"videos\[0\]: its images have 2 sizes"),
        (["images"], ..., "images is missing"),
        (["annotations"], [], "it has no annotations"),
    ],
)
def test_what_is_wrong_is_named(write_json, where, value, sentence):
    data = json.loads(json.dumps(VID))
    item = data
    for key in where[:-1]:
        item = item[key]
    if value is ...:
        del item[where[-1]]
    else:
        item[where[-1]] = value
    with pytest.raises(PgnetError, match=sentence):
        read_all(write_json(data))


def test_outlines_are_said_to_be_left_out(write_json):
    data = json.loads(json.dumps(VID))
    data["annotations"][0]["segmentation"] = [[1, 1, 2, 2, 3, 1]]
    assert read(write_json(data), video_name="a").warnings[0] == "Left out: 1 outline (segmentation)."


def test_another_video_may_have_another_size(write_json):
    path = write_json(VID)
    known = SourceInfo("clip.mp4", "video", 640, 360, 25.0)
    assert read(path, video_name="a", known=known).source.name == "clip.mp4"
    with pytest.raises(PgnetError, match="is for frames of 100 x 50 pixels and the video's are 640 x 360"):
        read(path, video_name="b", known=known)
    with pytest.raises(PgnetError, match="has no video c; it has a, b"):
        read(path, video_name="c")


def test_what_is_written(tmp_path):
    track = Track(SourceInfo("street.mp4", "video", 640, 360, 25.0, 9), targets=[TargetTrack(4, "car")])
    track.append(2, 0.08, (1.5, 2, 3, 4), 0.5)
    track.target.append(3, 0.12, (0, 0, 0, 0), 0.1, absent=True)
    coco.write(track, tmp_path / "a.json")
    data = json.loads((tmp_path / "a.json").read_text())
    assert data["videos"] == [{"id": 1, "name": "street.mp4", "width": 640, "height": 360, "length": 9, "fps": 25.0}]
    assert [(i["frame_id"], i["file_name"]) for i in data["images"]] == [
        (2, "street/000002.jpg"),
        (3, "street/000003.jpg"),
    ]
    (annotation,) = data["annotations"]
    assert (annotation["track_id"], annotation["instance_id"], annotation["score"]) == (4, 4, 0.5)
    assert (annotation["bbox"], annotation["area"], annotation["iscrowd"]) == ([1.5, 2, 3, 4], 12, 0)
