"""Videos that you annotated yourself: a folder for each, or the root itself, with the frames as pictures.

``annotations.xml`` (CVAT for video 1.1) or ``track.json`` (pgnet) with the frames in ``images/``, or a MOTChallenge
sequence with ``gt/gt.txt`` and ``img1/``. Pictures belong to the frames by the number at the end of their names
(``frame_000012.png``), counted from 1 where the first is 1, otherwise from 0; without numbers, in order. Frames in
which a target is absent, occluded or has score 0 count as frames without it.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from pgnet.errors import PgnetError
from pgnet.results import TargetTrack, formats
from pgnet.training.adapters.reading import list_frames
from pgnet.training.annotations import Annotations, Frames, Video

KINDS = {"annotations.xml": ("cvat", "images"), "track.json": ("pgnet", "images"), "gt/gt.txt": ("mot", "img1")}
"""The annotation of a clip -> its format, and where the frames are."""


def matches(root: Path) -> bool:
    """Whether a folder looks like this layout."""
    return bool(_clips(root))


def read(root: Path, split: str | None = None) -> Annotations:
    """All clips; there are no splits.

    Raises:
        PgnetError: a split was asked for.
    """
    if split is not None:
        raise PgnetError(f"The clips in {root} have no splits; leave the split {split!r} out.")
    found = Annotations()
    for clip, annotation in _clips(root):
        with found.unless_damaged():
            form, folder = KINDS[annotation]
            track = formats.read(clip / annotation, form)
            names = _by_frame(list_frames(clip / folder))
            videos = [_video(clip.resolve().name, target, clip / folder, names) for target in track.targets]
            found.videos.setdefault("clips", []).extend(video for video in videos if len(video))
    return found


def _clips(root: Path) -> list[tuple[Path, str]]:
    """The folders of clips, and the annotation in each."""
    return [
        (clip, annotation)
        for clip in (root, *sorted(root.glob("*/")))
        for annotation, (_, frames) in KINDS.items()
        if (clip / annotation).is_file() and (clip / frames).is_dir()
    ]


def _video(name: str, target: TargetTrack, folder: Path, names: dict[int, str]) -> Video:
    """The frames of a target in which it can be seen.

    Args:
        name: of the clip.
        target: its boxes.
        folder: where the pictures are.
        names: of the pictures, by frame.
    """
    visible = ~target.missing & ~target.occluded & (target.scores > 0)
    numbers = target.frames[visible].tolist()
    if lost := [number for number in numbers if number not in names]:
        raise PgnetError(f"The folder {folder} lacks frame {lost[0]}, which is annotated ({len(lost)} in all).")
    frames = Frames(folder, [names[number] for number in numbers])
    return Video(name, frames, target.boxes[visible], np.arange(len(frames)), str(target.id))


def _by_frame(names: list[str]) -> dict[int, str]:
    """Names of pictures in order -> the frame, counted from 0, that each belongs to."""
    found = [re.fullmatch(r"\D*(\d+)", Path(name).stem) for name in names]
    numbers = [int(match[1]) for match in found if match]
    if len(set(numbers)) < len(names):
        return dict(enumerate(names))
    first = 1 if min(numbers) == 1 else 0
    return {number - first: name for number, name in zip(numbers, names, strict=True)}
