"""Layouts of training data, one file each: `matches(root)` knows the layout, `read(root, split)` gives `Annotations`.

PyTorch is not needed here: `pgnet data` looks at data sets without it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from pgnet.errors import PgnetError
from pgnet.training.adapters import (
    clips,
    coco,
    davis,
    got10k,
    imagenet_det,
    imagenet_vid,
    lasot,
    mixed,
    trackingnet,
    voc,
    youtube_bb,
)
from pgnet.training.annotations import Annotations


class Layout(Protocol):
    """What each module here has."""

    def matches(self, root: Path) -> bool: ...
    def read(self, root: Path, split: str | None = None) -> Annotations: ...


LAYOUTS: dict[str, Layout] = {
    "mixed": mixed,
    "clips": clips,
    "coco": coco,
    "imagenet-det": imagenet_det,
    "imagenet-vid": imagenet_vid,
    "youtube-bb": youtube_bb,
    "davis": davis,
    "voc": voc,
    "trackingnet": trackingnet,
    "got10k": got10k,
    "lasot": lasot,
}
"""In the order in which a folder is compared with them."""


def find_layout(root: Path) -> str:
    """The layout that a folder has.

    Raises:
        PgnetError: there is no such folder, or it has none of these layouts.
    """
    if not root.is_dir():
        raise PgnetError(f"The folder of data {root} does not exist.")
    name = next((name for name, layout in LAYOUTS.items() if layout.matches(root)), None)
    if name is None:
        raise PgnetError(f"The folder {root} has none of the layouts {', '.join(LAYOUTS)}: there is no data to read.")
    return name


def read_layout(root: Path, layout: str | None = None, split: str | None = None) -> Annotations:
    """What a folder holds.

    Args:
        root: see the layout's module.
        layout: a name of `LAYOUTS`; found out by default.
        split: by default the one to train on.

    Raises:
        PgnetError: the folder has not this layout, there is no such split, or nothing can be read.
    """
    name = layout or find_layout(root)
    if name not in LAYOUTS:
        raise PgnetError(f"There is no layout {name!r}; known are {', '.join(LAYOUTS)}.")
    if not LAYOUTS[name].matches(root):
        raise PgnetError(f"The folder {root} has not the layout {name}; see docs/training-data.md.")
    return LAYOUTS[name].read(root, split)
