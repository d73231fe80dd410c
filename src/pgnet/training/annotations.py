"""What a data set holds, as its own files say: targets in stills and videos, and photographs without any.

Adapters (`pgnet.training.adapters`) fill it; nothing is filtered here and no picture is opened.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import overload

import numpy as np
from numpy.typing import NDArray

from pgnet.boxes import Boxes
from pgnet.errors import PgnetError

Outlines = tuple[NDArray[np.float64], ...]
"""(n, 2) polygons in continuous 0-based pixels."""


@dataclass(frozen=True, slots=True)
class Target:
    """An object in a picture.

    Attributes:
        path: of the picture.
        box: (4,) x, y, w, h in its pixels, 0-based.
        polygons: (n, 2) outlines in its pixels; empty where only the box is known.
        size: width and height of the picture, where the annotation tells them.
    """

    path: Path
    box: Boxes
    polygons: Outlines = ()
    size: tuple[int, int] | None = None


@dataclass(frozen=True)
class Frames(Sequence[Path]):
    """Paths of many pictures in one folder, made when they are asked for: data sets have millions."""

    folder: Path
    names: Sequence[str]

    def __len__(self) -> int:
        return len(self.names)

    @overload
    def __getitem__(self, index: int) -> Path: ...
    @overload
    def __getitem__(self, index: slice) -> Frames: ...
    def __getitem__(self, index: int | slice) -> Path | Frames:
        if isinstance(index, slice):
            return replace(self, names=self.names[index])
        return self.folder / self.names[index]


@dataclass(frozen=True, eq=False)
class Video:
    """One target in one video: a list of `Target`, one for each frame in which it is annotated as present.

    Attributes:
        name: of the video; all targets of a video have the same.
        frames: paths of all N frames.
        boxes: (N, 4) x, y, w, h in 0-based pixels; rows without a target mean nothing.
        rows: indices of the frames that have the target, ascending.
        target: tells the targets of a video apart; empty where there is one.
        outlines: the outlines of each of the N frames; empty where there are none in the whole video.
    """

    name: str
    frames: Sequence[Path]
    boxes: Boxes
    rows: NDArray[np.intp]
    target: str = ""
    outlines: Sequence[Outlines] = ()

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Target]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> Target:
        row = int(self.rows[index])
        return Target(self.frames[row], self.boxes[row], self.outlines[row] if self.outlines else ())

    def only(self, wanted: NDArray[np.bool_]) -> Video:
        """Those of its targets for which `wanted`, one value for each, is true."""
        return replace(self, rows=self.rows[wanted])


@dataclass
class Annotations:
    """The content of one root, by set: a topic, a category or just the data set's name.

    Attributes:
        stills: targets in single pictures.
        photos: pictures without annotation.
        videos: one entry for each target of each video.
        damaged: what could not be read, one sentence each, while the rest could.
    """

    stills: dict[str, list[Target]] = field(default_factory=dict)
    photos: dict[str, list[Path]] = field(default_factory=dict)
    videos: dict[str, list[Video]] = field(default_factory=dict)
    damaged: list[str] = field(default_factory=list)

    @contextmanager
    def unless_damaged(self) -> Iterator[None]:
        """Around the reading of one video or file: a PgnetError is noted, and the reading goes on with the next."""
        try:
            yield
        except PgnetError as error:
            self.damaged.append(str(error))

    def annotated(self) -> Iterator[Target]:
        """Every target of every still and every frame of a video."""
        yield from chain.from_iterable(self.stills.values())
        yield from chain.from_iterable(chain.from_iterable(self.videos.values()))

    def missing(self) -> list[Path]:
        """Annotated pictures that are not there. Folders are listed once, no picture is opened."""
        folder, names = Path(), set[str]()
        missing: dict[Path, None] = {}
        for target in self.annotated():
            if target.path.parent != folder:
                folder = target.path.parent
                names = set(os.listdir(folder)) if folder.is_dir() else set()
            if target.path.name not in names:
                missing[target.path] = None
        return list(missing)
