"""MOTChallenge (https://motchallenge.net/instructions): one line for each box, frames, ids and pixels counted from 1.

``frame, id, left, top, width, height, confidence, class, visibility`` in ground truth, where confidence 0 means "not
to be evaluated"; results and detections have ``-1, -1, -1`` after the confidence. A target without a line is absent. A
sequence is a folder with ``gt/gt.txt`` and ``seqinfo.ini``; ``gt/labels.txt`` names the classes where they are not the
challenge's own (CVAT, Datumaro).
"""

from __future__ import annotations

import configparser
import re
from pathlib import Path
from typing import Any

from pgnet.errors import PgnetError
from pgnet.files import atomic, atomic_folder
from pgnet.results.formats.reading import LAST_FRAME, UNLABELLED, Place, Row, Rows, read_lines, read_text, settle
from pgnet.results.formats.writing import clean, decimal, frame_count, lost, rows, stem
from pgnet.results.track import SourceInfo, Track

TITLE = "MOTChallenge"
CLASSES = (
    "pedestrian",
    "person on vehicle",
    "car",
    "bicycle",
    "motorbike",
    "non motorized vehicle",
    "static person",
    "distractor",
    "occluder",
    "occluder on the ground",
    "occluder full",
    "reflection",
)
"""Class 1 and following (Milan et al.: MOT16, arXiv:1603.00831, table 2)."""
FILES = ("gt/gt.txt", "det/det.txt")


def detect(path: Path, head: str) -> bool:
    """Whether a folder, or a file that begins with `head`, is of this format."""
    if path.is_dir():
        return any((path / name).is_file() for name in FILES)
    return bool(re.match(r"\d+(\.0*)?\s*,\s*-?\d+(\.0*)?(\s*,\s*[-+.\deE]+){5,8}\s*$", head.split("\n", 1)[0]))


def read(path: Path, known: SourceInfo) -> list[Track]:
    """The boxes of a text file, or of a sequence's folder (ground truth before detections).

    Detections have id -1; they make a track where each frame has one only.

    Raises:
        PgnetError: damaged, or several boxes without id in one frame.
    """
    if path.is_dir():
        found = [path / name for name in FILES if (path / name).is_file()]
        if not found:
            raise PgnetError(f"{path} has neither {' nor '.join(FILES)}; give the folder of a MOTChallenge sequence.")
        path = found[0]
    names = _class_names(path)
    collected, between, world, unknown = Rows(), False, False, set()
    for place, line in read_lines(path):
        values = [place.number(value, f"value {i}") for i, value in enumerate(re.split(r"\s*,\s*|\s+", line), 1)]
        if not 7 <= len(values) <= 10:
            raise place.error(f"it has {len(values)} values, and MOTChallenge's lines have 7 to 10")
        frame = place.whole(values[0], "frame", lowest=1) - 1
        target = place.whole(values[1], "id", lowest=-1, highest=2**53)
        box = place.box((values[2] - 1, values[3] - 1, *values[4:6]))
        annotated = len(values) in (8, 9)
        number = place.whole(values[7], "class", lowest=-1) if annotated else -1
        if number > len(names):
            unknown.add(number)
        visibility = values[8] if len(values) == 9 else 1.0
        between |= 0 < visibility < 1
        world |= len(values) == 10 and values[7:] != [-1, -1, -1]
        label = "" if number < 1 else names[number - 1] if number <= len(names) else f"class {number}"
        row = Row(frame, box, score=values[6], occluded=annotated and visibility == 0)
        try:
            collected.add(place, 1 if target == -1 else target, label, row)
        except PgnetError as error:
            if target == -1:
                raise place.error(
                    "a second box without id (-1) in one frame: these are detections, not tracks"
                ) from error
            raise
    notes = ["How far boxes are visible (between 0 and 1) was left out."] if between else []
    notes += ["Positions in the world (x, y, z) were left out."] if world else []
    if unknown:
        notes.append(f"Class {', '.join(map(str, sorted(unknown)))} has no name; give gt/labels.txt.")
    return [collected.track(Place(path), _source(path, known), notes, range(LAST_FRAME + 1))]


