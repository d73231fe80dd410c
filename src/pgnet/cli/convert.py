"""`pgnet convert IN OUT`: tracks and annotations between the formats of other tools."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pgnet.cli.arguments import Overwrite
from pgnet.errors import PgnetError

if TYPE_CHECKING:
    from pgnet.results import SourceInfo

NAMES = "pgnet, csv, cvat, labelstudio, coco, mot, yolo, got10k, lasot, otb, vot"


def convert(
    source: Annotated[Path, typer.Argument(metavar="IN", help="A file or folder in any of the formats.")],
    out: Annotated[
        Path, typer.Argument(metavar="OUT", help="The file or folder to write: boxes.xml, track.coco.json.")
    ],
    from_: Annotated[
        str | None, typer.Option("--from", help=f"Format of IN, found from its content if not given: {NAMES}.")
    ] = None,
    to: Annotated[str | None, typer.Option("--to", help="Format of OUT, found from its name if not given.")] = None,
    size: Annotated[
        str | None, typer.Option(metavar="WxH", help="Frame size in pixels, where IN does not say it: 1280x720.")
    ] = None,
    fps: Annotated[float | None, typer.Option(help="Frames per second, where IN does not say it.")] = None,
    video: Annotated[
        str | None, typer.Option(metavar="FILE", help="The video of IN: gives its name, frame size and rate.")
    ] = None,
    video_name: Annotated[str | None, typer.Option(metavar="NAME", help="Which video, where IN has several.")] = None,
    target: Annotated[int | None, typer.Option(metavar="ID", help="Only this target.")] = None,
    overwrite: Overwrite = False,
) -> None:
    """Convert tracks and annotations between the formats of other tools.

    What OUT has no place for is said.
    """
    from pgnet.cli.source import choose_target
    from pgnet.results import formats

    known = _known(size, fps, video)
    form = to or formats.format_for(out)
    if not overwrite and out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise PgnetError(f"{out} exists already; give another name or --overwrite.")
    track = formats.read(source, from_, video_name=video_name, known=known)
    track = choose_target(track, source, target)
    notes = formats.write(track, out, form)
    for warning in track.warnings:
        print(f"Note: {warning}", file=sys.stderr)
    if notes:
        print(f"Note: {' '.join(notes)}", file=sys.stderr)
    targets = f"{len(track.targets)} target{'s' if len(track.targets) > 1 else ''}"
    print(f"Wrote {out} ({formats.FORMATS[form].title}): {targets}, {len(track)} boxes.")


def _known(size: str | None, fps: float | None, video: str | None) -> SourceInfo:
    """What the options say of the video.

    Raises:
        PgnetError: a value cannot be used, or the video cannot be read.
    """
    from pgnet.results import SourceInfo

    known = SourceInfo("", "video")
    if video is not None:
        from pgnet.video import open_source

        if size is not None:
            raise PgnetError("Give --size or --video, not both: the video says its size.")
        with open_source(video) as opened:
            known = SourceInfo(opened.name, opened.kind, opened.width, opened.height, opened.fps, opened.frame_count)
    if size is not None:
        match = re.fullmatch(r"(\d{1,6})x(\d{1,6})", size)
        if not match or not (int(match[1]) and int(match[2])):
            raise PgnetError(f"--size takes the frame's width and height in pixels, such as 1280x720, not {size!r}.")
        known = replace(known, width=int(match[1]), height=int(match[2]))
    if fps is not None:
        if not 0 < fps <= 100_000:
            raise PgnetError(f"--fps takes the frames per second, such as 29.97, not {fps:g}.")
        known = replace(known, fps=fps)
    return known
