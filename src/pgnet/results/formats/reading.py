"""What the readers share: checked values that know where they stand, and rows collected into a `Track`."""

from __future__ import annotations

import json
import math
import re
from bisect import bisect
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pgnet.errors import PgnetError
from pgnet.results.track import Row as Row
from pgnet.results.track import SourceInfo, TargetTrack, Track, is_one_line

UNLABELLED = "object"
"""What a target without label is called in formats that ask for one."""
LAST_FRAME = 3_000_000
"""Longer videos are refused (28 hours at 30 a second): a damaged number must not fill the memory."""


@dataclass(frozen=True)
class Place:
    """A file and where in it, for the sentence that says what is wrong there."""

    path: Path
    where: str = ""

    def at(self, where: str) -> Place:
        """Another place in the same file: "line 3" or "annotations[7]"."""
        return Place(self.path, where)

    def error(self, what: str) -> PgnetError:
        """The exception to raise; `what` is a clause without full stop."""
        return PgnetError(f"{self.path}{', ' if self.where else ''}{self.where}: {what}.")

    def number(self, value: object, name: str) -> float:
        """A finite number from text or JSON. Raises: PgnetError."""
        try:
            if isinstance(value, bool) or not isinstance(value, str | int | float):
                raise ValueError
            number = float(value)
        except (ValueError, OverflowError):
            raise self.error(f"the {name} is {_short(value)}, not a number") from None
        if not math.isfinite(number):
            raise self.error(f"the {name} is {_short(value)}, not a finite number")
        return number

    def whole(self, value: object, name: str, lowest: int = 0, highest: int = LAST_FRAME) -> int:
        """A whole number within limits, from text or JSON. Raises: PgnetError."""
        number = self.number(value, name)
        if not number.is_integer() or not lowest <= number <= highest:
            raise self.error(f"the {name} is {_short(value)}, not a whole number from {lowest} to {highest}")
        return int(number)

    def box(self, values: Iterable[object]) -> list[float]:
        """Four numbers x, y, w, h with an extent that is not negative. Raises: PgnetError."""
        box = [self.number(value, name) for value, name in zip(values, ("x", "y", "width", "height"), strict=True)]
        if max(map(abs, box)) > 1e9:
            raise self.error(f"the box {_short(box)} is far outside of any frame")
        if box[2] < 0 or box[3] < 0:
            raise self.error(f"the box is {box[2]:g} wide and {box[3]:g} high")
        return box

    def text(self, value: object, name: str) -> str:
        """A text that can be written again. Raises: PgnetError."""
        if not isinstance(value, str) or not is_one_line(value):
            raise self.error(f"the {name} is {_short(value)}, not a text on one line")
        return value

    def label(self, value: object, name: str) -> str:
        """The label of a target; "" for `UNLABELLED`. Raises: PgnetError where it cannot be written again."""
        label = self.text(value, name)
        return "" if label == UNLABELLED else label

    def items(self, value: object, name: str) -> list[tuple[Place, dict[str, Any]]]:
        """The objects of a JSON array, each with its place. Raises: PgnetError."""
        if not isinstance(value, list):
            raise self.error(f"{name} is missing" if value is None else f"{name} is no array")
        places = [(self.at(f"{self.where}.{name}[{i}]".lstrip(".")), item) for i, item in enumerate(value)]
        for place, item in places:
            if not isinstance(item, dict):
                raise place.error("this is no object")
        return places

    def member(self, data: dict[str, Any], name: str) -> Any:
        """A member of a JSON object. Raises: PgnetError where it is missing."""
        if name not in data:
            raise self.error(f"{name} is missing")
        return data[name]


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def read_text(path: Path) -> str:
    """A text file, with or without a byte order mark. Raises: PgnetError where it cannot be read or is no text."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise PgnetError(f"{path} cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise PgnetError(f"{path} is no text file (byte {error.start} is not UTF-8).") from error


def read_lines(path: Path) -> list[tuple[Place, str]]:
    """The lines that are not blank, each with its place. Raises: PgnetError where the file cannot be read."""
    lines = enumerate(read_text(path).splitlines(), 1)
    return [(Place(path, f"line {number}"), line.strip()) for number, line in lines if line.strip()]


def frame_lines(path: Path) -> list[tuple[Place, str]]:
    """The lines of a file with one for each frame. Raises: PgnetError where one in the middle is blank."""
    lines = read_lines(path)
    for i, (place, _) in enumerate(lines, 1):
        if place.where != f"line {i}":
            raise Place(path, f"line {i}").error("it is blank, and each line is a frame")
    return lines


def frame_boxes(path: Path, first_pixel: int) -> list[list[float] | None]:
    """A box, or None for an absent target, from each line of x, y, w, h; without extent or NaN means absent.

    Args:
        path: text; the numbers may stand between commas, tabs or blanks.
        first_pixel: number of the first pixel, 0 or 1; the boxes become 0-based.

    Raises:
        PgnetError: unreadable, or a line has not four numbers.
    """
    boxes = []
    for place, line in frame_lines(path):
        values = re.split(r"[\s,;]+", line)
        if len(values) != 4:
            raise place.error(f"it has {len(values)} values, not four (x, y, w, h)")
        box = None if {value.lower() for value in values} == {"nan"} else place.box(values)
        boxes.append(box and ([box[0] - first_pixel, box[1] - first_pixel, *box[2:]] if min(box[2:]) > 0 else None))
    return boxes


def frame_flags(path: Path, count: int) -> list[bool]:
    """The 0 or 1 of each of `count` frames, a line each or all in one; all False without the file.

    Raises:
        PgnetError: unreadable, or not as many.
    """
    if not path.is_file():
        return [False] * count
    values = re.split(r"[\s,]+", read_text(path).strip())
    if len(values) != count or not set(values) <= {"0", "1"}:
        raise Place(path).error(f"it should have 0 or 1 for each of the {count} frames")
    return [value == "1" for value in values]


def read_json(path: Path) -> Any:
    """A JSON file. Raises: PgnetError with the line where it is not JSON."""
    try:
        return json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise PgnetError(f"{path}, line {error.lineno}: this is not JSON ({error.msg}); is the file whole?") from error
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, or nested without end
        raise PgnetError(f"{path} is not JSON that can be read ({error}).") from error


def counted(number: int, what: str) -> str:
    """``counted(2, "box")`` -> "2 boxes"."""
    return f"{number} {what}" + ("" if number == 1 else "es" if what.endswith("x") else "s")


def settle(known: SourceInfo, **found: Any) -> SourceInfo:
    """What a file says of its video, and what the caller knows; of both, the file's size and the caller's rest."""
    said = {name: value for name, value in found.items() if value is not None}
    given = {name: value for name, value in asdict(known).items() if value}
    return SourceInfo(
        **{"name": "", "kind": known.kind} | said | given | {k: said[k] for k in said if k in ("width", "height")}
    )


@dataclass
class Rows:
    """Collects the rows of a video's targets in any order."""

    _targets: dict[int, tuple[str, dict[int, Row]]] = field(default_factory=dict)

    def add(self, place: Place, target: int, label: str, row: Row) -> None:
        """Raises: PgnetError where the target has a row for the frame already, or had another label."""
        known, rows = self._targets.setdefault(target, (label, {}))
        if known != label:
            raise place.error(f"target {target} is {label!r} here and {known!r} before")
        if row.frame in rows:
            raise place.error(f"target {target} has a second box in frame {row.frame}")
        rows[row.frame] = row

    def track(
        self, place: Place, source: SourceInfo, notes: Iterable[str] = (), annotated: Sequence[int] = ()
    ) -> Track:
        """The finished record; its warnings are the notes, and what speaks against this being the video.

        Args:
            place: the file, for messages.
            source: the video.
            notes: what was left out.
            annotated: frames, in order, in which a target without box is absent, if it is seen before and after.

        Raises:
            PgnetError: there are no rows.
        """
        if not self._targets:
            raise place.error("it has no boxes")
        track = Track(source, warnings=list(notes), targets=[])
        for target, (label, rows) in sorted(self._targets.items()):
            track.targets.append(TargetTrack(target, label))
            for frame in annotated[bisect(annotated, min(rows)) : bisect(annotated, max(rows))]:
                rows.setdefault(frame, Row(frame, [0.0] * 4, absent=True))
            for row in sorted(rows.values()):
                time = row.frame / source.fps if row.time is None and source.fps else row.time
                track.targets[-1].add(row._replace(time=time))
        track.warnings += _doubts(track)
        return track


