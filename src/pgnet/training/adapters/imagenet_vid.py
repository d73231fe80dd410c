"""ImageNet VID (Russakovsky et al., ImageNet Large Scale Visual Recognition Challenge, IJCV 2015; the task of 2015).

``Annotations/VID/SPLIT/.../SNIPPET/000000.xml`` and ``Data/VID/SPLIT/.../SNIPPET/000000.JPEG``. Boxes are in 0-based
pixels, the last ones inside. An object is what has one trackid in a snippet; frames in which it is marked as occluded
count as frames without it.
"""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import numpy as np

from pgnet.errors import PgnetError
from pgnet.training.adapters.reading import choose_split, read_voc_xml
from pgnet.training.annotations import Annotations, Frames, Video


def matches(root: Path) -> bool:
    """Whether a folder looks like this layout."""
    return (root / "Annotations/VID").is_dir()


def read(root: Path, split: str | None = None) -> Annotations:
    """One split, by default train.

    Raises:
        PgnetError: no such split.
    """
    top = root / "Annotations/VID"
    split = choose_split((p.name for p in top.glob("*/")), split, str(top), lambda name: name.startswith("train"))
    found = Annotations()
    videos = found.videos.setdefault("imagenet_vid", [])
    for folder, files in groupby(sorted((top / split).rglob("*.xml")), lambda file: file.parent):
        with found.unless_damaged():
            videos += _snippet(list(files), root / "Data/VID" / folder.relative_to(top))
    return found


def _snippet(files: list[Path], folder: Path) -> list[Video]:
    """The objects of one snippet; its frames are in `folder`."""
    frames = Frames(folder, [f"{file.stem}.JPEG" for file in files])
    tracks: dict[str, dict[int, np.ndarray]] = {}
    for row, file in enumerate(files):
        for thing in read_voc_xml(file, first_pixel=0).objects:
            if "trackid" not in thing.texts:
                raise PgnetError(f"The file {file} is no annotation of ImageNet VID: an object has no trackid.")
            if thing.texts.get("occluded") != "1":
                tracks.setdefault(thing.texts["trackid"], {})[row] = thing.box
    videos = []
    for track, boxes in tracks.items():
        table = np.zeros((len(files), 4))
        rows = np.array(list(boxes))
        table[rows] = list(boxes.values())
        videos.append(Video(folder.name, frames, table, rows, track))
    return videos
