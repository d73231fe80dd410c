"""Search a model's tracking options for the best success AUC.

    python benchmarks/tune.py --root OTB100 --model pgnet-lite --set calibration=1 --trials 30 --workers 2 --write
    python benchmarks/tune.py --root data/train/videos --layout got10k --model pgnet-lite --set size_lr=0.2 --trials 0
    python benchmarks/tune.py --root OTB100 --model pgnet-lite --zoom 2 --trials 0

A local random search over penalty_k, window_influence, size_lr, calibration and vote_iou: each trial draws around the
best options so far, more and more closely. Sequences are spread over processes with one thread each. --write puts the
best options into the model file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, Literal

import cv2
import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from pgnet.boxes import cxcywh_to_xywh, xywh_to_cxcywh
from pgnet.cli import run_script
from pgnet.datasets import Sequence, read_got10k, read_otb
from pgnet.errors import PgnetError
from pgnet.evaluation import Curves, mean_curves, otb_curves, run_sequence
from pgnet.evaluation.runner import PgnetTracker
from pgnet.models import ModelFile, resolve
from pgnet.tracking import Tracker, TrackingOptions

Task = tuple[Path, str, bool, TrackingOptions, Sequence]

READERS = {"otb": read_otb, "got10k": read_got10k}


@dataclass(frozen=True)
class Zoomed(Sequence):
    """A sequence as a lens sees it that zooms steadily to `zoom` times, at the target."""

    zoom: float = 1.0

    @classmethod
    def of(cls, sequence: Sequence, zoom: float) -> Zoomed:
        boxes = xywh_to_cxcywh(sequence.boxes)
        boxes[:, 2:] *= zoom ** np.linspace(0, 1, len(sequence))[:, None]
        return cls(sequence.name, sequence.frames, cxcywh_to_xywh(boxes), zoom=zoom)

    def image(self, index: int) -> NDArray[np.uint8]:
        image = super().image(index)
        factor = self.zoom ** (index / max(1, len(self) - 1))
        x, y, *_ = xywh_to_cxcywh(self.boxes[index])
        place = np.array([[factor, 0, x - factor * x], [0, factor, y - factor * y]])
        zoomed = cv2.warpAffine(image, place, image.shape[1::-1], borderMode=cv2.BORDER_REFLECT_101)
        return zoomed.astype(np.uint8, copy=False)


@cache
def loaded(model: Path, engine: str, half: bool) -> Tracker:
    """One tracker per process, with one thread."""
    cv2.setNumThreads(1)
    return Tracker.load(model, engine=engine, half=half, threads=1)


def score(task: Task) -> Curves:
    """Curves of one sequence with these options, of the frames in which the target is seen."""
    model, engine, half, options, sequence = task
    tracker = loaded(model, engine, half)
    tracker.options = options
    boxes = run_sequence(lambda: PgnetTracker(tracker), sequence).boxes
    seen = sequence.boxes[:, 2:].min(1) > 0
    return otb_curves(boxes[seen], sequence.boxes[seen])


TUNED = {"penalty_k": (0.001, 1.0), "window_influence": (0.0, 0.9), "size_lr": (0.01, 1.0)} | dict.fromkeys(
    ("calibration", "vote_iou"), (0.0, 1.0)
)
"""Limits of the options that are searched."""


def draw(best: TrackingOptions, width: float, rng: np.random.Generator) -> TrackingOptions:
    """Options near the best: normal steps of this width, for the penalty in its logarithm."""
    values = {}
    for name, (low, high) in TUNED.items():
        old, step = getattr(best, name), rng.normal(0, width)
        new = max(old, 0.005) * np.exp(4 * step) if name == "penalty_k" else old + step
        values[name] = float(np.clip(new, low, high))
    return replace(best, **values)


def search(
    start: TrackingOptions, trials: int, seed: int, evaluate: Callable[[TrackingOptions], Curves], width: float = 0.25
) -> tuple[TrackingOptions, Curves]:
    """The best of the start and `trials` drawn options, and its curves."""
    rng = np.random.default_rng(seed)
    best, best_curves = start, evaluate(start)
    for trial in range(trials):
        options = draw(best, width * (1 - 0.8 * trial / max(1, trials - 1)), rng)
        curves = evaluate(options)
        if curves.auc > best_curves.auc:
            best, best_curves = options, curves
    return best, best_curves


def describe(options: TrackingOptions, curves: Curves) -> str:
    values = "  ".join(f"{name} {getattr(options, name):.4f}" for name in TUNED)
    return f"AUC {curves.auc:.4f}  precision@20 {curves.precision20:.4f}  {values}"


def start_options(file: ModelFile, changes: list[str]) -> TrackingOptions:
    """The model's own options with NAME=VALUE changes."""
    try:
        pairs = (change.split("=") for change in changes)
        values = {name: float(value) for name, value in pairs}
        return TrackingOptions(**{**file.metadata.get("tracking", {}), **values})
    except (ValueError, TypeError) as error:
        raise PgnetError(f"--set takes a tracking option as NAME=VALUE ({error}).") from error


def main(
    root: Annotated[Path, typer.Option(help="Folder of the sequences.")],
    model: Annotated[str, typer.Option(help="Name or path.")],
    layout: Annotated[Literal["otb", "got10k"], typer.Option(help="Of the folder.")] = "otb",
    sequences: Annotated[str | None, typer.Option(help="Only these, comma-separated.")] = None,
    every: Annotated[int, typer.Option(min=1, help="Take each n-th frame only.")] = 1,
    zoom: Annotated[float, typer.Option(min=0.1, help="Let the target grow to so many times its size.")] = 1.0,
    changes: Annotated[list[str] | None, typer.Option("--set", help="NAME=VALUE to start from; may repeat.")] = None,
    trials: Annotated[int, typer.Option(min=0)] = 30,
    seed: int = 0,
    workers: Annotated[int, typer.Option(min=1, help="Processes, one thread each.")] = 1,
    engine: Annotated[str, typer.Option(help="As of pgnet track.")] = "onnxruntime",
    half: Annotated[bool, typer.Option("--half", help="Half precision, where the engine has it.")] = False,
    write: Annotated[bool, typer.Option("--write", help="Put the best options into the model file.")] = False,
) -> None:
    """Search a model's tracking options for the best success AUC."""
    file: ModelFile = resolve(model)
    start = start_options(file, changes or [])
    file.graph("embed"), file.graph("search")  # say here, not in a process, that one is missing
    chosen = [sequence.every(every) for sequence in READERS[layout](root, sequences.split(",") if sequences else None)]
    if zoom != 1:
        chosen = [Zoomed.of(sequence, zoom) for sequence in chosen]
    chosen.sort(key=len, reverse=True)  # the longest first keeps all processes busy to the end
    console = Console(stderr=True)
    pool = ProcessPoolExecutor(workers, get_context("spawn")) if workers > 1 else None
    run: Callable[[Callable[[Task], Curves], Iterable[Task]], Iterable[Curves]] = pool.map if pool else map

    def evaluate(options: TrackingOptions) -> Curves:
        results = run(score, [(file.path, engine, half, options, sequence) for sequence in chosen])
        curves = mean_curves(list(track(results, "trial", len(chosen), console=console, transient=True)))
        print(describe(options, curves), flush=True)
        return curves

    try:
        best, curves = search(start, trials, seed, evaluate)
    finally:
        if pool:
            pool.shutdown(cancel_futures=True)
    print("best  " + describe(best, curves))
    if write:
        file.with_tracking(**{name: round(getattr(best, name), 4) for name in TUNED})
        print(f"written to {file.path}")


if __name__ == "__main__":
    run_script(main)
