"""YOLO labels: a folder with a text file for each frame and a line ``class cx cy w h [confidence] [id]`` for each box.

Centre and size are shares of the frame, 0 to 1. Five columns are what training takes; the track id after them is what
Ultralytics writes when it tracks, the confidence what it writes when asked. The number at the end of a file's name is
the frame, ``classes.txt`` or Ultralytics' ``data.yaml`` names the classes. An empty file means that there is nothing in
the frame.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import yaml

from pgnet.boxes import clip, cxcywh_to_xywh, xywh_to_cxcywh
from pgnet.errors import PgnetError
from pgnet.files import atomic_folder
from pgnet.results.formats.reading import UNLABELLED, Place, Row, Rows, read_lines, read_text, settle
from pgnet.results.formats.writing import decimal, frame_size, lost, rows, stem
from pgnet.results.track import SourceInfo, Track

TITLE = "YOLO"
NAMES = ("classes.txt", "obj.names", "data.yaml")
FOLDERS = ("labels", "labels/train", "train/labels", "obj_train_data", ".")
LABEL_FILE = re.compile(r"(.*?)[_.-]?(\d{1,15})\.txt")


def detect(path: Path, head: str) -> bool:
    """Whether a folder is of this format."""
    if not path.is_dir():
        return False
    files = [file for videos in _files(path).values() for file in videos.values()]
    first = next((file for file in files if file.stat().st_size), None)
    return bool(first and re.match(r"\s*\d+(\s+[\d.eE-]+){4,}\s*$", read_text(first).splitlines()[0]))


def _files(folder: Path) -> dict[str, dict[int, Path]]:
    """Label files by the video's name and the frame; of the first folder that has any."""
    found: dict[str, dict[int, Path]] = {}
    for name in FOLDERS:
        for path in sorted((folder / name).glob("*.txt")):
            match = LABEL_FILE.fullmatch(path.name)
            if match and path.name not in NAMES:
                found.setdefault(match[1], {})[int(match[2])] = path
        if found:
            break
    return found


def read(path: Path, known: SourceInfo) -> list[Track]:
    """One track for each video, told apart by what stands before the number in the files' names.

    Without track ids, a class is a target, as long as each frame has one box of it.

    Raises:
        PgnetError: damaged, no frame size known, not tracks but detections, or lines that are no boxes.
    """
    videos = _files(path)
    if not videos:
        raise PgnetError(f"{path} has no label files; give the folder with one text file for each frame.")
    if not (known.width and known.height):
        raise PgnetError(
            f"{TITLE} labels are shares of the frame; give --size WIDTHxHEIGHT, or --video with the video."
        )
    names, notes = _class_names(path)
    return [_video(video, files, names, notes, known, known.width, known.height) for video, files in videos.items()]


def _class_names(folder: Path) -> tuple[list[str], list[str]]:
    """The names by number; none, and a sentence, where there is no file of them in the folder or the one around it."""
    for file in (place / name for place in (folder, folder.resolve().parent) for name in NAMES):
        if file.is_file():
            if file.suffix == ".yaml":
                return _yaml_names(file), []
            lines = enumerate(read_text(file).splitlines(), 1)
            return [Place(file, f"line {i}").label(name.strip(), "class") for i, name in lines], []
    return [], [f"There is neither {' nor '.join(NAMES)}; the labels are the numbers of the classes."]


def _yaml_names(file: Path) -> list[str]:
    """The list ``names`` of a data.yaml, or its entries with numbers from 0. Raises: PgnetError."""
    place = Place(file)
    try:
        data = yaml.safe_load(read_text(file))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise place.error(f"this is not YAML that can be read ({str(error).splitlines()[0]})") from error
    names = data.get("names") if isinstance(data, dict) else None
    if isinstance(names, dict) and sorted(map(str, names)) == sorted(map(str, range(len(names)))):
        names = [names[number] for number in sorted(names, key=int)]
    if not isinstance(names, list):
        raise place.error("names is neither a list nor a table with numbers from 0")
    return [place.label(str(name), f"name of class {number}") for number, name in enumerate(names)]


