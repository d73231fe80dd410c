"""Track through a source and write the results: what `pgnet track` and `pgnet demo` share."""

from __future__ import annotations

import itertools
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from pgnet.cli.arguments import output_folder
from pgnet.cli.boxes import check_boxes
from pgnet.cli.extras import EXTRA, Extras, draw
from pgnet.cli.interrupt import first_interrupt
from pgnet.cli.progress import progress
from pgnet.errors import PgnetError
from pgnet.models import ModelFile
from pgnet.results import ModelInfo, SourceInfo, TargetTrack, Track
from pgnet.results.formats import FORMATS, file_name, write
from pgnet.results.marks import Marks
from pgnet.results.retrack import backwards_job, keyframe_row, retrack, row_of
from pgnet.results.review import losses
from pgnet.results.video import Annotated, annotated, drawn_boxes
from pgnet.tracking import MultiTracker
from pgnet.tracking.passes import Sweep, Task
from pgnet.tracking.spans import Box, spans
from pgnet.video import Behind, Frame, FrameReader, Source, VideoWriter
from pgnet.video.draw import Drawn

if TYPE_CHECKING:
    from pgnet.cli.window import LiveWindow

ENDLESS = sys.maxsize
"""Stands for the last frame of a source that does not say how many it has."""
VIDEO, JSON, CSV = FILES = ("track.mp4", "track.json", "track.csv")


def follow(
    source: Source,
    tracker: MultiTracker,
    model: ModelFile,
    marks: Sequence[Marks],
    folder: Path,
    *,
    last: int | None = None,
    offline: bool = False,
    video: bool = True,
    show: bool = False,
    options: dict[str, Any] | None = None,
    formats: Sequence[str] = (),
    extras: Extras | None = None,
    quiet: bool = False,
) -> Track:
    """Track from the first frame of the source to its end, write the results into the folder and say so.

    Args:
        source: just opened.
        tracker: follows nothing yet.
        model: what the tracker was loaded from, for the record.
        marks: the targets; none asks for a box in the first frame, in a window.
        last: number of the source's last frame, if it is known.
        offline: track backwards, too, also where no keyframe asks for it; needs the last frame's number.
        options: to keep in the record besides the tracking options.
        formats: also write the boxes in these, by their names in `pgnet.results.formats.FORMATS`.
        extras: other videos to write.
        quiet: say nothing, and leave Ctrl-C to the caller: this is one of many videos.

    Raises:
        PgnetError: a box does not fit, there is no display to ask or show, or the folder cannot be written.
        typer.Exit: interrupted (code 130), after what was tracked is saved.
    """
    frames = iter(source)
    first = next(frames)  # an open source has at least one
    marks = marks or [Marks(1, "", {first.index: _ask_for_box(first, source)})]
    check_boxes(marks, source.width, source.height)
    track = Track(
        SourceInfo(source.name, source.kind, source.width, source.height, source.fps, source.frame_count),
        ModelInfo(model.name, model.sha256),
        {**(options or {}), "tracking": asdict(tracker.options)},
        targets=[TargetTrack(target.id, target.label) for target in marks],
    )
    end = ENDLESS if last is None else last
    ways = [(target, span.forwards) for target in marks for span in spans(target.keyframes, end)]
    sweep = Sweep(tracker, [Task.of(target.id, way, target.keyframes) for target, way in ways if way])
    back = [job for job in (backwards_job(target, end, offline=offline) for target in marks) if job.spans]
    with ExitStack() as stack:
        window = stack.enter_context(_live_window(source.name)) if show else None
        stack.enter_context(output_folder(folder))
        interrupted = threading.Event() if quiet else stack.enter_context(first_interrupt())
        stack.enter_context(closing(sweep))
        writer = encoder = None
        if video and not back:  # otherwise boxes may still change
            writer = VideoWriter(
                folder / VIDEO, source.width, source.height, fps=source.fps, time_base=source.time_base
            )
            stack.enter_context(writer)
            encoder = stack.enter_context(Behind(partial(_encode, writer)))
        begin = time.perf_counter()
        count = 0
        with progress("Tracking", source.expected, hidden=quiet) as advance:
            for frame in itertools.chain([first], frames):
                found = sweep.step(frame)
                for target, said in zip(track.targets, marks, strict=True):
                    if frame.index in said.keyframes:
                        target.add(keyframe_row(frame.index, frame.time, said.keyframes[frame.index]))
                    elif said.id in found:
                        target.add(row_of(frame, found[said.id]))
                if encoder or window:
                    drawn = drawn_boxes(track, frame.index)
                    if encoder:
                        encoder.put((frame, drawn))
                    if window:
                        window.show(annotated(frame.image, drawn, frame.index))
                count += 1
                advance()
                if interrupted.is_set() or (window and not window.open):
                    track.status = "interrupted"
                    break
            else:
                sweep.check_started()
        sweep.close()
        track.warnings = list(source.warnings)
        if back and track.status == "complete":
            with FrameReader(source.name) as reader, progress("Backwards", None, hidden=quiet) as advance:
                track = retrack(
                    track,
                    back,
                    reader,
                    tracker,
                    ended=sweep.ended if offline else None,
                    tick=lambda _: advance(),
                    stop=interrupted.is_set,
                )
            if interrupted.is_set():
                track.status = "interrupted"
        track.targets = [target for target in track.targets if len(target)]  # some may start after an interruption
        seconds = time.perf_counter() - begin
        if encoder and writer:
            encoder.close()
            writer.close()
        elif video:
            draw(track, source.name, folder, {VIDEO: Annotated(track, (source.width, source.height))}, quiet=quiet)
        else:
            (folder / VIDEO).unlink(missing_ok=True)  # of an earlier run: it would not fit the boxes
        others = extras.pictures(track, (source.width, source.height)) if extras else {}
        draw(track, source.name, folder, others, quiet=quiet)
        notes = write_boxes(track, folder, formats)
    if quiet:
        return track
    for warning in filter(None, (*source.warnings, *notes)):
        print(f"Note: {warning}", file=sys.stderr)
    if interrupted.is_set():
        print(f"Interrupted: the {count} frames tracked so far are saved.", file=sys.stderr)
    report(track, folder, [VIDEO] * video + list(others), formats)
    print(f"Tracked {count} frames in {seconds:.1f} s: {count / seconds:.1f} frames per second.")
    if interrupted.is_set():
        raise typer.Exit(130)
    return track


