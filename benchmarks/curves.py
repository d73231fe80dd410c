"""Draw the training curves of one or more runs.

    python benchmarks/curves.py runs/pgnet-lite --out curves.png

Runs that continue one another are given in their order: the steps of each follow those of the one before.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from matplotlib.figure import Figure

from pgnet.cli import run_script
from pgnet.files import atomic
from pgnet.training.log import read_log

WINDOW = 50
"""Steps over which the training loss is averaged."""


def draw(runs: list[list[dict[str, float]]]) -> Figure:
    """Loss of training and validation on the left, IoU and share of hits on the right."""
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    first = 0.0
    for number, records in enumerate(runs):
        loss = np.array([(r["step"], r["loss"]) for r in records if "loss" in r])
        valid = np.array(
            [
                [r["step"], *(r[f"validation_{k}"] for k in ("loss", "iou", "hit"))]
                for r in records
                if "validation_iou" in r
            ]
        )
        mean = np.convolve(loss[:, 1], np.ones(WINDOW) / WINDOW, "valid")
        left.plot(first + loss[WINDOW - 1 :, 0], mean, color="tab:blue", label=f"training, mean of {WINDOW} steps")
        if len(valid):
            left.plot(first + valid[:, 0], valid[:, 1], "o-", ms=3, color="tab:orange", label="validation")
            right.plot(first + valid[:, 0], valid[:, 2], "o-", ms=3, color="tab:green", label="mean IoU")
            right.plot(first + valid[:, 0], valid[:, 3], "o-", ms=3, color="tab:red", label="share with IoU > 0.5")
        first += loss[-1, 0]
        if number == 0:
            left.legend(frameon=False)
            right.legend(frameon=False)
        if number + 1 < len(runs):
            left.axvline(first, color="grey", lw=0.7, ls=":")
            right.axvline(first, color="grey", lw=0.7, ls=":")
    left.set(xlabel="step", ylabel="loss")
    right.set(xlabel="step", ylabel="best-scored box, validation")
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def main(
    runs: Annotated[list[Path], typer.Argument(help="Folders of `pgnet train`, in order.")],
    out: Annotated[Path, typer.Option(help="A .png or .svg file.")],
) -> None:
    """Draw the training curves of one or more runs."""
    figure = draw([read_log(run) for run in runs])
    with atomic(out) as temporary:
        figure.savefig(temporary, dpi=110, format=out.suffix[1:])


if __name__ == "__main__":
    run_script(main)
