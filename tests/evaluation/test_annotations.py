import json

import cv2
import numpy as np
import pytest

from pgnet.datasets import OFFICIAL
from pgnet.errors import PgnetError
from pgnet.evaluation.annotations import dataset_name, read_annotations


@pytest.fixture
def put(tmp_path):
    def write(path, text):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    return write


@pytest.mark.parametrize("text", ["lasot", "LaSOT", "GOT-10k_val", "got10k_val", "OTB100", "UAV20L"])
def test_names_of_data_sets(text):
    assert dataset_name(text) == text.lower().replace("_", "-").replace("got-10k", "got10k")


@pytest.mark.parametrize("text", ["got10k-test", "lasot-train", "imagenet"])
def test_data_sets_without_scores(text):
    with pytest.raises(PgnetError, match=r"no scores for .* lasot"):
        dataset_name(text)


@pytest.mark.parametrize("folder", ["", "anno/", "annos/", "annotations/", "annotations/anno/"])
def test_files_alone(put, tmp_path, folder):
    put(f"{folder}jogging.1.txt", "10,20,30,40\n11,20,30,40\n")
    put("att/jogging.1.txt", "0,1,0,1,1,0,0,0,0,0,0")
    found = read_annotations("otb100", tmp_path)
    (annotation,) = found.values()
    assert annotation.name == "Jogging-1"
    assert annotation.boxes[0].tolist() == [10, 20, 30, 40]  # as in the file
    assert annotation.attributes == ("OPR", "OCC", "DEF")
    assert found.problems[0].startswith("Basketball, Biker")
    assert "and 91 more: there is no annotation" in found.problems[0]


def test_tiger1_starts_at_frame_6(put, tmp_path):
    put("tiger1.txt", "".join(f"{i},1,5,5\n" for i in range(1, 31)))
    annotation = read_annotations("otb100", tmp_path)["Tiger1"]
    assert annotation.boxes[0, 0] == 6
    assert len(annotation) == 25
    assert annotation.first_row == 5


def test_lasot_needs_its_absent_labels(put, tmp_path):
    put("annos/dog-1.txt", "1,2,3,4\n0,0,0,0\n")
    with pytest.raises(PgnetError, match=r"no labels absent/dog-1\.txt"):
        read_annotations("lasot", tmp_path)
    put("annos/absent/dog-1.txt", "0\n1\n1\n")
    with pytest.raises(PgnetError, match="3 labels for the 2 frames"):
        read_annotations("lasot", tmp_path)
    put("annos/absent/dog-1.txt", "0\n1\n")
    assert read_annotations("lasot", tmp_path)["dog-1"].absent.tolist() == [False, True]


def test_damaged_annotation_is_left_out_and_named(put, tmp_path):
    put("bike1.txt", "1,2,3,4\n")
    put("bike2.txt", "1,2,3,4\n1,2,three,4\n")
    found = read_annotations("uav123", tmp_path)
    assert list(found) == ["bike1"]
    assert "bike2.txt, line 2" in found.problems[0]


def test_annotation_of_another_set(put, tmp_path):
    put("ants1.txt", "1,2,3,4\n")
    with pytest.raises(PgnetError, match=r"no annotation of lasot .* another data set"):
        read_annotations("lasot", tmp_path)
    with pytest.raises(PgnetError, match="does not exist"):
        read_annotations("lasot", tmp_path / "nowhere")


def test_uav20l_out_of_a_folder_with_both(put, tmp_path):
    for name in ("bike1", "bird1", "bird1_1"):
        put(f"{name}.txt", "1,2,3,4\n")
    assert sorted(read_annotations("uav20l", tmp_path)) == ["bike1", "bird1"]
    assert sorted(read_annotations("uav123", tmp_path)) == ["bike1", "bird1_1"]


def test_data_set_itself_has_the_files_numbers(put, tmp_path):
    for file in ("full_occlusion", "out_of_view"):
        put(f"dog/dog-1/{file}.txt", "0,1" if file == "out_of_view" else "0,0")
    put("dog/dog-1/groundtruth.txt", "10,20,30,40\n11,20,30,40\n")
    found = read_annotations("lasot", tmp_path)
    assert found["dog-1"].boxes[0].tolist() == [10, 20, 30, 40]
    assert found["dog-1"].absent.tolist() == [False, True]
    assert found["dog-1"].sequence.boxes[0].tolist() == [9, 19, 30, 40]
    (tmp_path / "dog/dog-1/out_of_view.txt").unlink()
    with pytest.raises(PgnetError, match="which LaSOT's scores need"):
        read_annotations("lasot", tmp_path)


