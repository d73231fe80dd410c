import numpy as np
import pytest

pytest.importorskip("matplotlib")

from pgnet.errors import PgnetError
from pgnet.evaluation.track_plot import overlaps, track_figure
from pgnet.results import SourceInfo, TargetTrack, Track

BOX = [10, 10, 20, 20]


def target(frames, box=BOX, id=1, absent=(), label=""):
    track = TargetTrack(id, label)
    for frame in frames:
        track.append(frame, frame / 10, box, 0.5, absent=frame in absent)
    return track


def track(*targets):
    return Track(SourceInfo("clip.mp4", "video"), targets=list(targets))


def test_overlap_is_by_frame():
    truth = target([2, 3, 4, 5], box=[10, 10, 20, 10], absent=[4])
    values = overlaps(target([1, 2, 4, 5]), truth)
    assert np.isnan(values[[0, 2]]).all()
    assert values[[1, 3]].tolist() == [0.5, 0.5]
    with pytest.raises(PgnetError, match="no frame in common"):
        overlaps(target([1]), truth)


def test_one_panel_or_two():
    figure = track_figure(track(target(range(5))))
    assert [axes.get_ylabel() for axes in figure.axes] == ["Score"]
    figure = track_figure(track(target(range(5))), track(target(range(5), id=7)))
    assert [axes.get_ylabel() for axes in figure.axes] == ["Score", "Overlap with the truth"]
    assert figure.axes[1].lines[0].get_ydata().tolist() == [1] * 5
    assert figure.axes[1].get_legend().get_texts()[0].get_text() == "box, mean 1.000"
    assert figure.axes[1].get_xlabel() == "Seconds"


def test_targets_belong_to_those_with_their_id():
    two = track(target(range(5)), target(range(5), id=2, label="dog"))
    figure = track_figure(two, track(target(range(5), id=2), target(range(5), box=[10, 10, 20, 10])))
    assert [line.get_ydata()[0] for line in figure.axes[1].lines] == [0.5, 1]
    with pytest.raises(PgnetError, match="no target 2; it has 1"):
        track_figure(two, track(target(range(5))))


def test_frames_where_times_are_unknown():
    unknown = TargetTrack()
    unknown.append(3, float("nan"), BOX)
    figure = track_figure(track(unknown))
    assert figure.axes[0].get_xlabel() == "Frame"
    assert figure.axes[0].lines[0].get_xdata().tolist() == [3]


def test_how_sure_the_tracker_was():
    tracked = TargetTrack()
    for frame, presence in enumerate((1, 0.9, 0.1, 0.1)):
        state = "lost" if presence < 0.5 else "present"
        tracked.append(frame, frame / 10, BOX, 0.5, keyframe=not frame, presence=presence, state=state)
    [axes] = track_figure(track(tracked)).axes
    assert axes.get_ylabel() == "Presence"
    curve, set_by_a_person = axes.lines
    assert curve.get_ydata().tolist() == [1, 0.9, 0.1, 0.1] and set_by_a_person.get_xdata().tolist() == [0]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["box", "lost"]


def test_empty_track():
    with pytest.raises(PgnetError, match="no frames"):
        track_figure(track(TargetTrack()))
