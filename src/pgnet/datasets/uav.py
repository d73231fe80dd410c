"""UAV123 and UAV20L (Mueller, Smith, Ghanem: A Benchmark and Simulator for UAV Tracking, ECCV 2016).

``anno/UAV123/NAME.txt`` and ``anno/UAV20L/NAME.txt`` (x,y,w,h per line, 1-based, NaN where the target is not visible),
``anno/UAV123/att/NAME.txt`` (a 0 or 1 for each of `ATTRIBUTES`) and ``data_seq/UAV123/FOLDER/000001.jpg ...``. Several
sequences of UAV123 are parts of one longer folder: bird1_1, bird1_2 and bird1_3 of bird1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from pgnet.datasets.reading import choose, numbered_frames, read_attributes, read_boxes, words
from pgnet.datasets.sequence import Sequence
from pgnet.errors import PgnetError

Version = Literal["UAV123", "UAV20L"]
ATTRIBUTES = ("SV", "ARC", "LR", "FM", "FOC", "POC", "OV", "BC", "IV", "VC", "CM", "SOB")
"""In the order of the files."""
FIRST_FRAME = {
    "bird1_2": 775,
    "bird1_3": 1573,
    "car1_2": 751,
    "car1_3": 1627,
    "car6_2": 487,
    "car6_3": 1807,
    "car6_4": 2953,
    "car6_5": 3925,
    "car8_2": 1357,
    "car16_2": 415,
    "group1_2": 1333,
    "group1_3": 2515,
    "group1_4": 3925,
    "group2_2": 907,
    "group2_3": 1771,
    "group3_2": 1567,
    "group3_3": 2827,
    "group3_4": 4369,
    "person2_2": 1189,
    "person4_2": 1501,
    "person5_2": 877,
    "person7_2": 1249,
    "person8_2": 1075,
    "person12_2": 601,
    "person14_2": 847,
    "person14_3": 1813,
    "person17_2": 1501,
    "person19_2": 1243,
    "person19_3": 2791,
    "truck4_2": 577,
    "uav1_2": 1555,
    "uav1_3": 2473,
}
"""Number of the first image where that is not 1; the last one follows from the number of rows."""


def read_uav(
    root: Path,
    names: Iterable[str] | None = None,
    version: Version = "UAV123",
    *,
    problems: dict[str, str] | None = None,
) -> list[Sequence]:
    """The sequences of one of the two benchmarks, by name; boxes become 0-based.

    Args:
        root: folder that has the folders anno and data_seq.
        names: only these, in any case.
        version: which benchmark.
        problems: see `pgnet.datasets.reading.choose`.

    Raises:
        PgnetError: no sequence there, an unknown name, or a damaged annotation.
    """
    annotations = sorted((root / "anno" / version).glob("*.txt"))
    found = {path.stem: partial(_read, path, root) for path in annotations if path.stem in VERSIONS[version]}
    return choose(found, root, names, problems, f"{version}'s folders anno/{version} and data_seq")


def _read(annotation: Path, root: Path) -> Sequence:
    name = annotation.stem
    boxes = read_boxes(annotation)
    boxes[:, :2] -= 1
    folder = re.sub(r"_\d+$", "", name)  # but car1_s has a folder of its own
    places = [root / "data_seq" / "UAV123" / folder, root / "data_seq" / folder]
    images = next((path for path in places if path.is_dir()), None)
    if images is None:
        raise PgnetError(f"The folder {places[0]} with the frames of {name} is missing; get the data set again.")
    return Sequence(
        name,
        numbered_frames(images, 6, FIRST_FRAME.get(name, 1), len(boxes)),
        boxes,
        absent=np.isnan(boxes[:, 0]),
        attributes=read_attributes(annotation.parent / "att" / annotation.name, ATTRIBUTES),
    )


VERSIONS: dict[str, tuple[str, ...]] = {
    "UAV123": words(
        """
        bike1 bike2 bike3 bird1_1 bird1_2 bird1_3 boat1 boat2 boat3 boat4 boat5 boat6 boat7 boat8 boat9 building1
        building2 building3 building4 building5 car1_1 car1_2 car1_3 car1_s car2 car2_s car3 car3_s car4 car4_s
        car5 car6_1 car6_2 car6_3 car6_4 car6_5 car7 car8_1 car8_2 car9 car10 car11 car12 car13 car14 car15
        car16_1 car16_2 car17 car18 group1_1 group1_2 group1_3 group1_4 group2_1 group2_2 group2_3 group3_1
        group3_2 group3_3 group3_4 person1 person1_s person2_1 person2_2 person2_s person3 person3_s person4_1
        person4_2 person5_1 person5_2 person6 person7_1 person7_2 person8_1 person8_2 person9 person10 person11
        person12_1 person12_2 person13 person14_1 person14_2 person14_3 person15 person16 person17_1 person17_2
        person18 person19_1 person19_2 person19_3 person20 person21 person22 person23 truck1 truck2 truck3
        truck4_1 truck4_2 uav1_1 uav1_2 uav1_3 uav2 uav3 uav4 uav5 uav6 uav7 uav8 wakeboard1 wakeboard2
        wakeboard3 wakeboard4 wakeboard5 wakeboard6 wakeboard7 wakeboard8 wakeboard9 wakeboard10
        """
    ),
    "UAV20L": words(
        """
        bike1 bird1 car1 car3 car6 car8 car9 car16 group1 group2 group3 person2 person4 person5 person7 person14
        person17 person19 person20 uav1
        """
    ),
}
"""The official sequences of each benchmark."""
