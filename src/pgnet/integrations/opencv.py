"""A tracker that is called as those of OpenCV are (`cv2.Tracker`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pgnet.errors import PgnetError
from pgnet.models import ModelFile
from pgnet.tracking import Tracker
from pgnet.tracking.presence import LOST

Box = tuple[int, int, int, int]


class TrackerPGNet:
    """Stands where ``cv2.TrackerCSRT`` or another of them stood: frames in BGR, boxes in whole pixels.

    >>> tracker = TrackerPGNet.create()  # was cv2.TrackerCSRT.create()  # doctest: +SKIP
    >>> tracker.init(frame, (x, y, width, height))  # doctest: +SKIP
    >>> found, (x, y, width, height) = tracker.update(frame)  # doctest: +SKIP
    """

    def __init__(self, tracker: Tracker) -> None:
        """Wrap a tracker; `create` loads one."""
        self._tracker = tracker
        self._score: float | None = None

    @classmethod
    def create(cls, model: str | Path | ModelFile = "pgnet-lite", *, threads: int | None = None) -> TrackerPGNet:
        """A tracker with a model, see `pgnet.Tracker.load`.

        Raises:
            PgnetError: unknown or damaged model.
        """
        return cls(Tracker.load(model, threads=threads))

    def init(self, image: NDArray[Any], boundingBox: ArrayLike) -> None:
        """Start, or start again.

        Args:
            image: (H, W, 3) in OpenCV's channel order, or grey, see `pgnet.tracking.frames.to_rgb`.
            boundingBox: x, y, w, h in 0-based pixels; parts of pixels are welcome.

        Raises:
            PgnetError: an image or a box that cannot be used.
        """
        self._tracker.init(image, boundingBox, bgr=True)
        self._score = 1.0

    def update(self, image: NDArray[Any]) -> tuple[bool, Box]:
        """Whether the target is there, and its x, y, w, h; where it is lost, the best guess.

        Args:
            image: the next frame, of the first one's size.

        Raises:
            PgnetError: `init` was not called, or an image that cannot be used.
        """
        prediction = self._tracker.update(image, bgr=True)
        self._score = prediction.score
        x, y, w, h = (int(value) for value in np.round(prediction.box))
        return prediction.state != LOST, (x, y, w, h)

    def getTrackingScore(self) -> float:
        """Score of the last box, 0 to 1, as ``cv2.TrackerNano`` and ``cv2.TrackerVit`` have it.

        Raises:
            PgnetError: `init` was not called.
        """
        if self._score is None:
            raise PgnetError("The tracker has no target yet; call init(image, boundingBox) first.")
        return self._score
