"""Fit and draw how a score grows with the pairs seen and with the number of pictures.

    python benchmarks/ablation.py benchmarks/ablation.toml --out runs/ablation
    python benchmarks/scaling.py runs/pgnet-lite --out docs/images/scaling.png \\
        --part runs/ablation/base --part runs/ablation/half-of-the-pictures-and-videos --part ...

The validations of one run give the first curve, the last validations of runs on parts of the data the second. The curve
is a - b x^-c (Hestness et al., 2017): a power law towards what cannot be passed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import typer
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter
from numpy.typing import NDArray
from scipy.optimize import curve_fit

from pgnet.cli import run_script
from pgnet.errors import PgnetError
from pgnet.files import atomic
from pgnet.training.log import read_log
from pgnet.training.recipe import DataSet
from pgnet.training.sources import read_sources

Array = NDArray[np.float64]


class Run(NamedTuple):
    """Of a training run: the share of the data, and at each validation the pairs seen and the mean IoU."""

    part: float
    pairs: Array
    score: Array


def read_run(folder: Path) -> Run:
    """Raises: PgnetError where the folder has no finished run."""
    try:
        recipe = json.loads((folder / "recipe.json").read_text())
    except (OSError, json.JSONDecodeError) as error:
        raise PgnetError(f"{folder} has no recipe of a training run: {error}.") from error
    validations = [(r["step"], r["validation_iou"]) for r in read_log(folder) if "validation_iou" in r]
    steps, score = np.array(validations).reshape(-1, 2).T
    if recipe["steps"] not in steps:
        raise PgnetError(f"The run in {folder} is not finished: it has no validation at step {recipe['steps']}.")
    return Run(recipe["part"], steps * recipe["batch"], score)


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
    axes.xaxis.set(
        major_locator=LogLocator(subs=(1, 2, 5)), major_formatter="{x:,.0f}", minor_formatter=NullFormatter()
    )
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    most, factors = x.max(), (1, 2, 4)
    told = ", ".join(f"{power_law(np.array(float(k)), a, b, c):.3f} at {k * most:,.0f}" for k in factors)
    return f"{unit}: IoU = {a:.3f} - {b:.3f} (x / {most:,.0f})^-{c:.2f}: {told}"


def main(
    run: Annotated[Path, typer.Argument(help="Folder of `pgnet train`.")],
    out: Annotated[Path, typer.Option(help="A .png or .svg file.")],
    part: Annotated[list[Path] | None, typer.Option(help="Folder of a run on a part of the data; may repeat.")] = None,
    data: Annotated[Path, typer.Option(help="The recipes' data.")] = Path("../shared/data/train"),
) -> None:
    """Fit and draw how a score grows with the pairs seen and with the number of pictures."""
    whole = read_run(run)
    curves = {"pairs seen": (whole.pairs, whole.score)}
    if part:
        found = [read_run(folder) for folder in part]
        seen = np.array([pictures(data, each.part) for each in found], float)
        curves["pictures"] = seen, np.array([each.score[-1] for each in found])
    for unit, (x, _) in curves.items():
        if len(x) < 3:
            raise PgnetError(f"A curve needs three points; for {unit} there are {len(x)}.")
    figure = Figure(figsize=(4.5 * len(curves), 3.4), layout="constrained")
    panels = figure.subplots(1, len(curves), squeeze=False)[0]
    panels[0].set_ylabel("mean IoU, validation")
    for axes, (unit, (x, score)) in zip(panels, curves.items(), strict=True):
        print(draw(axes, x, score, unit))
    with atomic(out) as temporary:
        figure.savefig(temporary, dpi=110, format=out.suffix[1:])


if __name__ == "__main__":
    run_script(main)
