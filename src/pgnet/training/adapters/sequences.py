"""From the readers of `pgnet.datasets` to training: the frames in which the target can be seen."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

import numpy as np

from pgnet.datasets import Reader, Sequence
from pgnet.training.annotations import Annotations, Video


def read_sequences(name: str, reader: Reader | partial[list[Sequence]], root: Path) -> Annotations:
    """What a reader of `pgnet.datasets` finds, as a set of this name.

    Raises:
        PgnetError: there is nothing of the data set in the folder.
    """
    problems: dict[str, str] = {}
    videos = to_videos(reader(root, problems=problems))
    return Annotations(videos={name: videos}, damaged=list(problems.values()))


def to_videos(sequences: Iterable[Sequence]) -> list[Video]:
    """One video for each sequence; frames marked absent, fully covered or without a box count as without target."""
    videos = []
    for sequence in sequences:
        visible = np.isfinite(sequence.boxes).all(axis=1) & sequence.boxes.any(axis=1)
        if sequence.absent is not None:
            visible &= ~sequence.absent
        if sequence.cover is not None:
            visible &= sequence.cover > 0
        videos.append(Video(sequence.name, sequence.frames, sequence.boxes, np.flatnonzero(visible)))
    return videos
