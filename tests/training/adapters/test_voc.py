import pytest

from pgnet.errors import PgnetError
from pgnet.training.adapters import voc


@pytest.fixture
def root(tmp_path, picture, voc_xml):
    for year, names in (("VOC2007", ["000005", "000007"]), ("VOC2012", ["2008_000008"])):
        folder = tmp_path / year
        for name in names:
            picture(folder / f"JPEGImages/{name}.jpg")
            clear = {"name": "chair", "pose": "Rear", "truncated": 0, "difficult": 0}
            voc_xml(
                folder / f"Annotations/{name}.xml",
                f"{name}.jpg",
                clear | {"xmin": 1, "ymin": 11, "xmax": 20, "ymax": 48},
                clear | {"difficult": 1, "xmin": 5, "ymin": 5, "xmax": 9, "ymax": 9},
            )
        lists = folder / "ImageSets/Main"
        lists.mkdir(parents=True)
        (lists / "trainval.txt").write_text("\n".join(names) + "\n")
        (lists / "train.txt").write_text(names[0] + "\n")
        (lists / "chair_trainval.txt").write_text(f"{names[0]}  1\n")
    return tmp_path


def test_pixels_from_1_become_0_based_and_difficult_objects_are_left_out(root):
    found = voc.read(root)
    assert {year: len(targets) for year, targets in found.stills.items()} == {"VOC2007": 2, "VOC2012": 1}
    target = found.stills["VOC2012"][0]
    assert target.box.tolist() == [0, 10, 20, 38] and target.size == (64, 48) and target.path.is_file()


def test_one_year_and_another_split(root):
    assert [len(t) for t in voc.read(root / "VOC2007", "train").stills.values()] == [1]
    with pytest.raises(PgnetError, match="no split 'test'; found: train, trainval"):
        voc.read(root, "test")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<annotation><object>", r"000005\.xml is not XML"),
        ("<annotation><size/></annotation>", r"000005\.xml is no annotation in Pascal VOC's XML"),
        (None, r"000005\.xml cannot be read"),
    ],
)
def test_a_damaged_file_is_noted_and_the_rest_is_read(root, text, message):
    file = root / "VOC2007/Annotations/000005.xml"
    file.unlink() if text is None else file.write_text(text)
    found = voc.read(root)
    assert len(found.damaged) == 1
    with pytest.raises(PgnetError, match=message):
        raise PgnetError(found.damaged[0])
    assert len(found.stills["VOC2007"]) == 1
