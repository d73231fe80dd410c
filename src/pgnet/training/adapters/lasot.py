"""LaSOT, read by `pgnet.datasets.lasot`; those for testing are never part of the split train."""

from __future__ import annotations

from pathlib import Path

from pgnet.datasets.lasot import read_lasot, split_of
from pgnet.errors import PgnetError
from pgnet.training.adapters.reading import choose_split
from pgnet.training.adapters.sequences import read_sequences
from pgnet.training.annotations import Annotations


def matches(root: Path) -> bool:
    """Whether a folder looks like this layout."""
    return any(
        (path.parent / "img").is_dir() for depth in ("*", "*/*") for path in root.glob(f"{depth}/groundtruth.txt")
    )


def read(root: Path, split: str | None = None) -> Annotations:
    """The split train, which is the default, or test.

    Raises:
        PgnetError: no such split, or no sequence of it.
    """
    split = choose_split(("train", "test"), split, "LaSOT", lambda name: name == "train")
    found = read_sequences("lasot", read_lasot, root)
    found.videos["lasot"] = [v for v in found.videos["lasot"] if split_of(v.name) == split]
    if not found.videos["lasot"] and not found.damaged:
        raise PgnetError(f"{root} has no sequence of LaSOT's split {split}; give the other split.")
    return found
