import sys

import numpy as np
import pytest

from pgnet.errors import PgnetError
from pgnet.integrations.supervision import to_detections
from pgnet.tracking import Prediction

ONE = Prediction(np.array([10.5, 20, 30, 40]), 0.75)


def test_without_supervision(monkeypatch):
    monkeypatch.setitem(sys.modules, "supervision", None)
    with pytest.raises(PgnetError, match=r"supervision cannot be imported .*pip install supervision"):
        to_detections(ONE)


def test_one_and_several_targets():
    supervision = pytest.importorskip("supervision", reason="supervision is not installed")
    found = to_detections(ONE, class_id=3)
    assert isinstance(found, supervision.Detections)
    assert found.xyxy.tolist() == [[10.5, 20, 40.5, 60]]
    assert (found.confidence.tolist(), found.class_id.tolist(), found.tracker_id.tolist()) == ([0.75], [3], [1])
    lost = Prediction(np.array([1.0, 2, 3, 4]), 0.1, 0.1, "lost")
    assert to_detections({4: ONE, 7: lost, 9: ONE}).tracker_id.tolist() == [4, 9]
    assert len(to_detections({7: lost})) == 0
    picture = supervision.BoxAnnotator().annotate(np.zeros((80, 80, 3), np.uint8), found)
    assert picture.any()