def _doubts(track: Track) -> Iterator[str]:
    """Signs that the boxes belong to another video."""
    count, last = track.source.frame_count, max(int(target.frames[-1]) for target in track.targets)
    if count and last >= count:
        yield f"The boxes go on to frame {last}, and the video has {count} frames."
    if track.source.width and track.source.height:
        x, y, w, h = np.concatenate([target.boxes[~target.absent] for target in track.targets]).T
        count = int(np.sum((x >= track.source.width) | (y >= track.source.height) | (x + w < 0) | (y + h < 0)))
        if count:
            size = f"{track.source.width} x {track.source.height}"
            yield f"{count} of {len(x)} boxes lie outside of the {size} frame; check the frame size."


def interpolated(before: Row, after: Row) -> Iterator[Row]:
    """The rows between two key boxes, moved and resized evenly, as CVAT and Label Studio show them."""
    steps = after.frame - before.frame
    start, change = np.array(before.box), (np.array(after.box) - before.box) / steps
    for step in range(1, steps):
        box: NDArray[np.float64] = start + step * change
        yield before._replace(frame=before.frame + step, box=box.tolist(), keyframe=False)


def upright(box: list[float], degrees: float, pivot: tuple[float, float]) -> list[float]:
    """The smallest upright box around one that is turned clockwise about a pivot (x, y in pixels)."""
    x, y, w, h = box
    turn = complex(math.cos(math.radians(degrees)), math.sin(math.radians(degrees)))
    centre = complex(*pivot)
    corners = [centre + (complex(a, b) - centre) * turn for a in (x, x + w) for b in (y, y + h)]
    left, top = min(c.real for c in corners), min(c.imag for c in corners)
    return [left, top, max(c.real for c in corners) - left, max(c.imag for c in corners) - top]
