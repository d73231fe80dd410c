import json
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest

from pgnet.errors import PgnetError
from pgnet.evaluation.annotations import read_annotations
from pgnet.evaluation.conventions import complete, official_curves
from pgnet.evaluation.raw import find_results, key, read_result
from pgnet.evaluation.scoring import result_boxes, score_tracker, score_trackers

PARITY = Path(__file__).parents[2] / "../shared/data/parity"
EXPECTED = json.loads((PARITY / "expected.json").read_text()) if (PARITY / "expected.json").is_file() else []
VOLLEYBALL_19 = {
    "ATOM": {
        "success_auc": 0.0296686,
        "precision20": 0.0415815,
        "normalized_precision20": 0.0368098,
        "normalized_precision_mean": 0.0321585,
    },
    "SiamRPNCF": {
        "success_auc": 0.0110040,
        "precision20": 0.0184049,
        "normalized_precision20": 0.0109066,
        "normalized_precision_mean": 0.0102517,
    },
    "SiamFC": {
        "success_auc": 0.0082773,
        "precision20": 0.0102249,
        "normalized_precision20": 0.0095433,
        "normalized_precision_mean": 0.0084740,
    },
}
"""Scores on the one test sequence of LaSOT whose annotation may be missing; the published means include it. They are
those of the toolkit's own annotation and the same in all conventions."""


def annotation_root(parity, dataset):
    folder = parity(dataset)
    return {
        "vot2018": folder,
        "got10k_val": folder,
        "trackingnet": folder / "dummy_GT.zip",
    }.get(dataset, folder / "annotations")


@pytest.fixture(scope="module")
def annotations(parity):
    read = {}

    def of(dataset):
        if dataset not in read:
            root = annotation_root(parity, dataset)
            read[dataset] = read_annotations(dataset.replace("_", "-"), root)
        return read[dataset]

    return of


def case_name(case):
    return f"{case['dataset']}-{case['tracker']}-{case['convention']}".replace(" ", "_")


@pytest.mark.skipif(not EXPECTED, reason="the published scores in ../shared are absent")
@pytest.mark.parametrize("case", EXPECTED, ids=case_name)
def test_scores_are_the_official_ones(parity, annotations, case):
    dataset, tracker = case["dataset"], case["tracker"]
    root = parity(dataset) / "results" / tracker if dataset != "trackingnet" else parity(dataset) / "dummy_subm.zip"
    found = score_tracker(root, annotations(dataset), case["convention"])
    # All that is printed: five digits of fractions, four of the others.
    digit = 1e-5 if dataset in ("otb100", "lasot", "uav123") else 1e-4
    measures = set(case) - {"dataset", "tracker", "convention", "note"}
    assert measures
    for measure in measures:
        value = found.values[measure]
        if dataset == "lasot" and len(found.sequences) == 279:
            value = (279 * value + VOLLEYBALL_19[tracker][measure]) / 280
        assert value == pytest.approx(case[measure], abs=0.51 * digit), measure


def test_curves_of_the_matlab_toolkit(parity, annotations):
    pytest.importorskip("scipy.io")
    folder = parity("otb100")
    for tracker, sequences in json.loads((folder / "matlab_curves.json").read_text()).items():
        files = find_results(folder / "results_mat" / tracker, list(annotations("otb100"))).boxes
        expected = {key(name): curves for name, curves in sequences.items()}
        assert len(files) == len(expected) == 100
        for name, (file,) in files.items():
            annotation = annotations("otb100")[name]
            found = official_curves(complete(read_result(file), annotation), annotation)
            assert np.abs(found.success - expected[key(name)]["success"]).max() < 1e-9
            assert np.abs(found.precision - expected[key(name)]["precision"]).max() < 1e-9


# --- sequences made here ----------------------------------------------------------------------------------------------

TRUTH = "".join(f"{10 + i},10,20,20\n" for i in range(20))
LOST = "".join(f"{10 + i if i < 5 else 300},10,20,20\n" for i in range(20))


@pytest.fixture
def put(tmp_path):
    def write(path, text=TRUTH):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    return write


