import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgnet.results import SourceInfo, TargetTrack, Track
from pgnet.results.marks import Marks
from pgnet.results.retrack import MEETING, backwards_job, fuse, job, keyframe_row, retrack
from pgnet.results.track import Row
from pgnet.tracking import Prediction
from pgnet.tracking.spans import Keyframe, Pass, Span
from pgnet.video import Frame

LAST = 59
BOX = (100.0, 50.0, 40.0, 40.0)


def at(x):
    return (float(x), 50.0, 40.0, 40.0)


class Frames:
    """Random access to frames without a video; remembers which were read."""

    def __init__(self):
        self.index = self
        self.times = np.arange(LAST + 1) / 10
        self.read = []

    def __getitem__(self, number):
        self.read.append(number)
        return Frame(number, float(self.times[number]), np.full((1, 1, 3), number, np.uint8))


class PathTracker:
    """Follows a target to where `way` says it is in a frame; counts what it computed."""

    def __init__(self, way, state=lambda number: "present"):
        self.way, self.state = way, state
        self.started = {}
        self.computed = []

    def start(self, id, frame, box):
        self.started[id] = box

    def stop(self, id):
        return self.started.pop(id)

    def resume(self, id, state):
        self.started[id] = state

    def update(self, frame):
        number = int(frame[0, 0, 0])
        self.computed += [(id, number) for id in self.started]
        box, state = np.array(at(self.way(number))), self.state(number)
        return {id: Prediction(box, 0.9, 0.95 if state == "present" else 0.1, state) for id in self.started}


def tracked(keyframes, way, label="", id=1):
    target = TargetTrack(id, label)
    for n in range(min(keyframes), LAST + 1):
        if n in keyframes:
            target.add(keyframe_row(n, n / 10, keyframes[n]))
        else:
            target.append(n, n / 10, at(way(n)), 0.9, presence=0.95)
    return target


def run(old, new, tracker, targets):
    track = Track(SourceInfo("clip.mp4", "video", 320, 240, 10, LAST + 1), targets=targets)
    frames = Frames()
    return retrack(track, [job(old, new, LAST)], frames, tracker), frames


def test_only_the_span_between_confirmed_frames_is_tracked_again():
    """Three targets; the second is corrected between two frames that a person has confirmed."""
    keys = {0: at(0), 20: at(20), 40: at(40)}
    others = tracked({0: at(0)}, lambda n: n, id=1), tracked({5: at(0)}, lambda n: n, id=3)
    old = tracked(keys, lambda n: n, "dog", id=2)
    tracker = PathTracker(lambda n: n + 100)
    corrected = Marks(2, "dog", {**keys, 30: at(130)})
    new, frames = run(Marks(2, "dog", keys), corrected, tracker, [others[0], old, others[1]])
    assert {id for id, _ in tracker.computed} == {2}
    assert {n for _, n in tracker.computed} <= set(range(21, 40)) - {30}
    assert sorted(set(frames.read)) == list(range(21, 41))[:19] + [40]  # keyframes are read for their target
    # Back from 30 to 21, forwards 31 to 39 and back again: the way there to 30 is in the track.
    assert len(tracker.computed) == 9 + 9 + 9
    assert new.targets[0] is others[0] and new.targets[2] is others[1]
    assert not tracker.started
    target = new.targets[1]
    assert target.label == "dog" and target.frames.tolist() == list(range(LAST + 1))
    outside = [n for n in range(LAST + 1) if not 20 < n < 40]
    np.testing.assert_array_equal(target.boxes[outside], old.boxes[outside])
    for n, box in corrected.keyframes.items():
        assert tuple(target.boxes[n]) == box and target.keyframes[n]
    assert target.keyframes.sum() == 4


def test_the_way_back_ends_where_it_meets_the_way_there():
    """The tracker drifted away from frame 40 on, and is corrected at 50."""
    old = tracked({0: at(0)}, lambda n: n if n < 40 else n + 100)
    tracker = PathTracker(lambda n: n)
    new, _ = run(Marks(1, "", {0: at(0)}), Marks(1, "", {0: at(0), 50: at(50)}), tracker, [old])
    computed = [n for _, n in tracker.computed]
    assert computed[:9] == list(range(51, 60))  # forwards to the end
    assert computed[9:] == list(range(49, 39 - MEETING, -1))
    assert np.abs(new.target.boxes[:, 0] - new.target.frames).max() < 1e-9
    assert set(new.target.states) <= {"present", "uncertain"}


