"""How much of a change of the target's size a model sees, on crops around the true place.

    python benchmarks/sizes.py --root OTB100 --models pgnet-lite,pgnet-r50 --every 10

In each n-th frame the target is shown in the size that it should have in a search crop, and in 0.8 and 1.25 times that
size. Prints for each sequence

- response: by how much the box grew from the smallest to the largest, as a share of how much the target did (both as
  logarithms): 1 is all of it, 0 a box of one size for everything;
- bias: the mean logarithm of the box's size by the target's, of the three, after calibration;
- spread: its standard deviation from frame to frame where the target is shown as it should be.

Size is the square root of the area. A track ends up with an error of bias / response: its box grows or shrinks until
the network sees in its crop what it is used to.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import typer
from rich.console import Console
from rich.progress import track

from pgnet.anchors import SEARCH_SIZE, TEMPLATE_SIZE, grid
from pgnet.boxes import xywh_to_cxcywh
from pgnet.cli import run_script
from pgnet.crop import mean_colour, search_side, square_crop, template_side
from pgnet.datasets import Sequence, read_otb
from pgnet.tracking import Tracker
from pgnet.tracking.postprocess import best_candidate

ZOOMS = (0.8, 1.0, 1.25)


class Sizes(NamedTuple):
    """See above."""

    response: float
    bias: float
    spread: float


def measure(tracker: Tracker, sequence: Sequence, every: int) -> Sizes:
    """The sizes that a model's network gives to the target of a sequence."""
    first = sequence.image(0)
    fill = mean_colour(first)
    x, y, w, h = xywh_to_cxcywh(sequence.boxes[0])
    template = square_crop(first, x, y, template_side(w, h), TEMPLATE_SIZE, fill)
    features = [np.repeat(level, len(ZOOMS), 0) for level in tracker.engine.embed(template[None])]
    anchors = grid()

    def errors(number: int) -> list[float]:
        image = sequence.image(number)
        x, y, w, h = xywh_to_cxcywh(sequence.boxes[number])
        sides = [search_side(w, h) / zoom for zoom in ZOOMS]
        crops = np.stack([square_crop(image, x, y, side, SEARCH_SIZE, fill) for side in sides])
        found = []
        for side, cls, reg in zip(sides, *tracker.engine.search(features, crops), strict=True):
            scale = SEARCH_SIZE / side
            box = best_candidate(cls, reg, anchors, (w * scale, h * scale), tracker.options).box
            found.append(float(np.log(box[2:] / scale / (w, h)).mean()))
        return found

    known = np.mean(errors(0)) * tracker.options.calibration
    error = np.array([errors(number) for number in range(every, len(sequence), every)])
    grown = error.mean(0)[-1] - error.mean(0)[0]
    return Sizes(
        1 + float(grown) / math.log(ZOOMS[-1] / ZOOMS[0]), float(error.mean() - known), float(error[:, 1].std())
    )


def main(
    root: Annotated[Path, typer.Option(help="Folder of the sequences.")],
    models: Annotated[str, typer.Option(help="Names or paths, comma-separated.")] = "pgnet-lite,pgnet-r50",
    every: Annotated[int, typer.Option(min=1, help="Take each n-th frame only.")] = 10,
    engine: Annotated[str, typer.Option(help="As of pgnet track.")] = "onnxruntime",
    half: Annotated[bool, typer.Option("--half", help="Half precision, where the engine has it.")] = False,
) -> None:
    """How much of a change of the target's size a model sees."""
    sequences = [sequence for sequence in read_otb(root) if len(sequence) > every]
    names = models.split(",")
    console = Console(stderr=True)
    print("| model | sequence | response | bias | spread |\n|---|---|---:|---:|---:|")
    for name in names:
        tracker = Tracker.load(name, engine=engine, half=half)
        rows = [
            measure(tracker, sequence, every) for sequence in track(sequences, name, console=console, transient=True)
        ]
        for sequence_name, row in [
            *((s.name, r) for s, r in zip(sequences, rows, strict=True)),
            ("all", np.mean(rows, 0)),
        ]:
            print(f"| {Path(name).stem} | {sequence_name} | {' | '.join(f'{value:.2f}' for value in row)} |")


if __name__ == "__main__":
    run_script(main)
