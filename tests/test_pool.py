import importlib
import os
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from pgnet.errors import PgnetError
from pgnet.pool import Failure, run_all


@pytest.fixture
def work(monkeypatch):
    """A module that other processes can import too."""
    monkeypatch.syspath_prepend(Path(__file__).parent)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    return importlib.import_module("pool_work")


@pytest.mark.parametrize("workers", [1, 2])
def test_outcomes_and_failures(work, workers):
    outcomes = dict(run_all(work.square, [2, 3, 4, 5], workers=workers))
    assert (outcomes[0], outcomes[3]) == (4, 25)
    assert outcomes[1] == Failure("Three cannot be squared.")
    assert outcomes[2].message.startswith("ZeroDivisionError: four (pool_work.py, line ")


def test_several_processes_that_are_others(work):
    processes = set(dict(run_all(work.die, [(Path("none"), i) for i in range(6)], workers=2)).values())
    assert os.getpid() not in processes
    assert len(processes) <= 2


def test_an_item_whose_process_dies_is_tried_again(work, tmp_path):
    once, twice = tmp_path / "once", tmp_path / "twice"
    once.write_text("1")
    twice.write_text("2")
    items = [(once, 0), (twice, 1), (tmp_path / "never", 2)]
    outcomes = dict(run_all(work.die, items, workers=2))
    assert isinstance(outcomes[0], int) and isinstance(outcomes[2], int)
    assert outcomes[1] == Failure("Its process died twice (exit code 9).")


@pytest.mark.parametrize("workers", [1, 2])
def test_progress(work, workers):
    told = []
    dict(run_all(work.report_twice, ["a", "b"], workers=workers, progress=lambda *args: told.append(args)))
    assert {(0, 2), (1, 2)} <= set(told)


def test_leaving_early_ends_the_processes(work, tmp_path):
    outcomes = run_all(work.die, [(tmp_path / "none", i) for i in range(50)], workers=2)
    _, process = next(outcomes)
    outcomes.close()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_ray_that_is_not_there(work, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(PgnetError, match=r"--ray needs Ray: install the extra with pip install 'pgnet\[ray\]'"):
        dict(run_all(work.square, [1], ray="auto"))


def test_ray_goes_on_when_a_worker_is_killed(work, tmp_path):
    pytest.importorskip("ray", reason="Ray is not installed")
    if (os.cpu_count() or 1) < 2:
        pytest.skip("two workers need two cores")
    try:
        outcomes = dict(run_all(work.kill_one_worker, [(tmp_path, i) for i in range(5)], ray="local"))
    except PgnetError as error:
        if "timed out" in str(error):
            pytest.skip("Ray did not start in time: the machine is busy")
        raise
    assert (tmp_path / "killed").exists()
    assert {i: outcomes[i] for i in (0, 1, 3, 4)} == {0: 0, 1: 10, 3: 30, 4: 40}
    assert outcomes[2] == Failure("Two cannot be done.")


@pytest.mark.skipif(sys.platform == "win32", reason="processes are ended there without a word")
def test_a_process_that_is_stopped_takes_away_what_is_half_written(work, tmp_path):
    items = [tmp_path / "a", tmp_path / "quick"]
    items[0].mkdir()
    with closing(run_all(work.write_slowly, items, workers=2)) as outcomes:
        assert next(outcomes)[0] == 1, "the other one has no folder to write into"
        while not (items[0] / "begun").exists():
            time.sleep(0.05)
    assert [path.name for path in items[0].iterdir()] == ["begun"]
