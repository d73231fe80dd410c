"""Frames of a video file, a folder or glob of images, a camera or a network stream, one at a time.

`open_source` decides by the look of its argument. Frames come as upright RGB with their exact time; a second thread
decodes a few frames ahead. Memory does not depend on the length of the source.
"""

from __future__ import annotations

import glob
import math
import queue
import re
import sys
import threading
import time
from bisect import bisect_left
from collections.abc import Generator, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import chain
from numbers import Integral
from pathlib import Path
from typing import Any, Literal, cast
from urllib.parse import urlsplit

import av
import cv2
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace, VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from pgnet.errors import PgnetError

Image = NDArray[np.uint8]
Kind = Literal["video", "images", "camera", "stream"]

IMAGE_SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
AHEAD = 3
"""Frames decoded ahead."""
OPEN_TIMEOUT, READ_TIMEOUT = 10.0, 10.0
"""Seconds that a network stream may take to answer, and between two packets."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of a source.

    Attributes:
        index: 0-based number of the frame in the source, whatever the start.
        time: seconds on the source's own clock: presentation time stamp x time base for video, index / fps for images,
            seconds since opening for a camera.
        image: (H, W, 3) uint8 RGB, upright.
    """

    index: int
    time: float
    image: Image


@dataclass(frozen=True)
class _Window:
    """The frames wanted, start <= frame < end; int is a frame index, float is seconds."""

    start: int | float | None
    end: int | float | None

    def __post_init__(self) -> None:
        for name, value in (("start", self.start), ("end", self.end)):
            if value is not None and not 0 <= value < math.inf:
                raise PgnetError(f"The {name} is {value}; give a frame number or seconds, 0 or more.")
        if type(self.start or 0) is type(self.end) and (self.start or 0) >= self.end:
            raise PgnetError(f"The end ({self.end}) is not after the start ({self.start or 0}); give a later end.")

    @staticmethod
    def _reached(limit: int | float, index: int, seconds: float) -> bool:
        return index >= limit if isinstance(limit, Integral) else seconds >= limit

    def before(self, index: int, seconds: float) -> bool:
        return self.start is not None and not self._reached(self.start, index, seconds)

    def after(self, index: int, seconds: float) -> bool:
        return self.end is not None and self._reached(self.end, index, seconds)

    def count(self, total: int | None, fps: float | None) -> int | None:
        """How many of `total` frames lie inside, estimated."""

        def index(limit: int | float) -> int | None:
            return int(limit) if isinstance(limit, Integral) else math.ceil(limit * fps) if fps else None

        first = 0 if self.start is None else index(self.start)
        last = total if self.end is None else index(self.end)
        if first is None or last is None:
            return None
        return max(0, (last if total is None else min(last, total)) - first)


