"""Pascal VOC detection (Everingham et al., The PASCAL Visual Object Classes Challenge, IJCV 2010).

``Annotations/NAME.xml``, ``JPEGImages/NAME.jpg`` and ``ImageSets/Main/SPLIT.txt``, in the root or, for several years
at once, in folders ``VOC2007``, ``VOC2012`` of it. Pixels are counted from 1. Objects marked difficult are left out.
"""

from __future__ import annotations

from pathlib import Path

from pgnet.training.adapters.reading import choose_split, names_in, read_voc_xml
from pgnet.training.annotations import Annotations, Target


def matches(root: Path) -> bool:
    """Whether a folder looks like this layout."""
    return bool(_years(root))


def read(root: Path, split: str | None = None) -> Annotations:
    """One split, by default trainval, of each year; the years are sets.

    Raises:
        PgnetError: no such split.
    """
    found = Annotations()
    for year in _years(root):
        # Lists of one class are CLASS_SPLIT.txt.
        lists = {p.stem: p for p in (year / "ImageSets/Main").glob("*.txt") if "_" not in p.stem}
        chosen = choose_split(lists, split, f"{year}/ImageSets/Main", lambda name: name == "trainval")
        targets = found.stills.setdefault(year.name, [])
        for name in names_in(lists[chosen]):
            with found.unless_damaged():
                picture = read_voc_xml(year / f"Annotations/{name}.xml", first_pixel=1)
                path = year / "JPEGImages" / (picture.filename or f"{name}.jpg")
                targets += [
                    Target(path, thing.box, size=picture.size)
                    for thing in picture.objects
                    if thing.texts.get("difficult") != "1"
                ]
    return found


def _years(root: Path) -> list[Path]:
    return [folder for folder in (root, *sorted(root.glob("VOC*/"))) if (folder / "ImageSets/Main").is_dir()]
