"""LaSOT (Fan et al.: LaSOT: A High-quality Benchmark for Large-scale Single Object Tracking, CVPR 2019).

``CATEGORY/CATEGORY-N/img/00000001.jpg ...``, or the same without the folder of the category; beside ``img`` lie
``groundtruth.txt`` (x,y,w,h per line, 1-based), ``full_occlusion.txt`` and ``out_of_view.txt`` (0 or 1 for each frame,
on one line). The evaluation toolkit's ``att/NAME.txt`` is read where it lies beside the sequences.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Literal

from pgnet.datasets.reading import (
    choose,
    numbered_frames,
    read_attributes,
    read_boxes,
    read_labels,
    subfolders,
    words,
)
from pgnet.datasets.sequence import Sequence

Split = Literal["train", "test", "extension"]
ATTRIBUTES = ("IV", "POC", "DEF", "MB", "CM", "ROT", "BC", "VC", "SV", "FOC", "FM", "OV", "LR", "ARC")
"""In the order of the evaluation toolkit's files."""


def read_lasot(
    root: Path,
    names: Iterable[str] | None = None,
    split: Split | None = None,
    *,
    problems: dict[str, str] | None = None,
) -> list[Sequence]:
    """The sequences below a folder, by category and number; boxes become 0-based.

    Args:
        root: folder that has the categories, or the sequences themselves.
        names: only these, in any case (``airplane-1``).
        split: only the 280 sequences of the official test set, the other 1,120, or the 150 of the extension of 2020.
        problems: see `pgnet.datasets.reading.choose`.

    Raises:
        PgnetError: no sequence there, an unknown name, or a damaged annotation.
    """
    folders = [
        folder
        for folder in chain.from_iterable([folder, *subfolders(folder)] for folder in subfolders(root))
        if (folder / "groundtruth.txt").is_file() and split in (None, split_of(folder.name))
    ]
    found = {folder.name: partial(_read, folder, root / "att") for folder in sorted(folders, key=_order)}
    return choose(found, root, names, problems, "LaSOT's folders CATEGORY/CATEGORY-N with groundtruth.txt")


def split_of(name: str) -> Split:
    """Which split a sequence with this name belongs to."""
    return "test" if name in TEST else "extension" if name in EXTENSION else "train"


def _order(folder: Path) -> tuple[str, int]:
    category, _, number = folder.name.rpartition("-")
    return category, int(number) if number.isdecimal() else 0


def _read(folder: Path, attributes: Path) -> Sequence:
    boxes = read_boxes(folder / "groundtruth.txt")
    boxes[:, :2] -= 1
    tags = {
        name: read_labels(folder / f"{name}.txt").astype(bool)
        for name in ("full_occlusion", "out_of_view")
        if (folder / f"{name}.txt").is_file()
    }
    hidden, outside = tags.get("full_occlusion"), tags.get("out_of_view")
    return Sequence(
        folder.name,
        numbered_frames(folder / "img", 8, 1, len(boxes)),
        boxes,
        absent=hidden | outside if hidden is not None and outside is not None else None,
        tags=tags,
        attributes=read_attributes(attributes / f"{folder.name}.txt", ATTRIBUTES),
    )


_TEST_NUMBERS = """
airplane 1 9 13 15
basketball 1 6 7 11
bear 2 4 6 17
bicycle 2 7 9 18
bird 2 3 15 17
boat 3 4 12 17
book 3 10 11 19
bottle 1 12 14 18
bus 2 5 17 19
car 2 6 9 17
cat 1 3 18 20
cattle 2 7 12 13
chameleon 3 6 11 20
coin 3 6 7 18
crab 3 6 12 18
crocodile 3 4 10 14
cup 1 4 7 17
deer 4 8 10 14
dog 1 7 15 19
drone 2 7 13 15
electricfan 1 10 18 20
elephant 1 12 16 18
flag 2 3 5 9
fox 2 3 5 20
frog 3 4 9 20
gametarget 1 2 7 13
gecko 1 5 16 19
giraffe 2 10 13 15
goldfish 3 7 8 10
gorilla 4 6 9 13
guitar 3 8 10 16
hand 2 3 9 16
hat 1 2 5 18
helmet 5 11 13 19
hippo 1 7 9 20
horse 1 4 12 15
kangaroo 2 5 11 14
kite 4 6 10 15
leopard 1 7 16 20
licenseplate 6 12 13 15
lion 1 5 12 20
lizard 1 3 6 13
microphone 2 6 14 16
monkey 3 4 9 17
motorcycle 1 3 9 18
mouse 1 8 9 17
person 1 5 10 12
pig 2 10 13 18
pool 3 7 12 15
rabbit 10 13 17 19
racing 10 15 16 20
robot 1 5 8 19
rubicCube 1 6 14 19
sepia 6 8 13 16
shark 2 3 5 6
sheep 3 5 7 9
skateboard 3 8 16 19
spider 14 16 18 20
squirrel 8 11 13 19
surfboard 4 5 8 12
swing 10 14 17 20
tank 6 9 14 16
tiger 4 6 12 18
train 1 7 11 20
truck 3 6 7 16
turtle 5 8 9 16
umbrella 2 9 17 19
volleyball 1 13 18 19
yoyo 7 15 17 19
zebra 10 14 16 17
"""
TEST = tuple(
    f"{category}-{number}"
    for line in _TEST_NUMBERS.strip().splitlines()
    for category, *numbers in [line.split()]
    for number in numbers
)
"""The official test set: four sequences of each of the 70 categories."""
EXTENSION = tuple(
    f"{category}-{number}"
    for category in words(
        """
        atv badminton cosplay dancingshoe footbag frisbee jianzi lantern misc opossum paddle raccoon rhino skatingshoe
        wingsuit
        """
    )
    for number in range(1, 11)
)
"""The extension (Fan et al., IJCV 2021): ten sequences of each of 15 new categories, for testing only."""