def _class_names(path: Path) -> list[str]:
    file = path.parent / "labels.txt"
    if not file.is_file():
        return list(CLASSES)
    return [
        Place(file, f"line {i}").label(name.strip(), "label") for i, name in enumerate(read_text(file).splitlines(), 1)
    ]


def _source(path: Path, known: SourceInfo) -> SourceInfo:
    if path.parent.name not in ("gt", "det"):
        return settle(known, name=path.stem)
    folder = path.parent.parent
    file, place = folder / "seqinfo.ini", Place(folder / "seqinfo.ini")
    if not file.is_file():
        return settle(known, name=folder.resolve().name)
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(read_text(file))
    except configparser.Error as error:
        raise place.error(f"it cannot be read ({error.message.splitlines()[0]})") from error
    values = dict(parser["Sequence"]) if parser.has_section("Sequence") else {}
    numbers: dict[str, Any] = {
        name: place.whole(values[key], key, lowest=1) if key in values else None
        for name, key in (("width", "imwidth"), ("height", "imheight"), ("frame_count", "seqlength"))
    }
    fps = place.number(values["framerate"], "frameRate") if "framerate" in values else None
    return settle(known, name=clean(values.get("name", folder.name)), fps=fps, **numbers)


def write(track: Track, path: Path) -> list[str]:
    """Writes a lone text file where the path ends in .txt, otherwise a sequence's folder.

    In the form of ground truth where all scores are 0 or 1, otherwise in that of results.

    Raises:
        PgnetError: the file cannot be written.
    """
    truth = all(set(target.scores.tolist()) <= {0.0, 1.0} for target in track.targets)
    kept = ["scores", "absent", "start"] + (["occluded"] if truth else [])
    notes = []
    shift = max(0, 1 - min(target.id for target in track.targets))
    if shift:
        notes.append(f"{TITLE} counts targets from 1: {shift} was added to every id.")
    if path.suffix == ".txt":
        with atomic(path) as temporary:
            temporary.write_text(_lines(track, list(CLASSES), truth, shift), encoding="utf-8")
        kept += ["labels"] if truth and all(target.label in ("", *CLASSES) for target in track.targets) else []
        return lost(track, TITLE, *kept) + notes
    labels = [target.label or UNLABELLED for target in track.targets]
    names = list(CLASSES) if set(labels) <= set(CLASSES) else sorted(set(labels))
    with atomic_folder(path) as folder:
        (folder / "gt").mkdir()
        (folder / FILES[0]).write_text(_lines(track, names, truth, shift, UNLABELLED), encoding="utf-8")
        (folder / "gt" / "labels.txt").write_text("\n".join(names) + "\n", encoding="utf-8")
        (folder / "seqinfo.ini").write_text(_seqinfo(track), encoding="utf-8")
    fps = track.source.fps
    if fps and not float(fps).is_integer():
        notes.append(f"{TITLE} has whole frame rates: {fps:g} became {round(fps)}.")
    return lost(track, TITLE, *kept, *(["labels"] if truth else []), "size", "fps") + notes


def _lines(track: Track, names: list[str], truth: bool, shift: int, unlabelled: str = "") -> str:
    lines = []
    for target in track.targets:
        label = target.label or unlabelled
        number = names.index(label) + 1 if label in names else -1
        for row in rows(target):
            if not row.absent:
                x, y, w, h = row.box
                values = [*map(decimal, (row.frame + 1, target.id + shift, x + 1, y + 1, w, h)), decimal(row.score, 6)]
                values += [str(number), str(int(not row.occluded))] if truth else ["-1"] * 3
                lines.append((row.frame, target.id, ",".join(values)))
    return "".join(line + "\n" for _, _, line in sorted(lines))


def _seqinfo(track: Track) -> str:
    source = track.source
    values = {
        "name": stem(track),
        "imDir": "img1",
        "frameRate": source.fps and max(1, round(source.fps)),
        "seqLength": frame_count(track),
        "imWidth": source.width,
        "imHeight": source.height,
        "imExt": ".jpg",
    }
    return "[Sequence]\n" + "".join(f"{key}={value}\n" for key, value in values.items() if value)