def _video(
    name: str, files: dict[int, Path], names: list[str], notes: list[str], known: SourceInfo, width: int, height: int
) -> Track:
    lines = [
        (place, frame, [place.number(value, f"value {i}") for i, value in enumerate(line.split(), 1)])
        for frame, file in sorted(files.items())
        for place, line in read_lines(file)
    ]
    counts = {len(values) for _, _, values in lines}
    for place, _, values in lines:
        if not 5 <= len(values) <= 7:
            raise place.error(f"it has {len(values)} values, and boxes have 5 to 7: it may be an outline or a pose")
    if len(counts) > 1:
        raise lines[0][0].error(f"it has {len(lines[0][2])} values, and other lines another number")
    # Ids are whole numbers, confidences hardly ever; of seven columns the last is the id.
    has_ids = counts == {7} or (counts == {6} and all(values[5].is_integer() for _, _, values in lines))
    scored = counts == {7} or (counts == {6} and not has_ids)
    folder = Place(next(iter(files.values())).parent)
    collected = Rows()
    for place, frame, values in lines:
        place.whole(frame, "number in the file's name")
        number = place.whole(values[0], "class", highest=9999)
        if number >= len(names) and names:
            raise place.error(f"class {number} has no name; {NAMES[0]} has {len(names)}")
        if min(values[1:5]) < 0 or max(values[1:5]) > 1:
            raise place.error("the box is not in shares of the frame, 0 to 1")
        box = cxcywh_to_xywh(np.array(values[1:5]) * (width, height, width, height)).tolist()
        target = place.whole(values[-1], "track id", highest=2**53) if has_ids else number + 1
        try:
            row = Row(frame, box, score=values[5] if scored else 1.0)
            collected.add(place, target, names[number] if names else str(number), row)
        except PgnetError as error:
            if has_ids:
                raise
            raise place.error("a second box of its class and no track id: detections, not tracks") from error
    notes = list(notes)
    if min(files) > 0:
        notes.append(f"The files' numbers were taken for frames counted from 0; the first is {min(files)}.")
    return collected.track(folder, settle(known, name=name or folder.path.name), notes, sorted(files))


def write(track: Track, path: Path) -> list[str]:
    """Writes ``labels/NAME_FRAME.txt``, frames from 0, and ``classes.txt``.

    A track id is written where there are several targets, as training takes lines without. What YOLO refuses is cut
    off: of a box whose centre is outside of the frame, or that is larger, the part inside stays.

    Raises:
        PgnetError: the frame size is not known, or it cannot be written.
    """
    width, height = frame_size(track, TITLE)
    names = sorted({target.label or UNLABELLED for target in track.targets})
    frames: dict[int, list[str]] = {}
    cut = 0
    for target in track.targets:
        for row in rows(target):
            lines = frames.setdefault(row.frame, [])
            if row.absent:
                continue
            shares = xywh_to_cxcywh(row.box) / (width, height, width, height)
            if shares.min() < 0 or shares.max() > 1:
                shares = xywh_to_cxcywh(clip(row.box, width, height)) / (width, height, width, height)
                cut += 1
            if shares[2:].min() > 0:
                number = names.index(target.label or UNLABELLED)
                values = [str(number), *(decimal(value, 8) for value in shares)]
                lines.append(" ".join(values + ([str(target.id)] if len(track.targets) > 1 else [])) + "\n")
    name = stem(track)
    with atomic_folder(path) as folder:
        (folder / "labels").mkdir()
        (folder / NAMES[0]).write_text("".join(f"{label}\n" for label in names), encoding="utf-8")
        for frame, lines in frames.items():
            (folder / "labels" / f"{name}_{frame:06d}.txt").write_text("".join(lines), encoding="utf-8")
    for old in (path / "labels").glob(f"{name}_*.txt"):  # of an earlier, longer track
        digits = old.stem.removeprefix(f"{name}_")
        if digits.isdecimal() and int(digits) not in frames:
            old.unlink()
    notes = [f"{TITLE} takes boxes inside of the frame: {cut} were cut."] if cut else []
    kept = ["labels", "absent", "start", *(["gaps"] if len(track.targets) == 1 else [])]
    return lost(track, TITLE, *kept) + notes
