"""Videos of a track: with the boxes drawn, of a crop that follows a target, or with the targets made unrecognisable.

with open_source("video.mp4") as frames:
    write_video("crop.mp4", frames, FollowCrop(track.targets[0], (frames.width, frames.height), ratio=9 / 16))
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Protocol, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from pgnet.errors import PgnetError
from pgnet.results.track import TargetTrack, Track
from pgnet.tracking.presence import LOST, PRESENT
from pgnet.video import Behind, Frame, Source, VideoWriter
from pgnet.video.draw import COLOURS, STATE_COLOURS, Colour, Drawn, draw_boxes

Array = NDArray[np.float64]
Image = NDArray[np.uint8]

STEADY = 0.5
"""Seconds over which a following crop evens out the target's way, as the standard deviation of a Gaussian."""
ZOOM_STEADY = 2.0
"""The same for its size."""
ROOM = 2.5
"""Side of a following crop in sides of the target."""
BLOCKS = 8
"""Pixels that are left along the longer side of what is made unrecognisable."""
MARGIN = 0.15
"""Of its width and height that is hidden around a box on every side: boxes are not exact."""


class Picture(Protocol):
    """Makes the pictures of a video from the frames."""

    size: tuple[int, int]
    """Width and height in pixels."""

    def __call__(self, frame: Frame) -> Image | None:
        """The (H, W, 3) uint8 RGB picture of a frame; None leaves it out."""
        ...


def write_video(
    path: str | Path, frames: Source | Iterable[Frame], picture: Picture, *, tick: Callable[[], None] = lambda: None
) -> int:
    """Writes a video with the times of its frames -> how many it has; the file appears when it is complete.

    Args:
        path: the file.
        frames: an open source, or any frames in order of time.
        picture: `Annotated`, `FollowCrop` or `Concealed`.
        tick: called after each frame.

    Raises:
        PgnetError: the frames cannot be read or the file not written, or no frame is left.
    """
    fps, base = (frames.fps, frames.time_base) if isinstance(frames, Source) else (None, None)
    writer = VideoWriter(path, *picture.size, fps=fps, time_base=base)

    def write(item: tuple[Image, float]) -> None:
        writer.write(*item)

    with writer, Behind(write) as encoder:
        for frame in frames:
            image = picture(frame)
            if image is not None:
                encoder.put((image, frame.time))
            tick()
    if not writer.frames:
        raise PgnetError(f"There is no frame to write to {path}.")
    return writer.frames


# --- boxes drawn ------------------------------------------------------------------------------------------------------


def drawn_boxes(track: Track, frame: int, colours: Mapping[int, Colour] | None = None) -> list[Drawn]:
    """What is drawn on a frame: the boxes of the targets that the track has there.

    The colour tells several targets apart, and a dashed line says that the tracker is not sure; the box of a target
    alone is green, amber or red, unless `colours` has one for each target's id. The number is the probability that the
    tracker gives its box; of boxes that come from elsewhere, the score.
    """
    several = len(track.targets) > 1 or colours is not None
    found = []
    for number, target in enumerate(track.targets):
        row = target.row(frame)
        if row is None or row.absent:
            continue
        name = target.label or (str(target.id) if several else "")
        belief = LOST if row.state == LOST else f"{row.presence if track.model else row.score:.2f}"
        text = f"{name} {belief}".lstrip()
        if several:
            colour = colours[target.id] if colours else COLOURS[number % len(COLOURS)]
            found.append(Drawn(row.box, text, colour, dashed=row.state != PRESENT))
        else:
            found.append(Drawn(row.box, f"{text} #{frame}", STATE_COLOURS[row.state]))
    return found


def annotated(image: Image, boxes: list[Drawn], frame: int) -> Image:
    """A copy of the frame's image with the boxes of `drawn_boxes`, and its number where no box alone has it."""
    return draw_boxes(image, boxes, "" if len(boxes) == 1 and boxes[0].text.endswith(f"#{frame}") else f"#{frame}")


class Annotated:
    """The frames with the boxes of a track."""

    def __init__(self, track: Track, size: tuple[int, int], colours: Mapping[int, Colour] | None = None) -> None:
        """For frames of this width and height, perhaps with a colour for each target's id."""
        self.size = size
        self._track, self._colours = track, colours

    def __call__(self, frame: Frame) -> Image:
        return annotated(frame.image, drawn_boxes(self._track, frame.index, self._colours), frame.index)


# --- a crop that follows ----------------------------------------------------------------------------------------------


