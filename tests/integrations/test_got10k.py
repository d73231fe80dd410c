import sys

import cv2
import numpy as np
import pytest

from pgnet.demo import demo_frames
from pgnet.errors import PgnetError
from pgnet.integrations.got10k import got10k_tracker
from pgnet.models import available
from pgnet.tracking import Tracker


def test_without_the_toolkit(monkeypatch):
    monkeypatch.setitem(sys.modules, "got10k.trackers", None)
    with pytest.raises(PgnetError, match=r"GOT-10k toolkit cannot be imported .*pip install got10k"):
        got10k_tracker()


@pytest.mark.skipif("pgnet-lite" not in [m.name for m in available()], reason="pgnet-lite is not installed")
@pytest.mark.parametrize("origin", [0, 1])
def test_tracks_in_the_data_sets_pixels(origin, tmp_path):
    trackers = pytest.importorskip("got10k.trackers", reason="the GOT-10k toolkit is not installed")
    frames = list(demo_frames(4))
    files = []
    for number, (image, _) in enumerate(frames):
        files.append(str(tmp_path / f"{number}.png"))
        cv2.imwrite(files[-1], image[..., ::-1])
    shift = np.array([origin, origin, 0, 0])
    ours = got10k_tracker(origin=origin)
    assert isinstance(ours, trackers.Tracker)
    boxes, seconds = ours.track(files, np.asarray(frames[0][1]) + shift)
    tracker = Tracker.load()
    tracker.init(*frames[0])
    np.testing.assert_allclose(boxes[1:] - shift, [tracker.update(image).box for image, _ in frames[1:]])
    assert (ours.name, ours.is_deterministic, len(seconds)) == ("PGNet", True, 4)
