"""One-pass evaluation: a tracker starts on the first frame's ground truth and is never corrected."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from pgnet.boxes import Boxes
from pgnet.datasets.otb import read_boxes
from pgnet.datasets.sequence import Sequence
from pgnet.errors import PgnetError
from pgnet.files import atomic
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
        self.tracker.init(image, box)

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
    """A tracker of OpenCV by its name in `OPENCV`, or a model's by name or path; a model is loaded once.

    Raises:
        PgnetError: unknown model, or a tracker that is not installed.
    """
    if name in OPENCV:
        OpencvTracker(name)  # say at once that it is missing
        return lambda: OpencvTracker(name)
    loaded = Tracker.load(name, threads=threads)
    return lambda: PgnetTracker(loaded)


class Run(NamedTuple):
    """What a tracker did on one sequence."""

    boxes: Boxes
    """(N, 4) x, y, w, h in 0-based pixels; the first is the ground truth it was given."""
    seconds: NDArray[np.float64]
    """(N,) time in `init` or `update` alone; reading the image does not count."""


def run_sequence(tracker_factory: Callable[[], BoxTracker], sequence: Sequence) -> Run:
    """Track a sequence from its first box.

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
    return Run(boxes, seconds)


ONE_BASED = np.array([1.0, 1.0, 0.0, 0.0])


def write_run(folder: Path, name: str, run: Run) -> None:
    """Store raw results as other toolkits read them: NAME.txt (x,y,w,h, 1-based) and NAME_time.txt (seconds)."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = run.boxes + ONE_BASED
    for path, values in ((folder / f"{name}_time.txt", run.seconds), (folder / f"{name}.txt", rows)):
        with atomic(path) as temporary:
            np.savetxt(temporary, values, fmt="%.6f" if values.ndim == 1 else "%.4f", delimiter=",")


def read_run(folder: Path, name: str) -> Run | None:
    """What `write_run` stored, or None if it did not.

    Raises:
        PgnetError: a file is there, but damaged.
    """
    path, times = folder / f"{name}.txt", folder / f"{name}_time.txt"
    if not (path.is_file() and times.is_file()):
        return None
    try:
        seconds = np.loadtxt(times, ndmin=1)
    except ValueError as error:
        raise PgnetError(f"The times in {times} cannot be read: {error}.") from error
    return Run(read_boxes(path) - ONE_BASED, seconds)
