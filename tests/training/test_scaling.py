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

    def run(name: str, part: float, scores: dict[int, float]) -> Path:
        folder = tmp_path / name
        folder.mkdir(parents=True)
        (folder / "recipe.json").write_text(json.dumps({"steps": 400, "batch": 8, "part": part}))
        lines = [json.dumps({"step": step, "validation_iou": score}) for step, score in scores.items()]
        (folder / "log.jsonl").write_text("\n".join(lines))
        return folder

    whole = run("whole", 1, {steps: 0.7 - 0.1 * (steps / 400) ** -0.5 for steps in (50, 100, 200, 400)})
    command = [sys.executable, SCALING, whole, "--out", tmp_path / "c.png", "--data", training_root]
    for part in (0.25, 0.5, 1.0):
        command += ["--part", run(f"part {part}", part, {400: 0.7 - 0.1 * part**-0.5})]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "pairs seen: IoU = 0.700 - 0.100 (x / 3,200)^-0.50: 0.600 at 3,200, 0.629 at 6,400" in done.stdout
    assert "pictures: IoU =" in done.stdout and cv2.imread(str(tmp_path / "c.png")).shape[1] > 500
    (whole / "log.jsonl").write_text(json.dumps({"step": 20, "validation_iou": 0.4}))
    broken = subprocess.run(command, capture_output=True, text=True, check=False)
    assert broken.returncode == 2 and "not finished: it has no validation at step 400" in broken.stderr
