"""A prediction drawn on its frame."""

from __future__ import annotations

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
DARK: Colour = (20, 20, 20)
LIGHT: Colour = (255, 255, 255)
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_FRACTION_BITS = 4


def draw_prediction(
    image: Image,
    box: ArrayLike | None,
    score: float | None = None,
    index: int | None = None,
    *,
    colour: Colour = GREEN,
) -> Image:
    """A copy of an (H, W, 3) uint8 RGB frame with a box and a small label of score and frame number.

    Lines and text grow with the frame; the box has a contrasting outline and may lie partly outside. Without a box the
    label stands in the upper left corner.

    Args:
        box: x, y, w, h in 0-based continuous pixels (see `pgnet.boxes`), or None.
        score: 0..1, or None.
        index: the frame's number, or None.
        colour: RGB of the box and the label's ground.
    """
    out = np.ascontiguousarray(image).copy()
    height, width = out.shape[:2]
    thickness = max(1, round(min(height, width) / 240))
    outline = _contrast(colour)
    left = top = bottom = 0.0
    if box is not None:
        x, y, w, h = np.asarray(box, np.float64).tolist()
        left, top, bottom = x, y, y + h
        # OpenCV counts from pixel centres, in sixteenths, in 32 bits.
        corners = np.array([[x, y], [x + w, y + h]]) - 0.5
        corners = np.clip(corners, -4 * max(height, width), 4 * max(height, width)) * 2**_FRACTION_BITS
        first, second = (tuple(c) for c in corners.round().astype(int).tolist())
        for ink, line in ((outline, thickness + 2 * max(1, round(thickness / 2))), (colour, thickness)):
            cv2.rectangle(out, first, second, ink, line, cv2.LINE_AA, _FRACTION_BITS)
    parts = ([] if score is None else [f"{score:.2f}"]) + ([] if index is None else [f"#{index}"])
    if parts:
        _label(out, " ".join(parts), left, top, bottom, colour, outline)
    return out


def _contrast(colour: Colour) -> Colour:
    """Dark on light colours, light on dark ones (luma of BT.601)."""
    return DARK if 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2] > 110 else LIGHT


def _label(out: Image, text: str, left: float, top: float, bottom: float, ground: Colour, ink: Colour) -> None:
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
    cv2.putText(out, text, (x + pad, y + pad + text_height), _FONT, scale, ink, weight, cv2.LINE_AA)
