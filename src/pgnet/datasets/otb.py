"""OTB-2013 / OTB-100 (Wu, Lim, Yang: Object Tracking Benchmark, TPAMI 2015) in its own folders.

``NAME/img/0001.jpg ...`` and ``NAME/groundtruth_rect.txt``, one x, y, w, h per line, 1-based, separated by commas, tabs
or blanks. A sequence with several targets has ``groundtruth_rect.1.txt ...`` and counts as ``NAME-1 ...``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from pgnet.boxes import Boxes
from pgnet.datasets.sequence import Sequence
from pgnet.errors import PgnetError

FIRST_FRAME = {"David": 300}
"""Number of the image that the first ground-truth row belongs to, where it is not the first image.

Football1, Freeman3, Freeman4 and Diving have more images than rows; the rows belong to the first ones."""
SKIPPED_ROWS = {"Tiger1": 5}
"""Rows, and their images, that the benchmark leaves out: it starts Tiger1 at frame 6."""


def read_otb(root: Path, names: Iterable[str] | None = None) -> list[Sequence]:
    """The sequences below a folder, by name; boxes become 0-based.

    Args:
        root: folder that has the sequences' folders.
        names: only these, in any case (``jogging-1``).

    Raises:
        PgnetError: no sequence there, an unknown name, or a sequence with too few frames or a damaged annotation.
    """
    if not root.is_dir():
        raise PgnetError(f"The folder {root} does not exist; give the one that holds OTB's sequences.")
    found = {name.lower(): (name, path) for name, path in _annotations(root)}
    if not found:
        raise PgnetError(f"{root} has no folder with groundtruth_rect.txt; give the one that holds OTB's sequences.")
    wanted = list(found) if names is None else [name.lower() for name in names]
    if missing := [name for name in wanted if name not in found]:
        known = ", ".join(name for name, _ in found.values())
        raise PgnetError(f"There is no sequence {', '.join(missing)} in {root}; it has {known}.")
    return [_read(*found[name]) for name in wanted]


def _annotations(root: Path) -> Iterator[tuple[str, Path]]:
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        for path in sorted(folder.glob("groundtruth_rect*.txt")):
            target = re.fullmatch(r"groundtruth_rect(?:\.(\d+))?\.txt", path.name)
            if target is not None:
                yield folder.name + (f"-{target[1]}" if target[1] else ""), path


def _read(name: str, annotation: Path) -> Sequence:
    boxes = read_boxes(annotation)
    folder = annotation.parent
    images = {int(path.stem): path for path in (folder / "img").glob("*.*") if path.stem.isdecimal()}
    first = FIRST_FRAME.get(folder.name, 0)
    frames = [path for number, path in sorted(images.items()) if number >= first][: len(boxes)]
    skip = SKIPPED_ROWS.get(folder.name, 0)
    boxes[:, :2] -= 1
    return Sequence(name, frames[skip:], boxes[skip:])


def read_boxes(path: Path) -> Boxes:
    """(N, 4) values of a text file with four per line, as they stand there.

    Raises:
        PgnetError: the file cannot be read or a line has not four numbers.
    """
    try:
        lines = [line for line in path.read_text().splitlines() if line.strip()]
        boxes = np.array([[float(v) for v in re.split(r"[,;\s]+", line.strip())] for line in lines])
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise PgnetError(f"The boxes in {path} cannot be read: {error}.") from error
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise PgnetError(f"{path} should have four numbers x, y, w, h on each line.")
    return boxes
