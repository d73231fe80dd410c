"""H.264 files with the timing of their source."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import cast

import av
import numpy as np
from av.video.reformatter import Colorspace, VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from pgnet.errors import PgnetError
from pgnet.files import atomic

Image = NDArray[np.uint8]

ENCODERS = ("libx264", "h264")
"""The first one available is used; the second name is FFmpeg's choice among what the machine has."""


class _Discard(Exception):
    pass


class VideoWriter:
    """An MP4 file (H.264, yuv420p, BT.709, fast start) that appears when it is complete.

    Args:
        path: the file; an existing one is replaced at the end.
        width, height: size in pixels of the frames.
        fps: average rate, which only guides the encoder; None if unknown.
        time_base: unit of the stored times. With the source's own one they are stored exactly, otherwise to 6
            microseconds.
        crf: quality, lower is better.

    Frames keep their distances in time and the first one is shown at 0, so that a video of the second minute does not
    begin with a minute of nothing.

    H.264 with yuv420p has no odd sizes: the last column or row is repeated, so the video is one pixel wider or higher
    and every pixel stays where it was.

    As a context manager it finishes at the end of the block and leaves nothing when the block raises. To keep what was
    written so far (after Ctrl-C, say), call `close` inside the block.

        >>> with VideoWriter("out.mp4", 640, 360, fps=30) as video:  # doctest: +SKIP
        ...     for frame in source:
        ...         video.write(frame.image, frame.time)

    Raises:
        PgnetError: the file cannot be written, or this PyAV has no H.264 encoder.
    """

    def __init__(
        self,
        path: str | Path,
        width: int,
        height: int,
        *,
        fps: float | None = None,
        time_base: Fraction | None = None,
        crf: int = 20,
    ) -> None:
        self.path = Path(path)
        self.frames = 0
        self._open = True
        self._size = (width, height)
        self._time_base = time_base if time_base and time_base <= Fraction(1, 1000) else Fraction(1, 90000)
        self._first_pts = self._last_pts = -1
        self._scaler = VideoReformatter()  # keeps its tables from frame to frame
        self._stack = ExitStack()
        encoder = next((name for name in ENCODERS if name in av.codecs_available), None)
        if encoder is None:
            raise PgnetError("This installation of PyAV has no H.264 encoder; install PyAV from its wheel.")
        rate = Fraction(fps).limit_denominator(1001) if fps and 0.1 <= fps <= 1000 else Fraction(30)
        try:
            temporary = self._stack.enter_context(atomic(self.path))
            self._container = self._stack.enter_context(
                av.open(str(temporary), "w", format="mp4", options={"movflags": "+faststart"})
            )
            stream = cast(VideoStream, self._container.add_stream(encoder, rate=rate))
            stream.width, stream.height = width + width % 2, height + height % 2
            stream.pix_fmt = "yuv420p"
            context = stream.codec_context
            context.time_base = self._time_base
            context.thread_count = 2  # each holds frames and costs time; the network needs the other cores
            context.color_primaries = context.color_trc = context.colorspace = 1  # BT.709
            context.color_range = 1  # 16..235
            # Half the time of "veryfast" with files up to a half larger; docs/performance.md has the numbers.
            stream.options = {"crf": str(crf), "preset": "superfast"} if encoder == "libx264" else {}
            self._stream = stream
        except av.FFmpegError as error:
            self.discard()
            raise PgnetError(f"Cannot write {self.path}: {error.strerror}.") from error

    def write(self, image: Image, time: float) -> None:
        """Appends an (H, W, 3) uint8 RGB frame shown from `time` in seconds of the source; times increase.

        Raises:
            PgnetError: writing failed, for example on a full disk.
            ValueError: a frame of another size.
        """
        width, height = self._size
        if image.shape != (height, width, 3):
            raise ValueError(f"the frame has shape {image.shape}, the video {(height, width, 3)}")
        if width % 2 or height % 2:
            image = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), "edge")
        rgb = av.VideoFrame.from_numpy_buffer(np.ascontiguousarray(image), format="rgb24")  # a view
        frame = self._scaler.reformat(
            rgb, format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=1, threads=1
        )
        pts = round(time / self._time_base)
        if self.frames == 0:
            self._first_pts = pts
        # A damaged source may repeat a time; a file cannot.
        frame.pts = max(pts - self._first_pts, self._last_pts + 1)
        frame.time_base = self._time_base
        self._mux(frame)
        self._last_pts = frame.pts
        self.frames += 1

    def _mux(self, frame: av.VideoFrame | None) -> None:
        try:
            self._container.mux(self._stream.encode(frame))
        except av.FFmpegError as error:
            raise PgnetError(f"Cannot write {self.path}: {error.strerror}.") from error

    def close(self) -> None:
        """Finishes the file and puts it in place; without any frame, leaves nothing. May be called twice."""
        if self.frames == 0:
            self.discard()
        elif self._open:
            self._open = False
            try:
                with self._stack:
                    self._mux(None)
            except av.FFmpegError as error:
                raise PgnetError(f"Cannot write {self.path}: {error.strerror}.") from error

    def discard(self) -> None:
        """Removes what was written, unless `close` has already put it in place."""
        self._open = False
        with suppress(_Discard, av.FFmpegError), self._stack:
            raise _Discard

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close() if error is None else self.discard()
