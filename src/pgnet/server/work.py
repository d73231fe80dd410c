"""What runs in processes of its own (`pgnet.server.processes`): all that reads a user's file, and tracking.

Each function of the second part takes the `Line` to its caller, then its arguments.
"""

from __future__ import annotations

import tempfile
import time
import zipfile
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from pgnet.engine.choice import Choice, here, milliseconds
from pgnet.errors import PgnetError
from pgnet.models import resolve
from pgnet.results import SourceInfo, Track
from pgnet.results import video as pictures
from pgnet.results.formats import read
from pgnet.results.retrack import Meeting, fuse, row_of
from pgnet.results.track import Row as TrackRow
from pgnet.server.processes import Line
from pgnet.tracking import MultiTracker, Prediction
from pgnet.tracking.passes import Sweep, Task
from pgnet.tracking.presence import LOST
from pgnet.tracking.spans import Box, Span
from pgnet.video import Frame, FrameIndex, FrameReader
from pgnet.video.behind import Behind
from pgnet.video.reader import Source as VideoSource
from pgnet.video.reader import ahead, image_paths, is_image_source, open_video, read_image

CONTAINERS = "mov,matroska,avi,mpegts,mpeg,flv,ogg,asf,mxf,nut,ivf,gif,h264,hevc,m4v,mpegvideo,obu,dv,rm,wtv,y4m"
"""FFmpeg's names of what a user's file may be: none of them names other files or addresses."""
QUALITY = 90
"""Of JPEG pictures."""
READERS = 3
"""Videos that a process keeps open."""
REPORT_SECONDS, PICTURE_SECONDS = 0.15, 0.25
"""Time between two reports of rows, and between two live pictures."""


@dataclass(frozen=True)
class VideoFile:
    """A video in the server's folder or library."""

    path: Path
    index: Path
    """Where its frame index is kept."""


@dataclass(frozen=True)
class Facts:
    """What is known of a video once it has been opened."""

    kind: str
    width: int
    height: int
    fps: float | None
    frame_count: int
    duration: float
    warnings: list[str]


class Row(NamedTuple):
    """Where a target is in a frame, as the tracker found it."""

    target: int
    frame: int
    box: Box
    score: float
    presence: float
    state: str
    span: int
    """Tells the span that the row belongs to."""
    passes: int
    """Passes over the span that it comes from so far."""


@dataclass(frozen=True)
class SpanOrder:
    """A span of one target to be tracked."""

    target: int
    mark: int
    """`Row.span` of its rows."""
    span: Span
    rows: Mapping[int, Row]
    """Those that an earlier run made, by frame."""


@dataclass(frozen=True)
class FollowOrder:
    """What a job has to track, and with what."""

    video: VideoFile
    model: str
    choice: Choice
    threads: int | None
    spans: Sequence[SpanOrder]
    before: int
    """Predictions of the job's other spans, which earlier runs have brought to their end."""


@dataclass(frozen=True)
class RenderOrder:
    """A video to be made."""

    video: VideoFile
    path: Path
    """Where to write it."""
    track: Track
    """What is drawn, followed or hidden."""
    kind: str
    """annotated, follow-crop, blur or pixelate."""
    size: tuple[int, int]
    """Width and height of a follow-crop."""
    colours: Mapping[int, tuple[int, int, int]]
    """RGB of the targets, by their numbers."""


@dataclass(frozen=True)
class Rows:
    """Report: what was tracked, or made."""

    rows: list[Row]
    done: int
    """Predictions that the job has made so far, in earlier runs as well; or frames."""
    frame: int
    """The last one worked on."""


@dataclass(frozen=True)
class Picture:
    """Report: the picture of a frame that is being worked on."""

    frame: int
    jpeg: bytes


# --- what is called ---------------------------------------------------------------------------------------------------


