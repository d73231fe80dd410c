"""VOT (https://github.com/votchallenge/toolkit): a region per line and frame in ``groundtruth.txt``, 0-based pixels.

A region is a rectangle x, y, w, h, a polygon x1, y1, x2, y2, ..., a mask ``m`` x, y, w, h, run lengths, NaN for an
absent target, or a code. A folder with several targets has ``groundtruth_ID.txt`` for each; ``sequence`` says name,
size and frame rate; ``occlusion.tag`` (or ``.label``) holds 0 or 1 per line.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

from pgnet.errors import PgnetError
from pgnet.files import atomic, atomic_folder
from pgnet.results.formats.reading import Place, Row, Rows, counted, frame_flags, frame_lines, read_lines, settle
from pgnet.results.formats.writing import box_lines, every_frame, frame_count, lost, only_target, stem
from pgnet.results.track import SourceInfo, Track

TITLE = "VOT"
ABSENT = "nan,nan,nan,nan"
CODES = {"0": "skipped", "1": "initialised", "2": "failed"}
FILE = re.compile(r"groundtruth(?:_(.+))?\.txt")


def detect(path: Path, head: str) -> bool:
    """Whether a folder, or a file that begins with `head`, is of this format (and not only could be)."""
    if path.is_dir():
        return bool(_files(path)) and (path / "sequence").is_file()
    region = r"(m\d+(,\d+){4,}|-?[\d.]+(,-?[\d.]+){7})\s"
    return bool(re.match(region, head.replace(" ", "") + "\n"))


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("groundtruth*.txt") if FILE.fullmatch(path.name))


def read(path: Path, known: SourceInfo) -> list[Track]:
    """The boxes of a text file, or of all targets in a sequence's folder; those around polygons and masks.

    Raises:
        PgnetError: damaged, or the files do not fit each other.
    """
    files = _files(path) if path.is_dir() else [path]
    if not files:
        raise PgnetError(f"{path} has no groundtruth.txt; give the folder of a VOT sequence.")
    folder = path if path.is_dir() else path.parent
    sequence = path.is_dir() or FILE.fullmatch(path.name)
    collected, kinds = Rows(), Counter[str]()
    for number, file in enumerate(files, 1):
        match = FILE.fullmatch(file.name)
        name = (match and match[1]) or ""
        target, label = (int(name[:15]), "") if name.isdecimal() else (number, name)
        lines = frame_lines(file)
        tags = [tag for tag in ("occlusion.tag", "occlusion.label") if sequence and (folder / tag).is_file()]
        occluded = frame_flags(folder / tags[0], len(lines)) if tags else [False] * len(lines)
        for frame, (place, line) in enumerate(lines):
            kind, box = _region(place, line)
            kinds[kind] += 1
            if kind != "initialised":
                row = Row(frame, box or [0.0] * 4, absent=box is None, occluded=occluded[frame])
                collected.add(place, target, place.text(label, "name of the target"), row)
    notes = [f"Taken as the upright box around it: {counted(kinds[k], k)}." for k in ("polygon", "mask") if kinds[k]]
    notes += [f"Without a box, as its code is '{k}': {counted(kinds[k], 'frame')}." for k in CODES.values() if kinds[k]]
    place = Place(files[0])
    found = _sequence(folder / "sequence") if sequence else {"name": path.stem}
    return [collected.track(place, settle(known, **({"name": folder.resolve().name} | found)), notes)]


def _region(place: Place, line: str) -> tuple[str, list[float] | None]:
    """The kind of a region, and its box, None where there is none."""
    values = re.split(r"[\s,;]+", line.removeprefix("m"))
    if line.startswith("m"):
        if len(values) < 5:
            raise place.error("it is no mask: m, x, y, w, h and run lengths")
        box = place.box(values[:4])
        return "mask", box if min(box[2:]) > 0 else None
    if len(values) == 1 and values[0] in CODES:
        return CODES[values[0]], None
    if {value.lower() for value in values} == {"nan"}:
        return "absent", None
    if len(values) == 4:
        box = place.box(values)
        return "rectangles", box if min(box[2:]) > 0 else None
    if len(values) < 6 or len(values) % 2:
        raise place.error(f"it has {len(values)} values: no rectangle (4), polygon (6 or more, even), mask or code")
    numbers = [place.number(value, "coordinate") for value in values]
    x, y = numbers[::2], numbers[1::2]
    return "polygon", place.box((min(x), min(y), max(x) - min(x), max(y) - min(y)))


def _sequence(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    found: dict[str, Any] = {}
    for place, line in read_lines(path):
        key, _, value = line.partition("=")
        if key == "name":
            found["name"] = place.text(value, "name")
        elif key == "fps":
            found["fps"] = place.number(value, "fps")
        elif key in ("width", "height", "length"):
            found["frame_count" if key == "length" else key] = place.whole(value, key, lowest=1)
    return found


def write(track: Track, path: Path) -> list[str]:
    """Writes rectangles: a text file where the path ends in .txt, otherwise a sequence's folder.

    Raises:
        PgnetError: several targets for one file, or it cannot be written.
    """
    kept = ["absent", "ends"]
    if path.suffix == ".txt":
        lines = box_lines(only_target(track, f"A {TITLE} file"), 0, ABSENT)
        with atomic(path) as temporary:
            temporary.write_text(lines, encoding="utf-8")
        return lost(track, TITLE, *kept)
    source, several = track.source, len(track.targets) > 1
    values = {
        "name": stem(track),
        "channels.color": "color/%08d.jpg",
        "format": "default",
        "fps": source.fps and max(1, round(source.fps)),
        "width": source.width,
        "height": source.height,
        "length": frame_count(track),
    }
    with atomic_folder(path) as folder:
        for target in track.targets:
            name = f"groundtruth_{target.id}.txt" if several else "groundtruth.txt"
            (folder / name).write_text(box_lines(target, 0, ABSENT), encoding="utf-8")
        text = "".join(f"{key}={value}\n" for key, value in values.items() if value)
        (folder / "sequence").write_text(text, encoding="utf-8")
        if not several:
            tags = "".join(f"{row.occluded:d}\n" for row in every_frame(track.targets[0]))
            (folder / "occlusion.tag").write_text(tags, encoding="utf-8")
    notes = []
    if source.fps and not float(source.fps).is_integer():
        notes.append(f"{TITLE} has whole frame rates: {source.fps:g} became {round(source.fps)}.")
    return lost(track, TITLE, *kept, "fps", "size", *([] if several else ["occluded"])) + notes
