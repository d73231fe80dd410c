import json
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from pgnet.datasets import NumberedFrames, Sequence, read_otb, read_vot
from pgnet.errors import PgnetError
from pgnet.evaluation import layouts
from pgnet.evaluation.bench import Benchmark, TrackerChoice
from pgnet.models import resolve

pytestmark = pytest.mark.usefixtures("importable")


def choice(name: str) -> TrackerChoice:
    return TrackerChoice.of(f"trackers:{name}", 1)


def boxes(folder: Path) -> dict[str, bytes]:
    """The files that must not depend on how the run went."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*.txt")
        if not path.stem.endswith("_time")
    }


def manifest(folder: Path) -> dict:
    return json.loads((folder / "run.json").read_text())


@pytest.mark.parametrize("workers", [1, 2])
def test_raw_results_and_manifest(otb, tmp_path, workers):
    told = []
    benchmark = Benchmark("otb100", read_otb(otb), choice("Drifting"), tmp_path / "d")
    assert benchmark.remaining() == 19
    benchmark.run(workers=workers, progress=told.append)
    assert told[-1] == 19
    assert sorted(boxes(tmp_path / "d")) == ["Deer.txt", "Dog.txt", "Man.txt"]
    lines = (tmp_path / "d" / "Dog.txt").read_text().splitlines()
    assert lines[:2] == ["21.0000,31.0000,30.0000,30.0000", "22.2500,31.0000,30.0000,30.0000"]
    record = manifest(tmp_path / "d")
    assert record["status"] == "complete"
    assert (record["dataset"], record["tracker"], record["sha256"]) == ("otb100", "trackers:Drifting", None)
    assert record["options"]["workers"] == workers
    assert record["sequences"]["Deer"]["frames"] == 9
    assert record["sequences"]["Deer"]["fps"] > 0
    assert record["machine"]["cores"] >= 1


def test_what_is_there_is_not_done_again(otb, tmp_path):
    Benchmark("otb100", read_otb(otb, ["Dog"]), choice("Drifting"), tmp_path / "d").run()
    times = (tmp_path / "d" / "Dog_time.txt").read_bytes()
    again = Benchmark("otb100", read_otb(otb), choice("Drifting"), tmp_path / "d")
    assert again.remaining() == 13
    again.run()
    assert (tmp_path / "d" / "Dog_time.txt").read_bytes() == times
    assert again.remaining() == 0


def test_results_of_something_else_are_kept(otb, tmp_path):
    Benchmark("otb100", read_otb(otb, ["Dog"]), choice("Drifting"), tmp_path / "d").run()
    with pytest.raises(PgnetError, match="results of another run: not the same tracker; give another --out"):
        Benchmark("otb100", read_otb(otb), choice("Still"), tmp_path / "d")
    with pytest.raises(PgnetError, match="not the same dataset"):
        Benchmark("otb50", read_otb(otb), choice("Drifting"), tmp_path / "d")
    with pytest.raises(PgnetError, match="no folder of a benchmark"):
        Benchmark("otb100", read_otb(otb), choice("Drifting"), otb)


def test_a_model_is_known_by_its_checksum(otb, tmp_path):
    model = TrackerChoice.of("pgnet-lite", 1)
    assert model.sha256 == resolve("pgnet-lite").sha256
    benchmark = Benchmark("otb100", read_otb(otb, ["Man"]), model, tmp_path / model.name)
    benchmark.run()
    record = manifest(tmp_path / "pgnet-lite")
    assert (record["tracker"], record["sha256"]) == ("pgnet-lite", model.sha256)
    assert record["tracking"] == resolve("pgnet-lite").metadata["tracking"]
    stranger = TrackerChoice("pgnet-lite", 1, "0" * 64)
    other = Benchmark("otb100", read_otb(otb, ["Man"]), stranger, tmp_path / "other")
    other.run()
    assert "another one; install the same everywhere" in other.failures["Man"]


def test_one_failing_sequence_does_not_stop_the_others(otb, tmp_path):
    benchmark = Benchmark("otb100", read_otb(otb), choice("Failing"), tmp_path / "f")
    benchmark.run()
    assert list(benchmark.failures) == ["Deer"]
    assert "ZeroDivisionError: division by zero (trackers.py, line" in benchmark.failures["Deer"]
    assert sorted(boxes(tmp_path / "f")) == ["Dog.txt", "Man.txt"]
    assert manifest(tmp_path / "f")["status"] == "incomplete"


def test_a_process_that_dies_once_changes_nothing(otb, tmp_path, monkeypatch):
    monkeypatch.setenv("DYING", str(tmp_path / "times"))
    (tmp_path / "times").write_text("1")
    benchmark = Benchmark("otb100", read_otb(otb), choice("Dying"), tmp_path / "dying")
    benchmark.run(workers=2)
    assert benchmark.failures == {}
    Benchmark("otb100", read_otb(otb), choice("Still"), tmp_path / "still").run()
    assert boxes(tmp_path / "dying") == boxes(tmp_path / "still")


def test_a_killed_run_continues_and_gives_the_same_files(otb, tmp_path):
    folder = tmp_path / "killed" / "Slow"
    command = [sys.executable, "-m", "pgnet", "bench", "otb100", "--root", str(otb)]
    command += ["--tracker", "trackers:Slow", "--out", str(folder.parent), "--threads", "1"]
    process = subprocess.Popen(command)
    while not list(folder.glob("*_time.txt")):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)
    process.wait()
    done = boxes(folder)
    (folder / ".Man_time.77.part.txt").touch()  # what a kill while it is written leaves behind
    assert manifest(folder)["status"] == "running"
    assert 0 < len(done) < 3
    resumed = Benchmark("otb100", read_otb(otb), choice("Slow"), folder)
    assert resumed.remaining() < 19
    resumed.run()
    whole = Benchmark("otb100", read_otb(otb), choice("Slow"), tmp_path / "whole")
    whole.run(workers=2)
    assert boxes(folder) == boxes(tmp_path / "whole")
    assert done.items() <= boxes(folder).items()
    assert not list(folder.glob(".*"))  # no half-written file


class TestVot:
    @pytest.fixture
    def vot(self, otb, tmp_path):
        """Two sequences in VOT's layout, of the frames of OTB's."""
        root = tmp_path / "vot"
        for name, source in (("bag", "Deer"), ("book", "Man")):
            (root / name / "color").mkdir(parents=True)
            rows = []
            for i, line in enumerate((otb / source / "groundtruth_rect.txt").read_text().split()):
                shutil.copy(otb / source / "img" / f"{i + 1:04d}.png", root / name / "color" / f"{i + 1:08d}.png")
                x, y, w, h = np.array(line.split(","), float) - [1, 1, 0, 0]
                rows.append(f"{x},{y},{x + w},{y},{x + w},{y + h},{x},{y + h}")
            (root / name / "groundtruth.txt").write_text("\n".join(rows))
        (root / "list.txt").write_text("bag\nbook\n")
        return root

    def test_a_tracker_that_does_the_same_thrice_is_not_run_further(self, vot, tmp_path):
        benchmark = Benchmark("vot2018", read_vot(vot), choice("Escaping"), tmp_path / "e")
        benchmark.run()
        assert sorted(boxes(tmp_path / "e")) == [
            f"baseline/{name}/{name}_00{number}.txt" for name in ("bag", "book") for number in (1, 2, 3)
        ]
        codes = (tmp_path / "e/baseline/bag/bag_001.txt").read_text().split()
        assert codes[0] == "1" and "2" in codes and "0" in codes
        assert benchmark.remaining() == 0

    def test_others_are_run_fifteen_times(self, vot, tmp_path):
        Benchmark("vot2018", read_vot(vot, ["book"]), choice("Noisy"), tmp_path / "n").run()
        assert len(boxes(tmp_path / "n")) == 15
        times = (tmp_path / "n/baseline/book/book_time.txt").read_text().splitlines()
        assert len(times) == 4
        assert times[0].count(",") == 14

    def test_repetitions_may_be_given(self, vot, tmp_path):
        benchmark = Benchmark("vot2018", read_vot(vot, ["book"]), choice("Noisy"), tmp_path / "n", 2)
        benchmark.run()
        assert len(boxes(tmp_path / "n")) == 2
        assert benchmark.remaining() == 0


def test_zip_only_when_the_server_gets_all(otb, tmp_path, monkeypatch):
    def sequence(name):
        frames = NumberedFrames(otb / "Man" / "img", "{:04d}.png", range(1, 5))
        truth = np.full((4, 4), np.nan)
        truth[0] = [20, 30, 30, 30]
        return Sequence(name, frames, truth)

    layout = layouts.replace(layouts.LAYOUTS["got10k-test"], server=2)
    monkeypatch.setitem(layouts.LAYOUTS, "got10k-test", layout)
    names = ["GOT-10k_Test_000001", "GOT-10k_Test_000002"]
    one = Benchmark("got10k-test", [sequence(names[0])], choice("Drifting"), tmp_path / "d")
    one.run()
    assert one.write_zip() is None
    both = Benchmark("got10k-test", [sequence(name) for name in names], choice("Drifting"), tmp_path / "d")
    assert both.write_zip() is None
    both.run()
    path = both.write_zip()
    assert path == tmp_path / "d.zip"
    with zipfile.ZipFile(path) as file:
        wanted = [f"{name}/{name}_{end}.txt" for name in names for end in ("001", "002", "003", "time")]
        assert sorted(file.namelist()) == wanted