def test_vot_from_its_folder(put, tmp_path):
    put("list.txt", "bag\ngone\n")
    put("bag/groundtruth.txt", "10,10,30,10,30,20,10,20\n" * 2)
    put("bag/occlusion.tag", "1\n0\n")
    (tmp_path / "bag/color").mkdir()
    cv2.imwrite(str(tmp_path / "bag/color/00000001.jpg"), np.zeros((48, 64, 3), np.uint8))
    found = read_annotations("vot2018", tmp_path)
    assert found["bag"].size == (64, 48)
    assert found["bag"].polygons[0].tolist() == [10, 10, 30, 10, 30, 20, 10, 20]
    assert found["bag"].tags["occlusion"].tolist() == [True, False]
    assert found.problems == [f"gone: there is no annotation in {tmp_path}"]


def test_vot_from_json(put, tmp_path):
    entry = {"gt_rect": [[10, 10, 20, 10]], "width": 64, "height": 48, "occlusion": [1], "camera_motion": []}
    put("VOT2018.json", json.dumps({"bag": entry}))
    annotation = read_annotations("vot2018", tmp_path)["bag"]
    assert annotation.polygons[0].tolist() == [10, 10, 30, 10, 30, 20, 10, 20]
    assert list(annotation.tags) == ["occlusion"]
    put("VOT2018.json", json.dumps({"bag": [1]}))
    with pytest.raises(PgnetError, match=r"VOT2018\.json is no annotation of vot2018"):
        read_annotations("vot2018", tmp_path)


def test_one_pass_from_json(put, tmp_path):
    put("other.json", "[]")
    put("OTB100.json", json.dumps({"Tiger1": {"gt_rect": [[i, 1, 5, 5] for i in range(1, 31)], "attr": ["IV", "OCC"]}}))
    put("lasot.json", json.dumps({"dog-1": {"gt_rect": [[1, 2, 3, 4]] * 2, "absent": [1, 0]}}))
    tiger = read_annotations("otb100", tmp_path)["Tiger1"]
    assert (len(tiger), tiger.boxes[0, 0], tiger.first_row, tiger.attributes) == (25, 6, 5, ("IV", "OCC"))
    assert read_annotations("lasot", tmp_path / "lasot.json")["dog-1"].absent.tolist() == [False, True]
    for content in ("[]", '{"dog-1": {"gt_rect": [[1, 2]]}}', '{"dog-1": {"gt_rect": [[1, 2, 3, 4]]}}', "{"):
        with pytest.raises(PgnetError, match=r"lasot\.json is no annotation of lasot"):
            read_annotations("lasot", put("lasot.json", content))


def test_got10k_from_json(put, tmp_path):
    put("got-val.json", json.dumps({"GOT-10k_Val_000007": {"00000003": [10, 10, 30, 50], "00000001": [1, 2, 3, 4]}}))
    annotation = read_annotations("got10k-val", tmp_path)["GOT-10k_Val_000007"]
    assert annotation.boxes.tolist() == [[1, 2, 2, 2], [10, 10, 20, 40]]
    assert annotation.rows.tolist() == [0, 2]
    assert annotation.result_rows == 3


def test_trackingnet_keeps_its_truth(put, tmp_path):
    put("a_0.txt", "1,2,3,4\n")
    with pytest.raises(PgnetError, match="server alone"):
        read_annotations("trackingnet", tmp_path)
    put("a_0.txt", "1,2,3,4\n1,2,3,4\n")
    assert list(read_annotations("trackingnet", tmp_path)) == ["a_0"]


def test_official_names_are_the_papers():
    counts = {name: len(OFFICIAL[name]) for name in ("otb50", "otb100", "uav123", "uav20l", "lasot", "got10k-val")}
    assert counts == {"otb50": 50, "otb100": 100, "uav123": 123, "uav20l": 20, "lasot": 280, "got10k-val": 180}
