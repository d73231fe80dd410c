"""`pgnet review TRACK`: the frames of a track that a person should look at, worst first."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pgnet.cli.arguments import Overwrite, Video
from pgnet.errors import PgnetError

if TYPE_CHECKING:
    from pgnet.results import Track
    from pgnet.results.review import Moment

SHEET_FRAMES = 24
"""Stills of a sheet at most."""


def review(
    track: Annotated[Path, typer.Argument(metavar="TRACK", help="track.json of a run.")],
    top: Annotated[int | None, typer.Option(min=1, metavar="N", help="Only the worst N.")] = None,
    sheet: Annotated[
        Path | None, typer.Option(metavar="FILE", help=f"Also write their stills, up to {SHEET_FRAMES}: .png or .jpg.")
    ] = None,
    video: Video = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the list to this file.")
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """List the frames to look at: where the tracker doubts its box or lost the target, and much hangs on it."""
    from pgnet.cli.source import find_video
    from pgnet.results import Track
    from pgnet.results.review import review as find

    for path, suffixes in ((sheet, (".png", ".jpg", ".jpeg")), (json_file, ())):
        if path and suffixes and path.suffix.lower() not in suffixes:
            raise PgnetError(f"--sheet must end in .png or .jpg, not {path.name!r}.")
        if path and path.exists() and not overwrite:
            raise PgnetError(f"{path} exists already; give another name or --overwrite.")
    run = Track.read_json(track)
    moments = find(run)
    frames = len({frame for target in run.targets for frame in target.frames.tolist()})
    shown = moments[:top]
    if sheet and shown:
        _write_sheet(sheet, run, shown[:SHEET_FRAMES], find_video(track, run, video))
    if json_file:
        _write_json(json_file, frames, shown)
    if not moments:
        print(f"Nothing to look at: the tracker was sure of the target in all {frames} frames.")
        return
    several = len(run.targets) > 1
    names = {target.id: str(target).removeprefix("target ") for target in run.targets}
    first = f" The worst {len(shown)}:" if len(shown) < len(moments) else ""
    print(f"Look at {len({m.frame for m in moments})} of {frames} frames.{first}")
    rows = [["frame", "time", *(["target"] if several else []), "what", "presence", "stretch", "hangs on it"]]
    for m in shown:
        time = "" if math.isnan(m.time) else f"{m.time:.2f} s"
        stretch = f"{m.first}-{m.last}" if m.last > m.first else f"{m.first}"
        who = [names[m.target]] if several else []
        rows.append([str(m.frame), time, *who, m.kind, f"{m.presence:.2f}", stretch, f"{m.affects} frames"])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)))
    if sheet:
        print(f"Wrote {sheet}.")


def _write_sheet(path: Path, run: Track, moments: list[Moment], video: str) -> None:
    import cv2

    from pgnet.cli.source import open_frames
    from pgnet.files import atomic
    from pgnet.video.draw import STATE_COLOURS
    from pgnet.video.sheet import Still, contact_sheet

    stills = []
    targets = {target.id: target for target in run.targets}
    with open_frames(video, run) as frames:
        for rank, m in enumerate(moments, 1):
            row = targets[m.target].row(m.frame)
            assert row is not None
            who = f" {targets[m.target]}" if len(targets) > 1 else ""
            text = f"{rank}. #{m.frame}{who} {m.kind} {m.presence:.2f}"
            stills.append(Still(frames[m.frame].image, row.box, text, STATE_COLOURS[row.state]))
    ok, data = cv2.imencode(path.suffix, contact_sheet(stills)[..., ::-1])
    if not ok:
        raise PgnetError(f"The sheet cannot be written as {path.suffix}; use .png.")
    with atomic(path) as temporary:
        temporary.write_bytes(data.tobytes())


def _write_json(path: Path, frames: int, moments: list[Moment]) -> None:
    import json
    from dataclasses import asdict

    from pgnet.files import atomic

    listed = [asdict(m) | {"time": None if math.isnan(m.time) else m.time, "cost": round(m.cost, 2)} for m in moments]
    with atomic(path) as temporary:
        temporary.write_text(json.dumps({"frames": frames, "moments": listed}, indent=1) + "\n", encoding="utf-8")
