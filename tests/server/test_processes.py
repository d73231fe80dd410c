import importlib
import sys
import threading
import time
from pathlib import Path

import pytest

from pgnet.errors import PgnetError
from pgnet.server.processes import Process, Report, Result


@pytest.fixture(scope="module")
def work():
    """A module that other processes can import too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parent)
        patch.setenv("PYTHONPATH", str(Path(__file__).parent))
        yield importlib.import_module("process_work")


@pytest.fixture(scope="module")
def process(work):
    made = Process("The worker", 2 << 30)
    yield made
    made.stop()


def test_a_process_answers_and_keeps_what_work_leaves(process, work):
    first = process.call(work.add, 1, 2, seconds=60)
    assert process.call(work.add, 3, 4, seconds=60) == (7, first[1] + 1)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("input", "The file is damaged."),
        ("bug", r"ZeroDivisionError: four \(process_work.py, line"),
        ("missing", "No such file"),
        pytest.param(
            "memory",
            "needs more memory",
            marks=pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits a process's memory"),
        ),
        ("death", r"The worker's process died \(exit code 3\)"),
    ],
)
def test_errors_and_deaths_are_said_and_the_next_work_goes_on(process, work, kind, said):
    with pytest.raises(PgnetError, match=said):
        process.call(work.fail, kind, seconds=60)
    assert process.call(work.add, 1, 1, seconds=60)[0] == 2


def test_work_that_hangs_is_ended(process, work):
    process.call(work.add, 1, 1, seconds=60)
    begin = time.monotonic()
    with pytest.raises(PgnetError, match=r"said nothing for 0\.5 s"):
        process.call(work.sleep, 600, seconds=0.5)
    assert time.monotonic() - begin < 60
    assert process.call(work.add, 1, 1, seconds=60)[0] == 2


def test_reports_come_on_the_way_and_work_can_be_stopped(process, work):
    assert list(process.run(work.count, 3, seconds=60)) == [Report(0), Report(1), Report(2), Result("whole")]
    stop = threading.Event()
    said = []
    for item in process.run(work.count, 10**6, seconds=60, stop=stop):
        said.append(item)
        stop.set()
    assert said[-1] == Result("stopped")
    assert process.call(work.add, 1, 1, seconds=60)[0] == 2, "the same process takes the next work"
