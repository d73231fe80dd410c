"""Every engine that is installed gives the boxes of ONNX Runtime, on a real clip where there is one."""

import os
from contextlib import suppress
from dataclasses import replace
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from threading import Thread

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


@pytest.mark.parametrize("near", [0.0, 1e9], ids=["whole crops", "small crops"])
@pytest.mark.parametrize("engine", [name for name in ENGINES if name != "onnxruntime"])
def test_same_boxes(engine, near):
    if not find_spec(engine):
        pytest.skip(f"the extra {engine} is not installed")
    reference, other = (
        Tracker.load("pgnet-lite", engine=name, device="cpu", threads=1) for name in ("onnxruntime", engine)
    )
    for tracker in (reference, other):
        tracker.options = replace(tracker.options, near=near)
    # Later on, rounding can decide between two candidates, and the boxes part for a while.
    found = drift(reference, other, *clip(6))
    assert found.iou.min() > 0.99
    assert abs(found.score_change).max() < 0.01


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="only Linux says where a thread may run")
@pytest.mark.parametrize("engine", ENGINES)
def test_threads_may_run_on_every_core(engine):
    # Engines that pin theirs take the same first cores in every process of several.
    if not find_spec(engine):
        pytest.skip(f"the extra {engine} is not installed")
    tracker = Tracker.load("pgnet-lite", engine=engine, device="cpu", threads=1)
    frames, box = clip(2)
    tracker.init(frames[0], box)
    working = Thread(target=lambda: [tracker.update(frames[1]) for _ in range(30)])
    working.start()
    allowed = set()
    while working.is_alive():
        for thread in Path("/proc/self/task").iterdir():
            with suppress(OSError):  # it has ended
                allowed.add(frozenset(os.sched_getaffinity(int(thread.name))))
    assert allowed == {frozenset(os.sched_getaffinity(os.getpid()))}