def test_a_doubtful_way_there_is_gone_back_to_its_start():
    old = tracked({0: at(0)}, lambda n: n)
    doubtful = TargetTrack()
    for n in range(LAST + 1):
        row = old.row(n)
        doubtful.add(row._replace(state="lost", presence=0.1) if n == 12 else row)
    tracker = PathTracker(lambda n: n)
    new, _ = run(Marks(1, "", {0: at(0)}), Marks(1, "", {0: at(0), 50: at(50)}), tracker, [doubtful])
    assert min(n for _, n in tracker.computed) == 12 - MEETING
    assert new.target.states[12] == "present"


def test_moving_a_keyframe_forgets_what_followed_it():
    old = tracked({0: at(0), 30: at(300)}, lambda n: 300)
    tracker = PathTracker(lambda n: n)
    before, after = Marks(1, "", {0: at(0), 30: at(300)}), Marks(1, "", {0: at(0), 30: at(30)})
    new, _ = run(before, after, tracker, [old])
    assert {n for _, n in tracker.computed} == set(range(1, 60)) - {30}
    assert np.abs(new.target.boxes[:, 0] - new.target.frames).max() < 1e-9


def test_absent_ends_a_target_until_the_next_box():
    old = tracked({0: at(0)}, lambda n: n)
    tracker = PathTracker(lambda n: n)
    marks = Marks(1, "", {0: at(0), 20: None, 50: at(50)})
    new, _ = run(Marks(1, "", {0: at(0)}), marks, tracker, [old])
    assert new.target.absent[20] and new.target.keyframes[20]
    assert sorted({n for _, n in tracker.computed}) == list(range(21, 50)) + list(range(51, 60))
    marks = Marks(1, "", {0: at(0), 20: None})
    new, _ = run(Marks(1, "", {0: at(0)}), marks, PathTracker(lambda n: n), [old])
    assert new.target.frames.tolist() == list(range(21))


def test_a_new_target_is_tracked_whole():
    new, _ = run(None, Marks(4, "cat", {10: at(10)}), PathTracker(lambda n: n), [tracked({0: at(0)}, lambda n: n)])
    assert [(t.id, len(t)) for t in new.targets] == [(1, 60), (4, 50)]


def test_after_a_forward_run_only_the_ways_back_are_left():
    marks = Marks(1, "", {0: at(0), 20: at(20), 40: None})
    left = backwards_job(marks, LAST)
    assert [span.first for span in left.spans] == [1] and left.known == set(left.spans)


def test_offline_goes_back_from_where_the_way_there_ended():
    """No keyframe ends the span: the way back has half of the weight at its end, and fills what was lost."""
    keyframes = {0: at(0)}
    lost = TargetTrack()
    for n in range(LAST + 1):
        row = tracked(keyframes, lambda n: n).row(n)
        lost.add(row._replace(box=list(at(250)), state="lost", presence=0.1) if 20 <= n < 30 else row)
    one = backwards_job(Marks(1, "", keyframes), LAST, offline=True)
    assert one.spans == [Span(1, LAST, Keyframe(0, at(0)), None)]
    tracker = PathTracker(lambda n: n + 4)
    track = Track(SourceInfo("clip.mp4", "video", 320, 240, 10, LAST + 1), targets=[lost])
    ended = {(1, Pass(0, LAST)): "what was known"}
    new = retrack(track, [one], Frames(), tracker, ended=ended).target
    assert [n for _, n in tracker.computed] == list(range(LAST - 1, 0, -1))
    assert set(new.states) == {"present"}
    assert new.boxes[20:30, 0] == pytest.approx([n + 4 for n in range(20, 30)])
    assert new.boxes[[1, 31, 58], 0] == pytest.approx([1, 32, 60], abs=0.1)
    assert tuple(new.boxes[0]) == at(0)


