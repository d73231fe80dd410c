import json

import pytest

from pgnet.cli import main

TRUTH = "".join(f"{10 + i},10,20,20\n" for i in range(20))
LOST = "".join(f"{10 + i if i < 5 else 300},10,20,20\n" for i in range(20))


@pytest.fixture
def uav(tmp_path):
    """A folder of annotations, and the results of two trackers."""
    for folder, text in (("anno", TRUTH), ("Good", TRUTH), ("Bad", LOST)):
        (tmp_path / folder).mkdir()
        for name in ("bike1", "bike2", "bike3"):
            (tmp_path / folder / f"{name}.txt").write_text(text)
    (tmp_path / "att").mkdir()
    (tmp_path / "att/bike1.txt").write_text("1,0,0,0,0,0,0,0,0,0,0,0")
    return tmp_path


def score(root, *more):
    return main(
        ["score", str(root / "Bad"), str(root / "Good"), "--dataset", "uav123", "--annotations", str(root), *more]
    )


def test_best_tracker_first_and_what_is_missing_loudly(uav, capsys):
    assert score(uav) == 0
    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert lines[0] == "uav123, official convention"
    assert lines[2].split() == ["Good", "0.95238", "1.00000", "1.00000", "3/123"]
    assert lines[3].split()[:3] == ["Bad", "0.23810", "0.25000"]
    assert "WARNING: no tracker is scored on all of uav123" in said.err
    assert "there is no annotation" in said.err


def test_json_has_everything(uav, tmp_path, capsys):
    out = tmp_path / "scores.json"
    assert score(uav, "--as", "got10k", "--json", str(out)) == 0
    record = json.loads(out.read_text())
    assert (record["dataset"], record["convention"]) == ("uav123", "got10k")
    assert list(record["trackers"]) == ["Good", "Bad"]
    good = record["trackers"]["Good"]
    assert good["success_auc"] == pytest.approx(20 / 21)
    assert good["normalized_precision_mean"] == 1
    assert good["sequences"]["bike2"]["precision20"] == 1
    assert good["attributes"]["SV"]["precision20"] == 1
    assert good["sequences_scored"] == 3
    assert len(good["curves"]["success_auc"][1]) == 21
    assert good["problems"]


def test_parts_and_statistics(uav, capsys):
    assert score(uav, "--per-sequence", "--per-attribute", "--statistics") == 0
    said = capsys.readouterr().out
    assert "Success AUC by sequence" in said
    assert any(line.split() == ["bike2", "0.95238", "0.23810"] for line in said.splitlines())
    assert any(line.split() == ["SV", "0.95238", "0.23810"] for line in said.splitlines())
    assert "95% interval" in said
    bad = next(line for line in said.splitlines()[::-1] if line.startswith("Bad")).split()
    assert bad[1:5] == ["0.2381", "0.2381", "0.2381", "0.7143"]
    assert bad[6:] == ["0", "3"]


def test_one_tracker_has_all_its_scores_in_the_table(uav, capsys):
    results = ["score", str(uav / "Good"), "--dataset", "uav123", "--annotations", str(uav), "--per-sequence"]
    assert main(results) == 0
    assert any(
        line.split() == ["bike1", "0.95238", "1.00000", "1.00000"] for line in capsys.readouterr().out.splitlines()
    )


def test_damaged_result_is_named(uav, capsys):
    (uav / "Bad/bike2.txt").write_text("1,2,3,4\n1,2,3\n")
    assert score(uav) == 0
    said = capsys.readouterr()
    assert "2/123" in said.out
    assert "WARNING: Bad is not scored on all of uav123 (2 of 123 sequences count):" in said.err
    assert "bike2.txt, line 2: '1,2,3' is not 4 numbers" in said.err
    assert score(uav, "--strict") == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--as", "mine"], "no convention 'mine'"),
        (["--dataset", "coco"], "no scores for 'coco'"),
        (["--dataset", "lasot"], "no annotation of lasot"),
        (["--annotations", "nowhere"], "does not exist"),
        (["--json", "nowhere/x.json"], "does not exist"),
    ],
)
def test_what_is_wrong_is_one_sentence(uav, capsys, arguments, message):
    assert score(uav, *arguments) == 2
    said = capsys.readouterr().err
    assert message in said
    assert len(said.splitlines()) == 1
