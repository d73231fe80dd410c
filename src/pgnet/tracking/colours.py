"""What colours a target has that its surroundings have not: cheap evidence that the network does not give.

A joint histogram of hue, saturation and value, compared by the Bhattacharyya coefficient as in mean-shift tracking
(Comaniciu, Ramesh, Meer, PAMI 2003), each colour weighed by how much of it belongs to the target rather than to what
lies around it in the first frame. Light changes, and a target turns: colours that were seen of it since count as well.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

BINS = (12, 4, 4)
"""Of hue, saturation and value."""
RATE = 0.1
"""Share of what a frame shows in the colours that follow the target."""
INNER, AROUND = 0.8, 2.2
"""Parts of the box's sides: what counts as the target, and how far its surroundings reach."""
_SIDE = 24
"""Pixels that the target is shrunk to."""

Histogram = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Colours:
    """The colours of a target: in the frame where a person marked it, and lately."""

    weights: Histogram
    """How much of each colour belongs to the target, 0 to 1."""
    first: Histogram
    """Shares of the colours where the target was marked."""
    recent: Histogram
    """Shares that follow what was seen of it since."""

    @classmethod
    def of(cls, image: NDArray[np.uint8], centre: NDArray[np.float64], size: NDArray[np.float64]) -> Self:
        """Those in the frame where a person marked the target.

        Args:
            image: (H, W, 3) uint8 RGB.
            centre, size: (2,) of the target's box, in pixels.
        """
        own = colours_in(image, centre, size)
        side = round(_SIDE * AROUND / INNER)
        ring = np.full((side, side), 255, np.uint8)
        border = round(side * (1 - 1 / AROUND) / 2)
        ring[border:-border, border:-border] = 0
        around = _histogram(_part(image, centre, size * AROUND, side), ring)
        return cls(own / (own + around + 1e-4), own, own)

    def likeness(self, found: Histogram) -> float:
        """Of the colours in a box (`colours_in`) to the first or the recent ones, the greater; 1 for the same ones."""
        found = self._weighed(found)
        return max(float(np.sqrt(self._weighed(own) * found).sum()) for own in (self.first, self.recent))

    def followed(self, found: Histogram) -> Self:
        """After a frame in which these are the colours of the target."""
        return replace(self, recent=(1 - RATE) * self.recent + RATE * found)

    def _weighed(self, histogram: Histogram) -> Histogram:
        weighed = histogram * self.weights
        return np.asarray(weighed / max(weighed.sum(), 1e-6))


def colours_in(image: NDArray[np.uint8], centre: NDArray[np.float64], size: NDArray[np.float64]) -> Histogram:
    """Shares of the colours in a box of an (H, W, 3) RGB frame."""
    return _histogram(_part(image, centre, size * INNER, _SIDE))


def _part(
    image: NDArray[np.uint8], centre: NDArray[np.float64], size: NDArray[np.float64], side: int
) -> cv2.typing.MatLike:
    """What lies in a box and inside the frame, (side, side, 3); black where nothing does."""
    left, top = np.maximum(0, np.floor(centre - size / 2)).astype(int)
    right, bottom = np.minimum(image.shape[1::-1], np.ceil(centre + size / 2)).astype(int)
    if right <= left or bottom <= top:
        return np.zeros((side, side, 3), np.uint8)
    step = max(1, int(min(bottom - top, right - left)) // (2 * side))  # of a large one, not every pixel
    return cv2.resize(image[top:bottom:step, left:right:step], (side, side), interpolation=cv2.INTER_AREA)


def _histogram(image: cv2.typing.MatLike, mask: cv2.typing.MatLike | None = None) -> Histogram:
    """Shares of `BINS` colours, a part of each spread to its neighbours."""
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    shares = cv2.calcHist([hsv], [0, 1, 2], mask, list(BINS), [0, 180, 0, 256, 0, 256]).astype(np.float64)
    return np.asarray(_SPREAD @ shares.ravel() / max(shares.sum(), 1e-6))


def _spread(bins: int, *, circular: bool) -> Histogram:
    """(bins, bins): leaves 0.7 of each bin and gives the rest to its neighbours."""
    pad = np.pad(np.eye(bins), ((1, 1), (0, 0)), "wrap" if circular else "edge")
    return np.asarray(0.15 * pad[:-2] + 0.7 * pad[1:-1] + 0.15 * pad[2:])


_SPREAD = np.kron(
    np.kron(_spread(BINS[0], circular=True), _spread(BINS[1], circular=False)), _spread(BINS[2], circular=False)
)