def write_boxes(track: Track, folder: Path, formats: Sequence[str]) -> list[str]:
    """Write the record and the table, and the boxes in other formats -> what these have no place for."""
    track.write_json(folder / JSON)
    track.write_csv(folder / CSV)
    return [" ".join(write(track, folder / file_name(name), name)) for name in formats]


def report(track: Track, folder: Path, videos: Sequence[str], formats: Sequence[str]) -> None:
    """Say what was written, and when targets were lost."""
    written = [*videos, JSON, CSV, *map(file_name, formats)]
    print(f"Wrote {', '.join(str(folder / name) for name in written)}.")
    if old := [name for name in _outputs(folder) if name not in written]:
        print(
            f"Note: {', '.join(old)} in {folder} {'is' if len(old) == 1 else 'are'} of the track before; "
            "pgnet render and pgnet convert make them anew.",
            file=sys.stderr,
        )
    if lost := losses(track):
        print(f"{lost}. pgnet review {folder / JSON} lists the frames to look at.")


def _outputs(folder: Path) -> list[str]:
    """The files in a folder that are named as the videos and boxes that commands make of a track."""
    boxes = {file_name(name) for name in FORMATS}
    return sorted(path.name for path in folder.iterdir() if path.name in boxes or EXTRA.fullmatch(path.name))


def _encode(writer: VideoWriter, item: tuple[Frame, list[Drawn]]) -> None:
    frame, drawn = item
    writer.write(annotated(frame.image, drawn, frame.index), frame.time)


def _ask_for_box(first: Frame, source: Source) -> Box:
    try:
        from pgnet.cli import window

        window.open_window("pgnet").destroy()
    except PgnetError as error:
        raise PgnetError(
            f"No window can be opened to draw the box ({error}), so give --box X,Y,W,H; "
            f"pgnet frame {source.name} --out first.png makes a still with a pixel grid to read it off."
        ) from error
    return window.choose_box(first.image)


def _live_window(title: str) -> LiveWindow:
    try:
        from pgnet.cli.window import LiveWindow

        return LiveWindow(title)
    except PgnetError as error:
        raise PgnetError(f"No window can be opened to watch ({error}); leave --show away.") from error
