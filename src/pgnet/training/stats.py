"""A data set in numbers and at a glance: one row for each set, and a sheet of sample pictures with their boxes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pgnet.crop import Image
from pgnet.errors import PgnetError
from pgnet.files import atomic
from pgnet.training.annotations import Annotations, Target
from pgnet.training.sources import read_image
from pgnet.video import draw_prediction

TILE = (150, 112)
"""Width and height of a sample on the sheet."""
LABEL = 16
"""Height of a line of text on the sheet."""
GAP = 4
PAPER, INK = (245, 245, 245), (30, 30, 30)
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")


@dataclass(frozen=True)
class SetStats:
    """One set of a data set.

    Attributes:
        kind: "stills", "photos" or "videos".
        name: of the set.
        pictures: how many different ones.
        targets: boxes in stills, and objects in videos.
        videos: how many different ones.
        frames: boxes in videos.
        size: 25 %, 50 % and 75 % of the boxes have a geometric mean of width and height below this, in pixels.
        aspect: the same for width / height.
    """

    kind: str
    name: str
    pictures: int
    targets: int = 0
    videos: int = 0
    frames: int = 0
    size: tuple[float, ...] = ()
    aspect: tuple[float, ...] = ()


def statistics(found: Annotations) -> list[SetStats]:
    """Each set in numbers; no picture is opened."""
    rows = []
    for name, targets in found.stills.items():
        boxes = np.array([target.box for target in targets]).reshape(-1, 4)
        pictures = len({target.path for target in targets})
        rows.append(SetStats("stills", name, pictures, len(targets), 0, 0, *_quartiles(boxes)))
    rows += [SetStats("photos", name, len(paths)) for name, paths in found.photos.items()]
    for name, videos in found.videos.items():
        boxes = np.concatenate([video.boxes[video.rows] for video in videos])
        names = {(video.frames[0].parent, video.name): video for video in videos}
        pictures = sum(len(video.frames) for video in names.values())
        rows.append(SetStats("videos", name, pictures, len(videos), len(names), len(boxes), *_quartiles(boxes)))
    return rows


def _quartiles(boxes: NDArray[np.float64]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Size and aspect of those (N, 4) boxes that have an extent."""
    w, h = boxes[(boxes[:, 2:] > 0).all(axis=1), 2:].T
    if len(w) == 0:
        return (), ()
    size, aspect = (np.quantile(values, (0.25, 0.5, 0.75)).tolist() for values in (np.sqrt(w * h), w / h))
    return tuple(size), tuple(aspect)


def contact_sheet(found: Annotations, samples: int = 6, seed: int = 0) -> Image:
    """(H, W, 3) RGB: of each set a line with its name and sample pictures in which the boxes are drawn.

    Args:
        found: the data set.
        samples: pictures of each set.
        seed: of the choice.

    Raises:
        PgnetError: there is nothing to draw.
    """
    rng = np.random.default_rng(seed)
    strips = [_strip(title, chosen, samples) for title, chosen in _samples(found, samples, rng)]
    if not strips:
        raise PgnetError("There is nothing in the data to draw.")
    height, width = strips[0].shape[:2]
    across = max(1, round(math.sqrt(1.5 * len(strips) * height / width)))  # a sheet of about 3 : 2
    down = -(-len(strips) // across)
    strips += [_paper(height, width)] * (across * down - len(strips))
    return np.concatenate([np.concatenate(strips[i * down : (i + 1) * down]) for i in range(across)], axis=1)


def write_sheet(path: Path, found: Annotations) -> None:
    """Write the contact sheet as a picture; the suffix says the format.

    Raises:
        PgnetError: there is nothing to draw, the suffix is unknown, or the file cannot be written.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise PgnetError(f"The sheet {path} should be named .png or .jpg.")
    image = cv2.cvtColor(contact_sheet(found), cv2.COLOR_RGB2BGR)
    with atomic(path) as temporary:
        cv2.imwrite(str(temporary), image)


Sample = tuple[Path, list[Target]]


def _samples(found: Annotations, count: int, rng: np.random.Generator) -> Iterator[tuple[str, list[Sample]]]:
    """Of each set its title and some pictures, in order, with the targets to draw."""
    for name, targets in found.stills.items():
        by_path: dict[Path, list[Target]] = {}
        for target in targets:
            by_path.setdefault(target.path, []).append(target)
        pictures = list(by_path.items())
        yield f"stills / {name}", [pictures[i] for i in _choose(len(pictures), count, rng)]
    for name, paths in found.photos.items():
        yield f"photos / {name}", [(paths[i], []) for i in _choose(len(paths), count, rng)]
    for name, videos in found.videos.items():
        seen = [video for video in videos if len(video)]
        chosen = _choose(len(seen), count, rng)
        several = sorted((chosen * count)[:count])  # of few videos more than one frame
        frames = [seen[i][int(rng.integers(len(seen[i])))] for i in several]
        yield f"videos / {name}", [(target.path, [target]) for target in frames]


def _choose(total: int, count: int, rng: np.random.Generator) -> list[int]:
    return sorted(rng.choice(total, min(total, count), replace=False).tolist())


def _strip(title: str, chosen: list[Sample], samples: int) -> Image:
    """A line with its title, and the samples below."""
    strip = _paper(LABEL + TILE[1] + 2 * GAP, samples * (TILE[0] + GAP) + 2 * GAP)
    cv2.putText(strip, title, (GAP, LABEL - 3), cv2.FONT_HERSHEY_SIMPLEX, 0.42, INK, 1, cv2.LINE_AA)
    for i, (path, targets) in enumerate(chosen):
        x = GAP + i * (TILE[0] + GAP)
        strip[LABEL : LABEL + TILE[1], x : x + TILE[0]] = _tile(path, targets)
    return strip


def _tile(path: Path, targets: list[Target]) -> Image:
    """A picture with its boxes, as large as fits."""
    tile = _paper(TILE[1], TILE[0])
    try:
        image = read_image(path)
    except PgnetError:
        cv2.putText(tile, "unreadable", (GAP, TILE[1] // 2), cv2.FONT_HERSHEY_SIMPLEX, 0.4, INK, 1, cv2.LINE_AA)
        return tile
    scale = min(TILE[0] / image.shape[1], TILE[1] / image.shape[0])
    width, height = (max(1, round(v * scale)) for v in image.shape[1::-1])
    image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    for target in targets:
        image = draw_prediction(image, target.box * scale)
    x, y = (TILE[0] - width) // 2, (TILE[1] - height) // 2
    tile[y : y + height, x : x + width] = image
    return tile


def _paper(height: int, width: int) -> Image:
    return np.full((height, width, 3), PAPER, np.uint8)
