import zipfile
from pathlib import Path

import numpy as np
import pytest

from pgnet.errors import PgnetError
from pgnet.evaluation.raw import TextFile, find_results, read_result, read_seconds, read_vot_result

BOXES = "1,2,3,4\n5,6,7,8\n"


@pytest.fixture
def put(tmp_path):
    def write(path, text=BOXES):
        file = tmp_path / "TRACKER" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    return write


def names(root, sequences):
    found = find_results(root, sequences)
    return {name: sorted(file.path.name for file in files) for name, files in found.boxes.items()}


@pytest.mark.parametrize(
    ("path", "sequence"),
    [
        ("Basketball.txt", "Basketball"),
        ("basketball.txt", "Basketball"),
        ("jogging_1.txt", "Jogging-1"),
        ("Jogging.1.txt", "Jogging-1"),
        ("jogging1.txt", "Jogging-1"),
        ("Human4.txt", "Human4-2"),
        ("human4_2.csv", "Human4-2"),
        ("uav_bike1.txt", "bike1"),
        ("uav_car1_1.txt", "car1_1"),
        ("lasot/airplane-1.txt", "airplane-1"),
        ("airplane-1/airplane-1_001.txt", "airplane-1"),
        ("airplane-1/boxes.txt", "airplane-1"),
        ("baseline/ants1/ants1_001.txt", "ants1"),
        ("GOT-10k_Val_000001/GOT-10k_Val_000001_001.txt", "GOT-10k_Val_000001"),
    ],
)
def test_file_belongs_to_its_sequence(put, tmp_path, path, sequence):
    put(path)
    known = ["Basketball", "Jogging-1", "Jogging-2", "Human4-2", "bike1", "car11", "car1_1", "airplane-1", "ants1"]
    assert names(tmp_path / "TRACKER", [*known, "GOT-10k_Val_000001"]) == {sequence: [Path(path).name]}


def test_only_the_baseline_experiment_of_vot_counts(put, tmp_path):
    put("baseline/bag/bag_001.txt")
    put("unsupervised/bag/bag_001.txt")
    found = find_results(tmp_path / "TRACKER", ["bag"])
    assert [file.path.parts[-3] for file in found.boxes["bag"]] == ["baseline"]
    assert found.tracker == "TRACKER"


def test_times_and_unknown_files(put, tmp_path):
    for path in ("dog-1.txt", "dog-1_time.txt", "times/cat-2_time.txt", "cat-2.txt", "nothing.txt", "dog-3.txt"):
        put(path)
    put(".hidden.txt")
    put("dog-9.json")
    found = find_results(tmp_path / "TRACKER", ["dog-1", "cat-2"], ["dog-1", "dog-3"])
    assert sorted(found.times) == ["cat-2", "dog-1"]
    assert [file.path.name for file in found.unknown] == ["nothing.txt"]


def test_zip_archive(tmp_path):
    archive = tmp_path / "Mine.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("results/dog-1.txt", BOXES)
        file.writestr("__MACOSX/results/dog-1.txt", "junk")
    found = find_results(archive, ["dog-1"])
    assert found.tracker == "Mine"
    assert read_result(found.boxes["dog-1"][0]).tolist() == [[1, 2, 3, 4], [5, 6, 7, 8]]


def test_what_is_wrong_with_a_folder(put, tmp_path):
    with pytest.raises(PgnetError, match="do not exist"):
        find_results(tmp_path / "nowhere", ["dog"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(PgnetError, match="has no results"):
        find_results(tmp_path / "empty", ["dog"])
    file = put("ants1.txt")
    with pytest.raises(PgnetError, match="give the folder"):
        find_results(file, ["dog"])
    with pytest.raises(PgnetError, match=r"None of the 1 files .*ants1\.txt.*such as dog\)"):
        find_results(tmp_path / "TRACKER", ["dog"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "dog.txt is empty"),
        ("1,2,3,4\n\n1,2,x,4\n", r"dog\.txt, line 3: '1,2,x,4' is not 4 numbers"),
        ("1,2,3,4\n1,2,3\n", r"dog\.txt, line 2: '1,2,3' is not 4 numbers"),
        ("1,2,3,4\n1,2+3i,3,4\n", "line 2"),
        ("1,2,3,4,5\n", "has 5 numbers on a line; a result has four"),
    ],
)
def test_damaged_lines_are_named(put, text, message):
    with pytest.raises(PgnetError, match=message):
        read_result(TextFile(None, put("dog.txt", text)))


def test_bytes_that_are_no_text(put):
    file = put("dog.txt")
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PgnetError, match=r"dog\.txt cannot be read"):
        read_result(TextFile(None, file))


