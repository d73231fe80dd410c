import pytest

from pgnet.errors import PgnetError
from pgnet.training.adapters import imagenet_det

PARTS = ("train/ILSVRC2013_train/n00007846/n00007846_103856", "train/ILSVRC2014_train_0000/ILSVRC2014_train_00000001")


@pytest.fixture
def root(tmp_path, picture, voc_xml):
    for part in (*PARTS, "val/ILSVRC2012_val_00000001"):
        name = part.rpartition("/")[2]
        picture(tmp_path / f"Data/DET/{part}.JPEG")
        # Elements as the challenge orders them; names of pictures have no suffix.
        box = {"name": "n00007846", "xmin": 0, "xmax": 19, "ymin": 4, "ymax": 47}
        voc_xml(tmp_path / f"Annotations/DET/{part}.xml", name, box)
    return tmp_path


def test_folders_of_any_depth_are_read(root):
    targets = imagenet_det.read(root).stills["imagenet_det"]
    assert [t.path.stem for t in targets] == ["n00007846_103856", "ILSVRC2014_train_00000001"]
    assert targets[0].box.tolist() == [0, 4, 20, 44] and all(t.path.is_file() for t in targets)
    assert len(imagenet_det.read(root, "val").stills["imagenet_det"]) == 1
    with pytest.raises(PgnetError, match="no split 'test'; found: train, val"):
        imagenet_det.read(root, "test")


def test_pictures_without_objects_give_none(root, voc_xml):
    voc_xml(root / f"Annotations/DET/{PARTS[0]}.xml", "n00007846_103856")
    assert len(imagenet_det.read(root).stills["imagenet_det"]) == 1


def test_damaged_xml_and_missing_pictures_are_named(root):
    (root / f"Annotations/DET/{PARTS[0]}.xml").write_text("<annotation>")
    (root / f"Data/DET/{PARTS[1]}.JPEG").unlink()
    found = imagenet_det.read(root)
    assert len(found.damaged) == 1 and "n00007846_103856.xml is not XML" in found.damaged[0]
    assert [p.name for p in found.missing()] == ["ILSVRC2014_train_00000001.JPEG"]
