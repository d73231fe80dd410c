"""`pgnet track SOURCE --box X,Y,W,H`: follow an object through a video, images, a camera or a stream.

`--list` does it for many videos, see `pgnet.cli.many`.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from pgnet.cli.arguments import (
    DEFAULT_MODEL,
    SOURCE_HELP,
    Device,
    Engine,
    Half,
    Model,
    Overwrite,
    Ray,
    Threads,
    Workers,
    check_outputs,
    compute_choice,
    default_folder,
    parse_box,
    parse_moment,
)
from pgnet.cli.convert import NAMES
from pgnet.errors import PgnetError


def track(
    source: Annotated[str | None, typer.Argument(metavar="SOURCE", help=SOURCE_HELP)] = None,
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
    formats: Annotated[
        list[str] | None,
        typer.Option("--format", metavar="NAME", help=f"Also write the boxes for another tool: {NAMES}. Repeatable."),
    ] = None,
    no_video: Annotated[bool, typer.Option("--no-video", help="Write no video, only the boxes.")] = False,
    show: Annotated[bool, typer.Option("--show", help="Watch live in a window; closing it ends and saves.")] = False,
    videos: Annotated[
        Path | None,
        typer.Option(
            "--list",
            metavar="FILE",
            help="Many videos instead of one: a CSV file with source,x,y,w,h on each line, or a folder with clip.txt "
            "(x,y,w,h) beside clip.mp4. Each gets a folder of its own.",
        ),
    ] = None,
    workers: Workers = 1,
    ray: Ray = None,
    engine: Engine = None,
    device: Device = None,
    half: Half = False,
    threads: Threads = None,
    overwrite: Overwrite = False,
) -> None:
    """Follow an object; writes track.mp4, track.json and track.csv.

    Ctrl-C ends and saves what was tracked so far.
    """
    target = None if box is None else parse_box(box)
    first, last = parse_moment(start, "--start"), parse_moment(end, "--end")
    choice = compute_choice(engine, device, half)
    if videos is not None:
        if source is not None or target is not None or show or formats:
            raise PgnetError("With --list, sources and boxes stand in the list, and there is no --show or --format.")
        from pgnet.cli.many import Settings, read_list, track_many

        # One thread per process where there are several: the processes share the cores.
        threads = threads or (1 if workers > 1 or ray else None)
        settings = Settings.of(model, choice, threads, first, last, video=not no_video)
        folder = out or default_folder(str(videos))
        track_many(read_list(videos), folder, settings, workers=workers, ray=ray, overwrite=overwrite)
        return
    if source is None:
        raise PgnetError("Give a SOURCE, or many with --list (see pgnet track --help).")

    from pgnet.cli.run import FILES, follow
    from pgnet.models import resolve
    from pgnet.results.formats import file_name
    from pgnet.tracking import Tracker
    from pgnet.video import open_source

    folder = out or default_folder(source)
    check_outputs(folder, (*FILES, *map(file_name, formats or ())), overwrite)
    with open_source(source, start=first, end=last) as frames:
        file = resolve(model)
        tracker = Tracker.load(file, **asdict(choice), threads=threads)
        options = {"start": first, "end": last, **asdict(choice)}
        kinds = {"video": not no_video, "show": show}
        follow(frames, tracker, file, target, folder, **kinds, options=options, formats=formats or ())