def test_stopping_keeps_what_is_there():
    old = tracked({0: at(0)}, lambda n: n)
    track = Track(SourceInfo("clip.mp4", "video", 320, 240, 10, LAST + 1), targets=[old])
    steps = iter(range(100))
    after = Marks(1, "", {0: at(0), 30: at(30)})
    new = retrack(
        track,
        [job(Marks(1, "", {0: at(0)}), after, LAST)],
        Frames(),
        PathTracker(lambda n: n),
        stop=lambda: next(steps) > 5,
    )
    assert new.target.frames[:30].tolist() == list(range(30)) and new.target.keyframes[30]


# --- fusion -----------------------------------------------------------------------------------------------------------

SPAN = Span(1, 9, Keyframe(0, BOX), Keyframe(10, BOX))


def rows(xs, presence=0.9, state="present", frames=range(1, 10)):
    return {n: Row(n, list(at(x)), 0.9, presence=presence, state=state) for n, x in zip(frames, xs, strict=True)}


def test_where_both_agree_the_box_goes_over_evenly():
    fused = fuse(SPAN, rows([100] * 9), rows([110] * 9))
    assert [fused[n].box[0] for n in range(1, 10)] == pytest.approx([101, 102, 103, 104, 105, 106, 107, 108, 109])
    assert {row.state for row in fused.values()} == {"present"}


def test_where_they_differ_the_one_more_likely_right_is_followed():
    there = rows([100] * 9)
    for n in range(4, 10):
        there[n] = there[n]._replace(box=list(at(300)), presence=0.3, state="uncertain")
    back = rows([100] * 9)
    fused = fuse(SPAN, there, back)
    assert [row.box[0] for row in fused.values()] == pytest.approx([100] * 9)
    assert fused[6].state == "present"


@pytest.mark.parametrize("x", [100, 300], ids=["alike", "different"])
def test_a_target_is_not_back_before_it_is_seen(x):
    """The way back needs three doubtful frames to call it lost: here 5, 4 and 3."""
    there = {n: row._replace(presence=0.01, state="lost") for n, row in rows([100] * 9).items()}
    back = rows([x] * 9)
    for n in range(1, 6):
        back[n] = back[n]._replace(presence=0.05, state="lost" if n <= 3 else "uncertain")
    fused = fuse(SPAN, there, back)
    assert [fused[n].state for n in (3, 4, 5, 6)] == ["lost", "lost", "lost", "present"]


def test_two_sure_opinions_are_uncertain():
    fused = fuse(SPAN, rows([100] * 9), rows([300] * 9))
    assert {row.state for row in fused.values()} == {"uncertain"}
    assert [fused[n].box[0] for n in (1, 2, 8, 9)] == [100, 100, 300, 300]  # the one nearer to its keyframe


def test_one_way_alone_stays_as_it_is():
    there, back = rows([100] * 9), rows([110] * 4, frames=range(6, 10))
    assert fuse(SPAN, there, {}) == there and fuse(SPAN, {}, back) == back
    fused = fuse(SPAN, there, back)
    assert [fused[n].box[0] for n in range(1, 6)] == [100] * 5
    assert [fused[n].box[0] for n in range(6, 10)] == pytest.approx([102, 104, 106, 108])


@given(
    st.lists(st.tuples(st.floats(0, 200), st.floats(0, 200), st.floats(0, 1), st.floats(0, 1)), min_size=9, max_size=9)
)
def test_a_fused_box_lies_between_the_two(values):
    there = {n: Row(n, list(at(v[0])), presence=v[2]) for n, v in enumerate(values, 1)}
    back = {n: Row(n, list(at(v[1])), presence=v[3]) for n, v in enumerate(values, 1)}
    fused = fuse(SPAN, there, back)
    assert list(fused) == list(there)
    for n, row in fused.items():
        low, high = sorted([there[n].box[0], back[n].box[0]])
        assert low - 1e-6 <= row.box[0] <= high + 1e-6
        assert row.presence in (there[n].presence, back[n].presence)
