"""TrackingNet, read by `pgnet.datasets.trackingnet`: those of the folders TRAIN_0 to TRAIN_11 that are there."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from pgnet.datasets.trackingnet import TEST, TRAIN, read_trackingnet
from pgnet.training.adapters.reading import choose_split
from pgnet.training.adapters.sequences import read_sequences
from pgnet.training.annotations import Annotations


def matches(root: Path) -> bool:
    """Whether a folder looks like this layout."""
    return any((root / split / "anno").is_dir() for split in (*TRAIN, *TEST))


def read(root: Path, split: str | None = None) -> Annotations:
    """The split train (the default), test, or a single folder such as TRAIN_0.

    Raises:
        PgnetError: no such split, or no sequence of it.
    """
    folders = {"train": TRAIN, "test": TEST} | {name: (name,) for name in (*TRAIN, *TEST)}
    chosen = choose_split(folders, split, "TrackingNet", lambda name: name == "train")
    return read_sequences("trackingnet", partial(read_trackingnet, splits=folders[chosen]), root)
