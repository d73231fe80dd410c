"""GOT-10k (Huang, Zhao, Huang, TPAMI 2021): a folder with a line per frame in ``groundtruth.txt``, 0-based pixels.

``absence.label`` holds 0 or 1 per line, ``cover.label`` the visible share in eighths, ``cut_by_image.label`` 0 or 1;
``meta_info.ini`` names the class, the frame rate and the size.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pgnet.errors import PgnetError
from pgnet.files import atomic_folder
from pgnet.results.formats.reading import (
    UNLABELLED,
    Place,
    Row,
    Rows,
    frame_boxes,
    frame_flags,
    read_lines,
    read_text,
    settle,
)
from pgnet.results.formats.writing import box_lines, decimal, every_frame, lost, only_target
from pgnet.results.track import SourceInfo, Track

TITLE = "GOT-10k"
BOXES, ABSENCE, COVER, CUT, META = (
    "groundtruth.txt",
    "absence.label",
    "cover.label",
    "cut_by_image.label",
    "meta_info.ini",
)


def detect(path: Path, head: str) -> bool:
    """Whether a folder is of this format."""
    return (path / BOXES).is_file() and any((path / name).is_file() for name in (ABSENCE, COVER, META))


def read(path: Path, known: SourceInfo) -> list[Track]:
    """The boxes of a sequence's folder, or of a lone text file.

    Raises:
        PgnetError: damaged, or the files do not fit each other.
    """
    folder = path if path.is_dir() else path.parent
    file = path / BOXES if path.is_dir() else path
    if path.is_dir() and not file.is_file():
        raise PgnetError(f"{path} has no {BOXES}; give the folder of a GOT-10k sequence.")
    boxes = frame_boxes(file, 0)
    beside = file.name == BOXES
    absence = frame_flags(folder / ABSENCE, len(boxes)) if beside else [False] * len(boxes)
    label, found = _meta(folder / META) if beside else ("", {})
    collected = Rows()
    for frame, box in enumerate(boxes):
        row = Row(frame, box or [0.0] * 4, absent=box is None or absence[frame])
        collected.add(Place(file), 1, label, row)
    cover = set(read_text(folder / COVER).split()) if beside and (folder / COVER).is_file() else set()
    notes = ["How much of the target is visible (cover.label) was left out."] if cover - {"0", "8"} else []
    name = folder.resolve().name if beside else file.stem
    return [collected.track(Place(file), settle(known, name=name, **found), notes)]


def _meta(path: Path) -> tuple[str, dict[str, Any]]:
    """The class, and what is said of the video. Raises: PgnetError where it cannot be read."""
    if not path.is_file():
        return "", {}
    values = {}
    for place, line in read_lines(path):
        key, _, value = line.partition(":")
        values[key.strip()] = (place, value.strip())
    found: dict[str, Any] = {}
    if "anno_fps" in values:
        place, value = values["anno_fps"]
        found["fps"] = place.number(value.removesuffix("Hz"), "anno_fps")
    if "resolution" in values:
        place, value = values["resolution"]
        size = re.fullmatch(r"\((\d+),\s*(\d+)\)", value)
        if not size:
            raise place.error(f"the resolution is {value!r:.60}, not (width, height)")
        found["width"], found["height"] = (place.whole(side, "resolution", lowest=1) for side in size.groups())
    place, label = values.get("object_class", (Place(path), ""))
    return place.label(label, "object_class"), found


def write(track: Track, path: Path) -> list[str]:
    """Writes a sequence's folder. The visible share is 0 of 8 where the target is absent, otherwise 8.

    Raises:
        PgnetError: several targets, or it cannot be written.
    """
    target, source = only_target(track, TITLE), track.source
    absent = [row.absent for row in every_frame(target)]
    labels = {ABSENCE: list(map(int, absent)), COVER: [0 if gone else 8 for gone in absent], CUT: [0] * len(absent)}
    meta = [f"object_class: {target.label or UNLABELLED}"]
    meta += [f"anno_fps: {decimal(source.fps, 6)}Hz"] if source.fps else []
    meta += [f"resolution: ({source.width}, {source.height})"] if source.width and source.height else []
    with atomic_folder(path) as folder:
        (folder / BOXES).write_text(box_lines(target, 0), encoding="utf-8")
        (folder / META).write_text("\n".join(["[METAINFO]", *meta]) + "\n", encoding="utf-8")
        for name, values in labels.items():
            (folder / name).write_text("".join(f"{value}\n" for value in values), encoding="utf-8")
    return lost(track, TITLE, "labels", "absent", "ends", "fps", "size")
