"""`pgnet correct TRACK --box NAME@FRAME:X,Y,W,H`: put a track right; only what that concerns is tracked again."""

from __future__ import annotations

import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pgnet.cli.arguments import (
    DEFAULT_MODEL,
    Device,
    Engine,
    Half,
    NoVideo,
    Overwrite,
    Threads,
    Video,
    check_outputs,
    compute_choice,
    output_folder,
)
from pgnet.errors import PgnetError

if TYPE_CHECKING:
    from pgnet.results.retrack import Job


def correct(
    track: Annotated[Path, typer.Argument(metavar="TRACK", help="track.json of a run.")],
    box: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[NAME@]FRAME:X,Y,W,H",
            help="The target's box in a frame, or FRAME:absent where it cannot be seen. NAME (or its number) says "
            "which target, where there are several. Repeatable.",
        ),
    ] = None,
    boxes: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The same from a file, in any format that pgnet convert reads."),
    ] = None,
    confirm: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[NAME@]FRAME", help="What TRACK says of the target in this frame is right: set it. Repeatable."
        ),
    ] = None,
    remove: Annotated[
        list[str] | None,
        typer.Option(metavar="[NAME@]FRAME", help="Take back what was set in this frame. Repeatable."),
    ] = None,
    model: Annotated[str | None, typer.Option(help="By default the one that TRACK names.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the result; by default TRACK is changed.")] = None,
    no_video: NoVideo = False,
    video: Video = None,
    engine: Engine = None,
    device: Device = None,
    half: Half = False,
    threads: Threads = None,
    overwrite: Overwrite = False,
) -> None:
    """Put a track right with boxes in some of its frames.

    Tracked again, forwards and backwards, is only what lies between such a frame and the next that a person has set.
    """
    from pgnet.cli.boxes import (
        CONFIRM,
        REMOVE,
        check_boxes,
        corrected,
        first_frame,
        last_frame,
        parse_given,
        parse_place,
        read_boxes,
    )
    from pgnet.cli.extras import draw
    from pgnet.cli.progress import progress_bar
    from pgnet.cli.run import FILES, JSON, VIDEO, report, write_boxes
    from pgnet.cli.source import find_video, limits, open_frames
    from pgnet.models import resolve
    from pgnet.results import Track
    from pgnet.results.marks import marks_of
    from pgnet.results.retrack import job, retrack
    from pgnet.results.video import Annotated as WithBoxes
    from pgnet.results.video import Picture
    from pgnet.tracking import MultiTracker

    given = [parse_given(text) for text in box or ()]
    given += [parse_place(text, CONFIRM) for text in confirm or ()]
    given += [parse_place(text, REMOVE) for text in remove or ()]
    if not given and boxes is None:
        raise PgnetError(
            "Give a --box FRAME:X,Y,W,H, --boxes FILE, --confirm FRAME or --remove FRAME (see pgnet correct --help)."
        )
    old = Track.read_json(track)
    folder = out or track.parent
    if folder / JSON != track:
        check_outputs(folder, FILES, overwrite)
    file = resolve(model or (old.model.name if old.model else DEFAULT_MODEL))
    source = find_video(track, old, video)
    computed = 0
    with open_frames(source, old) as frames, progress_bar("Tracking", None) as show:
        start, end = limits(old)
        first, last = first_frame(frames.index.times, start), last_frame(frames.index.times, end)
        known = [marks_of(target) for target in old.targets]
        file_marks = [] if boxes is None else read_boxes(boxes, replace(old.source, name=source), first, last)
        marks = corrected(old.targets, given, file_marks, first, last)
        check_boxes(marks, frames.source.width, frames.source.height)
        jobs = [job(before, after, last) for before, after in zip(known, marks, strict=True)]
        tracker = MultiTracker.load(file, **asdict(compute_choice(engine, device, half)), threads=threads)

        def tick(predictions: int) -> None:
            nonlocal computed
            computed += predictions
            show(computed)

        new = retrack(old, jobs, frames, tracker, tick=tick)
    if old.model and file.sha256 != old.model.sha256:
        note = f"Corrections were tracked with {file.name} ({file.sha256[:12]}), the rest was not."
        new.warnings = [*old.warnings, note]
        print(f"Note: {note}", file=sys.stderr)
    new.source = replace(new.source, name=source)
    videos: dict[str, Picture] = (
        {} if no_video else {VIDEO: WithBoxes(new, (frames.source.width, frames.source.height))}
    )
    with output_folder(folder):
        draw(new, source, folder, videos)
        if no_video:
            (folder / VIDEO).unlink(missing_ok=True)  # it would not fit the boxes
        write_boxes(new, folder, ())
    report(new, folder, list(videos), ())
    if done := ", ".join(_stretches(one) for one in jobs if one.spans):
        print(f"Redone: {done}, in {computed} steps of the tracker; everything else stays as it was.")
    else:
        print("Nothing had to be done again.")


def _stretches(job: Job) -> str:
    """The frames of a job, as "frames 1-9, 30-50 of target 2 (cat)"; a keyframe between two spans parts nothing."""
    found: list[list[int]] = []
    for span in job.spans:
        if found and span.first - found[-1][1] <= 2:
            found[-1][1] = span.last
        else:
            found.append([span.first, span.last])
    listed = ", ".join(f"{first}-{last}" if first < last else f"{first}" for first, last in found)
    return f"frames {listed} of {job.marks}"
