"""`pgnet track SOURCE --box X,Y,W,H`: follow objects through a video, images, a camera or a stream.

`--list` does it for many videos, see `pgnet.cli.many`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pgnet.cli.arguments import (
    DEFAULT_MODEL,
    SOURCE_HELP,
    Blur,
    CropFollow,
    Device,
    Engine,
    Half,
    Model,
    NoVideo,
    Overwrite,
    Pixelate,
    Ray,
    Threads,
    Workers,
    check_outputs,
    compute_choice,
    default_folder,
    parse_moment,
)
from pgnet.cli.convert import NAMES
from pgnet.errors import PgnetError

if TYPE_CHECKING:
    from pgnet.cli.boxes import Given
    from pgnet.results.marks import Marks
    from pgnet.video import Source


def track(
    source: Annotated[str | None, typer.Argument(metavar="SOURCE", help=SOURCE_HELP)] = None,
    box: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[NAME@][FRAME:]X,Y,W,H",
            help="The object in the first frame, in pixels; without it, draw in a window. Repeatable for several. "
            "With a frame, the box there: of one that comes later, or a correction. FRAME:absent: it is not there.",
        ),
    ] = None,
    boxes: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Boxes of any objects and frames, in any format that pgnet convert reads."),
    ] = None,
    model: Model = DEFAULT_MODEL,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the results; by default pgnet-NAME, after the source.")
    ] = None,
    start: Annotated[str | None, typer.Option(help="First frame: a number (120) or seconds (2.5s).")] = None,
    end: Annotated[str | None, typer.Option(help="Where to stop, likewise; this frame is not tracked.")] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Track backwards as well and fuse both: twice the time, a little better.")
    ] = False,
    formats: Annotated[
        list[str] | None,
        typer.Option("--format", metavar="NAME", help=f"Also write the boxes for another tool: {NAMES}. Repeatable."),
    ] = None,
    no_video: NoVideo = False,
    crop_follow: CropFollow = None,
    blur: Blur = False,
    pixelate: Pixelate = False,
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
    """Follow objects; writes track.mp4, track.json and track.csv.

    Ctrl-C ends and saves what was tracked so far.
    """
    from pgnet.cli.boxes import parse_given

    given = [parse_given(text) for text in box or ()]
    first, last = parse_moment(start, "--start"), parse_moment(end, "--end")
    choice = compute_choice(engine, device, half)
    if videos is not None:
        if source is not None or given or boxes:
            raise PgnetError("With --list, sources and boxes stand in the list.")
        if show or offline or crop_follow or blur or pixelate:
            raise PgnetError("With --list, there is no --show, --offline, --crop-follow, --blur or --pixelate.")
        from pgnet.cli.many import Settings, read_list, track_many

        # One thread per process where there are several: the processes share the cores.
        threads = threads or (1 if workers > 1 or ray else None)
        settings = Settings.of(model, choice, threads, first, last, video=not no_video, formats=formats or ())
        folder = out or default_folder(str(videos))
        track_many(read_list(videos), folder, settings, workers=workers, ray=ray, overwrite=overwrite)
        return
    if source is None:
        raise PgnetError("Give a SOURCE, or many with --list (see pgnet track --help).")

    from pgnet.cli.extras import Extras
    from pgnet.cli.run import FILES, follow
    from pgnet.models import resolve
    from pgnet.results.formats import file_name
    from pgnet.tracking import MultiTracker
    from pgnet.video import open_source

    folder = out or default_folder(source)
    check_outputs(folder, (*FILES, *map(file_name, formats or ())), overwrite)
    with open_source(source, start=first, end=last) as frames:
        marks, final = _targets(frames, given, boxes, last, offline=offline)
        extras = Extras(crop_follow, blur, pixelate)
        check_outputs(folder, extras.names([target.id for target in marks] or [1]), overwrite)
        if frames.kind in ("camera", "stream") and extras != Extras():
            raise PgnetError("A camera or stream cannot be read again for --crop-follow, --blur or --pixelate.")
        file = resolve(model)
        tracker = MultiTracker.load(file, **asdict(choice), threads=threads)
        options = {"start": first, "end": last, "offline": offline, **asdict(choice)}
        kinds = {"video": not no_video, "show": show, "offline": offline}
        follow(
            frames,
            tracker,
            file,
            marks,
            folder,
            last=final,
            options=options,
            formats=formats or (),
            extras=extras,
            **kinds,
        )


def _targets(
    frames: Source, given: Sequence[Given], file: Path | None, end: int | float | None, *, offline: bool
) -> tuple[list[Marks], int | None]:
    """The targets, and the number of the last frame to track if boxes of later frames or going back need it.

    Raises:
        PgnetError: boxes that do not fit each other or the video, see `pgnet.cli.boxes`.
    """
    from pgnet.cli.boxes import combine, last_frame, read_boxes
    from pgnet.results import SourceInfo
    from pgnet.video import FrameReader

    if not offline and file is None and all(one.frame is None for one in given):
        return combine(given, (), frames.first, None), None
    if frames.kind in ("camera", "stream"):
        raise PgnetError(
            "In a camera or stream there is no way back; give boxes of its first frame, without --offline."
        )
    with FrameReader(frames.name) as reader:
        last = last_frame(reader.index.times, end)
    size = (frames.width, frames.height)
    info = SourceInfo(frames.name, frames.kind, *size, frames.fps, len(reader))
    known = [] if file is None else read_boxes(file, info, frames.first, last)
    return combine(given, known, frames.first, last), last
