"""Time `pgnet score` and `pgnet report` on raw results of LaSOT's size, which are made here.

    python benchmarks/scoring.py [--data FOLDER]

280 test sequences with 685,360 frames, ten trackers. Scoring is pinned to one core. Beside the time that passed stands
that of the processors, which other programs on the machine change less.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from pgnet.cli import run_script
from pgnet.datasets.lasot import TEST

FRAMES = 685_360
"""Of LaSOT's test set."""


def make(root: Path, trackers: int) -> None:
    """Write annotations in the layout of LaSOT's toolkit, and results that drift off in various ways."""
    rng = np.random.default_rng(1)
    share = rng.gamma(4, size=len(TEST))
    lengths = np.maximum(200, share / share.sum() * FRAMES).astype(int)
    for name, length in zip(TEST, lengths.tolist(), strict=True):
        steps = rng.normal(0, 4, (length, 2)).cumsum(axis=0)
        size = 60 + 30 * np.sin(np.arange(length) / 90)
        truth = np.column_stack([500 + steps[:, 0], 400 + steps[:, 1], size, 0.7 * size]).round()
        absent = (np.sin(np.arange(length) / 50 + rng.random()) > 0.97).astype(int)
        write(root / "annos" / f"{name}.txt", truth, "%d")
        write(root / "annos" / "absent" / f"{name}.txt", absent[:, None], "%d")
        write(root / "annos" / "att" / f"{name}.txt", rng.integers(0, 2, (1, 14)), "%d")
        for number in range(trackers):
            noise = rng.normal(0, 2 + number, (length, 4)) * [1, 1, 0.5, 0.5]
            lost = np.arange(length) > length * rng.random() * 2
            boxes = truth + noise + lost[:, None] * [300, 0, 0, 0]
            boxes[:, 2:] = np.maximum(boxes[:, 2:], 1)
            write(root / f"tracker-{number}" / f"{name}.txt", boxes, "%.4f")


def write(path: Path, rows: np.ndarray, form: str) -> None:
    """Comma-separated."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savetxt(path, rows, form, ",")


def measure(what: str, arguments: list[str], prepare: Callable[[], None] | None = None) -> None:
    """Run a `pgnet` command and print its time."""

    def processor() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    begin, before = time.perf_counter(), processor()
    command = [sys.executable, "-m", "pgnet", *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, preexec_fn=prepare)
    print(f"{what}: {time.perf_counter() - begin:.1f} s, {processor() - before:.1f} s of processor time")


def main(
    trackers: Annotated[int, typer.Option(min=1, help="How many trackers.")] = 10,
    data: Annotated[Path | None, typer.Option(help="Keep the raw results here, and use those that are there.")] = None,
) -> None:
    """Time scoring and reporting."""
    with tempfile.TemporaryDirectory() as name:
        root = data or Path(name) / "data"
        if not root.exists():
            make(root, trackers)
        results = [str(root / f"tracker-{number}") for number in range(trackers)]
        common = ["--dataset", "lasot", "--annotations", str(root)]
        one_core = f"pgnet score, one tracker on {len(TEST)} sequences, one core"
        measure(one_core, ["score", results[0], *common], lambda: os.sched_setaffinity(0, {0}))
        report = ["report", *results, *common, "--workers", "2", "--out", str(Path(name) / "report")]
        measure(f"pgnet report of {trackers} trackers, --workers 2", report)


if __name__ == "__main__":
    run_script(main)
