import pytest

from pgnet.training.adapters import imagenet_vid

SNIPPET = "train/ILSVRC2015_VID_train_0000/ILSVRC2015_train_00005004"


@pytest.fixture
def root(tmp_path, picture, voc_xml):
    for frame in range(4):
        objects = [
            {"trackid": track, "name": "n02691156", "occluded": int(frame == 2 and track == 0), "generated": 0}
            | {"xmin": frame, "xmax": frame + 19, "ymin": 10 * track, "ymax": 10 * track + 9}
            for track in (0, 1)
            if frame < 3 or track == 0
        ]
        picture(tmp_path / f"Data/VID/{SNIPPET}/{frame:06d}.JPEG")
        voc_xml(tmp_path / f"Annotations/VID/{SNIPPET}/{frame:06d}.xml", f"{frame:06d}", *objects)
    return tmp_path


def test_each_track_is_a_video_of_its_visible_frames(root):
    first, second = imagenet_vid.read(root).videos["imagenet_vid"]
    assert first.name == second.name == "ILSVRC2015_train_00005004"
    assert (first.target, second.target) == ("0", "1")
    assert first.rows.tolist() == [0, 1, 3] and second.rows.tolist() == [0, 1, 2]
    assert [t.box.tolist() for t in second] == [[frame, 10, 20, 10] for frame in range(3)]
    assert all(t.path.is_file() for t in [*first, *second])


def test_damage_is_noted_by_snippet(root, voc_xml):
    file = root / f"Annotations/VID/{SNIPPET}/000001.xml"
    voc_xml(file, "000001", {"name": "n02691156", "xmin": 1, "xmax": 2, "ymin": 1, "ymax": 2})
    (problem,) = imagenet_vid.read(root).damaged
    assert "000001.xml" in problem and "trackid" in problem
    file.write_text("not XML")
    assert "000001.xml is not XML" in imagenet_vid.read(root).damaged[0]


def test_missing_frames_are_listed(root):
    (root / f"Data/VID/{SNIPPET}/000001.JPEG").unlink()
    assert [p.name for p in imagenet_vid.read(root).missing()] == ["000001.JPEG"]
