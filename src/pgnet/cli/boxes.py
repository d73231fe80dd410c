"""Which targets are to be followed: --box, --boxes, and what else `pgnet correct` takes, put together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pgnet.boxes import check_target_box
from pgnet.errors import PgnetError
from pgnet.results import SourceInfo, TargetTrack
from pgnet.results.formats import read
from pgnet.results.marks import Marks, marks_of
from pgnet.results.track import is_one_line, name_of
from pgnet.tracking.presence import LOST
from pgnet.tracking.spans import Box

FORM = "[NAME@][FRAME:]X,Y,W,H, such as 120,80,64,48 or dog@250:120,80,64,48"
ABSENT = "absent"
BOX, CONFIRM, REMOVE = "--box", "--confirm", "--remove"
MOST = 10
"""Frames that a message lists at most."""


@dataclass(frozen=True)
class Given:
    """One --box, --confirm or --remove."""

    text: str
    who: str
    """Name or id of the target; "" if not said."""
    frame: int | None
    """None: the first one."""
    box: Box | None = None
    """Of --box; None: absent."""
    option: str = BOX

    def __str__(self) -> str:
        return f"{self.option} {self.text}"


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


def parse_place(text: str, option: str) -> Given:
    """``"[NAME@]FRAME"``, as --confirm and --remove take it; whether the frame is right for that is checked later.

    Raises:
        PgnetError: another form.
    """
    who, at, frame = text.rpartition("@")
    if not re.fullmatch(r"\d{1,9}", frame) or (at and not who.strip()) or not is_one_line(who):
        raise PgnetError(f"{option} takes a frame, [NAME@]FRAME, such as 250 or dog@250, not {text!r}.")
    return Given(text, who.strip(), int(frame), option=option)


def read_boxes(path: Path, source: SourceInfo, first: int, last: int | None) -> list[Marks]:
    """The targets of a file in any format that `pgnet convert` reads.

    Absences before the start or after the end, such as that with which a CVAT track closes, say nothing of the frames
    that are tracked, and are left out.

    Args:
        path: the file or folder.
        source: the video that it must belong to.
        first, last: frames of the video that are tracked.

    Raises:
        PgnetError: damaged (with the line), of frames of another size, or with a box before the start or after the end.
    """
    marks = [marks_of(target) for target in read(path, known=source).targets]
    for target in marks:
        for frame, box in list(target.keyframes.items()):
            if box is None and (frame < first or (last is not None and frame > last)):
                del target.keyframes[frame]
                continue
            _check_frame(f"{path}: {target} has a box in", frame, first, last)
    return marks


def combine(given: Sequence[Given], known: Iterable[Marks], first: int, last: int | None) -> list[Marks]:
    """The targets that are known already, and what the options --box add to them or start.

    Args:
        given: the options.
        known: from a file.
        first, last: frames that are tracked.

    Raises:
        PgnetError: as `_assigned`.
    """
    targets = {target.id: target for target in known}
    for (id, frame), one in _assigned(given, targets, first, last).items():
        targets[id].keyframes[frame] = one.box
    return [targets[id] for id in sorted(targets)]


def corrected(
    known: Sequence[TargetTrack], given: Sequence[Given], file: Sequence[Marks], first: int, last: int
) -> list[Marks]:
    """The targets of a track with what is said anew, which goes before what was said of the same frames.

    Args:
        known: the targets as they were tracked.
        given: the options.
        file: what a file says.
        first, last: frames of the track.

    Raises:
        PgnetError: as `_assigned`, a box without a frame, one of a target that the track does not have, a box to
            confirm that is not there, or one to remove that no person set.
    """
    for one in given:
        if one.frame is None:
            raise PgnetError(f"{one}: say which frame it is for, FRAME:X,Y,W,H, such as 120:{one.text}.")
    tracks = {target.id: target for target in known}
    marks = {target.id: marks_of(target) for target in known}
    for target in file:
        label = marks[target.id].label if target.id in marks else target.label
        if target.label and target.label != label:
            raise PgnetError(f"Target {target.id} is {target.label} in the file and {label} in the track.")
    said = {target.id: Marks(target.id, target.label) for target in known} | {target.id: target for target in file}
    options = _assigned(given, said, first, last)
    for target in said.values():
        if target.id not in marks:
            raise PgnetError(f"The track has no target {target.label or target.id}; it has {_ids(marks.values())}.")
        marks[target.id].keyframes.update(target.keyframes)
    for (id, frame), one in options.items():
        keyframes = marks[id].keyframes
        if one.option == CONFIRM:
            keyframes[frame] = _confirmed(one, tracks[id], frame)
        elif one.option == BOX:
            keyframes[frame] = one.box
        elif frame in keyframes:
            del keyframes[frame]
        else:
            shown = ", ".join(map(str, sorted(keyframes)[:MOST])) + ", ..." * (len(keyframes) > MOST)
            raise PgnetError(f"{one}: no person set frame {frame} of {marks[id]}; those that were set are {shown}.")
    return list(marks.values())


def _confirmed(one: Given, track: TargetTrack, frame: int) -> Box | None:
    """What a track says of a frame, which --confirm says is right."""
    row = track.row(frame)
    if row is None or row.state == LOST:
        why = "the tracker has lost the target there" if row else "the track has no box there"
        raise PgnetError(f"{one}: {why}; give --box {frame}:X,Y,W,H, or --box {frame}:{ABSENT}.")
    x, y, w, h = row.box
    return None if row.absent else (x, y, w, h)


def _assigned(
    given: Sequence[Given], targets: dict[int, Marks], first: int, last: int | None
) -> dict[tuple[int, int], Given]:
    """Target and frame that each option is for; new targets are added to those that are known.

    A box without name and frame is of a target of its own, with the next free number; so is that of a new name. One
    with a frame but without name is of the only target.

    Raises:
        PgnetError: a frame before the start or after the end, two boxes of a target on one frame, or a box that could
            be of several targets.
    """
    taken = set(targets) | {int(one.who) for one in given if one.who.isdecimal() and one.frame is None}
    free = (number for number in count(1) if number not in taken)

    def new(id: int, label: str = "") -> Marks:
        return targets.setdefault(id, Marks(id, label))

    def owner(one: Given) -> Marks:
        if one.who.isdecimal():
            return new(int(one.who))
        named = [target for target in targets.values() if target.label == one.who]
        if one.who and len(named) > 1:
            raise PgnetError(f"{one}: several targets are called {one.who}; give a number: {_ids(named)}.")
        if one.who:
            return named[0] if named else new(next(free), one.who)
        if one.frame is None or not targets:
            return new(next(free))
        if len(targets) > 1:
            raise PgnetError(
                f"{one}: there are several targets; say which is meant with NAME@ or NUMBER@: {_ids(targets.values())}."
            )
        return next(iter(targets.values()))

    found: dict[tuple[int, int], Given] = {}
    # Those that start targets come first, so that the others may stand in any order.
    for one in sorted(given, key=lambda one: (one.frame is not None, one.frame or 0)):
        target, frame = owner(one), first if one.frame is None else one.frame
        _check_frame(f"{one} is for", frame, first, last)
        other = found.get((target.id, frame))
        if other and other.option != one.option:
            raise PgnetError(f"{one} and {other} are for the same frame of {target}; give one of them.")
        if other or frame in target.keyframes:
            raise PgnetError(f"{one}: {target} has a box in frame {frame} already; give one.")
        found[target.id, frame] = one
    return found


def first_frame(times: NDArray[np.float64], start: int | float | None) -> int:
    """The number of the first frame from the start on, an index or seconds, of a video with these times."""
    return int(np.searchsorted(times, start)) if isinstance(start, float) else start or 0


def last_frame(times: NDArray[np.float64], end: int | float | None) -> int:
    """The number of the last frame before the end, an index or seconds, of a video with these times."""
    if end is None:
        return len(times) - 1
    return (min(end, len(times)) if isinstance(end, int) else int(np.searchsorted(times, end))) - 1


def check_boxes(marks: Iterable[Marks], width: int, height: int) -> None:
    """Raises: PgnetError where a box does not lie in a frame of this size, or a target has none at all."""
    for target in marks:
        if all(box is None for box in target.keyframes.values()):
            raise PgnetError(f"No frame has a box of {target} that a person set; give it one with --box.")
        for frame, box in target.keyframes.items():
            if box is not None:
                try:
                    check_target_box(box, width, height)
                except PgnetError as error:
                    raise PgnetError(f"The box of {target} in frame {frame}: {error}") from error


def _ids(targets: Iterable[Marks]) -> str:
    return ", ".join(name_of(target.id, target.label) for target in targets)


def _check_frame(subject: str, frame: int, first: int, last: int | None) -> None:
    if frame < first:
        raise PgnetError(f"{subject} frame {frame}, before the first one to track, frame {first}.")
    if last is not None and frame > last:
        raise PgnetError(f"{subject} frame {frame}, and the last one to track is frame {last}; is it for this video?")