def check_video(line: Line, video: VideoFile, pixels: int, frames: int) -> Facts:
    """Open a new video, list its frames and keep the list.

    Raises:
        PgnetError: not a video, or beyond a limit.
    """
    if is_image_source(video.path):
        height, width = read_image(image_paths(video.path)[0]).shape[:2]
    else:
        container, stream = open_video(VideoSource("The file", "video"), str(video.path), formats=CONTAINERS)
        with container:
            width, height = stream.codec_context.width, stream.codec_context.height
    if width * height > pixels:
        raise PgnetError(
            f"The frames have {width} x {height} pixels; this server takes up to {pixels / 1e6:.0f} million."
        )
    with FrameReader(video.path, formats=CONTAINERS) as reader:
        if len(reader) > frames:
            raise PgnetError(
                f"The video has {len(reader)} frames; this server takes up to {frames}: cut it into parts."
            )
        reader.index.save(video.index)
        source, times = reader.source, reader.index.times
        fps = (
            source.fps or (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 and times[-1] > times[0] else None
        )
        duration = float(times[-1] - times[0]) + (1 / fps if fps else 0)
        warnings = [warning.replace(str(video.path), "The video") for warning in source.warnings]
        return Facts(source.kind, source.width, source.height, fps, len(reader), duration, warnings)


def picture(line: Line, video: VideoFile, number: int, width: int | None) -> bytes:
    """A frame as JPEG, made smaller if it is wider than `width`.

    Raises:
        PgnetError: it cannot be decoded.
    """
    return jpeg(_reader(line, video)[number].image, width)


def read_boxes(line: Line, path: Path, format: str | None, known: SourceInfo, limit: int) -> Track:
    """A user's file of boxes, or zip of a folder of them.

    Raises:
        PgnetError: damaged, unknown, for frames of another size, or larger than `limit` bytes when unpacked.
    """
    try:
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            return read(_unpacked(path, Path(folder), limit), format, known=known)
    except PgnetError as error:
        raise PgnetError(
            str(error).replace(str(path.parent) + "/", "").replace("; pgnet convert --from takes it", "; choose")
        ) from error


def list_engines(line: Line) -> list[Choice]:
    """What can compute here."""
    return [choice for choice in here() if not (choice.half and choice.engine == "onnxruntime")]


def measure(line: Line, model: str, choice: Choice, threads: int | None) -> float:
    """Milliseconds of a search, to say how long a job will take."""
    return milliseconds(resolve(model), choice, threads, seconds=0.7)


def follow(line: Line, order: FollowOrder) -> bool:
    """Track spans, forwards and then backwards; reports `Rows` and `Picture` -> whether it came to the end.

    Raises:
        PgnetError: the model cannot be loaded, or the video cannot be read.
    """
    tracker = _tracker(line, order)
    following = _Following(line, _reader(line, order.video), tracker, order)
    return following.go(1) and following.go(-1)


def render(line: Line, order: RenderOrder) -> bool:
    """Make a video; reports `Rows` without rows -> whether it is complete.

    Raises:
        PgnetError: the video cannot be read or written, or there is nothing to follow.
    """
    reader, targets = _reader(line, order.video), order.track.targets
    size = reader.source.width, reader.source.height
    numbers = range(len(reader))
    picture: pictures.Picture
    if order.kind == "follow-crop":
        width, height = order.size
        picture = pictures.FollowCrop(targets[0], size, width / height, height, reader.source.fps)
        numbers = range(int(targets[0].frames[0]), int(targets[0].frames[-1]) + 1)
    elif order.kind == "annotated":
        picture = pictures.Annotated(order.track, size, order.colours)
    else:
        picture = pictures.Concealed(targets, size, blocks=order.kind == "pixelate")
    done, reported = 0, time.monotonic()

    def tick() -> None:
        nonlocal done, reported
        done += 1
        if line.stopped:
            raise _Stopped
        if time.monotonic() - reported >= REPORT_SECONDS:
            reported = time.monotonic()
            line.report(Rows([], done, numbers[0] + done - 1))

    try:
        with reader.play(numbers) as frames:
            pictures.write_video(order.path, frames, picture, tick=tick)
    except _Stopped:
        return False
    return True


class _Stopped(Exception):
    """The caller wants no more."""


# --- and its parts ----------------------------------------------------------------------------------------------------


def jpeg(image: NDArray[np.uint8], width: int | None = None) -> bytes:
    """An (H, W, 3) RGB image as JPEG, made smaller if it is wider than `width`."""
    if width and width < image.shape[1]:
        height = max(1, round(image.shape[0] * width / image.shape[1]))
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8)
    return cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[
        1
    ].tobytes()


