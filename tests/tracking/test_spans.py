import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pgnet.tracking.spans import Keyframe, Pass, affected, spans

LAST = 40
BOXES = st.sampled_from([None, (1.0, 2.0, 30.0, 40.0), (5.0, 6.0, 30.0, 40.0)])
KEYFRAMES = st.dictionaries(st.integers(0, LAST), BOXES, min_size=1, max_size=6)
BOX, OTHER = (1.0, 2.0, 30.0, 40.0), (9.0, 9.0, 30.0, 40.0)


def test_one_box_is_tracked_forwards_to_the_end():
    [span] = spans({3: BOX}, 9)
    assert span.passes == [Pass(3, 9)]
    assert list(span.passes[0].frames) == [4, 5, 6, 7, 8, 9] and span.passes[0].direction == 1


def test_a_correction_is_tracked_both_ways_and_meets_the_confirmed_frames():
    [left, right] = affected({0: BOX, 20: BOX}, {0: BOX, 10: OTHER, 20: BOX}, last=30)
    assert left.before == Keyframe(0, BOX) and left.after == Keyframe(10, OTHER)
    assert left.passes == [Pass(0, 9), Pass(10, 1)]
    assert right.passes == [Pass(10, 19), Pass(20, 11)]
    assert list(left.passes[1].frames) == [9, 8, 7, 6, 5, 4, 3, 2, 1] and left.passes[1].direction == -1


def test_nothing_is_tracked_from_an_absent_keyframe():
    before, between, after = spans({0: BOX, 10: None, 20: BOX, 30: None}, last=35)[:3]
    assert before.passes == [Pass(0, 9)]
    assert between.passes == [Pass(20, 11)]
    assert after.passes == [Pass(20, 29)]
    assert spans({0: BOX, 10: None}, last=15)[-1].passes == []


def test_the_time_before_the_first_keyframe_only_if_wanted():
    assert spans({5: BOX}, 5) == []
    [span] = spans({5: BOX}, 5, first=2)
    assert span.passes == [Pass(5, 2)]


@pytest.mark.parametrize(("keyframes", "first"), [({}, None), ({11: BOX}, None), ({3: BOX}, 4)])
def test_keyframes_outside_are_refused(keyframes, first):
    with pytest.raises(ValueError, match="keyframe"):
        spans(keyframes, 10, first)


@given(KEYFRAMES, st.booleans())
def test_spans_and_keyframes_are_all_frames_once(keyframes, whole):
    found = spans(keyframes, LAST, 0 if whole else None)
    frames = sorted([frame for span in found for frame in span.frames] + list(keyframes))
    assert frames == list(range(0 if whole else min(keyframes), LAST + 1))


@given(KEYFRAMES)
def test_passes_start_beside_their_keyframe_and_cover_the_span(keyframes):
    for span in spans(keyframes, LAST, 0):
        for way in span.passes:
            assert keyframes[way.keyframe] is not None
            assert sorted(way.frames) == list(span.frames)
            assert abs(way.frames[0] - way.keyframe) == 1


@given(KEYFRAMES)
def test_nothing_changed_nothing_to_do(keyframes):
    assert affected(keyframes, dict(keyframes), LAST) == []
    assert affected({}, keyframes, LAST) == spans(keyframes, LAST)


@given(KEYFRAMES, st.integers(0, LAST), BOXES)
def test_a_new_keyframe_concerns_only_what_lies_up_to_its_neighbours(keyframes, frame, box):
    assume(frame not in keyframes)
    lower = max((other for other in keyframes if other < frame), default=-1)
    upper = min((other for other in keyframes if other > frame), default=LAST + 1)
    changed = affected(keyframes, {**keyframes, frame: box}, LAST, 0)
    touched = {number for span in changed for number in span.frames}
    assert touched == set(range(lower + 1, upper)) - {frame}
    # Taking it away again concerns the same frames and itself.
    undone = affected({**keyframes, frame: box}, keyframes, LAST, 0)
    assert {number for span in undone for number in span.frames} == touched | {frame}
