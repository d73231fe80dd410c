"""Many stills on one picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from pgnet.boxes import xywh_to_cxcywh
from pgnet.crop import square_crop
from pgnet.video.draw import Colour, draw_prediction

Image = NDArray[np.uint8]

CELL = 400
"""Pixels of a cell's width."""
CAPTION = 26
"""Pixels of the line above a still."""
GAP = 6
PAPER = 24
"""Grey of what lies between the stills."""


class Still(NamedTuple):
    """A frame with a box."""

    image: Image
    """(H, W, 3) uint8 RGB."""
    box: ArrayLike
    """x, y, w, h in its pixels."""
    caption: str
    """A few words; OpenCV draws ASCII only."""
    colour: Colour


def contact_sheet(stills: Sequence[Still], columns: int = 3) -> Image:
    """Stills row by row, each with its caption above and the surroundings of its box enlarged in a corner.

    Args:
        stills: at least one, all of one size.
        columns: at most so many beside each other.
    """
    columns = min(columns, len(stills))
    cells = [_cell(still) for still in stills]
    height, width = cells[0].shape[:2]
    rows = -(-len(cells) // columns)
    sheet = np.full((rows * (height + GAP) + GAP, columns * (width + GAP) + GAP, 3), PAPER, np.uint8)
    for number, cell in enumerate(cells):
        row, column = divmod(number, columns)
        top, left = GAP + row * (height + GAP), GAP + column * (width + GAP)
        sheet[top : top + height, left : left + width] = cell
    return sheet


def _cell(still: Still) -> Image:
    scale = CELL / still.image.shape[1]
    size = (CELL, max(CAPTION, round(still.image.shape[0] * scale)))
    shrink = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    box = np.asarray(still.box, np.float64) * (scale, scale, scale, scale)
    small = np.asarray(cv2.resize(still.image, size, interpolation=shrink), np.uint8)
    picture = draw_prediction(small, box, colour=still.colour)
    x, y, w, h = xywh_to_cxcywh(still.box).tolist()
    side = round(min(size) * 0.42)
    close = square_crop(still.image, x, y, max(16.0, 1.8 * max(w, h)), side, (PAPER,) * 3)
    # In the corner that the box leaves free.
    left = 0 if box[0] + box[2] / 2 > size[0] / 2 else size[0] - side
    top = 0 if box[1] + box[3] / 2 > size[1] / 2 else size[1] - side
    picture[top : top + side, left : left + side] = close
    cv2.rectangle(picture, (left, top), (left + side - 1, top + side - 1), still.colour, 1)
    line = np.full((CAPTION, CELL, 3), PAPER, np.uint8)
    cv2.putText(line, still.caption, (4, CAPTION - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.55, still.colour, 1, cv2.LINE_AA)
    return np.vstack([line, picture])
