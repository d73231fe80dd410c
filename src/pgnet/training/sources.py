"""Training pictures: stills with boxes or masks, photographs without, and videos; and the fixed validation split."""

from __future__ import annotations

import json
import zlib
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pgnet.crop import Image
from pgnet.errors import PgnetError

MIN_SIDE = 12
"""Pixels; smaller targets show too little to match."""


@dataclass(frozen=True)
class Target:
    """An object in a picture.

    Attributes:
        path: of the picture.
        box: (4,) x, y, w, h in its pixels, 0-based.
        polygons: (n, 2) outlines in its pixels; empty where only the box is known.
    """

    path: Path
    box: NDArray[np.float64]
    polygons: tuple[NDArray[np.float64], ...] = ()


@dataclass
class Sources:
    """Everything to draw pairs from; sets are kept apart, because they are sampled per set and not per picture."""

    stills: dict[str, list[Target]] = field(default_factory=dict)
    masked: dict[str, list[Target]] = field(default_factory=dict)
    photos: dict[str, list[Path]] = field(default_factory=dict)
    videos: dict[str, list[list[Target]]] = field(default_factory=dict)


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


def read_sources(root: Path, *, validation: bool) -> Sources:
    """Read `stills/SET/instances.json` (COCO), `photos/SET/` and `videos/NAME/` (GOT-10k) below `root`.

    Args:
        root: the training data.
        validation: the validation split, or all the rest.

    Raises:
        PgnetError: there is nothing to train on.
    """
    sources = Sources()
    for file in sorted(root.glob("stills/*/instances.json")):
        targets = [t for t in _read_coco(file) if is_validation(t.path.name) == validation]
        if targets:
            sources.stills[file.parent.name] = targets
        masked = [t for t in targets if t.polygons]
        if masked:
            sources.masked[file.parent.name] = masked
    for folder in sorted(root.glob("photos/*/")):
        paths = [p for p in sorted(folder.iterdir()) if is_validation(p.name) == validation]
        if paths:
            sources.photos[folder.name] = paths
    for folder in sorted(root.glob("videos/*/")):
        if is_validation(folder.name) == validation:
            video = _read_got10k(folder)
            if len(video) > 1:
                sources.videos.setdefault(folder.name.split("_")[0], []).append(video)
    if not (sources.stills or sources.videos):
        raise PgnetError(f"There is no training data in {root}: it needs stills/, photos/ and videos/ folders.")
    return sources


def _read_coco(file: Path) -> list[Target]:
    content = json.loads(file.read_text())
    images = {image["id"]: image for image in content["images"]}
    targets = []
    for annotation in content["annotations"]:
        image, box = images[annotation["image_id"]], np.array(annotation["bbox"], np.float64)
        covers_all = box[2] * box[3] > 0.9 * image["width"] * image["height"]
        if box[2:].min() < MIN_SIDE or covers_all or annotation.get("iscrowd"):
            continue
        outlines = annotation.get("segmentation") or []
        polygons = tuple(np.array(p, np.float64).reshape(-1, 2) for p in outlines) if isinstance(outlines, list) else ()
        targets.append(Target(file.parent / "images" / image["file_name"], box, polygons))
    return targets


def _read_got10k(folder: Path) -> list[Target]:
    """The frames in which the target is present and large enough."""
    boxes = np.loadtxt(folder / "groundtruth.txt", delimiter=",", ndmin=2)
    frames = sorted(p for p in folder.iterdir() if p.suffix in {".webp", ".jpg", ".png"})
    return [Target(p, b) for p, b in zip(frames, boxes, strict=False) if b[2:].min() >= MIN_SIDE / 2]
