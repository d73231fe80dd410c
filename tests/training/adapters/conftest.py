"""Pictures for data sets in their true layouts."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest


@pytest.fixture
def picture() -> Callable[..., Path]:
    """Write a noisy picture, by default 64 x 48, with the folders around it."""

    def write(path: Path, width: int = 64, height: int = 48) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        seed = sum(path.name.encode())
        image = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
        suffix = path.suffix if path.suffix != ".JPEG" else ".jpg"
        path.write_bytes(cv2.imencode(suffix, image)[1].tobytes())
        return path

    return write


@pytest.fixture
def voc_xml() -> Callable[..., Path]:
    """Write an annotation in Pascal VOC's XML; an object is xmin, ymin, xmax, ymax and further elements."""

    def write(path: Path, filename: str, *objects: dict[str, object]) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [f"<annotation>\n\t<folder>f</folder>\n\t<filename>{filename}</filename>"]
        lines.append("\t<size><width>64</width><height>48</height><depth>3</depth></size>\n\t<segmented>0</segmented>")
        for thing in objects:
            corners = "".join(f"<{k}>{thing[k]}</{k}>" for k in ("xmin", "xmax", "ymin", "ymax") if k in thing)
            others = "".join(f"<{k}>{v}</{k}>" for k, v in thing.items() if k[1:] not in ("min", "max"))
            lines.append(f"\t<object>\n\t\t{others}\n\t\t<bndbox>{corners}</bndbox>\n\t</object>")
        path.write_text("\n".join([*lines, "</annotation>"]))
        return path

    return write
