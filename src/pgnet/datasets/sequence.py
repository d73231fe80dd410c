"""One annotated video of a data set."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pgnet.boxes import Boxes
from pgnet.errors import PgnetError


@dataclass(frozen=True, eq=False)
class Sequence:
    """Frames and the target's box in each."""

    name: str
    frames: list[Path]
    boxes: Boxes
    """(N, 4) x, y, w, h in 0-based pixels, one row per frame; rows without a target as the data set gives them."""

    def __post_init__(self) -> None:
        if len(self.frames) == 0 or self.boxes.shape != (len(self.frames), 4):
            raise PgnetError(
                f"Sequence {self.name} has {len(self.frames)} frames and boxes of shape {self.boxes.shape}; "
                "it needs four values for each frame."
            )

    def __len__(self) -> int:
        return len(self.frames)

    def image(self, index: int) -> NDArray[np.uint8]:
        """Frame `index` as (H, W, 3) uint8 RGB.

        Raises:
            PgnetError: the file cannot be read.
        """
        image = cv2.imread(str(self.frames[index]), cv2.IMREAD_COLOR_RGB)
        if image is None:
            raise PgnetError(f"The frame {self.frames[index]} cannot be read; get the data set again.")
        return image.astype(np.uint8, copy=False)

    def every(self, step: int) -> Sequence:
        """Each `step`-th frame, from the first."""
        return replace(self, frames=self.frames[::step], boxes=self.boxes[::step])