@pytest.fixture
def uav(put, tmp_path):
    """Annotations of three sequences of UAV123 with attributes, and a tracker's results on them."""
    for name in ("bike1", "bike2", "bird1_1"):
        put(f"anno/{name}.txt")
        put(f"Good/{name}.txt")
        put(f"Bad/uav_{name}.txt", LOST)
    put("att/bike1.txt", "1,0,0,0,0,0,0,0,0,0,0,0")
    put("att/bike2.txt", "1,1,0,0,0,0,0,0,0,0,0,0")
    put("Good/bike1_time.txt", "0.5\n" + "0.1\n" * 19)
    return read_annotations("uav123", tmp_path)


def own_problems(scores, annotations):
    return [problem for problem in scores.problems if problem not in annotations.problems]


def test_everything_of_a_tracker(uav, tmp_path):
    found = score_tracker(tmp_path / "Good", uav)
    assert found.values["success_auc"] == pytest.approx(20 / 21)
    assert sorted(found.sequences) == ["bike1", "bike2", "bird1_1"]
    assert found.total == 123
    assert {name: values["precision20"] for name, values in found.attributes.items()} == {"ARC": 1, "SV": 1}
    assert found.fps == pytest.approx(20 / 2.4)
    assert found.overlaps["bike1"].tolist() == [1] * 20
    assert own_problems(found, uav) == found.notes == []
    lost = score_tracker(tmp_path / "Bad", uav)
    assert lost.values["precision20"] == 0.25
    assert lost.overlaps["bike2"].tolist() == [1] * 5 + [0] * 15


def test_the_best_comes_first_whatever_the_order(uav, tmp_path):
    for workers in (1, 2):
        found = score_trackers([tmp_path / "Bad", tmp_path / "Good"], uav, workers=workers)
        assert [scores.tracker for scores in found] == ["Good", "Bad"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TRUTH * 2, r"bike2\.txt: 40 result rows do not belong to 20 frames"),
        ("10,10,20,20\n" * 10, "10 result rows do not belong to 20 frames"),
        (TRUTH.replace("13,10,20,20", "13;ten;20;20"), r"bike2\.txt, line 4: '13;ten;20;20' is not 4 numbers"),
        (TRUTH.replace("13,10,20,20", "13,10,20"), "line 4: '13,10,20' is not 4 numbers"),
        ("", "is empty"),
    ],
)
def test_damaged_result_is_left_out_and_named(uav, put, tmp_path, text, message):
    put("Good/bike2.txt", text)
    found = score_tracker(tmp_path / "Good", uav)
    assert sorted(found.sequences) == ["bike1", "bird1_1"]
    (problem,) = own_problems(found, uav)
    assert problem.startswith("bike2: ")
    assert re.search(message, problem)


def test_names_and_files_that_do_not_fit(uav, put, tmp_path):
    put("Good/bike99.txt")
    put("Good/bike2.csv")
    (tmp_path / "Good/bird1_1.txt").unlink()
    found = score_tracker(tmp_path / "Good", uav)
    assert sorted(found.sequences) == ["bike1"]
    unknown, missing, twice = own_problems(found, uav)
    assert unknown.startswith("bike99.txt in")
    assert missing.startswith("bird1_1: there is no result")
    assert "bike2.csv" in twice
    assert "bike2.txt are both results" in twice


def test_strict_refuses(uav, put, tmp_path):
    full = type(uav)(uav.dataset, uav.root, uav.sequences, uav.official, uav.related, [])
    assert len(score_tracker(tmp_path / "Good", full, strict=True).sequences) == 3
    put("Good/bike2.txt", "1,2\n")
    with pytest.raises(PgnetError, match=r"Good: bike2: .*bike2\.txt has 2 numbers .* without --strict"):
        score_tracker(tmp_path / "Good", full, strict=True)


def test_missing_last_rows_are_counted_but_noted(uav, put, tmp_path):
    put("Good/bike1.txt", TRUTH[: -2 * len("29,10,20,20\n")])
    found = score_tracker(tmp_path / "Good", uav)
    assert len(found.sequences) == 3
    assert "has 18 rows for 20 frames" in found.notes[0]


def test_a_result_of_another_sequence_is_noted(uav, put, tmp_path):
    put("Good/bike1.txt", TRUTH.replace(",10,20,20", ",400,20,20"))
    assert "starts far from the ground truth" in score_tracker(tmp_path / "Good", uav).notes[0]


