"""What going back is worth: success AUC with forward passes alone, and with both directions fused.

    python benchmarks/offline.py --root OTB100 --model pgnet-lite

Once with a box in the first frame only (`pgnet track --offline`), and once with two more, in the middle and at the end
(`pgnet track --box ... --box FRAME:...`). Frames with such a box are left out of the score.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray
from rich.progress import track as progress

from pgnet.boxes import clip, iou
from pgnet.cli import run_script
from pgnet.datasets import Sequence, read_otb
from pgnet.results import SourceInfo, TargetTrack, Track
from pgnet.results.marks import Marks
from pgnet.results.retrack import backwards_job, keyframe_row, retrack, row_of
from pgnet.tracking import MultiTracker
from pgnet.tracking.passes import Sweep, Task
from pgnet.tracking.spans import Box, spans
from pgnet.video import Frame

OVERLAPS = np.linspace(0, 1, 21)


class Frames:
    """The images of a sequence as `pgnet.video.FrameReader` gives frames; only what `retrack` needs of it."""

    def __init__(self, sequence: Sequence) -> None:
        self.index = self
        self.times = np.arange(len(sequence)) / 30
        self._sequence = sequence

    def __getitem__(self, number: int) -> Frame:
        return Frame(number, float(self.times[number]), self._sequence.image(number))


def run(tracker: MultiTracker, frames: Frames, keyframes: dict[int, Box | None], both: bool) -> NDArray[np.float64]:
    """The (N, 4) boxes of a target, by the functions that `pgnet track` is made of."""
    marks, last = Marks(1, "", keyframes), len(frames.times) - 1
    target = TargetTrack()
    tasks = [Task.of(1, span.forwards, keyframes) for span in spans(keyframes, last) if span.forwards]
    sweep = Sweep(tracker, tasks)
    for number in range(last + 1):
        frame = frames[number]
        found = sweep.step(frame)
        known = number in keyframes
        target.add(keyframe_row(number, frame.time, keyframes[number]) if known else row_of(frame, found[1]))
    sweep.close()
    track = Track(SourceInfo("", "images"), targets=[target])
    if both:
        job = backwards_job(marks, last, offline=True)
        track = retrack(track, [job], frames, tracker, ended=sweep.ended)  # type: ignore[arg-type]
    return track.boxes


def main(
    root: Annotated[Path, typer.Option(help="Folder of OTB sequences.")],
    model: Annotated[str, typer.Option(help="Name or path.")] = "pgnet-lite",
    threads: Annotated[int | None, typer.Option(help="By default one for each core.")] = None,
) -> None:
    """Print a table."""
    tracker = MultiTracker.load(model, threads=threads)
    names = ("first box, forwards", "first box, both ways", "three boxes, forwards", "three boxes, both ways")
    scores: dict[str, list[float]] = {name: [] for name in names}
    for sequence in progress(read_otb(root), "Tracking"):
        frames = Frames(sequence)
        height, width = sequence.image(0).shape[:2]
        seen = np.flatnonzero((sequence.boxes[:, 2:] > 2).all(1))
        boxes = clip(sequence.boxes, width, height)
        said: list[dict[int, Box | None]] = [
            {int(n): tuple(boxes[n].tolist()) for n in chosen} for chosen in ([0], [0, seen[len(seen) // 2], seen[-1]])
        ]
        for name, keyframes, both in zip(names, (said[0], said[0], said[1], said[1]), (False, True) * 2, strict=True):
            found = run(tracker, frames, keyframes, both)
            scored = np.setdiff1d(seen, list(keyframes))
            overlap = iou(found[scored], sequence.boxes[scored])
            scores[name].append(float(np.mean([(overlap > limit).mean() for limit in OVERLAPS])))
    for name, values in scores.items():
        print(f"{name:24s} success AUC {np.mean(values):.4f}   " + " ".join(f"{value:.3f}" for value in values))


if __name__ == "__main__":
    run_script(main)
