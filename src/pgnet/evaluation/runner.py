"""Trackers run over sequences: in one pass from the first box, or with a new start after each failure (VOT)."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from pgnet.boxes import Boxes, clip
from pgnet.datasets.sequence import Sequence
from pgnet.errors import PgnetError
from pgnet.evaluation.layouts import TRACKED, Run
from pgnet.evaluation.vot import FAILED, INITIALISED, RESTART, SKIPPED, region_overlaps
from pgnet.tracking import Tracker


class BoxTracker(Protocol):
    """Any tracker to be evaluated; boxes are x, y, w, h in 0-based pixels, images (H, W, 3) uint8 RGB."""

    def init(self, image: NDArray[np.uint8], box: Boxes) -> None: ...

    def update(self, image: NDArray[np.uint8]) -> ArrayLike: ...


class PgnetTracker:
    """`pgnet.tracking.Tracker` as a `BoxTracker`."""

    def __init__(self, tracker: Tracker) -> None:
        self.tracker = tracker

    def init(self, image: NDArray[np.uint8], box: Boxes) -> None:
        height, width = image.shape[:2]
        self.tracker.init(image, clip(box, width, height))  # boxes of data sets may reach beyond the frame

    def update(self, image: NDArray[np.uint8]) -> Boxes:
        return self.tracker.update(image).box


OPENCV = {"csrt": "TrackerCSRT", "kcf": "TrackerKCF", "mil": "TrackerMIL"}
"""Trackers of OpenCV for comparison, by the name they have here; the first two come with its contrib package."""


class OpencvTracker:
    """A tracker of OpenCV; where it reports failure, the last box stays.

    Raises:
        PgnetError: the installed OpenCV does not have it.
    """

    def __init__(self, name: str) -> None:
        create = getattr(cv2, f"{OPENCV[name]}_create", None)
        if create is None:
            raise PgnetError(f"This OpenCV has no {OPENCV[name]}; install opencv-contrib-python-headless in its place.")
        self._create: Callable[[], Any] = create

    def init(self, image: NDArray[np.uint8], box: Boxes) -> None:
        # OpenCV takes whole pixels, and one object of it follows one target only.
        self._box = np.round(box)
        self._tracker = self._create()
        self._tracker.init(image[..., ::-1].copy(), [int(v) for v in self._box])

    def update(self, image: NDArray[np.uint8]) -> Boxes:
        found, box = self._tracker.update(image[..., ::-1].copy())
        if found:
            self._box = np.array(box, np.float64)
        return self._box


def tracker_factory(name: str, threads: int | None = None) -> Callable[[], BoxTracker]:
    """What makes new trackers of a kind; a model is loaded once.

    Args:
        name: of `OPENCV`, a model's name or path, or ``package.module:Class`` of any `BoxTracker`.
        threads: for a model's network; by default as many as there are physical cores.

    Raises:
        PgnetError: unknown, or not installed.
    """
    if name in OPENCV:
        OpencvTracker(name)  # say at once that it is missing
        return lambda: OpencvTracker(name)
    if ":" in name and not name.endswith(".safetensors"):
        return _external(name)
    loaded = Tracker.load(name, threads=threads)
    return lambda: PgnetTracker(loaded)


def _external(name: str) -> Callable[[], BoxTracker]:
    module, _, attribute = name.partition(":")
    try:
        create: Callable[[], BoxTracker] = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise PgnetError(
            f"The tracker {name} cannot be imported ({error}); give package.module:Class of an installed package, or "
            "put its folder on PYTHONPATH."
        ) from error
    if not all(callable(getattr(create, method, None)) for method in ("init", "update")):
        raise PgnetError(f"The tracker {name} needs the methods init(image, box) and update(image).")
    return create


def run_sequence(
    tracker_factory: Callable[[], BoxTracker], sequence: Sequence, tick: Callable[[int], None] = lambda done: None
) -> Run:
    """Track a sequence from its first box.

    Args:
        tracker_factory: makes the tracker.
        sequence: what to track.
        tick: called with the number of frames done.

    Raises:
        PgnetError: a frame cannot be read or tracked.
    """
    tracker = tracker_factory()
    boxes = np.empty((len(sequence), 4))
    seconds = np.empty(len(sequence))
    for i in range(len(sequence)):
        image = sequence.image(i)
        start = time.perf_counter()
        if i == 0:
            tracker.init(image, sequence.boxes[0])
            boxes[0] = sequence.boxes[0]
        else:
            boxes[i] = tracker.update(image)
        seconds[i] = time.perf_counter() - start
        tick(i + 1)
    return Run(boxes, seconds)


def run_with_resets(
    tracker_factory: Callable[[], BoxTracker], sequence: Sequence, tick: Callable[[int], None] = lambda done: None
) -> Run:
    """Track a sequence; where the box has no pixel of the target, start again five frames later.

    The experiment `supervised` of the VOT toolkit: overlaps are those of its scores.

    Args:
        tracker_factory: makes the tracker.
        sequence: what to track; `regions`, or `boxes` where it has none, say where the target is.
        tick: called with the number of frames done.

    Raises:
        PgnetError: a frame cannot be read or tracked.
    """
    tracker = tracker_factory()
    boxes = np.full((len(sequence), 4), np.nan)
    seconds = np.full(len(sequence), np.nan)
    codes = np.full(len(sequence), SKIPPED, np.int8)
    restart = 0
    for i in range(len(sequence)):
        if i >= restart:
            image = sequence.image(i)
            begin = time.perf_counter()
            if i == restart:
                tracker.init(image, sequence.boxes[i])
                codes[i] = INITIALISED
            else:
                boxes[i] = tracker.update(image)
                codes[i] = TRACKED
            seconds[i] = time.perf_counter() - begin
            if codes[i] == TRACKED and not _touches(boxes[i], sequence, i, image.shape):
                boxes[i], codes[i] = np.nan, FAILED
                restart = i + RESTART
        tick(i + 1)
    return Run(boxes, seconds, codes)


def _touches(box: Boxes, sequence: Sequence, index: int, shape: tuple[int, ...]) -> bool:
    """Whether a box shares a pixel of the frame with the target."""
    region = sequence.regions[index] if sequence.regions is not None else _corners(sequence.boxes[index])
    found, truth = (np.asarray(r, np.float32).reshape(1, -1, 2) for r in (_corners(box), region))
    return bool(region_overlaps(found, truth, (shape[1] - 1, shape[0] - 1))[0] > 0)


def _corners(box: Boxes) -> tuple[float, ...]:
    x, y, w, h = box
    return x, y, x + w, y, x + w, y + h, x, y + h
