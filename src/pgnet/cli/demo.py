"""`pgnet demo`: make a clip, track it, and say how well that went."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pgnet.cli.arguments import DEFAULT_MODEL, Model, Overwrite, Threads, check_outputs, output_folder

CLIP = "demo.mp4"


def demo(
    out: Annotated[Path, typer.Option(help="Folder for the clip and the results.")] = Path("pgnet-demo"),
    model: Model = DEFAULT_MODEL,
    threads: Threads = None,
    overwrite: Overwrite = False,
) -> None:
    """Make a clip of a moving object, track it, and compare with where the object really was."""
    from pgnet.boxes import iou
    from pgnet.cli.run import FILES, follow
    from pgnet.demo import write_demo_clip
    from pgnet.models import resolve
    from pgnet.results.marks import Marks
    from pgnet.tracking import MultiTracker
    from pgnet.video import open_source

    check_outputs(out, (CLIP, *FILES), overwrite)
    file = resolve(model)
    tracker = MultiTracker.load(file, threads=threads)
    with output_folder(out):
        truth = write_demo_clip(out / CLIP)
    with open_source(out / CLIP) as frames:
        track = follow(frames, tracker, file, [Marks(1, "", {0: tuple(truth[0].tolist())})], out)
    overlap = iou(track.boxes, truth[track.frames])[1:]
    print(
        f"The box of {file.name} overlaps the object's true one by {overlap.mean():.2f} on average (IoU; 1 is perfect)."
    )
