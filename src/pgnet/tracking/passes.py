"""Tracking along passes: several targets, each from a box that a person set, in one go through the frames."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from pgnet.errors import PgnetError
from pgnet.tracking.spans import Box, Keyframes, Pass
from pgnet.tracking.tracker import MultiTracker, Prediction, State
from pgnet.video import Frame


class Task(NamedTuple):
    """A pass of one target."""

    target: int
    """Its id."""
    way: Pass
    box: Box
    """The target's in the keyframe that the pass starts from."""
    state: State | None = None
    """What was known of the target in that frame, to go on with instead of starting from the box."""

    @classmethod
    def of(cls, target: int, way: Pass, keyframes: Keyframes) -> Task:
        """The pass of a target that has these keyframes."""
        box = keyframes[way.keyframe]
        assert box is not None, "passes start from boxes"
        return cls(target, way, box)


class Sweep:
    """Goes through frames in one direction and tracks along all passes; a target may have several, one after another.

    >>> sweep = Sweep(tracker, tasks)  # doctest: +SKIP
    >>> for number in sweep.frames:  # doctest: +SKIP
    ...     if sweep.needs(number):
    ...         for target, prediction in sweep.step(reader[number]).items(): ...


    Attributes:
        ended: what was known of the targets at the end of each pass.
    """

    def __init__(self, tracker: MultiTracker, tasks: Iterable[Task]) -> None:
        """Start with a tracker that follows nothing.

        Args:
            tracker: what tracks.
            tasks: all forwards or all backwards; those of one target have no frame in common.
        """
        self._tracker = tracker
        self._waiting: dict[int, list[Task]] = {}
        for task in tasks:
            self._waiting.setdefault(task.way.keyframe, []).append(task)
        self._running: dict[int, Pass] = {}
        self.ended: dict[tuple[int, Pass], State] = {}

    @property
    def frames(self) -> list[int]:
        """Numbers of the frames that passes yet to start touch, keyframes included, in the order in which to go."""
        ways = [task.way for tasks in self._waiting.values() for task in tasks]
        numbers = {number for way in ways for number in (way.keyframe, *way.frames)}
        return sorted(numbers, reverse=any(way.direction < 0 for way in ways))

    def needs(self, number: int) -> bool:
        """Whether a pass starts at this frame or runs over it; passes that were stopped do not."""
        return number in self._waiting or any(number in way.frames for way in self._running.values())

    def step(self, frame: Frame) -> Mapping[int, Prediction]:
        """Track in the next frame, and start what starts there -> where the targets with a pass over it are.

        Raises:
            PgnetError: the frame cannot be used, or a box of a person does not lie in it.
        """
        for target in [t for t, way in self._running.items() if frame.index not in way.frames]:
            self.stop(target)
        found = self._tracker.update(frame.image) if self._running else {}
        for task in self._waiting.pop(frame.index, ()):
            if task.state is None:
                self._tracker.start(task.target, frame.image, task.box)
            else:
                self._tracker.resume(task.target, task.state)
            self._running[task.target] = task.way
        return found

    def stop(self, target: int) -> None:
        """End the pass that runs for a target."""
        way = self._running.pop(target)
        self.ended[target, way] = self._tracker.stop(target)

    def close(self) -> None:
        """End all passes that run, so that the tracker may be used for something else."""
        for target in list(self._running):
            self.stop(target)

    def check_started(self) -> None:
        """Raises: PgnetError where a frame that a pass starts from did not come."""
        for number, (task, *_) in self._waiting.items():
            raise PgnetError(
                f"Frame {number}, which has a box of target {task.target}, is beyond the end or damaged; give a box in "
                "another one."
            )
