import numpy as np
import pytest

from pgnet import anchors
from pgnet.boxes import cxcywh_to_xywh, iou
from pgnet.errors import PgnetError
from pgnet.tracking import TrackingOptions
from pgnet.tracking.postprocess import (
    Candidate,
    best_candidate,
    candidate_boxes,
    change_penalty,
    cosine_window,
    size_stretch,
    smooth_size,
    target_scores,
)

NEUTRAL = TrackingOptions(penalty_k=0, window_influence=0)


@pytest.fixture
def outputs():
    """No target anywhere, no offsets."""
    cls = np.zeros((2, 5, 25, 25), np.float32)
    cls[0] = 6
    return cls, np.zeros((4, 5, 25, 25), np.float32)


def flat(cls, reg):
    return cls.reshape(10, 25, 25), reg.reshape(20, 25, 25)


def test_scores_are_a_softmax_over_the_classes():
    cls = np.random.default_rng(0).normal(0, 3, (10, 25, 25)).astype(np.float32)
    exp = np.exp(cls.astype(float))
    assert target_scores(cls)[3, 4, 5] == pytest.approx(exp[8, 4, 5] / (exp[3, 4, 5] + exp[8, 4, 5]))
    extreme = target_scores(np.repeat(np.array([-2000, 2000], np.float32), 5)[:, None, None])
    assert extreme.ravel() == pytest.approx(1)


def test_boxes_follow_the_output_layout():
    reg = np.zeros((20, 25, 25), np.float32)
    reg[1 * 5 + 3, 7, 8] = 0.5  # dy of anchor 3
    reg[2 * 5 + 3, 7, 8] = np.log(2)  # dw of anchor 3
    grid = anchors.grid()
    x, y, w, h = grid[3, 7, 8]
    boxes = candidate_boxes(grid, reg)
    assert boxes[3, 7, 8] == pytest.approx([x, y + 0.5 * h, 2 * w, h])
    boxes[3, 7, 8] = grid[3, 7, 8]
    assert np.array_equal(boxes, grid)


def test_penalty():
    boxes = np.array([[0, 0, 40, 60], [9, 9, 80, 120], [0, 0, 20, 30], [0, 0, 60, 40]], float)
    penalty = change_penalty(boxes, 40, 60, k=0.1)
    # Twice and half the size count alike; the turned box has the same padded size and 2.25 times the ratio.
    assert penalty == pytest.approx([1, np.exp(-0.1), np.exp(-0.1), np.exp(-0.1 * 1.25)])
    assert change_penalty(boxes, 40, 60, k=0) == pytest.approx(1)


def test_window_is_one_in_the_middle_and_zero_at_the_border():
    window = cosine_window(25)
    assert window[12, 12] == window.max() == 1
    assert window[0].max() == pytest.approx(0)


def test_highest_score_wins_without_penalty_and_window(outputs):
    cls, reg = outputs
    cls[1, 2, 3, 20] = 9
    cls[1, 0, 12, 12] = 8
    best = best_candidate(*flat(cls, reg), anchors.grid(), (64, 64), NEUTRAL)
    assert best.box == pytest.approx(anchors.grid()[2, 3, 20])
    assert best.score == pytest.approx(1 / (1 + np.exp(-3)))
    assert best.penalty == 1


def test_window_prefers_the_middle(outputs):
    cls, reg = outputs
    cls[1, 2, 3, 20] = 9
    cls[1, 2, 12, 12] = 8
    best = best_candidate(*flat(cls, reg), anchors.grid(), (64, 64), TrackingOptions(0, 0.4))
    assert best.box == pytest.approx(anchors.grid()[2, 12, 12])


def test_penalty_prefers_the_last_shape(outputs):
    cls, reg = outputs
    cls[1, 0, 12, 12] = 9  # wide
    cls[1, 2, 12, 12] = 8  # square
    best = best_candidate(*flat(cls, reg), anchors.grid(), (64, 64), TrackingOptions(0.3, 0))
    assert best.box == pytest.approx(anchors.grid()[2, 12, 12])


