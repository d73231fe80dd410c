from copy import copy
from dataclasses import replace

import cv2
import numpy as np
import pytest

from pgnet import boxes
from pgnet.errors import PgnetError
from pgnet.models import write_model_file
from pgnet.tracking import MultiTracker, Tracker, TrackingOptions
from pgnet.tracking.presence import Presence

RNG = np.random.default_rng(7)
OBJECT = cv2.resize(RNG.integers(0, 256, (8, 8, 3), np.uint8), (64, 64), interpolation=cv2.INTER_CUBIC)
BACKGROUND = cv2.GaussianBlur(RNG.integers(0, 256, (240, 320, 3), np.uint8), (0, 0), 3)
OTHER = cv2.resize(RNG.integers(0, 256, (8, 8, 3), np.uint8), (64, 64), interpolation=cv2.INTER_CUBIC)


def scene(box, picture=OBJECT):
    """A frame with a picture drawn into a box of whole pixels, which may reach out of it."""
    x, y, w, h = box
    canvas = cv2.copyMakeBorder(BACKGROUND, 200, 200, 200, 200, cv2.BORDER_REFLECT)
    canvas[200 + y : 200 + y + h, 200 + x : 200 + x + w] = cv2.resize(picture, (w, h))
    return canvas[200:440, 200:520].copy()


def path(n=30):
    return [(20 + 6 * i, round(90 + 40 * np.sin(i / 4)), 40, 40) for i in range(n)]


def follow(tracker, track, **kwargs):
    tracker.init(scene(track[0]), track[0], **kwargs)
    return np.array([tracker.update(scene(box), **kwargs).box for box in track[1:]])


def test_follows_a_moving_target(engine):
    track = path()
    predictions = follow(Tracker(engine), track)
    overlap = boxes.iou(predictions, track[1:])
    assert overlap.min() > 0.7
    centres = boxes.xywh_to_cxcywh(predictions)[:, :2] - boxes.xywh_to_cxcywh(track[1:])[:, :2]
    assert np.abs(centres.mean(0)).max() < 0.5  # no offset between crop and frame coordinates


def test_copies_follow_targets_of_their_own(engine):
    first, second = path(), [(200, 60, 30, 30)] * 20
    one = Tracker(engine)
    other = copy(one)
    one.init(scene(first[0]), first[0])
    other.init(scene(second[0]), second[0])
    for a, b in zip(first[1:20], second[1:], strict=True):
        assert boxes.iou(one.update(scene(a)).box, a) > 0.7
        assert boxes.iou(other.update(scene(b)).box, b) > 0.7
    there = copy(one)
    there.update(scene(first[20]))
    assert boxes.iou(one.update(scene(first[20])).box, first[20]) > 0.7, "it has not moved with its copy"


def test_targets_of_several_frame_sizes_are_refused(engine):
    tracker = MultiTracker(engine)
    track = path()
    tracker.start(1, scene(track[0]), track[0])
    with pytest.raises(PgnetError, match="frame size changed"):
        tracker.start(2, scene(track[0])[:200], track[0])
    assert tracker.ids == [1]
    assert boxes.iou(tracker.update(scene(track[1]))[1].box, track[1]) > 0.7
    tracker.start(1, scene(track[0])[:200], track[0])  # the only one may


def test_a_target_that_is_moved_goes_on_from_there(engine):
    track = path()
    tracker = MultiTracker(engine)
    tracker.start(1, scene(track[0]), track[0])
    tracker.move(1, track[20], "uncertain")  # too far away to be found from the first frame's place
    predictions = np.array([tracker.update(scene(box))[1].box for box in track[21:]])
    assert boxes.iou(predictions, track[21:]).min() > 0.7


def test_follows_a_growing_and_a_shrinking_target(engine):
    # Alternating motion keeps the size honest: it has to come from the scale of the match.
    growing = [(150 - i, 110 - i, 30 + 2 * i, 30 + 2 * i) for i in range(30)]
    for track in (growing, growing[::-1]):
        predictions = follow(Tracker(engine, TrackingOptions(size_lr=0.9)), track)
        assert boxes.iou(predictions, track[1:]).min() > 0.6
        assert predictions[-1, 2] == pytest.approx(track[-1][2], rel=0.15)


def test_no_size_rate_keeps_the_size(engine):
    growing = [(150 - i, 110 - i, 30 + 2 * i, 30 + 2 * i) for i in range(10)]
    predictions = follow(Tracker(engine, TrackingOptions(size_lr=0)), growing)
    assert predictions[:, 2:] == pytest.approx(30)


