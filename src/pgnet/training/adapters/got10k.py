"""GOT-10k, read by `pgnet.datasets.got10k`; frames marked in absence.label or with cover.label 0 are left out."""

from __future__ import annotations

from pathlib import Path

from pgnet.datasets.got10k import read_got10k
from pgnet.training.adapters.reading import choose_split
from pgnet.training.adapters.sequences import read_sequences
from pgnet.training.annotations import Annotations


def matches(root: Path) -> bool:
    """Whether a folder looks like this layout."""
    return any(any(root.glob(f"{depth}*/absence.label")) for depth in ("", "*/"))


def read(root: Path, split: str | None = None) -> Annotations:
    """One of the folders train (the default), val and test; a folder without them is read as it is.

    Raises:
        PgnetError: no such split, or no sequence in it.
    """
    there = [name for name in ("train", "val", "test") if (root / name).is_dir()]
    chosen = choose_split(there, split, str(root), lambda name: name == "train") if there or split else ""
    return read_sequences("got10k", read_got10k, root / chosen)
