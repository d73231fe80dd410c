"""benchmarks/scaling.py: the curve of score against pairs and pictures."""

import json
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

SCALING = Path(__file__).parents[2] / "benchmarks/scaling.py"


def test_scaling_finds_the_power_law_of_finished_runs(training_root: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the report extra is not installed")
    runs = [(steps, 1.0) for steps in (50, 100, 200, 400)] + [(400, 0.5), (400, 0.25)]
    for number, (steps, part) in enumerate(runs):
        folder = tmp_path / f"runs/{number}"
        folder.mkdir(parents=True)
        (folder / "recipe.json").write_text(json.dumps({"steps": steps, "batch": 8, "part": part}))
        score = 0.7 - 0.1 * (steps * part / 400) ** -0.5
        (folder / "log.jsonl").write_text(json.dumps({"step": steps, "validation_iou": score}) + "\n")
    command = [sys.executable, SCALING, tmp_path / "runs", "--out", tmp_path / "c.png"]
    command += ["--data", training_root]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "pairs seen: IoU = 0.700 - 0.100 (x / 3,200)^-0.50: 0.600 at 3,200, 0.629 at 6,400" in done.stdout
    assert "pictures: IoU =" in done.stdout and cv2.imread(str(tmp_path / "c.png")).shape[1] > 500
    (tmp_path / "runs/0/log.jsonl").write_text(json.dumps({"step": 20, "validation_iou": 0.4}))
    broken = subprocess.run(command, capture_output=True, text=True, check=False)
    assert broken.returncode == 2 and "not finished: step 20 of 50" in broken.stderr
