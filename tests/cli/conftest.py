"""A short video, and a tracker without a network: the commands are tested, not the model."""

from pathlib import Path

import numpy as np
import pytest

from pgnet.models import ModelFile, resolve, write_model_file
from pgnet.tracking import MultiTracker, Prediction, TrackingOptions
from pgnet.video import VideoWriter

WIDTH, HEIGHT, FRAMES, FPS = 160, 120, 24, 12


@pytest.fixture
def video(tmp_path) -> Path:
    """A video of 24 frames, 160 x 120, 12 per second."""
    path = tmp_path / "clip.mp4"
    noise = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH + FRAMES, 3), np.uint8)
    with VideoWriter(path, WIDTH, HEIGHT, fps=FPS) as writer:
        for i in range(FRAMES):
            writer.write(noise[:, i : i + WIDTH], i / FPS)
    return path


class DriftingTracker:
    """The boxes move one pixel to the right in every update."""

    options = TrackingOptions()

    def __init__(self):
        self.boxes = {}
        self.updates = 0

    def start(self, id, frame, box):
        self.boxes[id] = np.asarray(box, np.float64)

    def stop(self, id):
        return self.boxes.pop(id)

    def resume(self, id, state):
        self.boxes[id] = state

    def update(self, frame):
        assert frame.shape == (HEIGHT, WIDTH, 3)
        self.updates += 1
        self.boxes = {id: box + (1, 0, 0, 0) for id, box in self.boxes.items()}
        return {id: Prediction(box, 0.75) for id, box in self.boxes.items()}


@pytest.fixture
def tracker(tmp_path, monkeypatch) -> DriftingTracker:
    """Stands in for whatever is loaded under the name pgnet-lite."""
    path = tmp_path / "models" / "pgnet-lite.safetensors"
    path.parent.mkdir()
    file = write_model_file(path, {"weight": np.zeros(3, np.float32)}, {"name": "pgnet-lite"})
    fake = DriftingTracker()

    def load(model: ModelFile, **_):
        assert model is file
        return fake

    monkeypatch.setattr("pgnet.models.resolve", lambda name: file if name == "pgnet-lite" else resolve(name))
    monkeypatch.setattr(MultiTracker, "load", staticmethod(load))
    return fake
