"""Which targets are to be followed: the options --box and --boxes, put together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pgnet.boxes import check_target_box
from pgnet.errors import PgnetError
from pgnet.results import SourceInfo
from pgnet.results.formats import read
from pgnet.results.marks import Marks, marks_of
from pgnet.results.track import is_one_line
from pgnet.tracking.spans import Box

FORM = "[NAME@][FRAME:]X,Y,W,H, such as 120,80,64,48 or dog@250:120,80,64,48"
ABSENT = "absent"


@dataclass(frozen=True)
class Given:
    """One --box."""

    text: str
    who: str
    """Name or id of the target; "" if not said."""
    frame: int | None
    """None: the first one."""
    box: Box | None
    """None: absent."""


def parse_given(text: str) -> Given:
    """``"[NAME@][FRAME:]X,Y,W,H"`` or ``"[NAME@]FRAME:absent"``; the frame that a box is for is checked later.

    Raises:
        PgnetError: another form, or no four numbers.
    """
    who, _, rest = text.rpartition("@")
    when, _, what = rest.rpartition(":")
    if not re.fullmatch(r"\d{0,9}", when) or ("@" in text and not who.strip()) or not is_one_line(who):
        raise PgnetError(f"--box takes {FORM}, not {text!r}.")
    frame = int(when) if when else None
    if what.strip() == ABSENT and frame is not None:
        return Given(text, who.strip(), frame, None)
    try:
        x, y, w, h = (float(part) for part in what.split(","))
    except ValueError:
        raise PgnetError(f"--box takes four numbers X,Y,W,H in pixels: {FORM}, not {text!r}.") from None
    return Given(text, who.strip(), frame, (x, y, w, h))


def read_boxes(path: Path, source: SourceInfo, first: int, last: int | None) -> list[Marks]:
    """The targets of a file in any format that `pgnet convert` reads.

    Args:
        path: the file or folder.
        source: the video that it must belong to.
        first, last: frames of the video that are tracked.

    Raises:
        PgnetError: damaged (with the line), of frames of another size, or with a box before the start or after the end.
    """
    marks = [marks_of(target) for target in read(path, known=source).targets]
    for target in marks:
        for frame in target.keyframes:
            _check_frame(f"{path}: {target} has a box in", frame, first, last)
    return marks


def combine(given: Sequence[Given], known: Iterable[Marks], first: int, last: int | None) -> list[Marks]:
    """The targets that are known already, and what the options --box add to them or start.

    A box without name and frame is a target of its own, with the next free number; so is that of a new name. One with a
    frame but without name is of the only target.

    Args:
        given: the options.
        known: from a file.
        first, last: frames that are tracked.

    Raises:
        PgnetError: a frame before the start or after the end, two boxes of a target on one frame, or a box that could
            be of several targets.
    """
    targets = {target.id: target for target in known}
    taken = set(targets) | {int(one.who) for one in given if one.who.isdecimal() and one.frame is None}
    free = (number for number in count(1) if number not in taken)

    def new(id: int, label: str = "") -> Marks:
        return targets.setdefault(id, Marks(id, label))

    def owner(one: Given) -> Marks:
        if one.who.isdecimal():
            return new(int(one.who))
        named = [target for target in targets.values() if target.label == one.who]
        if one.who and len(named) > 1:
            raise PgnetError(f"--box {one.text}: several targets are called {one.who}; give a number: {_ids(named)}.")
        if one.who:
            return named[0] if named else new(next(free), one.who)
        if one.frame is None or not targets:
            return new(next(free))
        if len(targets) > 1:
            raise PgnetError(
                f"--box {one.text}: there are several targets; say whose box it is with NAME@ or NUMBER@: "
                f"{_ids(targets.values())}."
            )
        return next(iter(targets.values()))

    # Those that start targets come first, so that the others may stand in any order.
    for one in sorted(given, key=lambda one: (one.frame is not None, one.frame or 0)):
        target, frame = owner(one), first if one.frame is None else one.frame
        _check_frame(f"--box {one.text} is for", frame, first, last)
        if frame in target.keyframes:
            raise PgnetError(f"--box {one.text}: {target} has a box in frame {frame} already; give one.")
        target.keyframes[frame] = one.box
    return [targets[id] for id in sorted(targets)]


def corrected(
    known: Sequence[Marks], given: Sequence[Given], file: Sequence[Marks], first: int, last: int
) -> list[Marks]:
    """The targets of a track with what is said anew, which goes before what was said of the same frames.

    Args:
        known: the targets as they were marked.
        given: the options.
        file: what a file says.
        first, last: frames of the track.

    Raises:
        PgnetError: as `combine`, a box without a frame, or of a target that the track does not have.
    """
    for one in given:
        if one.frame is None:
            raise PgnetError(f"--box {one.text}: say which frame it is for, FRAME:X,Y,W,H, such as 120:{one.text}.")
    labels = {target.id: target.label for target in known}
    for target in file:
        if target.label and target.label != labels.get(target.id, target.label):
            raise PgnetError(f"Target {target.id} is {target.label} in the file and {labels[target.id]} in the track.")
    said = {target.id: Marks(target.id, target.label) for target in known} | {target.id: target for target in file}
    for target in combine(given, said.values(), first, last):
        if target.id not in labels:
            raise PgnetError(f"The track has no {target}; it has {_ids(known)}.")
        said[target.id] = target
    return [replace(target, keyframes={**target.keyframes, **said[target.id].keyframes}) for target in known]


def first_frame(times: NDArray[np.float64], start: int | float | None) -> int:
    """The number of the first frame from the start on, an index or seconds, of a video with these times."""
    return int(np.searchsorted(times, start)) if isinstance(start, float) else start or 0


def last_frame(times: NDArray[np.float64], end: int | float | None) -> int:
    """The number of the last frame before the end, an index or seconds, of a video with these times."""
    if end is None:
        return len(times) - 1
    return (min(end, len(times)) if isinstance(end, int) else int(np.searchsorted(times, end))) - 1


def check_boxes(marks: Iterable[Marks], width: int, height: int) -> None:
    """Raises: PgnetError where a box does not lie in a frame of this size, or a target has no box at all."""
    for target in marks:
        if all(box is None for box in target.keyframes.values()):
            raise PgnetError(f"There is no box of {target}, only where it is absent; give it one.")
        for frame, box in target.keyframes.items():
            if box is not None:
                try:
                    check_target_box(box, width, height)
                except PgnetError as error:
                    raise PgnetError(f"The box of {target} in frame {frame}: {error}") from error


def _ids(targets: Iterable[Marks]) -> str:
    return ", ".join(f"{target.id} ({target.label})" if target.label else str(target.id) for target in targets)


def _check_frame(subject: str, frame: int, first: int, last: int | None) -> None:
    if frame < first:
        raise PgnetError(f"{subject} frame {frame}, before the start (frame {first}); give a later one, or --start.")
    if last is not None and frame > last:
        raise PgnetError(f"{subject} frame {frame}, and the last one to track is frame {last}; is it for this video?")
