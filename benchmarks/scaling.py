"""Fit and draw how a score grows with the pairs seen and with the number of pictures.

    python benchmarks/ablation.py benchmarks/scaling.toml --out runs/scaling
    python benchmarks/scaling.py runs/scaling --out docs/images/scaling.png

Reads finished runs (recipe.json and log.jsonl): those on all data give the first curve, those of the longest run's
steps the second. The curve is a - b x^-c (Hestness et al., 2017): a power law towards what cannot be passed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import typer
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.optimize import curve_fit

from pgnet.errors import PgnetError
from pgnet.files import atomic
from pgnet.training.recipe import DataSet
from pgnet.training.sources import read_sources

Array = NDArray[np.float64]


class Run(NamedTuple):
    """A finished run: pairs seen, share of the data, mean IoU on the validation split."""

    pairs: int
    part: float
    score: float


def read_run(folder: Path) -> Run:
    """Raises: PgnetError where the folder has no finished run."""
    try:
        recipe = json.loads((folder / "recipe.json").read_text())
        records = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
        last = [r for r in records if "validation_iou" in r][-1]
    except (OSError, ValueError, IndexError) as error:
        raise PgnetError(f"{folder} has no finished training run with a validation: {error}.") from error
    if last["step"] != recipe["steps"]:
        raise PgnetError(f"The run in {folder} is not finished: step {last['step']} of {recipe['steps']}.")
    return Run(recipe["steps"] * recipe["batch"], recipe["part"], last["validation_iou"])


def pictures(root: Path, part: float) -> int:
    """Photographs, stills and frames of videos that are trained on, each counted once."""
    sources = read_sources([DataSet(root)], part=part)[0][0]
    paths = {target.path for targets in sources.stills.values() for target in targets}
    paths |= {path for photos in sources.photos.values() for path in photos}
    return len(paths) + sum(len(video) for videos in sources.videos.values() for video in videos)


def power_law(x: Array, a: float, b: float, c: float) -> Array:
    """Towards `a`; `x` in units of its largest value."""
    return a - b * x**-c


def fit(x: Array, score: Array) -> Array:
    """a, b, c of the power law, b and c not negative and a at most 1; x in units of its largest value."""
    start, bounds = (score.max(), 0.05, 0.5), ([0, 0, 0.05], [1, 1, 3])
    return np.asarray(curve_fit(power_law, x / x.max(), score, p0=start, bounds=bounds)[0])


def draw(axes: Axes, x: Array, score: Array, unit: str) -> str:
    """Points and curve, continued to four times the largest x; a sentence that tells the curve."""
    a, b, c = fit(x, score)
    line = np.geomspace(x.min(), 4 * x.max(), 100)
    axes.semilogx(x, score, "o", color="tab:blue")
    axes.semilogx(line, power_law(line / x.max(), a, b, c), color="tab:orange", lw=1)
    axes.set(xlabel=unit)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    most, factors = x.max(), (1, 2, 4)
    told = ", ".join(f"{power_law(np.array(float(k)), a, b, c):.3f} at {k * most:,.0f}" for k in factors)
    return f"{unit}: IoU = {a:.3f} - {b:.3f} (x / {most:,.0f})^-{c:.2f}: {told}"


def main(
    runs: Annotated[Path, typer.Argument(help="Folder of runs, as ablation.py leaves it.")],
    out: Annotated[Path, typer.Option(help="A .png or .svg file.")],
    data: Annotated[Path, typer.Option(help="The recipes' data.")] = Path("../shared/data/train"),
) -> None:
    """Fit and draw how a score grows with the pairs seen and with the number of pictures."""
    found = [read_run(log.parent) for log in sorted(runs.glob("*/log.jsonl"))]
    whole = [run for run in found if run.part == 1]
    longest = max((run.pairs for run in whole), default=0)
    parts = [run for run in found if run.pairs == longest]
    if min(len(whole), len(parts)) < 3:
        found_words = f"{len(whole)} on all data, {len(parts)} of equal length"
        raise PgnetError(f"A curve needs three runs; {runs} has {found_words}.")
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    left.set_ylabel("mean IoU, validation")
    for axes, chosen, x, unit in (
        (left, whole, [run.pairs for run in whole], "pairs seen"),
        (right, parts, [pictures(data, run.part) for run in parts], "pictures"),
    ):
        print(draw(axes, np.array(x, float), np.array([run.score for run in chosen]), unit))
    with atomic(out) as temporary:
        figure.savefig(temporary, dpi=110, format=out.suffix[1:])


if __name__ == "__main__":
    try:
        typer.run(main)
    except PgnetError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
