"""Trackers that tests give by name, as a user's module: they are made again in other processes."""

import os
import time
from pathlib import Path

import numpy as np


class Still:
    """Stays where it started."""

    def init(self, image, box):
        self.box = box

    def update(self, image):
        return self.box


class Drifting(Still):
    """One pixel to the right in each frame."""

    def update(self, image):
        self.box = self.box + [1.25, 0, 0, 0]
        return self.box


class Escaping(Still):
    """Ten pixels to the right in each frame: soon off the target."""

    def update(self, image):
        self.box = self.box + [10, 0, 0, 0]
        return self.box


class Failing(Still):
    """Cannot follow sequences of nine frames."""

    def init(self, image, box):
        super().init(image, box)
        self.frames = 0

    def update(self, image):
        self.frames += 1
        return self.box if self.frames < 8 else [1 / 0]


class Slow(Still):
    def update(self, image):
        time.sleep(0.1)
        return self.box


class Noisy(Still):
    """Another result each time."""

    def update(self, image):
        return self.box + [*np.random.default_rng().normal(0, 0.5, 2), 0, 0]


class Dying(Still):
    """Kills its process in the second frame, as often as the file named by DYING says."""

    def update(self, image):
        file = Path(os.environ["DYING"])
        left = int(file.read_text())
        if left > 0:
            file.write_text(str(left - 1))
            os._exit(9)
        return self.box


class NoTracker:
    pass
