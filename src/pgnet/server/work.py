"""What runs in processes of its own (`pgnet.server.processes`): all that reads a user's file, and tracking.

Each function of the second part takes the `Line` to its caller, then its arguments.
"""

from __future__ import annotations

import tempfile
import time
import zipfile
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from pgnet.boxes import iou
from pgnet.engine.choice import Choice, here, milliseconds
from pgnet.errors import PgnetError
from pgnet.models import resolve
from pgnet.results import SourceInfo, Track
from pgnet.results.formats import read
from pgnet.server.processes import Line
from pgnet.tracking import MultiTracker, Prediction
from pgnet.tracking.passes import Sweep, Task
from pgnet.tracking.presence import LOST
from pgnet.tracking.spans import Box, Pass, Span
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


@dataclass(frozen=True)
class Rows:
    """Report: rows that were tracked."""

    rows: list[Row]
    done: int
    """Predictions made for all of the job's rows so far, earlier runs included."""
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
        raise PgnetError(str(error).replace(str(path.parent) + "/", "").replace("; give --from", "; choose")) from error


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
        self._line, self._reader, self._tracker, self._order = line, reader, tracker, order
        self._rows = [dict(span.rows) for span in order.spans]  # all there are of each span, by frame
        self._new: list[Row] = []  # not yet reported
        self._done = sum(row.passes for rows in self._rows for row in rows.values())
        self._reported = self._pictured = 0.0

    def go(self, direction: int) -> bool:
        """All passes of one direction -> False where it was stopped on the way."""
        tasks = list(self._tasks(direction))
        if not tasks:
            return True
        ways = [(number, task.target, task.way) for number, task in tasks]
        sweep = Sweep(self._tracker, [task for _, task in tasks])
        numbers = sweep.frames
        begin = direction * min(direction * self._position(number, task.way) for number, task in tasks)
        for number, task in sorted(tasks, key=lambda item: direction * item[1].way.keyframe):
            if direction * task.way.keyframe < direction * begin:  # an earlier run got as far as `begin`
                sweep.step(self._reader[task.way.keyframe])
                self._tracker.move(task.target, self._rows[number][begin].box, self._rows[number][begin].state)
        frames = ahead(self._frames([n for n in numbers if direction * n >= direction * begin]))
        with Behind(self._report) as reports, closing(frames):
            for frame in frames:
                if self._line.stopped:
                    break
                found = sweep.step(frame) if frame.image.size else {}
                for number, target, way in ways:
                    if frame.index in way.frames:
                        self._add(number, frame.index, found.get(target), direction)
                self._hand_over(frame, reports)
            else:
                sweep.check_started()
            self._hand_over(frame, reports, last=True)
        for id in self._tracker.ids:
            self._tracker.stop(id)
        return not self._line.stopped

    def _tasks(self, direction: int) -> Iterator[tuple[int, Task]]:
        """The passes that are not finished, with the numbers of their spans."""
        for number, order in enumerate(self._order.spans):
            way = order.span.forwards if direction > 0 else order.span.backwards
            keyframe = order.span.before if direction > 0 else order.span.after
            if way and keyframe and keyframe.box and not self._has(number, way.last, direction):
                yield number, Task(order.target, way, keyframe.box)

    def _has(self, number: int, frame: int, direction: int) -> bool:
        """Whether a frame of a span has been tracked in this direction."""
        row = self._rows[number].get(frame)
        return row is not None and row.passes >= _passes(self._order.spans[number].span, direction)

    def _position(self, number: int, way: Pass) -> int:
        """The last frame that an earlier run tracked, or the keyframe."""
        return next((n - way.direction for n in way.frames if not self._has(number, n, way.direction)), way.keyframe)

    def _frames(self, numbers: Sequence[int]) -> Generator[Frame]:
        """Those frames; one that is damaged comes without pixels."""
        for number in numbers:
            try:
                yield self._reader[number]
            except PgnetError:
                yield Frame(number, 0.0, np.zeros((0, 0, 3), np.uint8))

    def _add(self, number: int, frame: int, found: Prediction | None, direction: int) -> None:
        """Note where a span's target is; nothing found, as the frame is damaged: it stays where it was, lost."""
        order, rows = self._order.spans[number], self._rows[number]
        old = rows.get(frame)
        if found is None:
            neighbour = rows.get(frame - direction)
            keyframe = order.span.before if direction > 0 else order.span.after
            box = neighbour.box if neighbour else keyframe.box if keyframe and keyframe.box else (0.0, 0.0, 0.0, 0.0)
            found = Prediction(np.array(box), 0.0, 0.0, LOST)
        elif old is not None and len(order.span.passes) == 2 and direction < 0:
            found = _fused(order.span, frame, old, found)
        x, y, w, h = found.box.tolist()
        passes = _passes(order.span, direction)
        rows[frame] = Row(
            order.target, frame, (x, y, w, h), found.score, found.presence, found.state, order.mark, passes
        )
        self._new.append(rows[frame])
        self._done += passes - (old.passes if old else 0)

    def _hand_over(self, frame: Frame, reports: Behind[Rows | Frame], *, last: bool = False) -> None:
        now = time.monotonic()
        if self._new and (last or now - self._reported >= REPORT_SECONDS):
            reports.put(Rows(self._new, self._done, frame.index))
            self._new, self._reported = [], now
        if frame.image.size and now - self._pictured >= PICTURE_SECONDS:
            reports.put(frame)
            self._pictured = now

    def _report(self, item: Rows | Frame) -> None:
        self._line.report(Picture(item.index, jpeg(item.image)) if isinstance(item, Frame) else item)


def _passes(span: Span, direction: int) -> int:
    """How many passes a row comes from after those of a direction."""
    return 1 if direction > 0 else len(span.passes)


def _fused(span: Span, frame: int, forwards: Row, backwards: Prediction) -> Prediction:
    """Of two passes, what the one says that is more sure and nearer to its keyframe; both, where they agree."""
    near = (frame - span.first + 1) / (len(span.frames) + 1)  # 0 at the keyframe before, 1 at the one after
    weights = np.array([forwards.presence * (1 - near), backwards.presence * near]) + 1e-9
    if iou(np.array(forwards.box), backwards.box) < 0.5:
        weights = (weights == weights.max()).astype(np.float64)
    box = np.average([forwards.box, backwards.box], axis=0, weights=weights)
    if weights[0] > weights[1]:
        return Prediction(box, forwards.score, forwards.presence, forwards.state)
    return replace(backwards, box=box)
