"""TrackingNet (Müller et al.: TrackingNet: A Large-Scale Dataset and Benchmark for Object Tracking in the Wild, 2018).

``TEST`` and ``TRAIN_0`` to ``TRAIN_11``, each with ``frames/NAME/0.jpg ...`` and ``anno/NAME.txt`` (x,y,w,h per line,
0-based; of test sequences only the first box).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

import numpy as np

from pgnet.datasets.reading import choose, numbered_frames, read_boxes
from pgnet.datasets.sequence import Sequence

TEST = ("TEST",)
TRAIN = tuple(f"TRAIN_{number}" for number in range(12))
LENGTHS = {"TEST": 511, **dict.fromkeys(TRAIN, 2511)}
"""Sequences of each split."""


def read_trackingnet(
    root: Path,
    names: Iterable[str] | None = None,
    splits: Iterable[str] = TEST,
    *,
    problems: dict[str, str] | None = None,
) -> list[Sequence]:
    """The sequences of the splits that are there, by name.

    Args:
        root: folder that has the folders TEST, TRAIN_0, ...
        names: only these, in any case.
        splits: any of `TEST` and `TRAIN`.
        problems: see `pgnet.datasets.reading.choose`.

    Raises:
        PgnetError: no sequence there, an unknown name, or a damaged annotation.
    """
    splits = tuple(splits)
    annotations = (path for split in splits for path in sorted((root / split / "anno").glob("*.txt")))
    found = {path.stem: partial(_read, path) for path in annotations}
    what = f"TrackingNet's anno/NAME.txt and frames/NAME in {' or '.join(splits)}"
    return choose(found, root, names, problems, what)


def _read(annotation: Path) -> Sequence:
    boxes = read_boxes(annotation)
    folder = annotation.parents[1] / "frames" / annotation.stem
    frames = numbered_frames(folder, 1, 0, len(boxes) if len(boxes) > 1 else None)
    if len(boxes) == 1 < len(frames):  # a test sequence
        boxes = np.vstack([boxes, np.full((len(frames) - 1, 4), np.nan)])
    return Sequence(annotation.stem, frames, boxes)
