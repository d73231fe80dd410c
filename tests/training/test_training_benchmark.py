"""benchmarks/training.py runs; its speeds are not judged."""

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "benchmarks/training.py"


def test_measures_loader_and_step(training_root: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "tiny.toml"
    recipe.write_text(
        f'model = "pgnet-lite"\ndata = "{training_root.as_posix()}"\nbatch = 2\nworkers = 0\ntrain_blocks = [3]\n'
        "[pairs]\nsearch_size = 143\nshift = 8\n"
    )
    command = [sys.executable, SCRIPT, recipe, "--steps", "1", "--json", tmp_path / "out.json"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    numbers = json.loads((tmp_path / "out.json").read_text())
    assert numbers["loader"]["pairs_per_s"] > 0 and numbers["flops_per_pair"] > 1e9
    assert [step["variant"] for step in numbers["steps"]] == ["plain", "fused optimizer"]
