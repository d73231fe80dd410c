"""OTB-2013, OTB-50 and OTB-100 (Wu, Lim, Yang: Object Tracking Benchmark, TPAMI 2015) in their own folders.

``NAME/img/0001.jpg ...`` and ``NAME/groundtruth_rect.txt``, one x, y, w, h per line, 1-based, separated by commas, tabs
or blanks. A sequence with several targets has ``groundtruth_rect.1.txt ...`` and counts as ``NAME-1 ...``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Literal

from pgnet.datasets.reading import SUFFIXES, choose, read_boxes, read_text, subfolders, words
from pgnet.datasets.sequence import Sequence

FIRST_FRAME = {"David": 300}
"""Number of the image that the first ground-truth row belongs to, where it is not the first image.

Football1, Freeman3, Freeman4 and Diving have more images than rows; the rows belong to the first ones."""
SKIPPED_ROWS = {"Tiger1": 5}
"""Rows, and their images, that the benchmark leaves out: it starts Tiger1 at frame 6."""

Version = Literal["otb2013", "otb50", "otb100"]


def read_otb(
    root: Path,
    names: Iterable[str] | None = None,
    version: Version | None = None,
    *,
    problems: dict[str, str] | None = None,
) -> list[Sequence]:
    """The sequences below a folder, by name; boxes become 0-based.

    Args:
        root: folder that has the sequences' folders.
        names: only these, in any case (``jogging-1``).
        version: only the sequences of one of the three benchmarks.
        problems: see `pgnet.datasets.reading.choose`.

    Raises:
        PgnetError: no sequence there, an unknown name, or a sequence with too few frames or a damaged annotation.
    """
    wanted = None if version is None else frozenset(VERSIONS[version])
    found = {name: partial(_read, name, path) for name, path in _annotations(root) if wanted is None or name in wanted}
    return choose(found, root, names, problems, "OTB's folders NAME with groundtruth_rect.txt")


def _annotations(root: Path) -> Iterator[tuple[str, Path]]:
    for folder in subfolders(root):
        for path in sorted(folder.glob("groundtruth_rect*.txt")):
            target = re.fullmatch(r"groundtruth_rect(?:\.(\d+))?\.txt", path.name)
            if target is None:
                continue
            if target[1] and not read_text(path).strip():
                continue  # Human4 comes with an empty file of a first target
            yield folder.name + (f"-{target[1]}" if target[1] else ""), path


def _read(name: str, annotation: Path) -> Sequence:
    boxes = read_boxes(annotation)
    folder = annotation.parent
    # By number, not by name: Board counts with five digits, KiteSurf has PNG files, BlurCar1 starts at 247.
    images = {
        int(path.stem): path
        for path in (folder / "img").glob("*.*")
        if path.stem.isdecimal() and path.suffix.lower() in SUFFIXES
    }
    first = FIRST_FRAME.get(folder.name, 0)
    frames = [path for number, path in sorted(images.items()) if number >= first][: len(boxes)]
    skip = SKIPPED_ROWS.get(folder.name, 0)
    boxes[:, :2] -= 1
    return Sequence(name, frames[skip:], boxes[skip:], attributes=tuple(ATTRIBUTES.get(name, "").split()))


ATTRIBUTES = {
    "Basketball": "IV OCC DEF OPR BC",
    "Biker": "SV OCC MB FM OPR OV LR",
    "Bird1": "DEF FM OV",
    "Bird2": "OCC DEF FM IPR OPR",
    "BlurBody": "SV DEF MB FM IPR",
    "BlurCar1": "MB FM",
    "BlurCar2": "SV MB FM",
    "BlurCar3": "MB FM",
    "BlurCar4": "MB FM",
    "BlurFace": "MB FM IPR",
    "BlurOwl": "SV MB FM IPR",
    "Board": "SV MB FM OPR OV BC",
    "Bolt": "OCC DEF IPR OPR",
    "Bolt2": "DEF BC",
    "Box": "IV SV OCC MB IPR OPR OV BC LR",
    "Boy": "SV MB FM IPR OPR",
    "Car1": "IV SV MB FM BC LR",
    "Car2": "IV SV MB FM BC",
    "Car24": "IV SV BC",
    "Car4": "IV SV",
    "CarDark": "IV BC",
    "CarScale": "SV OCC FM IPR OPR",
    "ClifBar": "SV OCC MB FM IPR OV BC",
    "Coke": "IV OCC FM IPR OPR BC",
    "Couple": "SV DEF FM OPR BC",
    "Coupon": "OCC BC",
    "Crossing": "SV DEF FM OPR BC",
    "Crowds": "IV DEF BC",
    "Dancer": "SV DEF IPR OPR",
    "Dancer2": "DEF",
    "David": "IV SV OCC DEF MB IPR OPR",
    "David2": "IPR OPR",
    "David3": "OCC DEF OPR BC",
    "Deer": "MB FM IPR BC LR",
    "Diving": "SV DEF IPR",
    "Dog": "SV DEF OPR",
    "Dog1": "SV IPR OPR",
    "Doll": "IV SV OCC IPR OPR",
    "DragonBaby": "SV OCC MB FM IPR OPR OV",
    "Dudek": "SV OCC DEF FM IPR OPR OV BC",
    "FaceOcc1": "OCC",
    "FaceOcc2": "IV OCC IPR OPR",
    "Fish": "IV",
    "FleetFace": "SV DEF MB FM IPR OPR",
    "Football": "OCC IPR OPR BC",
    "Football1": "IPR OPR BC",
    "Freeman1": "SV IPR OPR",
    "Freeman3": "SV IPR OPR",
    "Freeman4": "SV OCC IPR OPR",
    "Girl": "SV OCC IPR OPR",
    "Girl2": "SV OCC DEF MB OPR",
    "Gym": "SV DEF IPR OPR",
    "Human2": "IV SV MB OPR",
    "Human3": "SV OCC DEF OPR BC",
    "Human4-2": "IV SV OCC DEF",
    "Human5": "SV OCC DEF",
    "Human6": "SV OCC DEF FM OPR OV",
    "Human7": "IV SV OCC DEF MB FM",
    "Human8": "IV SV DEF",
    "Human9": "IV SV DEF MB FM",
    "Ironman": "IV SV OCC MB FM IPR OPR OV BC LR",
    "Jogging-1": "OCC DEF OPR",
    "Jogging-2": "OCC DEF OPR",
    "Jump": "SV OCC DEF MB FM IPR OPR",
    "Jumping": "MB FM",
    "KiteSurf": "IV OCC IPR OPR",
    "Lemming": "IV SV OCC FM OPR OV",
    "Liquor": "IV SV OCC MB FM OPR OV BC",
    "Man": "IV",
    "Matrix": "IV SV OCC FM IPR OPR BC",
    "Mhyang": "IV DEF OPR BC",
    "MotorRolling": "IV SV MB FM IPR BC LR",
    "MountainBike": "IPR OPR BC",
    "Panda": "SV OCC DEF IPR OPR OV LR",
    "RedTeam": "SV OCC IPR OPR LR",
    "Rubik": "SV OCC IPR OPR",
    "Shaking": "IV SV IPR OPR BC",
    "Singer1": "IV SV OCC OPR",
    "Singer2": "IV DEF IPR OPR BC",
    "Skater": "SV DEF IPR OPR",
    "Skater2": "SV DEF FM IPR OPR",
    "Skating1": "IV SV OCC DEF OPR BC",
    "Skating2-1": "SV OCC DEF FM OPR",
    "Skating2-2": "SV OCC DEF FM OPR",
    "Skiing": "IV SV DEF IPR OPR",
    "Soccer": "IV SV OCC MB FM IPR OPR BC",
    "Subway": "OCC DEF BC",
    "Surfer": "SV FM IPR OPR LR",
    "Suv": "OCC IPR OV",
    "Sylvester": "IV IPR OPR",
    "Tiger1": "IV OCC DEF MB FM IPR OPR",
    "Tiger2": "IV OCC DEF MB FM IPR OPR OV",
    "Toy": "SV FM IPR OPR",
    "Trans": "IV SV OCC DEF",
    "Trellis": "IV SV IPR OPR BC",
    "Twinnings": "SV OPR",
    "Vase": "SV FM IPR",
    "Walking": "SV OCC DEF",
    "Walking2": "SV OCC LR",
    "Woman": "IV SV OCC DEF MB FM OPR",
}
"""The 100 sequences of OTB-100 with their challenges, as the benchmark's authors list them."""
VERSIONS: dict[str, tuple[str, ...]] = {
    "otb2013": words(
        """
        Basketball Bolt Boy Car4 CarDark CarScale Coke Couple Crossing David David2 David3 Deer Dog1 Doll Dudek
        FaceOcc1 FaceOcc2 Fish FleetFace Football Football1 Freeman1 Freeman3 Freeman4 Girl Ironman Jogging-1
        Jogging-2 Jumping Lemming Liquor Matrix Mhyang MotorRolling MountainBike Shaking Singer1 Singer2 Skating1
        Skiing Soccer Subway Suv Sylvester Tiger1 Tiger2 Trellis Walking Walking2 Woman
        """
    ),
    "otb50": words(
        """
        Basketball Biker Bird1 BlurBody BlurCar2 BlurFace BlurOwl Bolt Box Car1 Car4 CarDark CarScale ClifBar
        Couple Crowds David Deer Diving DragonBaby Dudek Football Freeman4 Girl Human3 Human4-2 Human6 Human9
        Ironman Jump Jumping Liquor Matrix MotorRolling Panda RedTeam Shaking Singer2 Skating1 Skating2-1
        Skating2-2 Skiing Soccer Surfer Sylvester Tiger2 Trellis Walking Walking2 Woman
        """
    ),
    "otb100": tuple(ATTRIBUTES),
}
"""The official sequences of each benchmark."""
