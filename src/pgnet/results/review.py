"""Which frames of a track a person should look at: where it may have gone wrong, and much depends on it.

Rows that the tracker doubts are clustered into moments. What a moment may cost is the expected number of wrong rows:
the doubtful ones themselves, by their probabilities, and a share of those that hang on it, up to the next moment or to
the next row that a person set, because what was followed from there on may be something else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np

from pgnet.errors import PgnetError
from pgnet.results.track import TargetTrack, Track
from pgnet.tracking.presence import LOST, PRESENT, UNCERTAIN

BACK = "back"
"""Kind of the moment in which a lost target is found again."""
NEAR = 10
"""Rows between two doubtful ones that still belong to one moment."""
SLID = 0.15
"""Share of the doubtful moments after which the tracker, sure of itself again, follows something else."""


@dataclass(frozen=True)
class Moment:
    """A stretch of a track, and the frame of it to look at.

    Attributes:
        target: id.
        kind: "uncertain", "lost", or "back": the first frames after a loss.
        frame: to look at.
        time: of this frame in seconds; NaN if unknown.
        first, last: frames of the stretch.
        presence: the tracker's probability for the box in `frame`.
        affects: rows that hang on it: from `first` to the next moment, or the next row that a person set.
        cost: expected number of wrong or missing boxes among them.
    """

    target: int
    kind: str
    frame: int
    time: float
    first: int
    last: int
    presence: float
    affects: int
    cost: float


def review(track: Track) -> list[Moment]:
    """The moments of all targets, worst first; none where the tracker doubts nothing.

    Raises:
        PgnetError: a tracker made it that did not say how sure it was.
    """
    if track.model and all((target.presence == 1).all() for target in track.targets if len(target) > 1):
        raise PgnetError("The track does not say how sure the tracker was; make it again with this version of pgnet.")
    return sorted((m for t in track.targets for m in _moments(t)), key=lambda m: (-m.cost, m.frame, m.target))


def losses(track: Track, limit: int = 3) -> str:
    """When the tracker lost targets and what came after, as a sentence without full stop; "" where it never did.

    Where a target is only known to be absent, as a person said, is no loss.

    Args:
        track: of any number of targets.
        limit: losses that are listed; of more, the number is said.
    """
    spans = []
    for target in track.targets:
        who = f"{target} was " if len(track.targets) > 1 else ""
        for event, then in zip_longest(target.events, target.events[1:]):
            if event.event == "lost":
                end = f"{then.event} at {then.frame}" if then else "not found again"
                spans.append((event.frame, f"{who}lost at frame {event.frame}, {end}"))
    listed = [text for _, text in sorted(spans)]
    more = [f"{len(listed) - limit} more losses"] if len(listed) > limit else []
    text = "; ".join(listed[:limit] + more)
    return text[:1].upper() + text[1:]


def _moments(target: TargetTrack) -> Iterator[Moment]:
    presence, keys = target.presence, target.keyframes
    states = np.array(target.states, dtype="<U9")
    stretches = list(_stretches(states, keys))
    set_by_person: list[int] = np.flatnonzero(keys).tolist()
    limits = sorted({first for _, first, _ in stretches} | set(set_by_person) | {len(target)})
    for kind, first, last in stretches:
        end = next(limit for limit in limits if limit > first)
        doubt = 1 - presence[first : last + 1]
        worst = int(np.argmax(doubt))
        if kind == LOST:  # the frame to correct is where it went wrong
            worst = int(np.argmax(doubt > 0.5))
        elif kind == BACK:
            worst = 0
        # Lost rows have no box at all; a target that is found again may always be another one.
        missing = np.where(states[first : last + 1] == LOST, 1.0, doubt)
        slid = SLID * (1.0 if kind == BACK else float(doubt.max()))
        yield Moment(
            target=target.id,
            kind=kind,
            frame=int(target.frames[first + worst]),
            time=float(target.times[first + worst]),
            first=int(target.frames[first]),
            last=int(target.frames[last]),
            presence=float(presence[first + worst]),
            affects=end - first,
            cost=float(missing.sum()) + slid * (end - 1 - last),
        )


def _stretches(states: np.ndarray, keys: np.ndarray) -> Iterator[tuple[str, int, int]]:
    """Kind, first and last row of each moment, in order."""
    doubtful = np.flatnonzero((states != PRESENT) & ~keys)
    confirmed = np.cumsum(keys)
    new = (np.diff(doubtful) > NEAR) | (np.diff(confirmed[doubtful]) > 0)
    for rows in np.split(doubtful, np.flatnonzero(new) + 1):
        lost = rows[states[rows] == LOST]
        if not len(lost):
            if len(rows):
                yield UNCERTAIN, int(rows[0]), int(rows[-1])
            continue
        yield LOST, int(rows[0]), int(lost[-1])
        back = int(lost[-1]) + 1
        if back < len(states) and not keys[back]:
            yield BACK, back, max(back, int(rows[-1]))
