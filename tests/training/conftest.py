"""A tiny training set in the real layouts, made of random textures."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest


def texture(seed: int, width: int = 120, height: int = 90) -> np.ndarray:
    small = np.random.default_rng(seed).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


@pytest.fixture(scope="session")
def training_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    images = root / "stills/shapes/images"
    images.mkdir(parents=True)
    content: dict[str, list[dict[str, object]]] = {"images": [], "annotations": []}
    for i in range(60):
        cv2.imwrite(str(images / f"{i}.png"), texture(i))
        content["images"].append({"id": i, "file_name": f"{i}.png", "width": 120, "height": 90})
        outline = [30, 20, 70, 20, 80, 60, 40, 70]
        content["annotations"].append({"image_id": i, "bbox": [30, 20, 50, 50], "segmentation": [outline]})
    (root / "stills/shapes/instances.json").write_text(json.dumps(content))
    whole = [{"image_id": 0, "bbox": box} for box in ([0, 0, 120, 89], [5, 5, 11, 40])]  # too large, too small
    (root / "stills/whole").mkdir()
    (root / "stills/whole/instances.json").write_text(json.dumps({**content, "annotations": whole}))
    (root / "stills/whole/images").symlink_to(images)
    (root / "photos/any").mkdir(parents=True)
    for i in range(60):
        cv2.imwrite(str(root / f"photos/any/p{i}.png"), texture(1000 + i))
    for name in range(30):
        folder = root / f"videos/clip_{name}"
        folder.mkdir(parents=True)
        lines = []
        for t in range(4):
            cv2.imwrite(str(folder / f"{t + 1:08d}.png"), np.roll(texture(2000 + name), 5 * t, axis=1))
            lines.append("0,0,0,0" if t == 2 else f"{20 + 5 * t},20,40,30")
        (folder / "groundtruth.txt").write_text("\n".join(lines) + "\n")
    return root
