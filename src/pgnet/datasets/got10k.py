"""GOT-10k (Huang, Zhao, Huang: GOT-10k: A Large High-Diversity Benchmark for Generic Object Tracking, TPAMI 2021).

``SPLIT/NAME/00000001.jpg ...`` with ``groundtruth.txt`` (x,y,w,h per line, 0-based; of test sequences only the first
box), ``absence.label``, ``cover.label`` and ``cut_by_image.label`` (one value per line) and ``meta_info.ini`` beside
them. ``SPLIT/list.txt`` names the sequences.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pgnet.datasets.reading import choose, numbered_frames, read_boxes, read_labels, read_text, subfolders
from pgnet.datasets.sequence import Sequence
from pgnet.errors import PgnetError

Split = Literal["train", "val", "test"]
LENGTHS: dict[Split, int] = {"train": 9335, "val": 180, "test": 180}
"""Sequences of each split."""


def official_names(split: Split) -> tuple[str, ...]:
    """The names of a split's sequences."""
    return tuple(f"GOT-10k_{split.capitalize()}_{number:06d}" for number in range(1, LENGTHS[split] + 1))


def read_got10k(
    root: Path,
    names: Iterable[str] | None = None,
    split: Split | None = None,
    *,
    problems: dict[str, str] | None = None,
) -> list[Sequence]:
    """The sequences of a split, in the order of its list.

    Args:
        root: folder that has the folders train, val and test; or, without `split`, any folder of sequences.
        names: only these, in any case.
        split: which of the three.
        problems: see `pgnet.datasets.reading.choose`.

    Raises:
        PgnetError: no sequence there, an unknown name, or a damaged annotation.
    """
    folder = root if split is None or (root.name == split and not (root / split).is_dir()) else root / split
    if (folder / "list.txt").is_file():
        listed = [folder / name for name in read_text(folder / "list.txt").split()]
        folders = [path for path in listed if path.is_dir()]
    else:
        folders = [path for path in subfolders(folder) if (path / "groundtruth.txt").is_file()]
    found = {path.name: partial(_read, path) for path in folders}
    return choose(found, folder, names, problems, "GOT-10k's folders NAME with groundtruth.txt")


def _read(folder: Path) -> Sequence:
    boxes = read_boxes(folder / "groundtruth.txt")
    frames = numbered_frames(folder, 8, 1, len(boxes) if len(boxes) > 1 else None)
    if len(boxes) == 1 < len(frames):  # a test sequence
        boxes = np.vstack([boxes, np.full((len(frames) - 1, 4), np.nan)])

    def labels(name: str) -> NDArray[np.uint8] | None:
        path = folder / f"{name}.label"
        return read_labels(path) if path.is_file() else None

    absent, cut = labels("absence"), labels("cut_by_image")
    meta = _read_meta(folder / "meta_info.ini")
    return Sequence(
        folder.name,
        frames,
        boxes,
        absent=None if absent is None else absent.astype(bool),
        cover=labels("cover"),
        tags={} if cut is None else {"cut_by_image": cut.astype(bool)},
        size=_size(meta.get("resolution"), folder),
        meta=meta,
    )


def _read_meta(path: Path) -> dict[str, str]:
    """The entries ``key: value`` below the heading of a meta_info.ini; none where there is no file."""
    lines = read_text(path).splitlines()[1:] if path.is_file() else []
    entries = (line.split(":", 1) for line in lines if ":" in line)
    return {key.strip(): value.strip() for key, value in entries}


def _size(text: str | None, folder: Path) -> tuple[int, int] | None:
    """``(1920, 1080)`` -> 1920, 1080."""
    if text is None:
        return None
    try:
        width, height = (int(part) for part in text.strip("()").split(","))
    except ValueError as error:
        raise PgnetError(f"The resolution {text} in {folder / 'meta_info.ini'} is not (width, height).") from error
    return width, height
