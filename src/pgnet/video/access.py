"""Any frame of a video file or a folder of images, by its number: for stepping, scrubbing and tracking backwards.

The file's time stamps are listed once (`FrameIndex`); to get to a frame, the decoder starts at the last key frame
before it and goes on until the frame with that very stamp comes out. Decoded frames near the last one asked for are
kept, so a step back is as cheap as a step forward.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from pgnet.errors import PgnetError
from pgnet.files import atomic
from pgnet.video.reader import (
    Frame,
    Image,
    Source,
    Upright,
    ahead,
    declared_facts,
    image_paths,
    is_image_source,
    open_video,
    packets,
    read_image,
    stamp_seconds,
    warn_if_truncated,
)

MEMORY = 192 << 20
"""Bytes of decoded frames that a reader keeps by default."""
KEPT = 256
"""Frames that it keeps at most, however small they are."""


@dataclass(frozen=True, eq=False)
class FrameIndex:
    """When each frame is shown, and where decoding can begin.

    Attributes:
        times: (N,) seconds on the source's clock, as `Frame.time`.
        stamps: (N,) presentation time stamps in units of the stream; without any (0,), frames can only be counted.
        keys: (K,) numbers of the frames that decoding can begin at, increasing, the first one included.
        warnings: what was wrong with the file, one sentence each.
    """

    times: NDArray[np.float64]
    stamps: NDArray[np.int64]
    keys: NDArray[np.int64]
    warnings: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.times)

    def save(self, path: str | Path) -> None:
        """Keep it in an .npz file, so that a long file is listed once only. Raises: PgnetError."""
        warnings = np.array(self.warnings, np.str_)
        with atomic(path) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, times=self.times, stamps=self.stamps, keys=self.keys, warnings=warnings)

    @classmethod
    def load(cls, path: str | Path) -> FrameIndex:
        """What `save` kept. Raises: PgnetError where it cannot be read."""
        try:
            with np.load(path, allow_pickle=False) as file:
                return cls(file["times"], file["stamps"], file["keys"], tuple(file["warnings"].tolist()))
        except (OSError, ValueError, KeyError) as error:
            raise PgnetError(f"The frame index {path} cannot be read ({error}); delete it.") from error


class FrameReader:
    """Random access to the frames of a video file or a folder of images.

    Frame n is the n-th that `pgnet.video.open_source` gives for the same intact source, with the same time and pixels.

        >>> with FrameReader("video.mp4") as frames:  # doctest: +SKIP
        ...     for number in range(len(frames) - 1, -1, -1):
        ...         frames[number].image

    Not for several threads at once.

    Attributes:
        source: name, kind, size, rate and number of frames, as `open_source` says them; the number is exact here.
        index: of the frames.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        index: FrameIndex | None = None,
        memory: int = MEMORY,
        fps: float = 30.0,
        formats: str = "",
    ) -> None:
        """Open a file, folder or pattern of images.

        Args:
            path: as for `open_source`; cameras and streams have no random access.
            index: what `FrameReader.index` was of the same file, to open it at once.
            memory: bytes of decoded frames to keep.
            fps: frame rate that images are given.
            formats: containers that are allowed, see `pgnet.video.reader.open_video`.

        Raises:
            PgnetError: nothing there, unreadable, or no video or images in it.
        """
        self._decoder: _VideoDecoder | _ImageFiles
        if is_image_source(path):
            self.source = Source(str(path), "images", fps=fps)
            self._decoder = _ImageFiles(path)
            times = np.arange(len(self._decoder.paths)) / fps
            everywhere = np.arange(len(times))
            self.index = index or FrameIndex(times, np.zeros(0, np.int64), everywhere)
        else:
            if not Path(path).exists():
                raise PgnetError(f"There is no file or folder {path}; check the path.")
            self.source = Source(str(path), "video")
            self.index = index or _list_frames(self.source, formats)
            if not len(self.index):
                raise PgnetError(f"{path} has no frame that can be decoded; is it a complete video?")
            self._decoder = _VideoDecoder(self.source, self.index, formats)
        self._memory = memory
        self._kept: dict[int, VideoFrame | Image] = {}
        self._bytes = 0
        self.source.frame_count = self.source.expected = len(self.index)
        self.source.warnings = list(self.index.warnings)
        try:
            first = self[0].image
        except BaseException:
            self.close()
            raise
        self.source.height, self.source.width = first.shape[:2]

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, number: int) -> Frame:
        """Frame `number`, 0-based.

        Raises:
            IndexError: there is no such frame.
            PgnetError: it is damaged, or of another size than the first one (images).
        """
        if not 0 <= number < len(self):
            raise IndexError(f"frame {number} of {len(self)}")
        if number not in self._kept:
            for passed, picture in self._decoder.towards(number):
                self._keep(passed, picture, number)
        if number not in self._kept:
            raise PgnetError(f"Frame {number} of {self.source.name} is damaged and cannot be shown.")
        image = self._decoder.convert(self._kept[number])
        return Frame(number, float(self.index.times[number]), image)

    def play(self, numbers: Iterable[int]) -> Source:
        """These frames in this order, decoded in a second thread; damaged ones are left out with a warning.

        Close it before the reader is used for anything else.
        """
        warnings = list(self.source.warnings)

        def frames() -> Generator[Frame]:
            for number in numbers:
                try:
                    yield self[number]
                except PgnetError as error:
                    warnings.append(f"{error} It was left out.")

        made = ahead(frames())
        return replace(self.source, warnings=warnings, _frames=made, _reader=made)

    def _keep(self, number: int, picture: VideoFrame | Image, wanted: int) -> None:
        """Keep a decoded picture; those farthest from the one wanted give way."""
        if number not in self._kept:
            self._kept[number] = picture
            self._bytes += _size(picture)
        while len(self._kept) > 1 and (self._bytes > self._memory or len(self._kept) > KEPT):
            farthest = max(self._kept, key=lambda kept: abs(kept - wanted))
            self._bytes -= _size(self._kept.pop(farthest))

    def close(self) -> None:
        """Releases the file. May be called twice."""
        self._kept.clear()
        self._decoder.close()

    def __enter__(self) -> FrameReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _size(picture: VideoFrame | Image) -> int:
    """Bytes of a picture."""
    if isinstance(picture, VideoFrame):
        return sum(plane.buffer_size for plane in picture.planes)
    return picture.nbytes


