import json

import pytest

from pgnet.errors import PgnetError
from pgnet.training.adapters import coco

RLE = {"counts": [10, 20, 3042], "size": [48, 64]}


def annotation(number, image, box, **other):
    outline = [[10, 5, 30, 5, 30, 25]]
    return {
        "id": number,
        "image_id": image,
        "category_id": 1,
        "bbox": box,
        "area": 400.0,
        "iscrowd": 0,
        "segmentation": outline,
    } | other


@pytest.fixture
def make(tmp_path, picture):
    def dataset(annotations, file="annotations/instances_train2017.json", folder="train2017", **other):
        images = [
            {"id": i, "file_name": f"{i:012d}.jpg", "width": 64, "height": 48, "license": 1} for i in (139, 285, 632)
        ]
        for image in images:
            picture(tmp_path / folder / image["file_name"])
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        content = {"info": {}, "licenses": [], "images": images, "annotations": annotations, "categories": []}
        path.write_text(json.dumps(content | other))
        return tmp_path

    return dataset


def test_boxes_outlines_and_sizes_are_read_and_crowds_left_out(make):
    root = make(
        [
            annotation(1, 139, [10.5, 5, 20, 20.25]),
            annotation(2, 139, [1, 2, 3, 4], segmentation=RLE),
            annotation(3, 285, [0, 0, 64, 48], iscrowd=1, segmentation=RLE),
            annotation(4, 285, [0, 0, 5, 5], segmentation=[]),
        ]
    )
    (targets,) = coco.read(root).stills.values()
    assert [t.path.name for t in targets] == ["000000000139.jpg", "000000000139.jpg", "000000000285.jpg"]
    assert all(t.path.is_file() and t.size == (64, 48) for t in targets)
    assert targets[0].box.tolist() == [10.5, 5, 20, 20.25]
    assert [p.tolist() for p in targets[0].polygons] == [[[10, 5], [30, 5], [30, 25]]]
    assert targets[1].polygons == targets[2].polygons == ()


@pytest.mark.parametrize("folder", ["train2017", "images/train2017", "images", "."])
def test_pictures_are_found_where_tools_put_them(make, folder):
    (targets,) = coco.read(make([annotation(1, 139, [1, 2, 3, 4])], folder=folder)).stills.values()
    assert targets[0].path.is_file()


def test_the_training_split_is_the_default(make):
    make([annotation(1, 139, [1, 2, 3, 4])], file="annotations/instances_val2017.json")
    root = make([annotation(1, 139, [1, 2, 3, 4])] * 2)
    assert len(coco.read(root).stills["coco"]) == 2
    assert len(coco.read(root, "val2017").stills["coco"]) == 1
    with pytest.raises(PgnetError, match="no split 'test2017'; found: train2017, val2017"):
        coco.read(root, "test2017")


def test_which_split_is_asked_for_where_it_is_not_clear(make):
    make([], file="annotations/instances_a.json")
    with pytest.raises(PgnetError, match="a split is needed; found: a, b"):
        coco.read(make([], file="annotations/instances_b.json"))


def test_missing_pictures_are_listed_once(make):
    root = make([annotation(1, 139, [1, 2, 3, 4]), annotation(2, 139, [1, 2, 3, 4]), annotation(3, 632, [1, 2, 3, 4])])
    (root / "train2017/000000000632.jpg").unlink()
    assert [p.name for p in coco.read(root).missing()] == ["000000000632.jpg"]


@pytest.mark.parametrize(
    ("annotations", "message"),
    [
        ([{"image_id": 139}], "KeyError 'bbox'"),
        ([annotation(1, 7, [1, 2, 3, 4])], "KeyError 7"),
        ([annotation(1, 139, [1, 2, 3])], "ValueError"),
        ([annotation(1, 139, [1, 2, 3, "wide"])], "ValueError"),
        ({"one": 1}, "not COCO's instances"),
    ],
)
def test_what_is_wrong_is_said_with_the_file(make, annotations, message):
    with pytest.raises(PgnetError, match=rf"instances_train2017\.json is not COCO's instances.*{message}|{message}"):
        coco.read(make(annotations))


def test_what_is_not_json_is_said(make):
    root = make([])
    (root / "annotations/instances_train2017.json").write_text('{"images": [')
    with pytest.raises(PgnetError, match=r"instances_train2017\.json, line 1: this is not JSON"):
        coco.read(root)


def test_track_ids_make_videos(make):
    """CVAT's COCO export of a video: the track id is an attribute, pictures have no frame number."""

    def tracked(number, image, track, box, occluded=False):
        attributes = {"occluded": occluded, "track_id": track, "keyframe": True}
        return annotation(number, image, box, attributes=attributes)

    root = make(
        [
            tracked(1, 285, 0, [2, 2, 9, 9]),
            tracked(2, 139, 0, [1, 1, 9, 9]),
            tracked(3, 139, 1, [5, 5, 9, 9]),
            tracked(4, 632, 0, [3, 3, 9, 9], occluded=True),
        ],
        file="annotations/instances_default.json",
        folder="images/default",
    )
    first, second = coco.read(root).videos["coco"]
    assert (first.name, first.target, second.target) == (root.name, "0", "1")
    assert [t.path.name for t in first] == ["000000000139.jpg", "000000000285.jpg"]
    assert [t.box[0] for t in first] == [1, 2] and all(t.path.is_file() and t.polygons for t in first)
    assert len(second) == 1


def test_several_videos_keep_their_names_and_order(make):
    """CocoVID: videos, frame_id and instance_id."""
    images = [
        {"id": 10 + i, "video_id": v, "frame_id": f, "file_name": f"{v}/{f}.jpg", "width": 64, "height": 48}
        for i, (v, f) in enumerate([(1, 10), (1, 9), (2, 0)])
    ]
    things = [annotation(i, 10 + i, [i, 0, 9, 9], instance_id=5) for i in range(3)]
    videos = [{"id": 1, "name": "walk"}, {"id": 2, "name": "run"}]
    found = coco.read(make(things, images=images, videos=videos)).videos["coco"]
    assert {v.name: [t.path.name for t in v] for v in found} == {"walk": ["9.jpg", "10.jpg"], "run": ["0.jpg"]}
