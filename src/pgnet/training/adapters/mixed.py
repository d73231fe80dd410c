"""pgnet's own layout, for collections of several kinds.

``stills/SET/instances.json`` (COCO) with ``stills/SET/images/``; ``photos/SET/`` with pictures and no annotation;
``videos/SET_NAME/`` as GOT-10k has them: frames and ``groundtruth.txt``, x, y, w, h a line in 0-based pixels, 0,0,0,0
where the target is absent.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pgnet.datasets.reading import read_boxes
from pgnet.errors import PgnetError
from pgnet.training.adapters.coco import read_instances
from pgnet.training.adapters.reading import list_frames
from pgnet.training.annotations import Annotations, Frames, Video


def matches(root: Path) -> bool:
    """Whether a folder looks like this layout."""
    return any(
        any(root.glob(pattern)) for pattern in ("stills/*/instances.json", "photos/*/", "videos/*/groundtruth.txt")
    )


def read(root: Path, split: str | None = None) -> Annotations:
    """All of it; there are no splits.

    Raises:
        PgnetError: a split was asked for.
    """
    if split is not None:
        raise PgnetError(f"The data in {root} has no splits; leave the split {split!r} out.")
    found = Annotations()
    for file in sorted(root.glob("stills/*/instances.json")):
        with found.unless_damaged():
            content = read_instances(file, file.parent.name, file.parent / "images")
            found.stills |= content.stills
            found.videos |= content.videos
    for folder in sorted(root.glob("photos/*/")):
        with found.unless_damaged():
            found.photos[folder.name] = list(Frames(folder, list_frames(folder)))
    for folder in sorted(root.glob("videos/*/")):
        with found.unless_damaged():
            found.videos.setdefault(folder.name.split("_")[0], []).append(_video(folder))
    return found


def _video(folder: Path) -> Video:
    boxes, names = read_boxes(folder / "groundtruth.txt"), list_frames(folder)
    if len(names) != len(boxes):
        raise PgnetError(f"The video {folder} has {len(names)} frames, and {len(boxes)} rows in groundtruth.txt.")
    return Video(folder.name, Frames(folder, names), boxes, np.flatnonzero(boxes.any(axis=1)))
