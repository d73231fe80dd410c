"""What is wrong with a data set: pictures, boxes, names, and pictures that are on two sides of a split."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pgnet.datasets import DATASETS, Reader, read_otb
from pgnet.datasets.verify import missing
from pgnet.errors import PgnetError
from pgnet.training.adapters import LAYOUTS, read_layout
from pgnet.training.adapters.sequences import read_sequences
from pgnet.training.annotations import Annotations, Target
from pgnet.training.fingerprints import LIKENESS, difference_hash, likeness, near_pairs, read_grey
from pgnet.training.sources import is_validation

KINDS = {
    "damaged annotation": "an annotation cannot be read",
    "missing picture": "an annotated picture is not there",
    "unreadable picture": "a picture cannot be decoded, or is cut off",
    "size differs": "a picture has not the size that its annotation says",
    "empty box": "a box has no width or height",
    "box outside": "a box sticks out of its picture by more than two pixels",
    "same name": "two pictures or videos of one set have the same name",
    "duplicate": "nearly the same picture twice, or two videos that have one in common",
    "split leak": "nearly the same picture in training and in validation",
    "incomplete": "a sequence or frame of the benchmark is not there",
    "test leak": "a picture or video, or nearly the same, is in the other data too",
}
"""What is looked for, and what it means."""
OVERHANG = 2.0
"""Pixels that a box may stick out; annotators are not more exact at the border."""
NAME_LENGTH = 8
"""Shorter names of pictures (0001, img_12) are the same in many data sets and tell nothing."""


BENCHMARKS: dict[str, Reader] = {"otb": read_otb, **DATASETS}
"""What can be checked, but not trained on."""


class Problem(NamedTuple):
    """One finding: a key of `KINDS`, the set it is in, the file or video, and a text that says more."""

    kind: str
    set: str
    where: str
    text: str


@dataclass
class Unit:
    """A single picture, or a video: what is in training or in validation as a whole.

    Attributes:
        set: the set that it belongs to.
        name: what decides about the side.
        path: of the picture, or of the folder of frames.
        video: whether it is one.
        pictures: its pictures, and the targets in each.
    """

    set: str
    name: str
    path: Path
    video: bool = False
    pictures: dict[Path, list[Target]] = field(default_factory=dict)


class Look(NamedTuple):
    """What one picture shows: width and height, and its hash where there is enough in it; or what is wrong with it."""

    size: tuple[int, int] | None = None
    hash: int | None = None
    kind: str = ""
    text: str = ""


Progress = Callable[[Iterable[Look], int], Iterable[Look]]
"""Passes on what it is given, and how many there will be."""


def incomplete(root: Path, layout: str | None, split: str | None = None) -> list[Problem]:
    """What a benchmark of `pgnet.datasets.DATASETS`, asked for by name, lacks below its folder; else nothing."""
    if layout not in DATASETS or split not in (None, "test"):
        return []
    return [Problem("incomplete", layout, "", text) for text in missing(layout, root)]


def read_any(root: Path, layout: str | None = None, split: str | None = None) -> Annotations:
    """What a folder of training data or of a benchmark holds.

    Args:
        root: the folder.
        layout: a name of `pgnet.training.adapters.LAYOUTS` or of `BENCHMARKS`; found out by default.
        split: of training data, by default the one to train on. A name of both, such as lasot, is the benchmark without
            a split, and training data with one.

    Raises:
        PgnetError: the folder has not this layout, or nothing can be read.
    """
    if layout is None and any(root.glob("*/groundtruth_rect*.txt")):
        layout = "otb"
    if layout not in BENCHMARKS or (layout in LAYOUTS and split is not None):
        return read_layout(root, layout, split)
    if split is not None:
        raise PgnetError(f"The benchmark {layout} has no splits; leave the split {split!r} out.")
    return read_sequences(layout, BENCHMARKS[layout], root)


def check(
    found: Annotations, against: Annotations | None = None, every: int = 1, progress: Progress = lambda looks, _: looks
) -> list[Problem]:
    """All problems of a data set.

    Args:
        found: what is checked; every picture is decoded.
        against: data that must have no picture in common with it, such as a benchmark; its pictures are decoded too.
        every: of videos only each such frame is looked at.
        progress: wraps the iteration over pictures.
    """
    own = units(found, every)
    other = units(against, every) if against else []
    problems = [Problem("damaged annotation", "", "", text) for text in found.damaged]
    problems += _same_names(own)
    paths = list(dict.fromkeys(path for unit in own + other for path in unit.pictures))
    looks = dict(zip(paths, progress(_look_at(paths), len(paths)), strict=True))
    for unit in own:
        for path, targets in unit.pictures.items():
            problems += _picture(unit, path, targets, looks[path])
    problems += _same_pictures(own, other, looks)
    leaked = {problem.where for problem in problems if problem.kind == "test leak"}
    return problems + [problem for problem in _known_names(own, other) if problem.where not in leaked]


def units(found: Annotations, every: int = 1) -> list[Unit]:
    """The single pictures and the videos of a data set; of videos, each `every`-th frame."""
    units: dict[tuple[str, Path, str], Unit] = {}
    for name, targets in found.stills.items():
        for target in targets:
            unit = units.setdefault((name, target.path, ""), Unit(name, target.path.name, target.path))
            unit.pictures.setdefault(target.path, []).append(target)
    for name, paths in found.photos.items():
        for path in paths:
            units[name, path, ""] = Unit(name, path.name, path, pictures={path: []})
    for name, videos in found.videos.items():
        for video in videos:
            folder = video.frames[0].parent
            unit = units.setdefault((name, folder, video.name), Unit(name, video.name, folder, video=True))
            for target in video.only(video.rows % every == 0):
                unit.pictures.setdefault(target.path, []).append(target)
    return list(units.values())


def _look_at(paths: list[Path]) -> Iterator[Look]:
    """Decodes pictures on all cores; a part at a time is queued, data sets have millions."""
    with ThreadPoolExecutor() as pool:
        for start in range(0, len(paths), 4096):
            yield from pool.map(_look, paths[start : start + 4096])


def _look(path: Path) -> Look:
    if not path.is_file():
        return Look(kind="missing picture", text=f"The picture {path} is missing.")
    try:
        grey = read_grey(path)
    except PgnetError as error:
        return Look(kind="unreadable picture", text=str(error))
    return Look((grey.shape[1], grey.shape[0]), difference_hash(grey))


def _picture(unit: Unit, path: Path, targets: list[Target], look: Look) -> Iterator[Problem]:
    if look.size is None:
        yield Problem(look.kind, unit.set, str(path), look.text)
    elif sizes := {target.size for target in targets if target.size} - {look.size}:
        said, real = (" x ".join(map(str, size)) for size in (sizes.pop(), look.size))
        yield Problem("size differs", unit.set, str(path), f"It is {real}, and its annotation says {said}.")
    for target in targets:
        x, y, w, h = target.box.tolist()
        box = f"{x:g},{y:g},{w:g},{h:g}"
        if not (np.isfinite(target.box).all() and w > 0 and h > 0):
            yield Problem("empty box", unit.set, str(path), f"The box is {box}.")
        elif look.size and max(-x, -y, x + w - look.size[0], y + h - look.size[1]) > OVERHANG:
            size = " x ".join(map(str, look.size))
            yield Problem("box outside", unit.set, str(path), f"The box {box} sticks out of the picture ({size}).")


def _same_names(own: list[Unit]) -> Iterator[Problem]:
    first: dict[tuple[str, bool, str], Unit] = {}
    for unit in own:
        known = first.setdefault((unit.set, unit.video, unit.name.casefold()), unit)
        if known is not unit:
            yield Problem("same name", unit.set, str(unit.path), f"{known.path} has the same name.")


def _same_pictures(own: list[Unit], other: list[Unit], looks: dict[Path, Look]) -> Iterator[Problem]:
    """Each unit once that has a picture in common with an earlier one, or one of the other data."""
    everything = own + other
    pictures: dict[tuple[int, int], Path] = {}  # unit and hash -> an example
    for number, unit in enumerate(everything):
        for path in unit.pictures:
            if (value := looks[path].hash) is not None:
                pictures.setdefault((number, value), path)
    table = np.array(list(pictures), np.uint64).reshape(-1, 2)
    paths, said = list(pictures.values()), set[tuple[str, int]]()
    for i, j in near_pairs(table[:, 1], table[:, 0].astype(np.int64)):
        first, second = (int(table[index, 0]) for index in (i, j))
        if first >= len(own) or (second < len(own) and paths[i] == paths[j]):
            continue  # both of the other data, or two targets in one picture
        kind = "duplicate"
        if second >= len(own):
            kind, i, j, first, second = "test leak", j, i, second, first
        elif is_validation(everything[first].name) != is_validation(everything[second].name):
            kind = "split leak"
            if is_validation(everything[first].name):
                i, j, first, second = j, i, second, first
        if (kind, second) not in said and (alike := likeness(paths[i], paths[j])) >= LIKENESS:
            said.add((kind, second))
            unit = everything[second]
            what = f"{paths[j].name} looks" if unit.video else "It looks"
            yield Problem(kind, unit.set, str(unit.path), f"{what} like {paths[i]} (correlation {alike:.3f}).")


def _known_names(own: list[Unit], other: list[Unit]) -> Iterator[Problem]:
    """Videos, and pictures with telling names, that the other data has by the same name."""
    names = {(unit.video, _stem(unit)): unit for unit in other}
    for unit in own:
        twin = names.get((unit.video, _stem(unit)))
        if twin is not None and (unit.video or len(_stem(unit)) >= NAME_LENGTH):
            yield Problem("test leak", unit.set, str(unit.path), f"{twin.path} has the same name.")


def _stem(unit: Unit) -> str:
    return (unit.name if unit.video else unit.path.stem).casefold()
