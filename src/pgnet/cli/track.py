"""`pgnet track SOURCE --box X,Y,W,H`: follow an object through a video, images, a camera or a stream."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pgnet.cli.arguments import (
    DEFAULT_MODEL,
    Model,
    Overwrite,
    Source,
    Threads,
    check_outputs,
    default_folder,
    parse_box,
    parse_moment,
)


def track(
    source: Source,
    box: Annotated[
        str | None,
        typer.Option(metavar="X,Y,W,H", help="The object in the first frame, in pixels; without it, draw in a window."),
    ] = None,
    model: Model = DEFAULT_MODEL,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the results; by default pgnet-NAME, after the source.")
    ] = None,
    start: Annotated[str | None, typer.Option(help="First frame: a number (120) or seconds (2.5s).")] = None,
    end: Annotated[str | None, typer.Option(help="Where to stop, likewise; this frame is not tracked.")] = None,
    no_video: Annotated[bool, typer.Option("--no-video", help="Write no video, only the boxes.")] = False,
    show: Annotated[bool, typer.Option("--show", help="Watch live in a window; closing it ends and saves.")] = False,
    threads: Threads = None,
    overwrite: Overwrite = False,
) -> None:
    """Follow an object; writes track.mp4, track.json and track.csv.

    Ctrl-C ends and saves what was tracked so far.
    """
    target = None if box is None else parse_box(box)
    first, last = parse_moment(start, "--start"), parse_moment(end, "--end")

    from pgnet.cli.run import FILES, follow
    from pgnet.models import resolve
    from pgnet.tracking import Tracker
    from pgnet.video import open_source

    folder = out or default_folder(source)
    check_outputs(folder, FILES, overwrite)
    with open_source(source, start=first, end=last) as frames:
        file = resolve(model)
        tracker = Tracker.load(file, threads=threads)
        options = {"start": first, "end": last}
        follow(frames, tracker, file, target, folder, video=not no_video, show=show, options=options)