def _reader(line: Line, video: VideoFile) -> FrameReader:
    """The video, kept open from call to call."""
    readers: dict[Path, FrameReader] = line.kept.setdefault("readers", {})
    reader = readers.pop(video.path, None)
    if reader is None:
        while len(readers) >= READERS:
            readers.pop(next(iter(readers))).close()
        reader = FrameReader(video.path, index=FrameIndex.load(video.index), formats=CONTAINERS)
    readers[video.path] = reader
    return reader


def _unpacked(path: Path, folder: Path, limit: int) -> Path:
    """The file itself, or the folder that a zip was of; CVAT's own zip is read as it is."""
    if not zipfile.is_zipfile(path):
        return path
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > limit:
                raise PgnetError(f"The zip file is larger than {limit >> 20} MiB when unpacked.")
            if "annotations.xml" in archive.namelist():
                return path
            archive.extractall(folder)  # never writes outside of the folder
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, OSError) as error:
        raise PgnetError(f"The zip file cannot be unpacked ({error}).") from error
    inside = [found for found in folder.iterdir() if not found.name.startswith((".", "__MACOSX"))]
    return inside[0] if len(inside) == 1 else folder


def _tracker(line: Line, order: FollowOrder) -> MultiTracker:
    """A tracker that follows nothing; the last one is kept, as loading takes long beside a short correction."""
    file = resolve(order.model)
    key = (file.sha256, order.choice, order.threads)
    if line.kept.get("tracker", (None,))[0] != key:
        choice = order.choice
        tracker = MultiTracker.load(
            file, engine=choice.engine, device=choice.device, half=choice.half, threads=order.threads
        )
        line.kept["tracker"] = (key, tracker)
    found: MultiTracker = line.kept["tracker"][1]
    for id in found.ids:
        found.stop(id)
    return found


class _Following:
    """The state of `follow`."""

    def __init__(self, line: Line, reader: FrameReader, tracker: MultiTracker, order: FollowOrder) -> None:
        self._line, self._reader, self._tracker = line, reader, tracker
        self._spans, self._before = [_SpanWork(span) for span in order.spans], order.before
        self._new: list[Row] = []  # not yet reported
        self._reported = self._pictured = 0.0

    def go(self, direction: int) -> bool:
        """All passes of one direction -> False where it was stopped on the way."""
        passes = [found for span in self._spans if (found := span.left(direction))]
        if not passes:
            return True
        sweep = Sweep(self._tracker, [one.task for one in passes])
        begin = direction * min(direction * one.position for one in passes)
        numbers = [n for n in sweep.frames if direction * n >= direction * begin]
        # What an earlier run tracked as far as `begin` goes on from there. A keyframe may be that of several passes.
        resumed = [one for one in passes if direction * one.task.way.keyframe < direction * begin]
        for keyframe in sorted({one.task.way.keyframe for one in resumed}, reverse=direction < 0):
            sweep.step(self._reader[keyframe])
        for one in resumed:
            row = one.span.there[begin]
            self._tracker.move(one.task.target, row.box, row.state)
        frames = ahead(self._frames(numbers, passes))
        with closing(sweep), Behind(self._report) as reports, closing(frames):
            for frame in frames:
                if self._line.stopped:
                    break
                predictions = sweep.step(frame) if frame.image.size else {}
                for one in passes:
                    if not one.ended and frame.index in one.task.way.frames:
                        self._new += one.add(frame, predictions.get(one.task.target))
                        if one.ended:
                            sweep.stop(one.task.target)
                self._hand_over(frame, reports)
            else:
                sweep.check_started()
            self._hand_over(frame, reports, last=True)
        return not self._line.stopped

    def _frames(self, numbers: Sequence[int], passes: Sequence[_PassWork]) -> Generator[Frame]:
        """Those frames that passes still need; one that is damaged comes without pixels."""
        for number in numbers:
            if all(one.ended or not one.touches(number) for one in passes):
                continue
            try:
                yield self._reader[number]
            except PgnetError:
                yield Frame(number, 0.0, np.zeros((0, 0, 3), np.uint8))

    def _hand_over(self, frame: Frame, reports: Behind[Rows | Frame], *, last: bool = False) -> None:
        now = time.monotonic()
        if last or now - self._reported >= REPORT_SECONDS:
            reports.put(Rows(self._new, self._before + sum(span.done for span in self._spans), frame.index))
            self._new, self._reported = [], now
        if frame.image.size and now - self._pictured >= PICTURE_SECONDS:
            reports.put(frame)
            self._pictured = now

    def _report(self, item: Rows | Frame) -> None:
        self._line.report(Picture(item.index, jpeg(item.image)) if isinstance(item, Frame) else item)


