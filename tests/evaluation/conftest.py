from pathlib import Path

import cv2
import numpy as np
import pytest

from pgnet.datasets import Sequence

LENGTH = 12


@pytest.fixture
def importable(monkeypatch):
    """Modules beside this file, such as `trackers`, can be imported here and in other processes."""
    monkeypatch.syspath_prepend(Path(__file__).parent)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))


def write_frames(folder: Path, names: list[str]) -> list[tuple[int, int, int, int]]:
    """Pictures of a textured square that moves over a texture; its boxes, 0-based."""
    rng = np.random.default_rng(3)
    background = cv2.GaussianBlur(rng.integers(0, 256, (120, 160, 3), np.uint8), (0, 0), 4)
    patch = cv2.resize(rng.integers(0, 256, (6, 6, 3), np.uint8), (30, 30), interpolation=cv2.INTER_NEAREST)
    folder.mkdir(parents=True, exist_ok=True)
    boxes = []
    for i, name in enumerate(names):
        image = background.copy()
        x, y = 20 + 3 * i, 30 + 2 * i
        image[y : y + 30, x : x + 30] = patch
        cv2.imwrite(str(folder / name), image)
        boxes.append((x, y, 30, 30))
    return boxes


@pytest.fixture
def sequence(tmp_path):
    """Twelve frames of the square."""
    names = [f"{i}.png" for i in range(LENGTH)]
    boxes = write_frames(tmp_path, names)
    return Sequence("square", [tmp_path / name for name in names], np.array(boxes, float))


@pytest.fixture(scope="session")
def otb(tmp_path_factory):
    """Three short sequences in OTB's layout, of different lengths."""
    root = tmp_path_factory.mktemp("otb")
    for name, length in (("Dog", 6), ("Deer", 9), ("Man", 4)):
        boxes = write_frames(root / name / "img", [f"{i + 1:04d}.png" for i in range(length)])
        rows = [f"{x + 1},{y + 1},{w},{h}" for x, y, w, h in boxes]
        (root / name / "groundtruth_rect.txt").write_text("\n".join(rows))
    return root
