import cv2
import numpy as np
import pytest

from pgnet.demo import demo_frames
from pgnet.errors import PgnetError
from pgnet.integrations.opencv import TrackerPGNet
from pgnet.models import available
from pgnet.tracking import Prediction, Tracker

needs_model = pytest.mark.skipif(
    "pgnet-lite" not in [m.name for m in available()], reason="pgnet-lite is not installed"
)


class Scripted:
    """Gives the next of its predictions."""

    def __init__(self, *predictions):
        self.predictions = iter(predictions)

    def init(self, frame, box, *, bgr):
        assert bgr
        self.box = box

    def update(self, frame, *, bgr):
        assert bgr
        return next(self.predictions)


def test_answers_as_opencv_does():
    image = np.zeros((60, 80, 3), np.uint8)
    box = np.array([10.4, 20.6, 30, 25.5])
    ours = TrackerPGNet(
        Scripted(Prediction(box, 0.75), Prediction(box, 0.1, 0.1, "uncertain"), Prediction(box, 0, 0, "lost"))
    )
    theirs = cv2.TrackerMIL.create()
    assert ours.init(image, (10, 20, 30, 25)) is theirs.init(image, (10, 20, 30, 25)) is None
    found, rectangle = ours.update(image)
    theirs_found, theirs_rectangle = theirs.update(image)
    assert type(found) is type(theirs_found)
    assert [type(value) for value in rectangle] == [type(value) for value in theirs_rectangle]
    assert (found, rectangle, ours.getTrackingScore()) == (True, (10, 21, 30, 26), 0.75)
    cv2.rectangle(image, rectangle, (0, 255, 0))
    assert ours.update(image)[0] is True
    assert ours.update(image) == (False, (10, 21, 30, 26))


def test_before_init():
    with pytest.raises(PgnetError, match="no target yet; call init"):
        TrackerPGNet(Scripted()).getTrackingScore()


@needs_model
def test_frames_are_bgr():
    frames = list(demo_frames(4))
    tracker, ours = Tracker.load(), TrackerPGNet.create()
    tracker.init(*frames[0])
    ours.init(cv2.cvtColor(frames[0][0], cv2.COLOR_RGB2BGR), frames[0][1])
    for image, _ in frames[1:]:
        expected = tracker.update(image)
        found, box = ours.update(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        assert found == (expected.state != "lost")
        assert list(box) == np.round(expected.box).tolist()