def test_calibration_frees_the_size_of_what_the_network_adds(engine):
    """The network always answers a box 1.3 times as wide as what was asked for."""
    honest = engine.search

    def search(features, crop):
        cls, reg = honest(features, crop)
        reg.reshape(-1, 4, 5, 25, 25)[:, 2] += np.log(1.3)
        return cls, reg

    engine.search = search
    track = [(100 + 3 * i, 90, 40, 40) for i in range(15)]
    options = TrackingOptions(size_lr=0.9)
    plain = follow(Tracker(engine, options), track)
    assert plain[-1, 2] > 48
    calibrated = follow(Tracker(engine, replace(options, calibration=1)), track)
    assert calibrated[:, 2:] == pytest.approx(40, rel=0.08)


def test_a_still_target_is_searched_near_by(engine):
    """It stands still, then runs: the crop is small, then large again, and the box always right."""
    track = [(60, 90, 40, 40)] * 8 + [(60 + 12 * i, 90, 40, 40) for i in range(8)]
    predictions = follow(Tracker(engine, TrackingOptions(near=0.15)), track)
    assert boxes.iou(predictions, track[1:]).min() > 0.75
    sizes = [crop.shape[1] for crop in engine.calls[-len(predictions) :]]
    assert sizes[0] == 255, "nothing is known of its motion yet"
    assert sizes[4:8] == [191] * 4
    assert sizes[-3:] == [255] * 3


def test_score_falls_when_the_target_is_gone(engine):
    tracker = Tracker(engine)
    box = (100, 90, 40, 40)
    tracker.init(scene(box), box)
    there = tracker.update(scene(box)).score
    gone = tracker.update(BACKGROUND).score
    assert there > 0.9
    assert gone < 0.5


def test_a_target_that_returns_elsewhere_is_found_again(engine):
    tracker = Tracker(engine)
    start, later = (60, 60, 24, 24), (250, 170, 24, 24)  # beyond the search crop
    tracker.init(scene(start), start)
    assert tracker.update(scene(start)).state == "present"
    gone = [tracker.update(BACKGROUND) for _ in range(8)]
    assert [p.state for p in gone[:2]] == ["uncertain"] * 2 and gone[-1].state == "lost"
    assert gone[-1].presence < 0.2
    back = [tracker.update(scene(later)) for _ in range(30)]
    assert back[-1].state == "present" and boxes.iou(back[-1].box, later) > 0.5


def test_a_target_that_is_long_uncertain_is_looked_for_elsewhere(engine):
    """Nothing is called lost, but the target can be seen where the local search does not reach."""
    tracker = Tracker(engine, presence=Presence(doubtful=0.0))
    start, later = (60, 60, 24, 24), (250, 170, 24, 24)
    tracker.init(scene(start), start)
    states = [tracker.update(picture).state for picture in [scene(start), *[BACKGROUND] * 8]]
    assert states == ["present"] + ["uncertain"] * 8
    back = [tracker.update(scene(later)) for _ in range(30)]
    assert back[-1].state == "present" and boxes.iou(back[-1].box, later) > 0.5
    jump = next(i for i, found in enumerate(back) if boxes.iou(found.box, later) > 0.5)
    states = [found.state for found in back[jump : jump + 3]]
    assert states == ["lost", "lost", "present"], "a jump has to be confirmed"


@pytest.mark.parametrize("later", [(60, 60, 40, 40), (240, 150, 40, 40)], ids=["here", "elsewhere"])
def test_a_target_that_shows_its_other_side_is_found(engine, later):
    start = (60, 60, 40, 40)
    tracker = Tracker(engine)
    tracker.init(scene(start), start)
    assert tracker.update(scene(start)).state == "present"
    turned = [tracker.update(scene(later, np.ascontiguousarray(OBJECT[:, ::-1]))) for _ in range(40)]
    assert turned[0].state != "present"
    assert turned[-1].state == "present" and boxes.iou(turned[-1].box, later) > 0.5
    back = [tracker.update(scene(later)) for _ in range(40)]
    assert back[-1].state == "present" and boxes.iou(back[-1].box, later) > 0.5