# --- images -----------------------------------------------------------------------------------------------------------


class _ImageFiles:
    """The images of a folder or pattern."""

    def __init__(self, path: str | Path) -> None:
        self.paths = image_paths(Path(path))
        self._shape: tuple[int, ...] | None = None

    def towards(self, number: int) -> Iterator[tuple[int, Image]]:
        image = read_image(self.paths[number])
        self._shape = self._shape or image.shape
        if image.shape != self._shape:
            raise PgnetError(
                f"{self.paths[number]} is {image.shape[1]} x {image.shape[0]} and the first image "
                f"{self._shape[1]} x {self._shape[0]}; give images of one size."
            )
        yield number, image

    def convert(self, picture: VideoFrame | Image) -> Image:
        assert isinstance(picture, np.ndarray)
        return picture

    def close(self) -> None:
        pass


# --- video files ------------------------------------------------------------------------------------------------------


def _list_frames(source: Source, formats: str) -> FrameIndex:
    """The index of a video file: from its packets where each is one frame with a stamp, else by decoding it all."""
    container, stream = open_video(source, formats=formats)
    with container:
        declared_facts(source, container, stream)
        # VP8 hides reference frames in packets of their own.
        if {"mp4", "matroska"} & set(container.format.name.split(",")) and stream.codec_context.name != "vp8":
            found = [(p.pts, p.is_keyframe) for p in packets(source, container, stream) if p and not p.is_discard]
            if found and all(pts is not None for pts, _ in found):
                seconds = max(stamp_seconds(pts, 0, source) for pts, _ in found)
                warn_if_truncated(source, source.name, stream, seconds)
                return _index(source, found)
            source.warnings.clear()
    container, stream = open_video(source, formats=formats)
    with container:
        found = []
        for packet in packets(source, container, stream):
            try:
                found += [(frame.pts, bool(frame.key_frame)) for frame in stream.decode(packet)]
            except av.FFmpegError:
                continue
    return _index(source, found)


