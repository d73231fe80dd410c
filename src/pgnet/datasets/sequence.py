"""One annotated video of a data set."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as List
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import overload

import cv2
import numpy as np
from numpy.typing import NDArray

from pgnet.boxes import Boxes
from pgnet.errors import PgnetError


@dataclass(frozen=True)
class NumberedFrames(List[Path]):
    """Images of one folder by their numbers; the paths are made when asked for, so that a million cost nothing.

    >>> NumberedFrames(Path("img"), "{:08d}.jpg", range(1, 9))[-1].name
    '00000008.jpg'
    """

    folder: Path
    pattern: str
    """Of the file names, for `str.format` with the number."""
    numbers: range

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, index: int) -> Path: ...

    @overload
    def __getitem__(self, index: slice) -> NumberedFrames: ...

    def __getitem__(self, index: int | slice) -> Path | NumberedFrames:
        if isinstance(index, slice):
            return replace(self, numbers=self.numbers[index])
        return self.folder / self.pattern.format(self.numbers[index])


@dataclass(frozen=True, eq=False)
class Sequence:
    """Frames, the target's box in each, and what else the data set says of them; nothing is decoded."""

    name: str
    frames: List[Path]
    boxes: Boxes
    """(N, 4) x, y, w, h in 0-based pixels, one row per frame; rows without a target as the data set gives them, NaN
    where it keeps the box to itself (test sets)."""
    absent: NDArray[np.bool_] | None = None
    """(N,) the target is fully hidden or out of view; None where the data set does not say."""
    cover: NDArray[np.uint8] | None = None
    """(N,) visible part of the target in eighths, 0 to 8 (GOT-10k)."""
    regions: NDArray[np.float64] | None = None
    """(N, 8) corners x1, y1 ... x4, y4 in pixels, as they stand in the file (VOT); `boxes` approximates them."""
    tags: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    """(N,) marks of single frames by the data set's name for them, such as camera_motion."""
    attributes: tuple[str, ...] = ()
    """Challenges of the whole sequence by the data set's abbreviations, such as SV and OCC."""
    size: tuple[int, int] | None = None
    """Width and height of the frames in pixels, where the data set says."""
    meta: Mapping[str, str] = field(default_factory=dict)
    """What the data set says in words, such as the object's class."""

    def __post_init__(self) -> None:
        if len(self.frames) == 0 or self.boxes.shape != (len(self.frames), 4):
            raise PgnetError(
                f"Sequence {self.name} has {len(self.frames)} frames and boxes of shape {self.boxes.shape}; "
                "it needs four values for each frame."
            )
        per_frame = {"absent": self.absent, "cover": self.cover, "regions": self.regions, **self.tags}
        for what, values in per_frame.items():
            if values is not None and len(values) != len(self.frames):
                raise PgnetError(
                    f"Sequence {self.name} has {len(self.frames)} frames, but {len(values)} values of {what}; "
                    "get its annotation again."
                )

    def __len__(self) -> int:
        return len(self.frames)

    def image(self, index: int) -> NDArray[np.uint8]:
        """Frame `index` as (H, W, 3) uint8 RGB.

        Raises:
            PgnetError: the file cannot be read.
        """
        path = self.frames[index]  # OpenCV warns of one that is not there
        image = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB) if path.is_file() else None
        if image is None:
            raise PgnetError(f"The frame {self.frames[index]} cannot be read; get the data set again.")
        return image.astype(np.uint8, copy=False)

    def every(self, step: int) -> Sequence:
        """Each `step`-th frame, from the first."""
        return self.part(slice(None, None, step))

    def part(self, frames: slice) -> Sequence:
        """Some of the frames."""
        return replace(
            self,
            frames=self.frames[frames],
            boxes=self.boxes[frames],
            absent=None if self.absent is None else self.absent[frames],
            cover=None if self.cover is None else self.cover[frames],
            regions=None if self.regions is None else self.regions[frames],
            tags={tag: values[frames] for tag, values in self.tags.items()},
        )
