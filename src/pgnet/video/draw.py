"""Where targets are, drawn on the frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

Image = NDArray[np.uint8]
Colour = tuple[int, int, int]

GREEN: Colour = (80, 230, 120)
AMBER: Colour = (250, 180, 50)
RED: Colour = (235, 70, 60)
STATE_COLOURS = {"present": GREEN, "uncertain": AMBER, "lost": RED}
"""Of a `pgnet.tracking.Prediction`'s state."""
COLOURS: tuple[Colour, ...] = (
    (90, 190, 255),
    (255, 160, 60),
    (90, 220, 130),
    (240, 120, 200),
    (245, 225, 70),
    (160, 130, 255),
    (255, 100, 95),
    (60, 215, 215),
)
"""That tell several targets apart; they begin again after the last."""
DARK: Colour = (20, 20, 20)
LIGHT: Colour = (255, 255, 255)
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_FRACTION_BITS = 4


@dataclass(frozen=True, eq=False)
class Drawn:
    """One box to draw."""

    box: ArrayLike
    """x, y, w, h in 0-based continuous pixels (see `pgnet.boxes`); it may lie partly outside."""
    text: str = ""
    """Of its label, ASCII (OpenCV's fonts have nothing else); none if empty."""
    colour: Colour = GREEN
    """RGB of the box and the label's ground."""
    dashed: bool = False


def draw_boxes(image: Image, boxes: Iterable[Drawn], corner: str = "") -> Image:
    """A copy of an (H, W, 3) uint8 RGB frame with boxes, each with a small label, and a text in the upper left corner.

    Lines and text grow with the frame; a box has a contrasting outline, and its label stays inside the frame.
    """
    out = np.ascontiguousarray(image).copy()
    boxes = list(boxes)
    for drawn in boxes:
        _outline(out, drawn)
    if corner:
        _label(out, corner, 0.0, 0.0, 0.0, DARK)
    for drawn in boxes:  # no box goes over a label
        if drawn.text:
            x, y, _, h = np.asarray(drawn.box, np.float64).tolist()
            _label(out, drawn.text, x, y, y + h, drawn.colour)
    return out


def draw_prediction(
    image: Image,
    box: ArrayLike | None,
    score: float | None = None,
    index: int | None = None,
    *,
    colour: Colour = GREEN,
) -> Image:
    """A copy of an (H, W, 3) uint8 RGB frame with a box and a small label of score and frame number.

    See `draw_boxes`. Without a box the label stands in the upper left corner.

    Args:
        box: x, y, w, h in 0-based continuous pixels (see `pgnet.boxes`), or None.
        score: 0..1, or None.
        index: the frame's number, or None.
        colour: RGB of the box and the label's ground.
    """
    text = " ".join(([] if score is None else [f"{score:.2f}"]) + ([] if index is None else [f"#{index}"]))
    if box is None:
        return draw_boxes(image, (), text)
    return draw_boxes(image, [Drawn(box, text, colour)])


def _outline(out: Image, drawn: Drawn) -> None:
    """Draws the box itself."""
    height, width = out.shape[:2]
    thickness = max(1, round(min(height, width) / 240))
    x, y, w, h = np.asarray(drawn.box, np.float64).tolist()
    # OpenCV counts from pixel centres, in sixteenths, in 32 bits.
    corners = np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h]]) - 0.5
    corners = np.clip(corners, -4 * max(height, width), 4 * max(height, width))
    lines = [corners] if not drawn.dashed else list(_dashes(corners, 5 * thickness))
    points = [(line * 2**_FRACTION_BITS).round().astype(np.int32) for line in lines]
    wide = thickness + 2 * max(1, round(thickness / 2))
    for ink, line in ((_contrast(drawn.colour), wide), (drawn.colour, thickness)):
        cv2.polylines(out, points, not drawn.dashed, ink, line, cv2.LINE_AA, _FRACTION_BITS)


def _dashes(corners: NDArray[np.float64], length: float) -> Iterator[NDArray[np.float64]]:
    """(2, 2) dashes of about that length along the sides of a polygon, with gaps as long; corners are within dashes."""
    for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        count = max(1, min(100, round(float(np.hypot(*(end - start))) / (2 * length))))
        for middle in np.arange(count + 1) / count:
            share = np.clip([middle - 0.25 / count, middle + 0.25 / count], 0, 1)
            yield start + share[:, None] * (end - start)


def _contrast(colour: Colour) -> Colour:
    """Dark on light colours, light on dark ones (luma of BT.601)."""
    return DARK if 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2] > 110 else LIGHT


def _label(out: Image, text: str, left: float, top: float, bottom: float, ground: Colour) -> None:
    """Writes text above the box, below it where there is no room, always inside the frame."""
    height, width = out.shape[:2]
    scale = max(0.35, min(height, width) / 900)
    (full, _), _ = cv2.getTextSize(text, _FONT, scale, 1)
    scale *= min(1.0, 0.96 * width / (full + 6))
    weight = max(1, round(scale * 1.6))
    (text_width, text_height), baseline = cv2.getTextSize(text, _FONT, scale, weight)
    pad = max(2, round(text_height * 0.35))
    w, h = text_width + 2 * pad, text_height + baseline // 2 + 2 * pad
    x = int(np.clip(round(left), 0, max(0, width - w)))
    above, below = round(top) - h - pad, round(bottom) + pad
    y = int(np.clip(above if above >= 0 or below + h > height else below, 0, max(0, height - h)))
    cv2.rectangle(out, (x, y), (x + w - 1, y + h - 1), ground, cv2.FILLED)
    cv2.putText(out, text, (x + pad, y + pad + text_height), _FONT, scale, _contrast(ground), weight, cv2.LINE_AA)