@dataclass
class Source:
    """An open source: iterate over it once, inside a `with` block or with `close` at the end.

    Attributes:
        name: as given; of an address without user, password and query.
        kind: "video", "images", "camera" or "stream".
        width, height: size in pixels of the upright frames.
        first: index of the first frame between start and end.
        fps: average frame rate; None if unknown.
        frame_count: frames of the whole source, an estimate for some containers; None if unknown.
        expected: frames between start and end, estimated; None if unknown.
        time_base: the unit of the time stamps; None if there is none.
        warnings: what was wrong but did not end the reading, one sentence each; filled while reading.
    """

    name: str
    kind: Kind
    width: int = 0
    height: int = 0
    first: int = 0
    fps: float | None = None
    frame_count: int | None = None
    expected: int | None = None
    time_base: Fraction | None = None
    warnings: list[str] = field(default_factory=list)
    _frames: Iterator[Frame] = field(default=iter(()), repr=False)
    _reader: Generator[Frame] | None = field(default=None, repr=False)

    def __iter__(self) -> Iterator[Frame]:
        return self._frames

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stops the decoding thread and releases the file or device."""
        if self._reader is not None:
            self._reader.close()


def open_source(
    source: str | Path | int,
    *,
    start: int | float | None = None,
    end: int | float | None = None,
    fps: float = 30.0,
) -> Source:
    """Opens a video file, folder or glob of images, camera number or network address.

    Args:
        source: a path, a pattern such as "shots/*.png", a camera number such as "0", or an rtsp:// or http:// address.
        start: the first frame wanted: int is a frame index, float is seconds. Found exactly, not at a key frame.
        end: the first frame no longer wanted, likewise.
        fps: frame rate that images are given, as they carry no times.

    Images of a folder or pattern come in natural order (img2 before img10); 16-bit ones are scaled to 8 bits, an alpha
    channel is dropped. One that cannot be read is left out with a warning (the numbers of the others stay), as are
    damaged frames of a video; a truncated file ends early with a warning. A camera or live stream that is read too
    slowly loses frames instead of falling behind.

    Raises:
        PgnetError: nothing there, unreadable, no video or images in it, no frame between start and end. While reading:
            an image of another size.
    """
    window = _Window(start, end)
    text = str(source)
    path = Path(text)
    if not text:
        raise PgnetError("The source is empty; give a video file, a folder of images, a camera number or an address.")
    if "://" in text:
        parts = urlsplit(text)
        address = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
        opened = Source(address, "stream")
        reader, live = _video(opened, text, window)
    elif text.isdecimal() and not path.exists():
        opened, live = Source(text, "camera"), True
        reader = _camera(opened, int(text), window)
    elif is_image_source(path):
        opened, live = Source(text, "images", fps=fps), False
        reader = _images(opened, path, window, fps)
    elif not path.exists():
        raise PgnetError(f"There is no file or folder {text}; check the path.")
    else:
        opened = Source(text, "video")
        reader, live = _video(opened, text, window)
    opened._reader = ahead(reader, drop=live)
    try:
        first = next(opened._reader, None)
    except BaseException:
        opened.close()
        raise
    if first is None:
        if start:
            unit = "frame" if isinstance(start, Integral) else "second"
            raise PgnetError(f"{opened.name} has nothing from {unit} {start} on; give an earlier one.")
        raise PgnetError(f"{opened.name} has no frame that can be decoded; is it a complete video?")
    opened.height, opened.width = first.image.shape[:2]
    opened.first = first.index
    opened.expected = window.count(opened.frame_count, opened.fps)
    opened._frames = chain([first], opened._reader)
    return opened


def is_image_source(path: str | Path) -> bool:
    """Whether a path is that of images: a folder, an image file or a pattern."""
    path = Path(path)
    if path.is_dir() or path.suffix.lower() in IMAGE_SUFFIXES:
        return True
    return glob.has_magic(str(path)) and not path.exists()


def ahead(frames: Generator[Frame], *, drop: bool = False) -> Generator[Frame]:
    """The same frames, made by a second thread, at most `AHEAD` in advance; `drop` loses the oldest when late."""
    items: queue.Queue[Frame | Exception | None] = queue.Queue(AHEAD)
    stop = threading.Event()

    def offer(item: Frame | Exception | None) -> None:
        while not stop.is_set():
            try:
                items.put(item, timeout=0 if drop else 0.1)
                return
            except queue.Full:
                if drop:
                    with suppress(queue.Empty):
                        items.get_nowait()

    def work() -> None:
        with closing(frames):
            try:
                for frame in frames:
                    offer(frame)
                    if stop.is_set():
                        return
                offer(None)
            except Exception as error:  # noqa: BLE001 - handed over: raised again where the frames are read
                offer(error)

    thread = threading.Thread(target=work, name="pgnet-reader", daemon=True)
    thread.start()
    try:
        while (item := items.get()) is not None:
            if isinstance(item, Exception):
                raise item
            yield item
    finally:
        stop.set()
        thread.join()


# --- video files and streams ------------------------------------------------------------------------------------------


def open_video(source: Source, location: str | None = None, *, formats: str = "") -> tuple[InputContainer, VideoStream]:
    """The container at a location, and its first stream of moving pictures.

    Args:
        source: what it is; used in messages.
        location: by default the source's name.
        formats: FFmpeg's names of the containers that are allowed, between commas; any if empty. Some are scripts that
            name other files and addresses to open.

    Raises:
        PgnetError: it cannot be opened, or has no such stream.
    """
    location = location or source.name
    remote = source.kind == "stream"
    options = {"rtsp_transport": "tcp"} if location.startswith("rtsp") else {}
    if formats:
        options |= {"format_whitelist": formats, "protocol_whitelist": "file"}
    try:
        container = av.open(location, options=options, timeout=(OPEN_TIMEOUT, READ_TIMEOUT) if remote else None)
    except (av.FFmpegError, OSError) as error:
        if remote:
            raise PgnetError(f"{source.name} cannot be opened ({error.strerror}); check the address.") from None
        if isinstance(error, PermissionError):
            raise PgnetError(f"{source.name} may not be read; check its permissions.") from error
        raise PgnetError(
            f"{source.name} cannot be read as a video ({error.strerror}); is it a complete video file?"
        ) from error
    # A cover picture of a song is no video; FFmpeg also "plays" text files.
    streams = [s for s in container.streams.video if not s.disposition & s.disposition.attached_pic]
    if not streams or container.format.name == "tty":
        container.close()
        raise PgnetError(f"{source.name} has no video stream; give a video file or a folder of images.")
    streams[0].thread_type = "AUTO"
    return container, streams[0]


def _video(source: Source, location: str, window: _Window) -> tuple[Generator[Frame], bool]:
    """Opens the container, notes its facts in `source`; gives the frames and whether they arrive in real time."""
    container, stream = open_video(source, location)
    seconds = declared_facts(source, container, stream)
    live = source.kind == "stream" and not seconds
    return _decode(source, location, container, stream, window), live


def declared_facts(source: Source, container: InputContainer, stream: VideoStream) -> float | None:
    """Notes rate, number of frames and time unit in the source, as the container says them -> its duration."""
    # Some containers give the unit of their time stamps for a rate.
    rates = (float(rate) for rate in (stream.average_rate, stream.guessed_rate) if rate)
    source.fps = next((rate for rate in rates if rate <= 1000), None)
    source.time_base = stream.time_base
    seconds = _duration(container, stream)
    source.frame_count = stream.frames or (round(seconds * source.fps) if seconds and source.fps else None)
    return seconds


def _duration(container: InputContainer, stream: VideoStream) -> float | None:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return container.duration / av.time_base if container.duration else None


def _decode(
    source: Source, location: str, container: InputContainer, stream: VideoStream, window: _Window
) -> Generator[Frame]:
    with container:
        index, key = 0, None
        if window.start and (found := _key_frame(source, location, window)):
            index, key = found
            # A timestamp that the container's index does not know may lead past the key frame: then from the start.
            container.seek(key, stream=stream)
            if (first := next(container.demux(stream), None)) is None or first.pts is None or first.pts > key:
                index, key = 0, None
            container.seek(0 if key is None else key, stream=stream)
        upright: Upright | None = None
        damaged, seconds = 0, 0.0
        for packet in packets(source, container, stream):
            try:
                frames = stream.decode(packet)
            except av.FFmpegError:
                damaged += 1
                continue
            for frame in frames:
                if key is not None and frame.pts is not None and frame.pts < key:
                    continue
                damaged += frame.is_corrupt
                seconds = stamp_seconds(frame.pts, index, source)
                if window.after(index, seconds):
                    return
                if not window.before(index, seconds):
                    upright = upright or Upright(frame)
                    if upright.size != (frame.width, frame.height):
                        _warn_once(source, f"{source.name} changes its size on the way; every frame was scaled.")
                    yield Frame(index, seconds, upright(frame))
                index += 1
        if damaged:
            source.warnings.append(f"{source.name} is damaged: {damaged} of its frames could not be decoded cleanly.")
        warn_if_truncated(source, location, stream, seconds)


def warn_if_truncated(source: Source, location: str, stream: VideoStream, seconds: float) -> None:
    """A warning where a file goes on, by what it announces, after its last frame, shown at `seconds`."""
    if _truncated(location, stream, seconds):
        source.warnings.append(f"{source.name} is truncated: it ends after {seconds:.3f} s, before what it announces.")


def _truncated(location: str, stream: VideoStream, seconds: float) -> bool:
    """Whether a container's own index or duration goes on after the last frame, shown at `seconds`."""
    entries, file = stream.index_entries, Path(location)
    if len(entries) and file.is_file():
        last = entries[len(entries) - 1]
        if last.pos + last.size > file.stat().st_size:
            return True
    # Matroska: the stream's own duration, as sound may last longer.
    hours, minutes, rest = ([*stream.metadata.get("DURATION", "").split(":"), "", ""])[:3]
    try:
        announced = int(hours) * 3600 + int(minutes) * 60 + float(rest)
    except ValueError:
        return False
    return seconds + 0.5 < announced


