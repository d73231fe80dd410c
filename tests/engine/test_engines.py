"""Every engine that is installed gives the boxes of ONNX Runtime, on a real clip where there is one."""

from importlib.util import find_spec
from itertools import islice
from pathlib import Path

import pytest

from pgnet.datasets import read_otb
from pgnet.demo import demo_frames
from pgnet.engine import ENGINES
from pgnet.evaluation.drift import drift
from pgnet.tracking import Tracker

SEQUENCES = Path(__file__).parents[2] / "../shared/data/devbench/OTB100"


def clip(count):
    if SEQUENCES.is_dir():
        (sequence,) = read_otb(SEQUENCES, ["Deer"])
        return [sequence.image(i) for i in range(count)], sequence.boxes[0]
    frames = list(islice(demo_frames(), count))
    return [image for image, _ in frames], frames[0][1]


@pytest.mark.parametrize("engine", [name for name in ENGINES if name != "onnxruntime"])
def test_same_boxes(engine):
    if not find_spec(engine):
        pytest.skip(f"the extra {engine} is not installed")
    reference, other = (
        Tracker.load("pgnet-lite", engine=name, device="cpu", threads=1) for name in ("onnxruntime", engine)
    )
    # Later on, rounding can decide between two candidates, and the boxes part for a while.
    found = drift(reference, other, *clip(6))
    assert found.iou.min() > 0.99
    assert abs(found.score_change).max() < 0.01
