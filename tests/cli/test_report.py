import sys

import pytest

from pgnet.cli import main

BOXES = "".join(f"{10 + i},10,20,20\n" for i in range(20))


@pytest.fixture
def arguments(tmp_path):
    for folder in ("anno", "Mine"):
        (tmp_path / folder).mkdir()
        for name in ("bike1", "bike2"):
            (tmp_path / folder / f"{name}.txt").write_text(BOXES)
    out = tmp_path / "report"
    results = str(tmp_path / "Mine")
    return ["report", results, "--dataset", "uav123", "--annotations", str(tmp_path / "anno"), "--out", str(out)]


def test_report_and_no_second_one_over_it(arguments, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    pytest.importorskip("jinja2")
    assert main(arguments) == 0
    said = capsys.readouterr()
    assert f"Wrote {tmp_path / 'report' / 'index.html'}" in said.out
    assert "WARNING" in said.err
    assert (tmp_path / "report/scores.tex").is_file()
    assert main(arguments) == 2
    assert "--overwrite" in capsys.readouterr().err


@pytest.mark.parametrize("library", ["matplotlib", "jinja2"])
def test_missing_library_is_named(arguments, tmp_path, monkeypatch, capsys, library):
    for name in [
        name for name in sys.modules if name.partition(".")[0] == library or name == "pgnet.evaluation.report"
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.delitem(sys.modules, "pgnet.evaluation.plots", raising=False)
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert f"needs {library}: install the extra with pip install 'pgnet[report]'" in said
    assert not (tmp_path / "report").exists()


def test_nothing_is_written_for_bad_input(arguments, tmp_path, capsys):
    (tmp_path / "Mine/bike1.txt").write_text("x")
    assert main([*arguments, "--strict"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not (tmp_path / "report").exists()
