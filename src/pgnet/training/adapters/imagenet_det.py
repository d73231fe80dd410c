"""ImageNet DET (Russakovsky et al., ImageNet Large Scale Visual Recognition Challenge, IJCV 2015).

``Annotations/DET/SPLIT/.../NAME.xml`` and ``Data/DET/SPLIT/.../NAME.JPEG``, with folders of any depth between. Boxes
are in 0-based pixels, the last ones inside, as the challenge's own evaluation counts.
"""

from __future__ import annotations

from pathlib import Path

from pgnet.training.adapters.reading import choose_split, read_voc_xml
from pgnet.training.annotations import Annotations, Target


def matches(root: Path) -> bool:
    """Whether a folder looks like this layout."""
    return (root / "Annotations/DET").is_dir()


def read(root: Path, split: str | None = None) -> Annotations:
    """One split, by default train.

    Raises:
        PgnetError: no such split.
    """
    top = root / "Annotations/DET"
    split = choose_split((p.name for p in top.glob("*/")), split, str(top), lambda name: name == "train")
    found = Annotations()
    targets = found.stills.setdefault("imagenet_det", [])
    for file in sorted((top / split).rglob("*.xml")):
        with found.unless_damaged():
            picture = read_voc_xml(file, first_pixel=0)
            path = (root / "Data/DET" / file.relative_to(top)).with_suffix(".JPEG")
            targets += [Target(path, thing.box, size=picture.size) for thing in picture.objects]
    return found