def packets(source: Source, container: InputContainer, stream: VideoStream) -> Iterator[av.Packet[VideoStream] | None]:
    """The packets, then None, which makes the decoder give what it still holds; an error ends them with a warning."""
    try:
        yield from (packet for packet in container.demux(stream) if packet.size)
    except av.FFmpegError as error:
        source.warnings.append(f"{source.name} ends early ({error.strerror}); the frames before were read.")
    yield None


def _key_frame(source: Source, location: str, window: _Window) -> tuple[int, int] | None:
    """Index and time stamp of the last key frame at or before the start; None: decode from the beginning.

    Reads the packets up to there without decoding them. Only for containers that keep one stamped packet per frame.
    """
    if source.kind == "stream":
        return None
    container, stream = open_video(source, location)
    with container:
        unit = stream.time_base
        if unit is None or not {"mp4", "matroska"} & set(container.format.name.split(",")):
            return None
        stamps: list[int] = []
        keys: list[int] = []
        for packet in packets(Source("", "video"), container, stream):
            if packet is None:
                break
            if packet.pts is None:
                return None
            if packet.is_discard:
                continue
            stamps.append(packet.pts)
            if packet.is_keyframe:
                keys.append(packet.pts)
            # Later packets are shown later than this one is decoded; 64 frames are more than any codec reorders.
            if packet.dts is not None and not window.before(len(stamps) - 64, float(packet.dts * unit)):
                break
        stamps.sort()
        target = next((s for i, s in enumerate(stamps) if not window.before(i, float(s * unit))), None)
        before = [key for key in keys if target is not None and key <= target]
        return (bisect_left(stamps, max(before)), max(before)) if before else None


