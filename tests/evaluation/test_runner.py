import cv2
import numpy as np
import pytest

from pgnet.boxes import iou
from pgnet.datasets import Sequence
from pgnet.errors import PgnetError
from pgnet.evaluation import run_sequence, tracker_factory
from pgnet.evaluation.runner import read_run, write_run

SHIFT = np.array([1, 0, 0, 0])


@pytest.fixture
def sequence(tmp_path):
    """Twelve frames: a textured square moves over a texture."""
    rng = np.random.default_rng(3)
    background = cv2.GaussianBlur(rng.integers(0, 256, (120, 160, 3), np.uint8), (0, 0), 4)
    patch = cv2.resize(rng.integers(0, 256, (6, 6, 3), np.uint8), (30, 30), interpolation=cv2.INTER_NEAREST)
    frames, boxes = [], []
    for i in range(12):
        image = background.copy()
        x, y = 20 + 3 * i, 30 + 2 * i
        image[y : y + 30, x : x + 30] = patch
        frames.append(tmp_path / f"{i}.png")
        cv2.imwrite(str(frames[-1]), image)
        boxes.append((x, y, 30, 30))
    return Sequence("square", frames, np.array(boxes, float))


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


def test_results_are_stored_1_based_and_read_back(sequence, tmp_path):
    run = run_sequence(Recorder, sequence)
    write_run(tmp_path / "new" / "recorder", "square", run)
    folder = tmp_path / "new" / "recorder"
    assert (folder / "square.txt").read_text().splitlines()[0] == "21.0000,31.0000,30.0000,30.0000"
    stored = read_run(folder, "square")
    assert stored.boxes == pytest.approx(run.boxes, abs=1e-4)
    assert stored.seconds == pytest.approx(run.seconds, abs=1e-6)
    assert read_run(folder, "circle") is None
