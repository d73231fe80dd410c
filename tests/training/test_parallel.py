"""Two processes train as one does."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from pgnet.training.parallel import SyncedBatchNorm, synchronise

RECIPE = """
model = "pgnet-lite"
data = "{data}"
steps = 3
batch = 4
warmup = 1
train_blocks = [3]
unfreeze = 1
workers = 0
validate_every = 3
validation_pairs = 4

[pairs]
search_size = 143
shift = 8
"""


@pytest.mark.skipif(not torch.distributed.is_available(), reason="this torch has no distributed package")
def test_two_processes_take_the_steps_of_one(training_root: Path, tmp_path: Path) -> None:
    """Block 3 is unfrozen on the way, so its gradients have to be averaged as well."""
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(RECIPE.format(data=training_root))
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    # `python -m pgnet` keeps the processes' import paths; one thread each, as torchrun sets it.
    for name, launcher in (("one", []), ("two", torchrun)):
        command = [sys.executable, *launcher, "-m", "pgnet", "train", str(recipe), "--out", str(tmp_path / name)]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            timeout=240,
        )
        assert done.returncode == 0, done.stderr
    one, two = (load_file(tmp_path / name / "average.safetensors") for name in ("one", "two"))
    records = [
        [json.loads(line) for line in (tmp_path / name / "log.jsonl").read_text().splitlines()]
        for name in ("one", "two")
    ]
    losses = [[r["loss"] for r in run if "loss" in r] for run in records]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    initial = [key for key in one if torch.equal(one[key], two[key])]
    assert len(initial) < len(one)  # rounding differs somewhere, or nothing was compared
    # Adam's first steps are the signs of the gradients: a gradient that is not averaged shows at once.
    for key, value in one.items():
        assert (value - two[key]).abs().mean() < 2e-3 * value.abs().mean() + 1e-5, key


def test_batch_norm_of_one_process_is_the_usual_one() -> None:
    plain, x = nn.BatchNorm2d(3), torch.randn(4, 3, 5, 5)
    net = nn.Sequential(nn.BatchNorm2d(3))
    synchronise(net)
    assert isinstance(net[0], SyncedBatchNorm)
    assert torch.equal(net(x), plain(x))
    assert net.state_dict().keys() == nn.Sequential(plain).state_dict().keys()
