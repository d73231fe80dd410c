from dataclasses import dataclass

import numpy as np
import pytest

from pgnet.errors import PgnetError
from pgnet.tracking import Prediction
from pgnet.tracking.passes import Sweep, Task
from pgnet.tracking.spans import Pass, spans
from pgnet.video import Frame

BOX, OTHER = (1.0, 2.0, 30.0, 40.0), (5.0, 2.0, 30.0, 40.0)


@dataclass
class CountingTracker:
    """Its boxes tell where a target started and how many updates that is ago."""

    def __post_init__(self):
        self.following = {}
        self.calls = 0

    def start(self, id, frame, box):
        self.following[id] = [box[0], 0]

    def stop(self, id):
        del self.following[id]

    def update(self, frame):
        self.calls += 1
        for state in self.following.values():
            state[1] += 1
        return {id: Prediction(np.array([x, age, 1, 1]), 1.0) for id, (x, age) in self.following.items()}


def frame(number):
    return Frame(number, number / 10, np.zeros((4, 4, 3), np.uint8))


def go(sweep):
    """What each target got: frame -> (x of the start, updates since)."""
    found = {}
    for number in sweep.frames:
        if sweep.needs(number):
            for target, prediction in sweep.step(frame(number)).items():
                found.setdefault(target, {})[number] = tuple(prediction.box[:2])
    return found


def test_several_targets_and_passes_in_one_go():
    keyframes = {1: {0: BOX, 4: OTHER, 6: None}, 2: {3: OTHER}}
    tasks = [
        Task.of(target, span.forwards, own)
        for target, own in keyframes.items()
        for span in spans(own, last=8)
        if span.forwards
    ]
    tracker = CountingTracker()
    found = go(Sweep(tracker, tasks))
    assert found == {
        1: {1: (1, 1), 2: (1, 2), 3: (1, 3), 5: (5, 1)},
        2: {4: (5, 1), 5: (5, 2), 6: (5, 3), 7: (5, 4), 8: (5, 5)},
    }
    assert tracker.calls == 8  # one for each frame, whoever is in it


def test_backwards_and_frames_that_nobody_needs():
    tracker = CountingTracker()
    sweep = Sweep(tracker, [Task(1, Pass(9, 7), BOX), Task(1, Pass(3, 1), OTHER), Task(2, Pass(3, 2), BOX)])
    assert sweep.frames == [9, 8, 7, 3, 2, 1]
    assert go(sweep) == {1: {8: (1, 1), 7: (1, 2), 2: (5, 1), 1: (5, 2)}, 2: {2: (1, 1)}}


def test_a_pass_may_be_stopped():
    sweep = Sweep(CountingTracker(), [Task(1, Pass(0, 5), BOX)])
    sweep.step(frame(0))
    assert sweep.needs(1) and list(sweep.step(frame(1))) == [1]
    sweep.stop(1)
    assert not sweep.needs(2) and not sweep.step(frame(2))


def test_the_tracker_is_free_afterwards():
    tracker = CountingTracker()
    sweep = Sweep(tracker, [Task(1, Pass(0, 5), BOX)])
    sweep.step(frame(0))
    sweep.close()
    assert not tracker.following


def test_frames_that_never_came():
    sweep = Sweep(CountingTracker(), [Task(1, Pass(0, 5), BOX), Task(2, Pass(7, 9), BOX)])
    go_on = [sweep.step(frame(n)) for n in range(4)]
    assert go_on
    with pytest.raises(PgnetError, match="Frame 7, which has a box of target 2"):
        sweep.check_started()