def test_without_redetection_the_search_stays_local(engine):
    tracker = Tracker(engine, TrackingOptions(redetect=False))
    start, later = (60, 60, 24, 24), (250, 170, 24, 24)
    tracker.init(scene(start), start)
    for picture in [BACKGROUND] * 8 + [scene(later)] * 20:
        found = tracker.update(picture)
    assert found.state == "lost" and boxes.iou(found.box, later) == 0


def test_search_crop_is_centred_on_the_last_position(engine):
    tracker = Tracker(engine)
    box = (100, 90, 40, 40)
    tracker.init(scene(box), box)
    tracker.update(scene(box))
    middle = engine.calls[-1][0, 96:159, 96:159].astype(float)
    expected = cv2.resize(scene(box)[90:130, 100:140], (63, 63)).astype(float)
    assert np.abs(middle - expected).mean() < 8


def test_leaving_the_frame_keeps_the_box_inside(engine):
    tracker = Tracker(engine)
    track = [(250 + 8 * i, 100, 40, 40) for i in range(14)]
    predictions = follow(tracker, track)
    right = predictions[:, 0] + predictions[:, 2]
    assert (right <= 320).all()
    assert (predictions[:, :2] >= 0).all()
    assert (predictions[:, 2:] > 0).all()
    assert predictions[5, 0] + predictions[5, 2] == pytest.approx(320)  # the target really is at the edge


def test_centre_stays_in_the_frame_whatever_the_network_says(engine, monkeypatch):
    def always_right(features, crop):
        cls = np.zeros((len(crop), 10, 25, 25), np.float32)
        cls[:, 7, 12, 24] = 20
        return cls, np.zeros((len(crop), 20, 25, 25), np.float32)

    monkeypatch.setattr(engine, "search", always_right)
    tracker = Tracker(engine, TrackingOptions(window_influence=0))
    tracker.init(BACKGROUND, (100, 90, 40, 40))
    for _ in range(10):
        box = tracker.update(BACKGROUND).box
    assert box[0] + box[2] == 320
    assert box[2] == pytest.approx(20, rel=0.1)  # half of it is inside


def test_two_trackers_do_not_disturb_each_other(engine):
    tracks = path(12), [(240 - 5 * i, 40 + 8 * i, 48, 48) for i in range(12)]
    pictures = OBJECT, OTHER
    frames = [[scene(box, picture) for box in track] for track, picture in zip(tracks, pictures, strict=True)]
    alone = []
    for track, images in zip(tracks, frames, strict=True):
        tracker = Tracker(engine)
        tracker.init(images[0], track[0])
        alone.append([tracker.update(image).box for image in images[1:]])
    pair = Tracker(engine), Tracker(engine)
    for tracker, track, images in zip(pair, tracks, frames, strict=True):
        tracker.init(images[0], track[0])
    for i in range(1, 12):
        for tracker, images, expected in zip(pair, frames, alone, strict=True):
            assert np.array_equal(tracker.update(images[i]).box, expected[i - 1])


def test_several_targets_are_one_batch_and_as_good_as_alone(engine):
    """The second starts later, the first ends earlier and is lost before, so that it looks at a second place."""
    tracks = [(20 + 6 * i, 60, 30, 30) for i in range(14)], [(240 - 5 * i, 150, 34, 34) for i in range(14)]

    def frame(i):
        image = scene(tracks[1][i], OTHER)
        if i < 3:
            x, y, w, h = tracks[0][i]
            image[y : y + h, x : x + w] = cv2.resize(OBJECT, (w, h))
        return image

    alone = Tracker(engine), Tracker(engine)
    together = MultiTracker(engine)
    together.start(7, frame(0), tracks[0][0])
    alone[0].init(frame(0), tracks[0][0])
    states = set()
    for i in range(1, 14):
        if i == 2:
            together.start(3, frame(1), tracks[1][1])
            alone[1].init(frame(1), tracks[1][1])
        if i == 11:
            together.stop(7)
        before = len(engine.calls)
        found = together.update(frame(i))
        assert len(engine.calls) == before + 1
        assert list(found) == together.ids == [7] * (i < 11) + [3] * (i > 1)
        for id, tracker in zip((7, 3), alone, strict=True):
            if id in found:
                expected = tracker.update(frame(i))
                assert np.array_equal(found[id].box, expected.box) and found[id].presence == expected.presence
                states.add((id, expected.state))
    assert (7, "lost") in states and (3, "lost") not in states