def test_agreeing_candidates_vote_on_the_box(outputs):
    cls, reg = outputs
    for column, width in ((12, 64.0), (13, 80.0)):
        cls[1, 2, 12, column] = 9
        reg[0, 2, 12, column] = (12 - column) * 8 / 64  # both at the same centre
        reg[2, 2, 12, column] = np.log(width / 64)
    cls[1, 2, 3, 3] = 8  # elsewhere
    alone = best_candidate(*flat(cls, reg), anchors.grid(), (64, 64), NEUTRAL)
    assert alone.box[2] == pytest.approx(64)
    together = best_candidate(
        *flat(cls, reg), anchors.grid(), (64, 64), TrackingOptions(penalty_k=0, window_influence=0, vote_iou=0.6)
    )
    assert together.box[:2] == pytest.approx(alone.box[:2], abs=0.2)
    assert together.box[2] == pytest.approx(np.sqrt(64 * 80), rel=0.01)  # the other scores are next to nothing
    assert together.score == alone.score


def test_stretch_applies_before_the_penalty(outputs):
    cls, reg = outputs
    cls[1, 2, 12, 12] = 9
    best = best_candidate(
        *flat(cls, reg), anchors.grid(), (32, 128), TrackingOptions(penalty_k=1, window_influence=0), (0.5, 2)
    )
    assert best.box[2:] == pytest.approx([32, 128])
    assert best.penalty == pytest.approx(1)


def test_stretch_is_the_known_over_the_found_size():
    known, found = np.array([[20.0, 60.0]]), np.array([[48.0, 50.0], [48.0, 50.0]])
    assert size_stretch(known, found / 1.2, 1) == pytest.approx([1 / 1.8, 1.44])  # the first is limited
    assert size_stretch(known, found, 0.5)[1] == pytest.approx(1.2**0.5)
    assert size_stretch(known, found, 0) == pytest.approx(1)


def test_size_follows_with_score_and_penalty():
    old, new = np.array([10.0, 20.0]), np.array([20.0, 20.0])
    sure, unsure = Candidate(np.zeros(4), 1, 1), Candidate(np.zeros(4), 0.5, 0.5)
    assert smooth_size(old, new, sure, 0.4).tolist() == [14, 20]
    assert smooth_size(old, new, unsure, 0.4).tolist() == [11, 20]
    assert smooth_size(old, new, sure, 0).tolist() == [10, 20]


@pytest.mark.parametrize(
    "options",
    [
        {"penalty_k": -0.1},
        {"window_influence": 1.5},
        {"size_lr": float("nan")},
        {"calibration": 2},
        {"context": "0.5"},
        {"size_lr": None},
    ],
)
def test_options_out_of_range_are_refused(options):
    (name,) = options
    with pytest.raises(PgnetError, match=name):
        TrackingOptions(**options)


def test_voting_is_a_weighted_mean_over_the_agreeing_candidates():
    rng = np.random.default_rng(3)
    cls, reg = (rng.normal(0, 1, (n, 25, 25)).astype(np.float32) for n in (10, 20))
    reg *= 0.2
    options = TrackingOptions(penalty_k=0.3, window_influence=0.4, vote_iou=0.6)
    got = best_candidate(cls, reg, anchors.grid(), (60, 50), options, stretch=(1.1, 0.9))

    scores, boxes = target_scores(cls), candidate_boxes(anchors.grid(), reg) * [1, 1, 1.1, 0.9]
    penalty = change_penalty(boxes, 60, 50, 0.3)
    best = np.unravel_index(np.argmax(penalty * scores * 0.6 + 0.4 * cosine_window(25)), scores.shape)
    overlap = iou(cxcywh_to_xywh(boxes), cxcywh_to_xywh(boxes[best]))
    voting = overlap >= 0.6
    assert voting.sum() > 10
    logs = np.concatenate([boxes[..., :2], np.log(boxes[..., 2:])], -1)
    box = np.average(logs[voting], axis=0, weights=(penalty * scores)[voting] ** 2)
    assert got.box == pytest.approx([*box[:2], *np.exp(box[2:])], abs=1e-9)