class FollowCrop:
    """The part of the frame around one target, from its first row to its last, held steady.

    The crop moves and zooms along the target's way with its shake evened out, holds all of the target's box wherever
    the frame has room for it, and never leaves the frame. Where the target is not seen it moves on evenly to where it
    is seen again.
    """

    def __init__(
        self,
        target: TargetTrack,
        frame_size: tuple[int, int],
        ratio: float = 1.0,
        height: int | None = None,
        fps: float | None = None,
    ) -> None:
        """Plan the crop's way.

        Args:
            target: whom to follow.
            frame_size: width and height in pixels.
            ratio: width by height of the pictures.
            height: of the pictures, in pixels; by default as many as the crop has in the frame at the median.
            fps: frames per second, for what is evened out; 30 if unknown.

        Raises:
            PgnetError: the target is never seen.
        """
        frames, boxes = target.frames[~target.missing], target.boxes[~target.missing]
        if not len(frames):
            raise PgnetError("The target is seen in no frame, so no crop can follow it.")
        self._first = int(target.frames[0])
        every = np.arange(self._first, int(target.frames[-1]) + 1)
        fps = fps or 30.0

        def even(values: Array, seconds: float) -> Array:
            return _smooth(np.interp(every, frames, values), seconds * fps)

        corner, extent = boxes[:, :2], np.maximum(boxes[:, 2:], 1)
        centres = np.stack([even(corner[:, i] + extent[:, i] / 2, STEADY) for i in (0, 1)], axis=1)
        # The height of a crop that has room for the target's sides, whichever is longer in its ratio.
        heights = ROOM * np.exp(even(np.log(np.maximum(extent[:, 1], extent[:, 0] / ratio)), ZOOM_STEADY))
        heights = np.minimum(heights, min(frame_size[1], frame_size[0] / ratio))
        sizes = np.stack([heights * ratio, heights], axis=1)
        # What evening out has left of the box outside comes in again, as far as it fits.
        low = np.stack([np.interp(every, frames, corner[:, i]) for i in (0, 1)], axis=1)
        high = np.stack([np.interp(every, frames, corner[:, i] + extent[:, i]) for i in (0, 1)], axis=1)
        slack = np.maximum(sizes - (high - low), 0) / 2
        centres = np.clip(centres, (low + high) / 2 - slack, (low + high) / 2 + slack)
        limit = np.array(frame_size, np.float64)
        self._corners = np.clip(centres - sizes / 2, 0, np.maximum(limit - sizes, 0))
        self._sizes = sizes
        rows = height or max(16, round(float(np.median(heights))))
        self.size = (max(16, 2 * round(rows * ratio / 2)), 2 * math.ceil(rows / 2))

    def __call__(self, frame: Frame) -> Image | None:
        at = frame.index - self._first
        if not 0 <= at < len(self._corners):
            return None
        (x, y), (w, h) = self._corners[at], self._sizes[at]
        sx, sy = self.size[0] / w, self.size[1] / h
        to_crop = np.array([[sx, 0, sx * (0.5 - x) - 0.5], [0, sy, sy * (0.5 - y) - 0.5]])
        flags, border = cv2.INTER_LINEAR, cv2.BORDER_REPLICATE
        return cast(Image, cv2.warpAffine(frame.image, to_crop, self.size, flags=flags, borderMode=border))


def _smooth(values: Array, sigma: float) -> Array:
    """(N,) values under a Gaussian; at the ends they go on as they were reflected in the end points."""
    reach = min(math.ceil(3 * sigma), len(values) - 1)
    if reach < 1:
        return values
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    padded = np.pad(values, reach, "reflect", reflect_type="odd")
    return np.convolve(padded, kernel / kernel.sum(), "valid")


# --- targets made unrecognisable --------------------------------------------------------------------------------------


class Concealed:
    """The frames with the targets blurred or in coarse blocks, also where the tracker is not sure of its box."""

    def __init__(self, targets: Iterable[TargetTrack], size: tuple[int, int], *, blocks: bool = False) -> None:
        """For frames of this width and height."""
        self.size = size
        self._targets = list(targets)
        self._blocks = blocks

    def __call__(self, frame: Frame) -> Image:
        image = frame.image.copy()
        for target in self._targets:
            row = target.row(frame.index)
            if row is not None and not row.absent:
                self._conceal(image, row.box)
        return image

    def _conceal(self, image: Image, box: list[float]) -> None:
        x, y, w, h = box
        left, top = max(0, math.floor(x - MARGIN * w)), max(0, math.floor(y - MARGIN * h))
        right, bottom = math.ceil(x + (1 + MARGIN) * w), math.ceil(y + (1 + MARGIN) * h)
        part = image[top : max(top, bottom), left : max(left, right)]
        if not part.size:
            return
        height, width = part.shape[:2]
        shrink = BLOCKS / max(height, width)
        size = max(1, round(width * shrink)), max(1, round(height * shrink))
        few = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
        way = cv2.INTER_NEAREST if self._blocks else cv2.INTER_CUBIC
        part[:] = cv2.resize(few, (width, height), interpolation=way)