def test_a_stopped_target_may_go_on_backwards(engine):
    track = path(12)
    tracker = MultiTracker(engine)
    tracker.start(1, scene(track[0]), track[0])
    for box in track[1:]:
        tracker.update(scene(box))
    state = tracker.stop(1)
    assert tracker.ids == []
    tracker.resume(1, state)
    for box in track[-2::-1]:
        found = tracker.update(scene(box))[1]
        assert boxes.iou(found.box, box) > 0.7


def test_no_target_no_work(engine):
    assert MultiTracker(engine).update(BACKGROUND) == {} and not engine.calls


def test_a_target_may_start_again(engine):
    tracker = MultiTracker(engine)
    tracker.start(1, BACKGROUND, (10, 10, 20, 20))
    box = (100, 90, 40, 40)
    tracker.start(1, scene(box), box)
    assert boxes.iou(tracker.update(scene(box))[1].box, box) > 0.9


def test_bgr_is_the_same_as_rgb(engine):
    track = path(5)
    rgb, bgr = Tracker(engine), Tracker(engine)
    rgb.init(scene(track[0]), track[0])
    bgr.init(scene(track[0])[..., ::-1], track[0], bgr=True)
    for box in track[1:]:
        a, b = rgb.update(scene(box)), bgr.update(scene(box)[..., ::-1], bgr=True)
        assert np.array_equal(a.box, b.box)
        assert a.score == b.score


def test_kinds_of_frames_may_alternate(engine):
    track = path(5)
    tracker = Tracker(engine)
    grey = [cv2.cvtColor(scene(box), cv2.COLOR_RGB2GRAY) for box in track]
    tracker.init(grey[0], track[0])
    kinds = [grey[1], grey[2][..., None], np.dstack([grey[3]] * 4), grey[4].astype(np.uint16) * 257]
    for frame, box in zip(kinds, track[1:], strict=True):
        assert boxes.iou(tracker.update(frame).box, box) > 0.7


def test_target_smaller_than_the_smallest_size_stays_small(engine):
    tracker = Tracker(engine)
    tracker.init(BACKGROUND, (100, 100, 4, 6))
    box = tracker.update(BACKGROUND).box
    assert box[2] < 10
    assert box[2] >= 4


def test_size_never_falls_below_the_smallest(engine):
    engine.scales = (0.5,)
    tracker = Tracker(engine, TrackingOptions(penalty_k=0, size_lr=1))
    tracker.init(BACKGROUND, (100, 100, 30, 30))
    for _ in range(30):
        box = tracker.update(BACKGROUND).box
    assert box[2:] == pytest.approx(10)


def test_target_as_large_as_the_frame(engine):
    tracker = Tracker(engine)
    tracker.init(BACKGROUND, (0, 0, 320, 240))
    box = tracker.update(BACKGROUND).box
    assert boxes.iou(box, (0, 0, 320, 240)) > 0.6


def test_init_again_starts_again(engine):
    tracker = Tracker(engine)
    first = follow(tracker, path(5))
    follow(tracker, [(200, 50, 50, 50)] * 3)
    assert np.array_equal(follow(tracker, path(5)), first)


def test_update_before_init(engine):
    with pytest.raises(PgnetError, match="call init"):
        Tracker(engine).update(BACKGROUND)


def test_changed_frame_size(engine):
    tracker = Tracker(engine)
    tracker.init(BACKGROUND, (100, 100, 40, 40))
    with pytest.raises(PgnetError, match="from 320 x 240 to 300 x 240"):
        tracker.update(BACKGROUND[:, :300])


def test_bad_box_is_refused(engine):
    with pytest.raises(PgnetError, match="outside the frame"):
        Tracker(engine).init(BACKGROUND, (400, 100, 40, 40))


@pytest.mark.parametrize(
    ("metadata", "complaint"),
    [
        ({"template_size": 127, "search_size": 255, "tracking": {"magic": 1}}, "magic"),
        ({"template_size": 127, "search_size": 255, "tracking": {"size_lr": 7}}, "size_lr"),
        ({"template_size": 127, "search_size": 303}, "303"),
        ({"template_size": 127, "search_size": 255}, r"embed\.onnx is missing"),
    ],
)
def test_models_that_cannot_be_used(tmp_path, metadata, complaint):
    file = tmp_path / "odd.safetensors"
    write_model_file(file, {"w": np.zeros(1, np.float32)}, metadata)
    with pytest.raises(PgnetError, match=complaint):
        Tracker.load(file)
