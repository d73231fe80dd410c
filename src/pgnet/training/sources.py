"""Training pictures: what recipes draw pairs from, and the fixed validation split."""

from __future__ import annotations

import zlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2

from pgnet.crop import Image
from pgnet.errors import PgnetError
from pgnet.training.adapters import read_layout
from pgnet.training.annotations import Annotations, Target, Video

MIN_SIDE = 12
"""Pixels; smaller targets show too little to match."""
LARGEST = 0.9
"""Share of the picture; larger targets leave nothing to tell them from."""


@dataclass(frozen=True)
class DataSet:
    """A table ``[[data]]`` of a recipe.

    Args:
        root: its folder, relative to the current directory.
        layout: a name of `pgnet.training.adapters.LAYOUTS`; found out by default.
        split: what to read of it, by default what is meant for training; see docs/training-data.md.
        share: how often it is drawn from, relative to the other tables that have what a pair needs.
        max_gap: frames between the two crops of a video pair; by default that of [pairs].
    """

    root: Path
    layout: str | None = None
    split: str | None = None
    share: float = 1.0
    max_gap: int | None = None

    def __post_init__(self) -> None:
        if not self.share > 0:
            raise PgnetError(f"The share of the data in {self.root} must be positive, not {self.share}.")
        if self.max_gap is not None and self.max_gap < 1:
            raise PgnetError(f"The max_gap of the data in {self.root} must be at least 1, not {self.max_gap}.")


@dataclass
class Sources:
    """What one `DataSet` gives to draw pairs from; its sets are kept apart: they are sampled, not their pictures."""

    stills: dict[str, list[Target]] = field(default_factory=dict)
    masked: dict[str, list[Target]] = field(default_factory=dict)
    photos: dict[str, list[Path]] = field(default_factory=dict)
    videos: dict[str, list[Video]] = field(default_factory=dict)
    share: float = 1.0
    max_gap: int | None = None


def read_image(path: Path) -> Image:
    """(H, W, 3) uint8 RGB.

    Raises:
        PgnetError: it cannot be read.
    """
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise PgnetError(f"The picture {path} cannot be read.")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


class ImageCache:
    """Decoded pictures, the least recently used ones dropped beyond `limit` bytes."""

    def __init__(self, limit: int = 4 << 30) -> None:
        self._images: OrderedDict[Path, Image] = OrderedDict()
        self._limit, self._size = limit, 0

    def __call__(self, path: Path) -> Image:
        if path in self._images:
            self._images.move_to_end(path)
            return self._images[path]
        image = self._images[path] = read_image(path)
        self._size += image.nbytes
        while self._size > self._limit:
            self._size -= self._images.popitem(last=False)[1].nbytes
        return image


def is_validation(name: str) -> bool:
    """Whether a picture or video belongs to the fixed validation split: one in twenty, by a checksum of its name."""
    return zlib.crc32(name.encode()) % 20 == 0


def is_in_part(name: str, part: float) -> bool:
    """Whether a picture or video belongs to this part of the data, by a checksum of its name; larger parts hold it."""
    return zlib.crc32(f"part {name}".encode()) < part * 2**32


def read_sources(
    data: Sequence[DataSet], *, hold_out: bool = True, part: float = 1.0
) -> tuple[list[Sources], list[Sources]]:
    """Read the data of a recipe; annotations only, no picture is decoded.

    Args:
        data: the tables.
        hold_out: keep the validation split apart; else all is for training.
        part: of the pictures and videos that are not held out, 0 to 1; the others are left out.

    Returns:
        What to train on and what to validate on, one entry for each folder.

    Raises:
        PgnetError: a folder cannot be read, a part of it is damaged, pictures are missing, or nothing is usable.
    """
    training, validation = [], []
    for data_set in data:
        found = read_layout(data_set.root, data_set.layout, data_set.split)
        check_complete(found, data_set.root)
        training.append(
            _select(found, data_set, lambda name: not (hold_out and is_validation(name)) and is_in_part(name, part))
        )
        validation.append(_select(found, data_set, lambda name: hold_out and is_validation(name)))
    for sources in (training, validation):
        if not any(s.photos for s in sources):  # pictures of stills serve as backgrounds
            for s in sources:
                s.photos = {name: list({target.path: None for target in s.stills[name]}) for name in s.stills}
    roots = ", ".join(str(data_set.root) for data_set in data)
    for sources, what in ((training, "train"), (validation, "validate")):
        if (sources is training or hold_out) and not any(s.stills or s.videos for s in sources):
            hint = "" if sources is training else "; set validation_pairs = 0 to train on all there is"
            raise PgnetError(f"There is nothing to {what} on in {roots}: no target that is large enough{hint}.")
    return training, validation


def check_complete(found: Annotations, root: Path) -> None:
    """Raises: PgnetError where a part could not be read, or an annotated picture is not there."""
    problems = found.damaged + [f"The picture {path} is missing." for path in found.missing()]
    if len(problems) == 1:
        raise PgnetError(problems[0])
    if problems:
        raise PgnetError(f"{problems[0]} There are {len(problems)} such problems; pgnet data verify {root} lists them.")


def _select(found: Annotations, data_set: DataSet, wanted: Callable[[str], bool]) -> Sources:
    """The usable targets of the pictures and videos whose name is wanted."""
    sources = Sources(share=data_set.share, max_gap=data_set.max_gap)
    for name, targets in found.stills.items():
        if chosen := [target for target in targets if wanted(target.path.name) and _usable(target)]:
            sources.stills[name] = chosen
        if outlined := [target for target in chosen if target.polygons]:
            sources.masked[name] = outlined
    for name, paths in found.photos.items():
        if pictures := [path for path in paths if wanted(path.name)]:
            sources.photos[name] = pictures
    for name, videos in found.videos.items():
        large = (v.only(v.boxes[v.rows, 2:].min(axis=1) >= MIN_SIDE / 2) for v in videos if wanted(v.name))
        if tracks := [video for video in large if len(video) > 1]:
            sources.videos[name] = tracks
        if outlined := [target for video in tracks if video.outlines for target in video if target.polygons]:
            sources.masked[name] = outlined
    return sources


def _usable(target: Target) -> bool:
    """Whether a still's target is large enough and not all of the picture."""
    w, h = target.box[2:].tolist()
    covers_all = target.size is not None and w * h > LARGEST * target.size[0] * target.size[1]
    return min(w, h) >= MIN_SIDE and not covers_all