def test_vot_rows(put):
    rows = read_vot_result(TextFile(None, put("a.txt", "1\n1,2,3,4\n2\n0\n1,1,5,1,5,5,1,5\n")))
    assert [len(row) for row in rows] == [1, 4, 1, 1, 8]
    with pytest.raises(PgnetError, match=r"a\.txt, line 2: '1,2,3' is no code"):
        read_vot_result(TextFile(None, put("a.txt", "1\n1,2,3\n")))


def test_times_of_several_runs(put):
    seconds = read_seconds(TextFile(None, put("a_time.txt", "0.5,9\nNaN,9\n0.25,9\n0,9\n")))
    assert seconds.tolist() == [0.5, 0.25]


def write_mat(path, **run):
    io = pytest.importorskip("scipy.io")
    cell = np.empty((1, 1), object)
    cell[0, 0] = run
    path.parent.mkdir(exist_ok=True)
    io.savemat(path, {"results": cell})
    return path


def test_matlab(tmp_path):
    folder = tmp_path / "KCF_GaussHog"
    write_mat(folder / "Jogging.1_KCF_GaussHog.mat", type="rect", res=np.array([[1.5, 2, 3, 4]]), len=1.0)
    found = find_results(folder, ["Jogging-1", "Jogging-2"])
    assert read_result(found.boxes["Jogging-1"][0]).tolist() == [[1.5, 2, 3, 4]]
    with zipfile.ZipFile(tmp_path / "KCF.zip", "w") as file:
        file.write(folder / "Jogging.1_KCF_GaussHog.mat", "Jogging.1_KCF.mat")
    assert len(read_result(find_results(tmp_path / "KCF.zip", ["Jogging-1"]).boxes["Jogging-1"][0])) == 1


UPRIGHT = [[[10, 10, 39, 39], [20, 59, 59, 20]]]
TURNED = [[[10.4, 30, 50.6, 31], [20, 0.5, 20, 40]]]


@pytest.mark.parametrize(
    ("kind", "rows", "size", "box"),
    [
        ("4corner", UPRIGHT, (), [10, 20, 30, 40]),
        ("affine", TURNED, (), [10, 1, 41, 41]),  # 0.5 goes away from zero, 41.2 and 40.5 to the nearest
        ("ivtAff", [[30.7, 50.2, 2, 0, 0, 3]], (10, 20), [20, 20, 20, 60]),  # twice as wide, three times as high
        ("L1Aff", [[2, 0, 0, 3, 40.4, 60.6]], (10, 20), [64, 42, 58, 19]),  # rows first, template 10 high and 20 wide
        ("LK_Aff", [[[1, 0, 5], [0, 0.5, 7]]], (10, 20), [7, 9, 39, 15]),  # 1 is added to both scales
        ("SIMILARITY", [[2, np.pi / 2, 100, 50]], (10, 20), [80, 52, 19, 39]),  # a quarter turn
    ],
)
def test_matlab_regions_that_are_no_rectangles(tmp_path, kind, rows, size, box):
    rows = np.concatenate([np.atleast_2d(row) for row in np.array(rows, float)] * 2)
    path = write_mat(tmp_path / "a.mat", type=kind, res=rows, **({"tmplsize": np.array([size], float)} if size else {}))
    assert read_result(TextFile(None, path)).tolist() == [box] * 2


@pytest.mark.parametrize(
    "run",
    [
        {"type": "sausage", "res": np.ones((3, 4))},
        {"type": "ivtAff", "res": np.ones((3, 6))},  # without template
        {"type": "4corner", "res": np.ones((3, 4))},  # half a frame
        {"type": "rect", "res": np.ones((3, 5))},
    ],
)
def test_matlab_regions_that_nobody_scores(tmp_path, run):
    file = TextFile(None, write_mat(tmp_path / "a.mat", **run))
    with pytest.raises(
        PgnetError, match=rf"type '{run['type']}' in an array of 3 x \d, which the OTB toolkit does not"
    ):
        read_result(file)


@pytest.mark.parametrize("content", [b"", b"MATLAB 5.0 MAT-file", b"x" * 300])
def test_matlab_files_that_are_none(tmp_path, content):
    pytest.importorskip("scipy.io")
    (tmp_path / "a.mat").write_bytes(content)
    with pytest.raises(PgnetError, match=r"a\.mat is no result of the OTB toolkit"):
        read_result(TextFile(None, tmp_path / "a.mat"))
    __import__("scipy.io").io.savemat(tmp_path / "a.mat", {"other": 1})
    with pytest.raises(PgnetError, match="no result of the OTB toolkit"):
        read_result(TextFile(None, tmp_path / "a.mat"))


def test_matlab_needs_scipy(put, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "scipy.io", None)
    with pytest.raises(PgnetError, match=r"pgnet\[matlab\]"):
        read_result(TextFile(None, put("a.mat")))
