"""TColor-128 (Liang, Blasch, Ling: Encoding Color Information for Visual Tracking, TIP 2015).

``NAME/img/0001.jpg ...``, ``NAME/NAME_gt.txt`` (x,y,w,h per line, 1-based), ``NAME/NAME_frames.txt`` (numbers of the
first and last image, ``1,725``) and ``NAME/NAME_att.txt`` (abbreviations of the challenges).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from pgnet.datasets.reading import choose, numbered_frames, read_boxes, read_rows, subfolders, words
from pgnet.datasets.sequence import Sequence
from pgnet.errors import PgnetError


def read_tc128(
    root: Path, names: Iterable[str] | None = None, *, problems: dict[str, str] | None = None
) -> list[Sequence]:
    """The sequences below a folder, by name; boxes become 0-based.

    Args:
        root: folder that has the sequences' folders.
        names: only these, in any case.
        problems: see `pgnet.datasets.reading.choose`.

    Raises:
        PgnetError: no sequence there, an unknown name, or a damaged annotation.
    """
    # The case of a file's name is not always that of its folder.
    found = {
        folder.name: partial(_read, path) for folder in subfolders(root) for path in sorted(folder.glob("*_gt.txt"))
    }
    return choose(found, root, names, problems, "TColor-128's folders NAME with NAME_gt.txt")


def _read(annotation: Path) -> Sequence:
    boxes = read_boxes(annotation)
    boxes[:, :2] -= 1
    folder, stem = annotation.parent, annotation.name.removesuffix("_gt.txt")
    limits = folder / f"{stem}_frames.txt"
    try:
        first, last = (int(value) for row in read_rows(limits) for value in row)
    except ValueError as error:
        raise PgnetError(f"{limits} should have the numbers of the first and last frame.") from error
    attributes = folder / f"{stem}_att.txt"
    return Sequence(
        folder.name,
        numbered_frames(folder / "img", 4, first, last + 1 - first),
        boxes,
        attributes=tuple(name for row in read_rows(attributes) for name in row if name) if attributes.is_file() else (),
    )


NAMES = words(
    """
    Airport_ce Baby_ce Badminton_ce1 Badminton_ce2 Ball_ce1 Ball_ce2 Ball_ce3 Ball_ce4 Basketball Basketball_ce1
    Basketball_ce2 Basketball_ce3 Bee_ce Bicycle Bike_ce1 Bike_ce2 Biker Bikeshow_ce Bird Board Boat_ce1 Boat_ce2
    Bolt Boy Busstation_ce1 Busstation_ce2 Carchasing_ce1 Carchasing_ce3 Carchasing_ce4 CarDark CarScale
    Charger_ce Coke Couple Crossing Cup Cup_ce David David3 Deer Diving Doll Eagle_ce Electricalbike_ce Face_ce
    Face_ce2 FaceOcc1 Fish_ce1 Fish_ce2 Football1 Girl Girlmov Guitar_ce1 Guitar_ce2 Gym Hand Hand_ce1 Hand_ce2
    Hurdle_ce1 Hurdle_ce2 Iceskater Ironman Jogging1 Jogging2 Juice Kite_ce1 Kite_ce2 Kite_ce3 Kobe_ce Lemming
    Liquor Logo_ce Matrix Messi_ce Michaeljackson_ce Microphone_ce1 Microphone_ce2 Motorbike_ce MotorRolling
    MountainBike Panda Plane_ce2 Plate_ce1 Plate_ce2 Pool_ce1 Pool_ce2 Pool_ce3 Railwaystation_ce Ring_ce
    Sailor_ce Shaking Singer1 Singer2 Singer_ce1 Singer_ce2 Skating1 Skating2 Skating_ce1 Skating_ce2 Skiing
    Skiing_ce Skyjumping_ce Soccer Spiderman_ce Subway Suitcase_ce Sunshade SuperMario_ce Surf_ce1 Surf_ce2
    Surf_ce3 Surf_ce4 TableTennis_ce TennisBall_ce Tennis_ce1 Tennis_ce2 Tennis_ce3 Thunder_ce Tiger1 Tiger2 Torus
    Toyplane_ce Trellis Walking Walking2 Woman Yo-yos_ce1 Yo-yos_ce2 Yo-yos_ce3
    """
)
"""The official sequences."""