def _index(source: Source, found: list[tuple[int | None, bool]]) -> FrameIndex:
    """From the stamp of each frame, and whether it is a key frame."""
    stamped = [(pts, key) for pts, key in found if pts is not None]
    stamped.sort()
    stamps = np.array([pts for pts, _ in stamped], np.int64)
    warnings = tuple(source.warnings)
    if len(stamps) < len(found) or (np.diff(stamps) <= 0).any():
        times = np.array([stamp_seconds(pts, index, source) for index, (pts, _) in enumerate(found)], np.float64)
        return FrameIndex(times, np.zeros(0, np.int64), np.zeros(min(1, len(found)), np.int64), warnings)
    times = np.array([stamp_seconds(pts, 0, source) for pts, _ in stamped], np.float64)
    keys = np.flatnonzero([key for _, key in stamped])
    return FrameIndex(times, stamps, np.union1d(keys, [0])[: len(stamps)].astype(np.int64), warnings)


@dataclass
class _VideoDecoder:
    """Decodes a file from a key frame on, and knows where it stands."""

    source: Source
    index: FrameIndex
    formats: str
    _numbers: dict[int, int] = field(init=False)  # of the frames, by stamp
    _frames: Iterator[tuple[int, VideoFrame]] | None = None  # what the decoder still has to give
    _next: int = 0  # number of the frame that comes next
    _upright: Upright | None = None

    def __post_init__(self) -> None:
        self._numbers = {stamp: number for number, stamp in enumerate(self.index.stamps.tolist())}
        self._container, self._stream = open_video(self.source, formats=self.formats)
        if self.source.time_base is None:
            declared_facts(self.source, self._container, self._stream)

    def towards(self, number: int) -> Iterator[tuple[int, VideoFrame]]:
        """The pictures from where the decoder stands, or from a key frame, up to frame `number`, if it can be had."""
        keys = self.index.keys.tolist()
        last = bisect_right(keys, number) - 1
        if self._frames is not None and keys[last] <= self._next <= number:
            yield from self._up_to(number)
            if self._next == number + 1:
                return
        # A container may seek too far, or the pictures after a seek are broken: then from an earlier key frame.
        for start in dict.fromkeys((keys[last], keys[max(0, last - 1)], 0)):
            self._begin(start)
            yield from self._up_to(number)
            if self._next == number + 1:
                return

    def _begin(self, start: int) -> None:
        """Let the decoder start at a key frame."""
        if start:
            self._container.seek(int(self.index.stamps[start]), stream=self._stream)
        else:  # some containers do not find their first frame again
            self._container.close()
            self._container, self._stream = open_video(self.source, formats=self.formats)
        self._frames = self._decode(start)
        self._next = start

    def _up_to(self, number: int) -> Iterator[tuple[int, VideoFrame]]:
        """Afterwards `_next` is `number` + 1 exactly if frame `number` came."""
        assert self._frames is not None
        for passed, picture in self._frames:
            if passed >= self._next:
                self._next = passed + 1
                yield passed, picture
            if passed >= number:
                return
        self._frames = None

    def _decode(self, start: int) -> Iterator[tuple[int, VideoFrame]]:
        counted = 0
        for packet in packets(Source(self.source.name, "video"), self._container, self._stream):
            try:
                frames = self._stream.decode(packet)
            except av.FFmpegError:
                continue
            for frame in frames:
                number = self._numbers.get(frame.pts) if self._numbers and frame.pts is not None else counted
                counted += 1
                # From a key frame on, the decoder should have all it needs; from the start, it is the file's damage.
                if number is None or number < start or (start and frame.is_corrupt):
                    continue
                self._upright = self._upright or Upright(frame)
                yield number, frame

    def convert(self, picture: VideoFrame | Image) -> Image:
        assert isinstance(picture, VideoFrame)
        assert self._upright is not None
        return self._upright(picture)

    def close(self) -> None:
        self._frames = None
        self._container.close()
