import cv2
import numpy as np
import pytest

from pgnet.boxes import iou
from pgnet.errors import PgnetError
from pgnet.evaluation import run_sequence, tracker_factory
from pgnet.evaluation.runner import PgnetTracker, run_with_resets

SHIFT = np.array([1, 0, 0, 0])


class Recorder:
    """A tracker that stands still and remembers what it was shown."""

    def __init__(self):
        self.started = []
        self.images = []

    def init(self, image, box):
        self.started.append(box)
        self.images.append(image)
        self.box = box

    def update(self, image):
        self.images.append(image)
        return self.box + SHIFT


def test_one_pass(sequence):
    tracker = Recorder()
    run = run_sequence(lambda: tracker, sequence)
    assert run.boxes.shape == (12, 4)
    assert run.boxes[0].tolist() == sequence.boxes[0].tolist()
    assert (run.boxes[1:] == sequence.boxes[0] + SHIFT).all()
    assert len(tracker.started) == 1
    assert len(tracker.images) == 12
    assert np.array_equal(tracker.images[5], sequence.image(5))
    assert run.seconds.shape == (12,)
    assert (run.seconds >= 0).all()


@pytest.mark.parametrize("name", ["csrt", "kcf"])
def test_opencv_trackers_follow(sequence, name):
    if not hasattr(cv2, f"Tracker{name.upper()}_create"):
        pytest.skip("this OpenCV is without contrib")
    run = run_sequence(tracker_factory(name), sequence)
    assert iou(run.boxes, sequence.boxes).min() > 0.5


def test_opencv_keeps_the_last_box_where_it_fails(sequence, monkeypatch):
    class Failing:
        def init(self, image, box):
            assert image.shape == (120, 160, 3)

        def update(self, image):
            return False, (0, 0, 0, 0)

    monkeypatch.setattr(cv2, "TrackerKCF_create", Failing, raising=False)
    run = run_sequence(tracker_factory("kcf"), sequence)
    assert (run.boxes == sequence.boxes[0]).all()


def test_missing_opencv_tracker(monkeypatch):
    monkeypatch.delattr(cv2, "TrackerCSRT_create", raising=False)
    with pytest.raises(PgnetError, match="opencv-contrib"):
        tracker_factory("csrt")


def test_unknown_tracker():
    with pytest.raises(PgnetError, match="no model 'nonsense'"):
        tracker_factory("nonsense")


def test_frames_are_counted(sequence):
    told = []
    run_sequence(Recorder, sequence, told.append)
    assert told == list(range(1, 13))


def test_a_box_that_reaches_beyond_the_frame_is_cut(sequence):
    class Checking:
        def init(self, image, box):
            assert box.tolist() == [0, 30, 15, 30]

    PgnetTracker(Checking()).init(sequence.image(0), np.array([-5.0, 30, 20, 30]))


class TestExternal:
    @pytest.fixture(autouse=True)
    def importable(self, monkeypatch, tmp_path):
        (tmp_path / "mine.py").write_text(
            "class Mine:\n"
            "    def init(self, image, box):\n        self.box = box\n"
            "    def update(self, image):\n        return self.box\n"
            "class Other:\n    pass\n"
        )
        monkeypatch.syspath_prepend(tmp_path)

    def test_class_of_a_module(self, sequence):
        run = run_sequence(tracker_factory("mine:Mine"), sequence)
        assert (run.boxes == sequence.boxes[0]).all()

    @pytest.mark.parametrize(
        ("name", "says"),
        [
            ("nowhere:Mine", "cannot be imported"),
            ("mine:Nothing", "cannot be imported"),
            ("mine:Other", "methods init"),
        ],
    )
    def test_what_is_wrong(self, name, says):
        with pytest.raises(PgnetError, match=says):
            tracker_factory(name)


class Jumping:
    """Follows the square, but jumps away in one frame."""

    def __init__(self, sequence, away):
        self.truth, self.away = sequence.boxes, away
        self.started = []

    def init(self, image, box):
        self.frame = int(np.flatnonzero((self.truth == box).all(axis=1))[0])
        self.started.append(self.frame)

    def update(self, image):
        self.frame += 1
        return [120, 0, 30, 20] if self.frame == self.away else self.truth[self.frame] + SHIFT


def test_resets_start_again_five_frames_after_a_failure(sequence):
    tracker = Jumping(sequence, away=3)
    run = run_with_resets(lambda: tracker, sequence)
    assert run.codes.tolist() == [1, -1, -1, 2, 0, 0, 0, 0, 1, -1, -1, -1]
    assert tracker.started == [0, 8]
    assert run.boxes[9].tolist() == (sequence.boxes[9] + SHIFT).tolist()
    assert np.isnan(run.boxes[[0, 3, 4, 7, 8]]).all()
    assert np.isnan(run.seconds).tolist() == [False] * 4 + [True] * 4 + [False] * 4


def test_failure_close_to_the_end(sequence):
    run = run_with_resets(lambda: Jumping(sequence, away=9), sequence)
    assert run.codes.tolist() == [1, *[-1] * 8, 2, 0, 0]


@pytest.mark.parametrize(("corner", "failed"), [((49, 30), False), ((52, 30), True)])
def test_failure_is_no_pixel_of_the_region(sequence, corner, failed):
    """The target is drawn as pixels 20 to 50: a box at its right edge shares some."""

    class Beside(Jumping):
        def update(self, image):
            return [*corner, 30, 30]

    x, y, w, h = sequence.boxes.T
    regions = np.stack([x, y, x + w, y, x + w, y + h, x, y + h], axis=1)
    still = type(sequence)("still", sequence.frames[:2], sequence.boxes[[0, 0]], regions=regions[[0, 0]])
    run = run_with_resets(lambda: Beside(still, None), still)
    assert (run.codes[1] == 2) == failed
