"""OTB (Wu, Lim, Yang, TPAMI 2015): ``groundtruth_rect.txt``, one x, y, w, h per line and frame, pixels from 1.

Several targets of one sequence have ``groundtruth_rect.1.txt``, ``groundtruth_rect.2.txt`` ... in its folder. A line
of zeros or NaN (UAV123) means that the target is absent.
"""

from __future__ import annotations

import re
from pathlib import Path

from pgnet.errors import PgnetError
from pgnet.files import atomic, atomic_folder
from pgnet.results.formats.reading import Place, Row, Rows, frame_boxes, settle
from pgnet.results.formats.writing import box_lines, lost, only_target
from pgnet.results.track import SourceInfo, Track

TITLE = "OTB"
FILE = re.compile(r"groundtruth_rect(?:\.(\d+))?\.txt")


def detect(path: Path, head: str) -> bool:
    """Whether a folder, or a file that begins with `head`, is of this format."""
    return bool(_files(path)) if path.is_dir() else bool(FILE.fullmatch(path.name))


def _files(folder: Path) -> dict[int, Path]:
    found = {path: FILE.fullmatch(path.name) for path in sorted(folder.glob("groundtruth_rect*.txt"))}
    return {int(match[1] or 1): path for path, match in found.items() if match}


def read(path: Path, known: SourceInfo) -> list[Track]:
    """The boxes of a text file, or of all targets in a sequence's folder.

    Raises:
        PgnetError: damaged.
    """
    files = _files(path) if path.is_dir() else {1: path}
    if not files:
        raise PgnetError(f"{path} has no groundtruth_rect.txt; give the folder of an OTB sequence.")
    collected = Rows()
    for target, file in files.items():
        for frame, box in enumerate(frame_boxes(file, 1)):
            collected.add(Place(file), target, "", Row(frame, box or [0.0] * 4, absent=box is None))
    folder = path if path.is_dir() else path.parent
    name = folder.resolve().name if path.is_dir() or FILE.fullmatch(path.name) else path.stem
    return [collected.track(Place(path), settle(known, name=name))]


def write(track: Track, path: Path) -> list[str]:
    """Writes a text file where the path ends in .txt, otherwise a folder with a file for each target.

    Raises:
        PgnetError: several targets for one file, or it cannot be written.
    """
    if path.suffix == ".txt":
        lines = box_lines(only_target(track, f"An {TITLE} file"), 1)
        with atomic(path) as temporary:
            temporary.write_text(lines, encoding="utf-8")
    else:
        with atomic_folder(path) as folder:
            for target in track.targets:
                name = f"groundtruth_rect.{target.id}.txt" if len(track.targets) > 1 else "groundtruth_rect.txt"
                (folder / name).write_text(box_lines(target, 1), encoding="utf-8")
    return lost(track, TITLE, "absent", "ends")
