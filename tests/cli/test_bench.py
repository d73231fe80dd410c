import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from pgnet.cli import main


@pytest.fixture
def otb(tmp_path, monkeypatch):
    """Two sequences in OTB's layout, and a module with trackers."""
    picture = np.random.default_rng(0).integers(0, 255, (60, 80, 3), np.uint8)
    for name, length in (("Dog", 4), ("Deer", 3)):
        folder = tmp_path / "otb" / name / "img"
        folder.mkdir(parents=True)
        for i in range(length):
            cv2.imwrite(str(folder / f"{i + 1:04d}.jpg"), picture)
        (folder.parent / "groundtruth_rect.txt").write_text("11,11,20,20\n" * length)
    (tmp_path / "bench_trackers.py").write_text(
        "class Still:\n"
        "    def init(self, image, box):\n        self.box, self.frames = box, 1\n"
        "    def update(self, image):\n        self.frames += 1\n        return self.box\n"
        "class Late(Still):\n"
        "    def update(self, image):\n"
        "        super().update(image)\n"
        "        return self.box if self.frames < 4 else [1 / 0]\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    return "otb"


def test_writes_raw_results_and_says_so(otb, capsys):
    assert main(["bench", "OTB100", "--root", otb, "--tracker", "bench_trackers:Still", "--out", "res"]) == 0
    assert capsys.readouterr().out == f"Wrote the raw results of 2 sequences to {Path('res/Still')}.\n"
    assert Path("res/Still/Dog.txt").read_text() == "11.0000,11.0000,20.0000,20.0000\n" * 4
    assert json.loads(Path("res/Still/run.json").read_text())["status"] == "complete"


def test_default_folder_and_choice_of_sequences(otb, capsys):
    assert main(["bench", "otb100", "--root", otb, "--tracker", "bench_trackers:Still", "--sequences", "dog"]) == 0
    names = sorted(path.name for path in Path("pgnet-bench/otb100/Still").iterdir())
    assert names == ["Dog.txt", "Dog_time.txt", "run.json"]


def test_failures_are_listed_at_the_end(otb, capsys):
    assert main(["bench", "otb100", "--root", otb, "--tracker", "bench_trackers:Late", "--out", "res"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert said[0].startswith("Dog: ZeroDivisionError: division by zero (bench_trackers.py, line ")
    assert said[1] == "1 of 2 sequences failed (Dog); the others are done."
    assert Path("res/Late/Deer.txt").is_file()


def test_interrupted(otb, capsys, monkeypatch):
    def stop(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("pgnet.evaluation.bench.Benchmark.run", stop)
    assert main(["bench", "otb100", "--root", otb, "--tracker", "bench_trackers:Still", "--out", "res"]) == 130
    assert "the same command goes on from there" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["otb1000", "--root", "otb"], "no data set 'otb1000'"),
        (["lasot", "--root", "otb"], "does not hold LaSOT"),
        (["otb100", "--root", "nowhere"], "does not exist"),
        (["otb100", "--root", "otb", "--sequences", "Cat"], "no sequence Cat"),
        (["otb100", "--root", "otb", "--model", "pgnet-huge"], "no model 'pgnet-huge'"),
        (["otb100", "--root", "otb", "--tracker", "nowhere:Mine"], "cannot be imported"),
        (["otb100", "--root", "otb", "--tracker", "kcf", "--out", "otb/Dog/img"], None),
        (["otb100"], "--root"),
    ],
)
def test_what_is_wrong(otb, capsys, arguments, says):
    if says is None:
        Path("otb/Dog/img/kcf").touch()
        says = "is no folder of a benchmark"
    assert main(["bench", *arguments]) == 2
    said = capsys.readouterr()
    assert says in said.err
    assert len(said.err.splitlines()) == 1
    assert said.out == ""
