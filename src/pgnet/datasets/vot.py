"""VOT short-term challenges of 2013 to 2019 (Kristan et al., votchallenge.net) in the layout of the VOT toolkit.

``list.txt`` names the sequences. ``NAME/color/00000001.jpg ...`` (since 2018) or ``NAME/00000001.jpg ...``; in NAME
``groundtruth.txt`` with a region per line: a polygon x1,y1,x2,y2,x3,y3,x4,y4 or x,y,w,h, in 0-based pixels. Each file
``.tag`` (``.label`` until 2014) marks frames with 0 or 1: camera_motion, illum_change, motion_change, occlusion,
size_change.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pgnet.boxes import Boxes
from pgnet.datasets.reading import choose, numbered_frames, parse_rows, read_labels, read_text
from pgnet.datasets.sequence import Sequence
from pgnet.errors import PgnetError


def read_vot(
    root: Path, names: Iterable[str] | None = None, *, problems: dict[str, str] | None = None
) -> list[Sequence]:
    """The sequences of a folder's list, in its order.

    Args:
        root: folder that has list.txt and the sequences' folders.
        names: only these, in any case.
        problems: see `pgnet.datasets.reading.choose`.

    Raises:
        PgnetError: no list there, an unknown name, or a damaged annotation.
    """
    folders = [root / name for name in official_names(root)]
    found = {folder.name: partial(_read, folder) for folder in folders if folder.is_dir()}
    return choose(found, root, names, problems, "list.txt and the folders of the sequences that it names")


def official_names(root: Path) -> tuple[str, ...]:
    """The names in the folder's list; none where there is no list."""
    path = root / "list.txt"
    return tuple(read_text(path).split()) if path.is_file() else ()


def _read(folder: Path) -> Sequence:
    path = folder / "groundtruth.txt"
    values = parse_rows(read_text(path), str(path))
    if values.shape[1] not in (4, 8):
        raise PgnetError(f"{path} should have four or eight numbers on each line.")
    polygons = values.shape[1] == 8
    images = folder / "color" if (folder / "color").is_dir() else folder
    tags = {}
    for file in sorted([*folder.glob("*.tag"), *folder.glob("*.label")]):
        marks = read_labels(file)[: len(values)].astype(bool)
        tags[file.stem] = np.pad(marks, (0, len(values) - len(marks)))  # frames after its end are not marked
    return Sequence(
        folder.name,
        numbered_frames(images, 8, 1, len(values)),
        upright_boxes(values) if polygons else values,
        regions=values if polygons else None,
        tags=tags,
    )


def upright_boxes(polygons: NDArray[np.float64]) -> Boxes:
    """Upright boxes of (N, 8) rotated rectangles x1, y1 ... x4, y4 -> (N, 4) x, y, w, h.

    Centre and area are the rectangle's, the aspect that of its upright hull; corners are pixels and belong to the box.
    Trackers of the SiamRPN family start on this box (`get_axis_aligned_bbox` of pysot).
    """
    corners = polygons.reshape(-1, 4, 2)
    low, high = corners.min(axis=1), corners.max(axis=1)
    sides = np.linalg.norm(np.diff(corners[:, :3], axis=1), axis=2)
    hull = np.prod(high - low, axis=1)
    scale = np.sqrt(np.divide(np.prod(sides, axis=1), hull, out=np.ones(len(corners)), where=hull > 0))
    span = scale[:, None] * (high - low)
    return np.concatenate([corners.mean(axis=1) - span / 2, span + 1], axis=1)