class _SpanWork:
    """A span, and how far it is."""

    def __init__(self, order: SpanOrder) -> None:
        self.order = order
        self.there = {frame: _record(row) for frame, row in order.rows.items()}
        """Rows of the first pass over the span."""
        self.back: dict[int, TrackRow] = {}
        """Rows of the second one, which goes backwards."""
        self.done = sum(row.passes for row in order.rows.values())
        """Predictions made."""

    def left(self, direction: int) -> _PassWork | None:
        """The pass of a direction, if it has not come to its end."""
        span = self.order.span
        way = span.forwards if direction > 0 else span.backwards
        keyframe = span.before if direction > 0 else span.after
        if way is None or keyframe is None or keyframe.box is None:
            return None
        one = _PassWork(self, Task(self.order.target, way, keyframe.box), second=direction < 0 and len(span.passes) > 1)
        whole = self.done >= len(span.frames) * len(span.passes) if one.second else way.last in self.there
        return None if whole else one

    def rows(self, found: Iterable[TrackRow], passes: int) -> list[Row]:
        """As they are reported."""
        order = self.order
        return [
            Row(order.target, n, cast(Box, tuple(box)), score, presence, state, order.mark, passes)
            for n, box, score, *_, presence, state in found
        ]


class _PassWork:
    """A pass over a span, under way.

    The rows of the first pass are handed out one by one. Those of a second one count once it has come to its end, or
    has met the first: then all rows of the span are fused.
    """

    def __init__(self, span: _SpanWork, task: Task, *, second: bool) -> None:
        self.span, self.task, self.second = span, task, second
        self.ended = False
        self._meeting = Meeting(task.target, span.order.span, span.there, span.back)

    def touches(self, number: int) -> bool:
        """Whether it needs a frame."""
        return number == self.task.way.keyframe or number in self.task.way.frames

    @property
    def position(self) -> int:
        """The last frame that an earlier run tracked, or the keyframe."""
        way = self.task.way
        if self.second:
            return way.keyframe
        return next((n - way.direction for n in way.frames if n not in self.span.there), way.keyframe)

    def add(self, frame: Frame, found: Prediction | None) -> list[Row]:
        """Note what was found, nothing if the frame is damaged -> the rows that are final, or so for now."""
        way, span = self.task.way, self.span
        if not self.second:
            if frame.index in span.there:  # of an earlier run
                return []
            if found is None:  # it stays where it was
                neighbour = span.there.get(frame.index - way.direction)
                box = neighbour.box if neighbour else list(self.task.box)
                row = TrackRow(frame.index, box, score=0.0, presence=0.0, state=LOST)
            else:
                row = row_of(frame, found)
            span.done += 1
            span.there[frame.index] = row
            return span.rows([row], 1)
        if found is not None:
            span.back[frame.index] = row_of(frame, found)
            span.done += 1
            self.ended = self._meeting.at(self.task.target, frame.index)
        if frame.index != way.last and not self.ended:
            return []
        whole = span.order.span
        span.done = 2 * len(whole.frames)
        return span.rows(fuse(whole, span.there, span.back).values(), 2)


def _record(row: Row) -> TrackRow:
    return TrackRow(row.frame, list(row.box), score=row.score, presence=row.presence, state=row.state)
