"""LaSOT (Fan et al., CVPR 2019): a folder with a line per frame in ``groundtruth.txt``, x, y, w, h, pixels from 1.

``full_occlusion.txt`` and ``out_of_view.txt`` hold 0 or 1 for each frame in one line; either way the target is absent.
The folder's name is the class and a number: ``airplane-1``.
"""

from __future__ import annotations

import re
from pathlib import Path

from pgnet.errors import PgnetError
from pgnet.files import atomic_folder
from pgnet.results.formats.reading import Place, Row, Rows, frame_boxes, frame_flags, settle
from pgnet.results.formats.writing import box_lines, every_frame, lost, only_target
from pgnet.results.track import SourceInfo, Track

TITLE = "LaSOT"
BOXES, HIDDEN, OUTSIDE = "groundtruth.txt", "full_occlusion.txt", "out_of_view.txt"


def detect(path: Path, head: str) -> bool:
    """Whether a folder is of this format."""
    return (path / BOXES).is_file() and ((path / HIDDEN).is_file() or (path / OUTSIDE).is_file())


def read(path: Path, known: SourceInfo) -> list[Track]:
    """The boxes of a sequence's folder, or of a lone text file; hidden targets are occluded and absent.

    Raises:
        PgnetError: damaged, or the files do not fit each other.
    """
    folder = path if path.is_dir() else path.parent
    file = path / BOXES if path.is_dir() else path
    if path.is_dir() and not file.is_file():
        raise PgnetError(f"{path} has no {BOXES}; give the folder of a LaSOT sequence.")
    boxes = frame_boxes(file, 1)
    beside = file.name == BOXES
    hidden, outside = (
        frame_flags(folder / name, len(boxes)) if beside else [False] * len(boxes) for name in (HIDDEN, OUTSIDE)
    )
    name = folder.resolve().name if beside else file.stem
    collected = Rows()
    for frame, box in enumerate(boxes):
        absent = box is None or hidden[frame] or outside[frame]
        row = Row(frame, box or [0.0] * 4, absent=absent, occluded=hidden[frame])
        collected.add(Place(file), 1, _category(name), row)
    return [collected.track(Place(file), settle(known, name=name))]


def _category(name: str) -> str:
    found = re.fullmatch(r"(.+)-\d+", name)
    return found[1] if found else ""


def write(track: Track, path: Path) -> list[str]:
    """Writes a sequence's folder; an absent target is fully occluded where it is occluded, otherwise out of view.

    Raises:
        PgnetError: several targets, or it cannot be written.
    """
    target = only_target(track, TITLE)
    found = every_frame(target)
    with atomic_folder(path) as folder:
        (folder / BOXES).write_text(box_lines(target, 1), encoding="utf-8")
        for name, occluded in ((HIDDEN, True), (OUTSIDE, False)):
            flags = ["1" if row.absent and row.occluded == occluded else "0" for row in found]
            (folder / name).write_text(",".join(flags) + "\n", encoding="utf-8")
    kept = ["absent", "ends"]
    kept += ["labels"] if target.label == _category(path.name) else []
    kept += ["occluded"] if not (target.occluded & ~target.missing).any() else []
    return lost(track, TITLE, *kept)
