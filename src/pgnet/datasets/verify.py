"""What a data set lacks on this disk."""

from __future__ import annotations

from pathlib import Path

from pgnet.datasets import OFFICIAL, dataset_reader, trackingnet, vot


def missing(name: str, root: Path) -> list[str]:
    """What a data set lacks below a folder, one sentence each: sequences, annotations that can be read, frames.

    Frames are looked up by name, not opened.

    Args:
        name: of `pgnet.datasets.DATASETS`.
        root: the data set's folder.

    Raises:
        PgnetError: unknown name, or nothing of the data set is there.
    """
    name = name.lower()
    problems: dict[str, str] = {}
    sequences = dataset_reader(name)(root, problems=problems)
    found = {sequence.name for sequence in sequences} | set(problems)
    expected = vot.official_names(root) if name.startswith("vot") else OFFICIAL.get(name, ())
    lacks = [f"Sequence {sequence} is missing." for sequence in expected if sequence not in found]
    if name in TRACKINGNET:
        lacks += _incomplete_splits(root, TRACKINGNET[name])
    lacks += problems.values()
    folder, there = Path(), set[str]()
    for sequence in sequences:
        if sequence.frames[0].parent != folder:  # parts of one video share it
            folder = sequence.frames[0].parent
            there = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
        absent = [path for path in sequence.frames if path.name not in there]
        if absent:
            lacks.append(f"Sequence {sequence.name} lacks {len(absent)} of {len(sequence)} frames, first {absent[0]}.")
    return lacks


TRACKINGNET = {"trackingnet": trackingnet.TEST, "trackingnet-train": trackingnet.TRAIN}


def _incomplete_splits(root: Path, splits: tuple[str, ...]) -> list[str]:
    """TrackingNet says only how many sequences a split has."""
    counts = {split: len(list((root / split / "anno").glob("*.txt"))) for split in splits}
    return [
        f"{split} has {count} of {trackingnet.LENGTHS[split]} sequences."
        for split, count in counts.items()
        if count < trackingnet.LENGTHS[split]
    ]
