"""Tracking again what a person's word concerns: between keyframes forwards and backwards, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np

from pgnet.boxes import cxcywh_to_xywh, iou, xywh_to_cxcywh
from pgnet.results.marks import Marks
from pgnet.results.track import Row, TargetTrack, Track
from pgnet.tracking import MultiTracker, Prediction
from pgnet.tracking.passes import Sweep, Task
from pgnet.tracking.presence import LOST, PRESENT, STATES, UNCERTAIN, Presence
from pgnet.tracking.spans import Box, Pass, Span, affected, spans
from pgnet.tracking.tracker import State
from pgnet.video import Frame, FrameReader

MEETING, AGREE = 10, 0.7
"""Frames in a row with an overlap of this much or more after which the way back has met the way there."""
SIMILAR = 0.3
"""Overlap from which the boxes of both ways are of one opinion."""

Rows = dict[int, Row]
"""Of one target, by frame."""


@dataclass
class Job:
    """What has to be tracked of one target."""

    marks: Marks
    last: int
    """The last frame of all."""
    spans: list[Span]
    known: set[Span] = field(default_factory=set)
    """Those of them for which the track has rows that were tracked forwards already."""


def job(old: Marks | None, new: Marks, last: int) -> Job:
    """What a change of a target's keyframes makes necessary.

    Args:
        old: before the change; None for a new target.
        new: after the change.
        last: the last frame of all.
    """
    if old is None:
        return Job(new, last, spans(new.keyframes, last))
    changed = affected(old.keyframes, new.keyframes, last)
    known = set()
    for span in changed:
        for before in spans(old.keyframes, last):
            same_start = before.before == span.before and before.last >= span.last
            # Where a keyframe was moved or taken away, rows may still follow it.
            if same_start and (before.after is None or new.keyframes.get(before.after.frame, ()) == before.after.box):
                known.add(span)
    return Job(new, last, changed, known)


def backwards_job(marks: Marks, last: int, *, offline: bool = False) -> Job:
    """What is left to do for a target that was tracked forwards all the way: the ways back from its keyframes.

    Args:
        marks: the target.
        last: the last frame of all.
        offline: also go back from where a pass ended without a keyframe.
    """
    left = [span for span in spans(marks.keyframes, last) if span.backwards or (offline and span.forwards)]
    return Job(marks, last, left, set(left))


def retrack(
    track: Track,
    jobs: Sequence[Job],
    frames: FrameReader,
    tracker: MultiTracker,
    *,
    ended: Mapping[tuple[int, Pass], State] | None = None,
    tick: Callable[[int], object] = lambda predictions: None,
    stop: Callable[[], bool] = lambda: False,
) -> Track:
    """A track with the rows of the jobs' spans tracked anew, and all others as they are.

    All forward passes are one way through the frames, and then all backward ones. A backward pass ends where it has met
    the rows of the way there (`MEETING`), if these need no help further on.

    Args:
        track: with the targets of the jobs, or without those that are new.
        jobs: one for each target that changes.
        frames: of the track's video.
        tracker: follows nothing yet.
        ended: `Sweep.ended` of the forward passes that the track's rows are from. A span that no keyframe ends is gone
            back through from there.
        tick: called after each frame with the number of targets that were tracked in it.
        stop: asked after each frame; where it says yes, the rows so far are kept and what was not reached is missing.

    Raises:
        PgnetError: a frame cannot be read, or a box does not fit.
    """
    there: dict[int, Rows] = {}
    back: dict[int, Rows] = {}
    for one in jobs:
        there[one.marks.id], back[one.marks.id] = {}, {}
        for span in one.known:
            there[one.marks.id] |= _rows_of(track, one.marks.id, span.frames)

    def sweep(direction: int, found: dict[int, Rows], met: Callable[[int, int], bool]) -> None:
        tasks = [
            Task.of(one.marks.id, way, one.marks.keyframes)
            for one in jobs
            for span in one.spans
            for way in span.passes
            if way.direction == direction and (direction < 0 or span not in one.known)
        ]
        if direction < 0:
            tasks += [task for one in jobs for span in one.spans for task in _return(one.marks, span, ended or {})]
        with closing(Sweep(tracker, tasks)) as sweep:
            for number in filter(sweep.needs, sweep.frames):
                if stop():
                    return
                frame = frames[number]
                predictions = sweep.step(frame)
                for target, prediction in predictions.items():
                    found[target][number] = row_of(frame, prediction)
                    if met(target, number):
                        sweep.stop(target)
                tick(len(predictions))

    sweep(1, there, lambda target, number: False)
    meetings = [
        Meeting(one.marks.id, span, there[one.marks.id], back[one.marks.id]) for one in jobs for span in one.spans
    ]
    sweep(-1, back, lambda target, number: any(meeting.at(target, number) for meeting in meetings))
    done = {one.marks.id: _assembled(track, one, there[one.marks.id], back[one.marks.id], frames) for one in jobs}
    targets = [done.pop(target.id, target) for target in track.targets] + list(done.values())
    return replace(track, targets=sorted(targets, key=lambda target: target.id))


def _return(marks: Marks, span: Span, ended: Mapping[tuple[int, Pass], State]) -> Iterator[Task]:
    """The way back through a span that no keyframe ends, with what was known at the end of the way there."""
    way = span.forwards
    if way and not span.backwards and (marks.id, way) in ended and span.first < span.last:
        box = marks.keyframes[way.keyframe]
        assert box is not None
        yield Task(marks.id, Pass(span.last, span.first), box, ended[marks.id, way])


class Meeting:
    """Whether the way back through a span has met the way there, and may end."""

    def __init__(self, target: int, span: Span, there: Rows, back: Rows) -> None:
        self._target, self._span, self._there, self._back = target, span, there, back
        self._agreed = 0
        # From here down the way there is sure of itself.
        doubtful = (n for n in span.frames if n not in there or there[n].state != PRESENT)
        self._sure = next(doubtful, span.last)

    def at(self, target: int, number: int) -> bool:
        """To be asked after each frame of the way back."""
        if target != self._target or number not in self._span.frames or not self._span.backwards:
            return False
        one, other = self._there.get(number), self._back[number]
        same = one is not None and one.state == other.state == PRESENT and iou(one.box, other.box) >= AGREE
        self._agreed = self._agreed + 1 if same else 0
        return self._agreed >= MEETING and number <= self._sure


def fuse(span: Span, there: Rows, back: Rows) -> Rows:
    """The rows of a span from those of its forward and its backward pass.

    Where both have a row of one opinion (overlap of `SIMILAR`), the box goes over from one to the other evenly, from
    where the way back ended to its keyframe. Where they are of two, it is theirs until one frame and the other's from
    then on: that by which the expected number of wrong boxes is least. If both are sure there, the row is uncertain.

    In a span that no keyframe ends, the way back started from where the way there had come to. So it gets half of the
    weight at most, and is followed alone only where it is sure and the way there is not.

    Args:
        span: between two keyframes, or after the last one.
        there, back: rows by frame; those of the way back are the last ones of the span.
    """
    both = sorted(there.keys() & back.keys() & set(span.frames))
    rows = {n: row for n, row in (there | back).items() if n in span.frames}
    if not both:
        return rows
    doubt = np.array([[1 - there[n].presence, 1 - back[n].presence] for n in both])
    doubt[:, 0] += 1e-6 * np.arange(len(both))  # of two that are as sure, the one nearer to its keyframe
    doubt[:, 1] += 1e-6 * np.arange(len(both))[::-1]
    # Wrong boxes to be expected if the way there is followed for the first 0, 1, ... n frames of them.
    wrong = np.append(0, doubt[:, 0].cumsum()) + np.append(doubt[::-1, 1].cumsum()[::-1], 0)
    change = int(np.argmin(wrong))
    begin = both[0] - 1
    end = span.last + 1 if span.backwards else 2 * span.last - begin
    for at, n in enumerate(both):
        one, other = there[n], back[n]
        if iou(one.box, other.box) >= SIMILAR:
            surer = min(one, other, key=lambda row: (STATES.index(row.state), -row.presence))
            rows[n] = surer._replace(box=_between(one.box, other.box, (n - begin) / (end - begin)))
        else:
            doubted = one.state != PRESENT == other.state
            chosen = other if (at >= change if span.backwards else doubted) else one
            rows[n] = chosen._replace(state=UNCERTAIN) if one.state == other.state == PRESENT else chosen
        # Backwards, the last frames before a target is called lost are forwards the first ones in which it is back.
        if one.state == LOST and rows[n].presence < Presence.doubtful:
            rows[n] = rows[n]._replace(state=LOST)
    return rows


def _between(one: list[float], other: list[float], share: float) -> list[float]:
    """The box that has gone that share of the way: its centre evenly, its size by an even factor."""
    a, b = xywh_to_cxcywh(one), xywh_to_cxcywh(other)
    a[2:], b[2:] = np.log(np.maximum(a[2:], 1e-3)), np.log(np.maximum(b[2:], 1e-3))
    mean = (1 - share) * a + share * b
    mean[2:] = np.exp(mean[2:])
    return cast(list[float], cxcywh_to_xywh(mean).tolist())


def row_of(frame: Frame, prediction: Prediction) -> Row:
    """What a tracker says of a frame, for the record."""
    box, score = prediction.box.tolist(), prediction.score
    return Row(frame.index, box, score, time=frame.time, presence=prediction.presence, state=prediction.state)


def keyframe_row(frame: int, time: float, box: Box | None) -> Row:
    """What a person says of a frame, for the record."""
    return Row(frame, [0.0] * 4 if box is None else list(box), time=time, keyframe=True, absent=box is None)


def _rows_of(track: Track, target: int, frames: range) -> Rows:
    found = (one.row(n) for one in track.targets if one.id == target for n in frames)
    return {row.frame: row for row in found if row is not None}


def _assembled(track: Track, job: Job, there: Rows, back: Rows, frames: FrameReader) -> TargetTrack:
    """The target's rows: its keyframes, those of the job's spans, and of the other spans what the track has."""
    keyframes = job.marks.keyframes
    rows: Rows = {}
    for span in spans(keyframes, job.last):
        rows |= fuse(span, there, back) if span in job.spans else _rows_of(track, job.marks.id, span.frames)
    for n, box in keyframes.items():
        rows[n] = keyframe_row(n, float(frames.index.times[n]), box)
    target = TargetTrack(job.marks.id, job.marks.label)
    for n in sorted(rows):
        target.add(rows[n])
    return target
