"""DAVIS 2016 and 2017 (Perazzi et al., CVPR 2016; Pont-Tuset et al., arXiv 1704.00675): video object segmentation.

``JPEGImages/480p/NAME/00000.jpg`` and masks ``Annotations/480p/NAME/00000.png``: white in 2016, one colour of the
palette for each object in 2017. The lists are ``ImageSets/2017/SPLIT.txt`` (names), ``ImageSets/2016/SPLIT.txt`` or
``ImageSets/480p/SPLIT.txt`` (paths). Boxes bound the masks, outlines are their outer contours; to be read, masks are
decoded, pictures are not.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pgnet.errors import PgnetError
from pgnet.training.adapters.reading import choose_split, list_frames, names_in
from pgnet.training.annotations import Annotations, Frames, Outlines, Video

RESOLUTIONS = ("480p", "Full-Resolution", "1080p")
LISTS = ("2017", "2016", *RESOLUTIONS)


def matches(root: Path) -> bool:
    """Whether a folder looks like this layout."""
    return bool(_resolutions(root))


def read(root: Path, split: str | None = None) -> Annotations:
    """One split, by default train; everything where there are no lists.

    Raises:
        PgnetError: no such split.
    """
    resolution = _resolutions(root)[0]
    lists = {p.stem: p for folder in reversed(LISTS) for p in (root / "ImageSets" / folder).glob("*.txt")}
    if lists or split is not None:
        chosen = choose_split(lists, split, f"{root}/ImageSets", lambda name: name == "train")
        entries = map(Path, names_in(lists[chosen]))
        names = list(dict.fromkeys(entry.parent.name or entry.name for entry in entries))
    else:
        names = sorted(p.name for p in (root / "JPEGImages" / resolution).iterdir())
    found = Annotations()
    for name in names:
        with found.unless_damaged():
            frames, masks = (root / kind / resolution / name for kind in ("JPEGImages", "Annotations"))
            found.videos.setdefault("davis", []).extend(_objects(name, frames, masks))
    return found


def _resolutions(root: Path) -> list[str]:
    return [size for size in RESOLUTIONS if (root / "JPEGImages" / size).is_dir()]


def _objects(name: str, frames: Path, masks: Path) -> list[Video]:
    frame_names, mask_names = list_frames(frames), list_frames(masks)
    if [Path(v).stem for v in frame_names] != [Path(v).stem for v in mask_names]:
        raise PgnetError(f"The {len(frame_names)} frames in {frames} and {len(mask_names)} masks in {masks} differ.")
    boxes: dict[int, dict[int, list[int]]] = {}
    outlines: dict[int, list[Outlines]] = {}
    for row, mask_name in enumerate(mask_names):
        colours = _colours(masks / mask_name)
        for colour in np.unique(colours[colours > 0]).tolist():
            mask = (colours == colour).astype(np.uint8)
            boxes.setdefault(colour, {})[row] = list(cv2.boundingRect(mask))
            outlines.setdefault(colour, [()] * len(mask_names))[row] = _contours(mask)
    videos = []
    for number, colour in enumerate(sorted(boxes), start=1):
        table, rows = np.zeros((len(frame_names), 4)), np.array(list(boxes[colour]))
        table[rows] = list(boxes[colour].values())
        videos.append(Video(name, Frames(frames, frame_names), table, rows, str(number), outlines[colour]))
    return videos


def _colours(path: Path) -> NDArray[np.int32]:
    """(H, W) red, green and blue as one number; 0 is the background."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise PgnetError(f"The mask {path} cannot be read.")
    return image.astype(np.int32) @ np.array([1 << 16, 1 << 8, 1], np.int32)


def _contours(mask: NDArray[np.uint8]) -> Outlines:
    """Outer contours; OpenCV's points are centres of pixels."""
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    return tuple(c.reshape(-1, 2).astype(np.float64) + 0.5 for c in contours if len(c) > 2)