def test_nothing_left(uav, put, tmp_path):
    for name in ("bike1", "bike2", "bird1_1"):
        put(f"Good/{name}.txt", "x")
    with pytest.raises(PgnetError, match=r"Nothing in .* can be scored"):
        score_tracker(tmp_path / "Good", uav)


def test_two_trackers_of_one_name(uav, put, tmp_path):
    put("other/Good/bike1.txt")
    with pytest.raises(PgnetError, match="Two folders are called Good"):
        score_trackers([tmp_path / "Good", tmp_path / "other/Good"], uav)


@pytest.mark.parametrize(("convention", "dataset"), [("got10k", "vot2018"), ("pysot", "trackingnet"), ("x", "lasot")])
def test_convention_that_does_not_fit(uav, tmp_path, convention, dataset):
    other = type(uav)(dataset, uav.root, uav.sequences, uav.official, uav.related, [])
    with pytest.raises(PgnetError, match=r"choose official|no convention 'x'"):
        score_tracker(tmp_path / "Good", other, convention)


def test_runs_of_got10k_are_pooled(put, tmp_path):
    truth = {f"{i + 1:08d}": [10 + i, 10, 30 + i, 30] for i in range(20)}
    put("val.json", json.dumps({"GOT-10k_Val_000001": truth}))
    folder = "Mine/GOT-10k_Val_000001/GOT-10k_Val_000001"
    put(f"{folder}_001.txt")
    put(f"{folder}_002.txt", TRUTH.replace(",10,20,20", ",300,20,20"))
    found = score_tracker(tmp_path / "Mine", read_annotations("got10k-val", tmp_path))
    assert found.values == {"ao": 0.5, "sr50": 0.5, "sr75": 0.5}
    assert "sizes of the frames are not known" in found.notes[1]  # after the note on the second run's start


def test_trackingnet_counts_what_is_missing_as_zeros(tmp_path):
    for name, sequences in (("truth", ("a_0", "b_1")), ("Mine", ("a_0",))):
        with zipfile.ZipFile(tmp_path / f"{name}.zip", "w") as file:
            for sequence in sequences:
                file.writestr(f"{sequence}.txt", TRUTH.replace(",10,20,20", ",400,20,20"))
    found = score_tracker(tmp_path / "Mine.zip", read_annotations("trackingnet", tmp_path / "truth.zip"))
    # The first row is the truth in every case.
    assert found.values["coverage"] == pytest.approx(100 * 21 / 40)
    assert found.values["precision"] == pytest.approx(100 * 21 / 40)
    assert "b_1: There is no result of it. It counts as zeros" in found.problems[0]


@pytest.fixture
def vot(put, tmp_path):
    entry = {"gt_rect": [[10, 10, 20, 20]] * 120, "width": 64, "height": 48, "occlusion": [1] * 120}
    put("VOT2018.json", json.dumps({"bag": entry, "ball": entry}))
    for name in ("bag", "ball"):
        for run in ("001", "002"):
            put(f"Mine/baseline/{name}/{name}_{run}.txt", "1\n" + "10,10,20,20\n" * 119)
    return read_annotations("vot2018", tmp_path)


def test_vot_takes_the_first_of_fewer_than_15_runs(vot, put, tmp_path):
    put("Mine/baseline/bag/bag_002.txt", "1\n" + "2\n" * 119)
    found = score_tracker(tmp_path / "Mine", vot)
    assert found.values == {"eao": 1, "accuracy": 1, "robustness": 0, "lost": 0}
    assert found.attributes["occlusion"] == {"eao": 1, "accuracy": 1}
    assert found.sequences["bag"] == {"accuracy": 1, "failures": 0}


def test_vot_result_of_another_length_is_left_out(vot, put, tmp_path):
    put("Mine/baseline/bag/bag_001.txt", "1\n")
    found = score_tracker(tmp_path / "Mine", vot)
    assert list(found.sequences) == ["ball"]
    assert "1 result rows do not belong to 120 frames" in found.problems[0]


def test_boxes_of_one_sequence(uav, vot, put, tmp_path):
    assert result_boxes(tmp_path / "Bad", uav, "bike1")[5].tolist() == [300, 10, 20, 20]
    boxes = result_boxes(tmp_path / "Mine", vot, "bag")
    assert np.isnan(boxes[0]).all()
    assert boxes[1].tolist() == [10, 10, 20, 20]