def stamp_seconds(pts: int | None, index: int, source: Source) -> float:
    """When frame `index` with a presentation time stamp is shown; by the frame rate where there is no stamp."""
    if pts is None or source.time_base is None:
        return index / (source.fps or 30.0)
    # Not a frame's own time_base: the frames that come out at the end of the stream have none.
    return float(pts * source.time_base)


class Upright:
    """Turns decoded frames into upright RGB of the first one's size."""

    def __init__(self, first: VideoFrame) -> None:
        self.size = first.width, first.height
        self._scaler = VideoReformatter()
        # Shown x = a x + c y, y = b x + d y (ISO 14496-12): one of eight turns and mirrorings. Only asked of the first
        # frame: reading side data ties frame and data into a cycle, and frames would pile up.
        matrix: Any = first.side_data.get("DISPLAYMATRIX")
        entries = np.frombuffer(bytes(matrix), np.int32).tolist() if matrix is not None else [1, 0, 0, 0, 1, 0, 0, 0, 1]
        (a, b), (c, d) = entries[0:2], entries[3:5]
        self._turned = abs(b) > abs(a)
        x, y = (c, b) if self._turned else (a, d)
        self._flips = slice(None, None, -1 if y < 0 else 1), slice(None, None, -1 if x < 0 else 1)

    def __call__(self, frame: VideoFrame) -> Image:
        """A decoded frame -> (H, W, 3) uint8 RGB."""
        width, height = self.size
        # Players take untagged material as BT.709 from 720 lines on; 2 is "unspecified".
        colours = Colorspace.ITU709 if frame.colorspace == 2 and height >= 720 else None
        scaled = self._scaler.reformat(frame, width, height, "rgb24", src_colorspace=colours, threads=1)
        image = cast(Image, scaled.to_ndarray())
        if self._turned:
            image = image.transpose(1, 0, 2)
        return np.ascontiguousarray(image[self._flips])


def _warn_once(source: Source, warning: str) -> None:
    if warning not in source.warnings:
        source.warnings.append(warning)


# --- images -----------------------------------------------------------------------------------------------------------


def _natural(path: Path) -> list[tuple[int, str]]:
    """Sort key: runs of digits compare as numbers."""
    return [(int(part), "") if part.isdecimal() else (-1, part.casefold()) for part in re.split(r"(\d+)", str(path))]


