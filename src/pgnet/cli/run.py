"""Track through a source and write the results: what `pgnet track` and `pgnet demo` share."""

from __future__ import annotations

import itertools
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import typer
from numpy.typing import ArrayLike
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pgnet.boxes import check_target_box
from pgnet.cli.arguments import output_folder
from pgnet.errors import PgnetError
from pgnet.models import ModelFile
from pgnet.results import ModelInfo, SourceInfo, Track
from pgnet.results.formats import file_name, write
from pgnet.results.review import losses
from pgnet.tracking import Tracker
from pgnet.tracking.presence import PRESENT
from pgnet.video import Behind, Frame, Source, VideoWriter, draw_prediction
from pgnet.video.draw import STATE_COLOURS

if TYPE_CHECKING:
    from pgnet.cli.window import LiveWindow

VIDEO, JSON, CSV = FILES = ("track.mp4", "track.json", "track.csv")


def follow(
    source: Source,
    tracker: Tracker,
    model: ModelFile,
    box: ArrayLike | None,
    folder: Path,
    *,
    video: bool = True,
    show: bool = False,
    options: dict[str, Any] | None = None,
    formats: Sequence[str] = (),
    quiet: bool = False,
) -> Track:
    """Track from the first frame of the source to its end, write the results into the folder and say so.

    Args:
        source: just opened.
        model: what the tracker was loaded from, for the record.
        box: x, y, w, h in 0-based pixels of the first frame; None asks for it in a window.
        options: to keep in the record besides box and tracking options.
        formats: also write the boxes in these, by their names in `pgnet.results.formats.FORMATS`.
        quiet: say nothing, and leave Ctrl-C to the caller: this is one of many videos.

    Raises:
        PgnetError: the box does not fit, there is no display to ask or show, or the folder cannot be written.
        typer.Exit: interrupted (code 130), after what was tracked is saved.
    """
    frames = iter(source)
    first = next(frames)  # an open source has at least one
    box = check_target_box(_ask_for_box(first, source) if box is None else box, source.width, source.height)
    tracker.init(first.image, box)
    track = Track(
        SourceInfo(source.name, source.kind, source.width, source.height, source.fps, source.frame_count),
        ModelInfo(model.name, model.sha256),
        {"box": box.tolist(), **(options or {}), "tracking": asdict(tracker.options)},
    )
    with ExitStack() as stack:
        window = stack.enter_context(_live_window(source.name)) if show else None
        stack.enter_context(output_folder(folder))
        writer = encoder = None
        if video:
            writer = VideoWriter(
                folder / VIDEO, source.width, source.height, fps=source.fps, time_base=source.time_base
            )
            stack.enter_context(writer)
            encoder = stack.enter_context(Behind(partial(_encode, writer)))
        interrupted = threading.Event() if quiet else stack.enter_context(_first_interrupt())
        begin = time.perf_counter()
        with _progress(source.expected, hidden=quiet) as advance:
            for frame in itertools.chain([first], frames):
                score, presence, state = 1.0, 1.0, PRESENT
                if frame is not first:
                    prediction = tracker.update(frame.image)
                    box, score, state = prediction.box, prediction.score, prediction.state
                    presence = prediction.presence
                track.append(frame.index, frame.time, box, score, presence=presence, state=state)
                if encoder:
                    encoder.put((frame, box, score, state))
                if window:
                    window.show(draw_prediction(frame.image, box, score, frame.index, colour=STATE_COLOURS[state]))
                advance()
                if interrupted.is_set() or (window and not window.open):
                    track.status = "interrupted"
                    break
        track.warnings = list(source.warnings)
        if encoder and writer:
            encoder.close()
            writer.close()
        else:
            (folder / VIDEO).unlink(missing_ok=True)  # of an earlier run: it would not fit the boxes
        seconds = time.perf_counter() - begin
        track.write_json(folder / JSON)
        track.write_csv(folder / CSV)
        more = {name: folder / file_name(name) for name in formats}
        notes = [" ".join(write(track, path, name)) for name, path in more.items()]

    if quiet:
        return track
    for warning in filter(None, (*source.warnings, *notes)):
        print(f"Note: {warning}", file=sys.stderr)
    if interrupted.is_set():
        print(f"Interrupted: the {len(track)} frames tracked so far are saved.", file=sys.stderr)
    written = [folder / name for name in FILES if video or name != VIDEO] + list(more.values())
    print(f"Wrote {', '.join(map(str, written))}.")
    print(f"Tracked {len(track)} frames in {seconds:.1f} s: {len(track) / seconds:.1f} frames per second.")
    if lost := losses(track):
        print(f"{lost}. pgnet review {folder / JSON} lists the frames to look at.")
    if interrupted.is_set():
        raise typer.Exit(130)
    return track


def _encode(writer: VideoWriter, tracked: tuple[Frame, ArrayLike, float, str]) -> None:
    frame, box, score, state = tracked
    writer.write(draw_prediction(frame.image, box, score, frame.index, colour=STATE_COLOURS[state]), frame.time)


def _ask_for_box(first: Frame, source: Source) -> ArrayLike:
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


@contextmanager
def _first_interrupt() -> Iterator[threading.Event]:
    """Within, the first Ctrl-C only sets the event, so that no frame is cut in half; the next one interrupts."""
    event = threading.Event()

    def handle(number: int, stack: FrameType | None) -> None:
        event.set()
        signal.signal(signal.SIGINT, previous)

    previous = signal.signal(signal.SIGINT, handle)
    try:
        yield event
    finally:
        signal.signal(signal.SIGINT, previous)


@contextmanager
def _progress(total: int | None, *, hidden: bool) -> Iterator[Callable[[], None]]:
    """A progress bar on stderr where that is a terminal; call what it yields after each frame."""
    console = Console(stderr=True)
    columns = (TextColumn("Tracking"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=hidden or not console.is_terminal) as progress:
        task = progress.add_task("", total=total)
        yield lambda: progress.advance(task)
