"""CVAT for video 1.1 (https://docs.cvat.ai/docs/dataset_management/formats/format-cvat): XML, one `track` per target.

Frames count from 0; ``xtl ytl xbr ybr`` are continuous pixels from the upper left corner, as in pgnet. CVAT keeps only
``keyframe="1"`` boxes when it imports a file and moves the others evenly in between; ``outside="1"`` means that the
target cannot be seen from this frame on until the next box.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from pgnet.errors import PgnetError
from pgnet.files import atomic
from pgnet.results.formats.reading import UNLABELLED, Place, Row, Rows, counted, interpolated, settle, upright
from pgnet.results.formats.writing import (
    clean,
    decimal,
    frame_count,
    key_rows,
    lost,
    more_keyframes,
    rows,
)
from pgnet.results.track import SourceInfo, TargetTrack, Track

TITLE = "CVAT for video 1.1"
SHAPES = frozenset({"polygon", "polyline", "points", "cuboid", "ellipse", "mask", "skeleton"})


def detect(path: Path, head: str) -> bool:
    """Whether a file, that begins with `head`, is of this format."""
    return "<annotations" in head or (path.suffix == ".zip" and zipfile.is_zipfile(path))


def read(path: Path, known: SourceInfo) -> list[Track]:
    """The boxes of an ``annotations.xml``, or of the .zip that CVAT exports; one track for each task in it.

    Frames that CVAT interpolates between keyframes, or leaves out while the target is outside, get rows of their own.

    Raises:
        PgnetError: damaged, or without box tracks.
    """
    parser = _Parser(path)
    parser.parse(_xml(path))
    return [parser.track(task, known) for task in parser.videos()]


def _xml(path: Path) -> bytes:
    try:
        if not zipfile.is_zipfile(path):
            return path.read_bytes()
        with zipfile.ZipFile(path) as archive:
            return archive.read("annotations.xml")
    except OSError as error:
        raise PgnetError(f"{path} cannot be read ({error.strerror}).") from error
    except (KeyError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise PgnetError(f"{path} has no annotations.xml that can be read ({error}).") from error


@dataclass
class _Task:
    """A video of the file: what its <meta> says, and the boxes by track as they stand there."""

    values: dict[str, str] = field(default_factory=dict)
    tracks: dict[int, tuple[Place, str, list[Row]]] = field(default_factory=dict)
    rotated: int = 0
    attributes: int = 0
    shapes: dict[str, int] = field(default_factory=dict)


@dataclass
class _Parser:
    path: Path
    _open: list[str] = field(default_factory=list)  # names of the elements around
    _text: str = ""
    _tasks: list[_Task] = field(default_factory=list)
    _task: _Task | None = None  # of the track being read
    _rows: list[Row] = field(default_factory=list)

    def parse(self, data: bytes) -> None:
        self._expat = expat.ParserCreate()
        self._expat.StartElementHandler = self._start
        self._expat.EndElementHandler = self._end
        self._expat.CharacterDataHandler = self._characters
        try:
            self._expat.Parse(data, True)
        except expat.ExpatError as error:
            what = f"this is not XML ({expat.ErrorString(error.code)}); is the file whole?"
            raise PgnetError(f"{self.path}, line {error.lineno}: {what}") from error
        except (ValueError, LookupError) as error:  # an encoding that expat does not know
            raise PgnetError(f"{self.path} is not XML that can be read ({error}).") from error

    def _place(self) -> Place:
        return Place(self.path, f"line {self._expat.CurrentLineNumber}")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        parent = self._open[-1] if self._open else ""
        if not self._open and name != "annotations":
            raise self._place().error(f"CVAT's files begin with <annotations>, not <{name}>")
        if name == "image" and parent == "annotations":
            raise self._place().error("these are single images; export the task as 'CVAT for video 1.1'")
        self._open.append(name)
        self._text = ""
        if name in ("task", "job", "project") and parent in ("meta", "tasks"):
            self._tasks.append(_Task())
        elif name == "track" and parent == "annotations":
            self._begin_track(attributes)
        elif parent == "track" and self._task and name == "box":
            self._rows.append(self._box(attributes))
        elif parent == "track" and self._task and name in SHAPES:
            self._task.shapes[name] = self._task.shapes.get(name, 0) + 1
        elif parent == "box" and self._task and name == "attribute":
            self._task.attributes += 1

    def _characters(self, text: str) -> None:
        self._text += text

    def _end(self, name: str) -> None:
        self._open.pop()
        inside = self._open[-1] if self._open else ""
        if self._tasks and inside in ("task", "job", "project", "original_size"):
            self._tasks[-1].values[name] = self._text.strip()
        self._text = ""

    def _begin_track(self, attributes: dict[str, str]) -> None:
        place = self._place()
        number = place.whole(attributes.get("id"), "id of the track", highest=2**53)
        label = place.label(attributes.get("label"), "label of the track")
        self._task = self._task_of(place, attributes.get("task_id"))
        if number in self._task.tracks:
            raise place.error(f"there is a second track {number}")
        self._rows = []
        self._task.tracks[number] = (place, label, self._rows)

    def _task_of(self, place: Place, number: str | None) -> _Task:
        if not self._tasks:
            self._tasks.append(_Task())
        found = [t for t in self._tasks if t.values.get("id") == number] if number is not None else self._tasks[-1:]
        if not found:
            raise place.error(f"the track belongs to task {number}, which <meta> does not have")
        return found[-1]

    def _box(self, attributes: dict[str, str]) -> Row:
        assert self._task is not None
        place = self._place()
        left, top, right, bottom = (place.number(attributes.get(name), name) for name in ("xtl", "ytl", "xbr", "ybr"))
        box = place.box((left, top, right - left, bottom - top))
        if turn := place.number(attributes.get("rotation", "0"), "rotation"):
            self._task.rotated += 1
            box = upright(box, turn, ((left + right) / 2, (top + bottom) / 2))
        flags = {name: attributes.get(name, "0") for name in ("outside", "occluded", "keyframe")}
        for name, value in flags.items():
            if value not in ("0", "1"):
                raise place.error(f"{name} is {value!r}, not 0 or 1")
        row = Row(
            frame=place.whole(attributes.get("frame"), "frame"),
            box=box,
            absent=flags["outside"] == "1",
            occluded=flags["occluded"] == "1",
            keyframe=flags["keyframe"] == "1",
        )
        if self._rows and row.frame <= self._rows[-1].frame:
            raise place.error(f"frame {row.frame} does not come after frame {self._rows[-1].frame}")
        return row

    def videos(self) -> list[_Task]:
        """The tasks with tracks. Raises: PgnetError where there are none."""
        found = [task for task in self._tasks if task.tracks]
        if not found:
            raise PgnetError(f"{self.path} has no tracks.")
        return found

    def track(self, task: _Task, known: SourceInfo) -> Track:
        place, values = Place(self.path), task.values
        numbers: dict[str, Any] = {
            name: place.whole(values[key], key, lowest=1) if values.get(key) else None
            for name, key in (("width", "width"), ("height", "height"), ("frame_count", "size"))
        }
        name = values.get("source") or values.get("name") or self.path.stem
        source = settle(known, name=name, **numbers)
        stepped = "step=" in values.get("frame_filter", "")  # the task has not every frame of the video
        collected = Rows()
        for number, (where, label, found) in task.tracks.items():
            for row in found if stepped else _filled(found):
                collected.add(where, number, label, row)
        notes = [f"Left out, as it is no box: {counted(n, kind)}." for kind, n in task.shapes.items()]
        if task.attributes:
            notes.append(f"Left out: {counted(task.attributes, 'attribute')} of boxes.")
        if task.rotated:
            notes.append(f"Taken as the upright box around it: {counted(task.rotated, 'rotated box')}.")
        return collected.track(place, source, notes)


def _filled(found: list[Row]) -> Iterator[Row]:
    """The rows, and those in between that CVAT shows without listing them."""
    for before, after in pairwise(found):
        yield before
        if before.absent:
            yield from (before._replace(frame=i, keyframe=False) for i in range(before.frame + 1, after.frame))
        else:
            yield from interpolated(before, after)
    yield from found[-1:]


def write(track: Track, path: Path) -> list[str]:
    """Writes ``annotations.xml``, which CVAT takes under *Upload annotations*; says what it has no place for.

    Every box is a keyframe but those that CVAT finds itself (`key_rows`), as it would drop them.

    Raises:
        PgnetError: the file cannot be written, or a label has characters that XML has not.
    """
    labels = {target.id: target.label or UNLABELLED for target in track.targets}
    with atomic(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write('<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>\n')
        file.writelines(_meta(track, sorted(set(labels.values()))))
        for target in track.targets:
            file.write(f'  <track id="{target.id}" label={quoteattr(labels[target.id])} source="file">\n')
            file.writelines(map(_element, _shown(target, track.source.frame_count)))
            file.write("  </track>\n")
        file.write("</annotations>\n")
    return lost(track, TITLE, "labels", "absent", "ends", "start", "occluded", "keyframes", "size") + more_keyframes(
        track, TITLE
    )


def _meta(track: Track, labels: list[str]) -> Iterator[str]:
    source, name = track.source, escape(clean(track.source.name))
    yield f"  <meta>\n    <task>\n      <name>{name}</name>\n      <size>{frame_count(track)}</size>\n"
    yield "      <mode>interpolation</mode>\n      <start_frame>0</start_frame>\n"
    yield f"      <stop_frame>{max(0, frame_count(track) - 1)}</stop_frame>\n      <labels>\n"
    for label in labels:
        yield f"        <label><name>{escape(label)}</name><attributes></attributes></label>\n"
    yield "      </labels>\n"
    if source.width and source.height:
        size = f"<width>{source.width}</width><height>{source.height}</height>"
        yield f"      <original_size>{size}</original_size>\n"
    yield f"      <source>{name}</source>\n    </task>\n  </meta>\n"


def _shown(target: TargetTrack, count: int | None) -> Iterator[Row]:
    """The boxes to list, `keyframe` where CVAT has to keep them; of an absence its begin, and its end at the end."""
    found, keys = rows(target), key_rows(target).tolist()
    for i, (row, key) in enumerate(zip(found, keys, strict=True)):
        last = i + 1 == len(found)
        before = found[i - 1]._replace(frame=row.frame, box=row.box, score=row.score)
        continued = row.absent and i and row.frame == found[i - 1].frame + 1 and row == before
        if not continued or last:
            yield row._replace(keyframe=key)
        following = count if last else found[i + 1].frame
        if not row.absent and following is not None and following > row.frame + 1:
            yield row._replace(frame=row.frame + 1, absent=True, keyframe=True)


def _element(row: Row) -> str:
    x, y, w, h = row.box
    sides = zip(("xtl", "ytl", "xbr", "ybr"), (x, y, x + w, y + h), strict=True)
    corners = " ".join(f'{name}="{decimal(value)}"' for name, value in sides)
    flags = f'outside="{row.absent:d}" occluded="{row.occluded:d}" keyframe="{row.keyframe:d}"'
    return f'    <box frame="{row.frame}" {flags} {corners} z_order="0"></box>\n'