def _images(source: Source, path: Path, window: _Window, fps: float) -> Generator[Frame]:
    if not fps > 0:
        raise PgnetError(f"The frame rate is {fps}; give a positive number.")
    paths = image_paths(path)
    source.frame_count = len(paths)
    return _image_frames(source, paths, window, fps)


def image_paths(path: Path) -> list[Path]:
    """The image files of a folder, a pattern or one image, in natural order. Raises: PgnetError if there are none."""
    candidates = path.iterdir() if path.is_dir() else [path] if path.exists() else map(Path, glob.glob(str(path)))
    images = (p for p in candidates if p.suffix.lower() in IMAGE_SUFFIXES and p.is_file())
    paths = sorted((p for p in images if not p.name.startswith(".")), key=_natural)
    if not paths:
        if path.is_dir():
            raise PgnetError(f"The folder {path} has no images ({', '.join(sorted(IMAGE_SUFFIXES))}).")
        raise PgnetError(f"No image file matches {path}; check the path.")
    return paths


def _image_frames(source: Source, paths: list[Path], window: _Window, fps: float) -> Generator[Frame]:
    shape: tuple[int, ...] | None = None
    for index, path in enumerate(paths):
        seconds = index / fps
        if window.after(index, seconds):
            return
        if window.before(index, seconds):
            continue
        try:
            image = read_image(path)
        except PgnetError as error:
            if shape is None:  # a target marked on the first frame would be taken to another one
                raise
            source.warnings.append(f"{error} It was left out.")
            continue
        shape = shape or image.shape
        if image.shape != shape:
            raise PgnetError(
                f"{path} is {image.shape[1]} x {image.shape[0]} and the images before are {shape[1]} x {shape[0]}; "
                "give images of one size."
            )
        yield Frame(index, seconds, image)


def read_image(path: str | Path) -> Image:
    """An image file as (H, W, 3) uint8 RGB, upright (EXIF); grey is repeated, 16 bits are scaled, alpha is dropped.

    Raises:
        PgnetError: the file cannot be read, is no image, or has pixels of another type.
    """
    try:
        data = np.fromfile(path, np.uint8)  # cv2.imread cannot open every name on Windows
    except OSError as error:
        raise PgnetError(f"The image {path} cannot be read ({error.strerror}).") from error
    try:
        image = cv2.imdecode(data, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH) if len(data) else None
    except cv2.error:
        image = None
    if image is None:
        raise PgnetError(f"The image {path} cannot be decoded; the file is damaged or no image.")
    if image.dtype == np.uint16:
        image = cv2.convertScaleAbs(image, alpha=255 / 65535)
    if image.dtype != np.uint8:
        raise PgnetError(f"The image {path} has {image.dtype} pixels; give one with 8 or 16 bits per channel.")
    return _rgb(image)


def _rgb(image: Any) -> Image:
    return cast(Image, cv2.cvtColor(image, cv2.COLOR_BGR2RGB))


# --- cameras ----------------------------------------------------------------------------------------------------------


def _camera(source: Source, number: int, window: _Window) -> Generator[Frame]:
    hint = "check that it is connected and not used by another program"
    # OpenCV complains at length on the console about a device that does not exist.
    if sys.platform == "linux" and not Path(f"/dev/video{number}").exists():
        raise PgnetError(f"There is no camera {number} (/dev/video{number}); {hint}.")
    capture = cv2.VideoCapture(number)
    if not capture.isOpened():
        raise PgnetError(f"Camera {number} cannot be opened; {hint}.")
    source.fps = float(capture.get(cv2.CAP_PROP_FPS)) or None
    return _camera_frames(source, capture, window)


def _camera_frames(source: Source, capture: cv2.VideoCapture, window: _Window) -> Generator[Frame]:
    begin, index = time.monotonic(), 0
    try:
        while True:
            ok, image = capture.read()
            seconds = time.monotonic() - begin
            if not ok:
                source.warnings.append(f"Camera {source.name} gave no more frames.")
                return
            if window.after(index, seconds):
                return
            if not window.before(index, seconds):
                yield Frame(index, seconds, _rgb(image))
            index += 1
    finally:
        capture.release()
