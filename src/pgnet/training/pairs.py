"""Training pairs: a template crop and a search crop, cut or composed from stills, photographs and videos.

Pair number i of a seed is always the same, whatever the process, so a run resumes exactly from its step number alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from pgnet import anchors, boxes, crop
from pgnet.crop import Image
from pgnet.errors import PgnetError
from pgnet.training import augment
from pgnet.training.annotations import Target
from pgnet.training.sources import ImageCache, Sources
from pgnet.training.targets import anchor_targets


@dataclass(frozen=True)
class PairOptions:
    """What pairs are made of.

    Args:
        video: share of pairs from two frames of a video.
        still: share of pairs from one still with a box.
        composed: share of pairs of a masked object on other pictures: two frames of a short synthetic video.
        region: share of pairs of a random region of a photograph.
        negative: share of pairs whose search crop shows another object instead of the target.
        alike: share of these whose other object is one of the same set (category), where there is one.
        scene: share of composed pairs before one background that the camera moves over; the others have two.
        deform: how far composed objects bend in the search crop, in target sizes.
        distractor: share of composed search crops with a second object, half of them of the same set.
        occluder: share of search crops with a patch over a part of the target.
        grey: share of pairs without colour.
        shift: of the target from the centre of the search crop, uniform, in crop pixels.
        scale: of the target in the search crop, as the half range of a uniform logarithm.
        any_size: label anchors by position and shape alone, so that every size is learned, see
            `pgnet.training.targets.anchor_targets`; off is SiamRPN's rule.
        aspect: change of aspect ratio between the two crops, likewise.
        rotation: of composed objects, in degrees either way.
        max_gap: frames between the two crops of a video pair.
        search_size: pixels of the search crop; smaller ones train faster, tracking uses 255.
    """

    video: float = 0.3
    still: float = 0.2
    composed: float = 0.4
    region: float = 0.1
    negative: float = 0.15
    alike: float = 0.3
    scene: float = 0.5
    deform: float = 0.06
    distractor: float = 0.5
    occluder: float = 0.15
    grey: float = 0.15
    shift: float = 64
    scale: float = 0.25
    any_size: bool = False
    aspect: float = 0.12
    rotation: float = 25
    max_gap: int = 20
    search_size: int = anchors.SEARCH_SIZE

    def __post_init__(self) -> None:
        for name in ("negative", "alike", "scene", "distractor", "occluder", "grey"):
            if not 0 <= getattr(self, name) <= 1:
                raise PgnetError(f"The recipe's pairs.{name} is a share from 0 to 1, not {getattr(self, name)}.")
        kinds = ("video", "still", "composed", "region")
        for name in (*kinds, "deform", "shift", "scale", "aspect", "rotation"):
            if not 0 <= getattr(self, name) < math.inf:
                raise PgnetError(f"The recipe's pairs.{name} must be 0 or more, not {getattr(self, name)}.")
        if not any(getattr(self, name) for name in kinds):
            raise PgnetError(f"One of the recipe's pairs.{', '.join(kinds)} must be above 0.")
        if self.max_gap < 1:
            raise PgnetError(f"The recipe's pairs.max_gap must be at least 1, not {self.max_gap}.")
        if self.search_size < anchors.TEMPLATE_SIZE or (self.search_size - anchors.SEARCH_SIZE) % anchors.STRIDE:
            raise PgnetError(
                f"The recipe's pairs.search_size must be {anchors.TEMPLATE_SIZE} or more and lie a multiple of "
                f"{anchors.STRIDE} from {anchors.SEARCH_SIZE}, such as 191, not {self.search_size}."
            )


class Pair(NamedTuple):
    """Attributes:
    template: (3, 127, 127) uint8 RGB.
    search: (3, S, S) uint8 RGB.
    label: (A, G, G) int8, see `pgnet.training.targets`.
    offsets: (4, A, G, G) float32.
    box: (4,) float32 cx, cy, w, h in search crop pixels, NaN for a negative pair.
    """

    template: Tensor
    search: Tensor
    label: Tensor
    offsets: Tensor
    box: Tensor


class _View(NamedTuple):
    """A crop before photometric changes, the target's cx, cy, w, h in it, and its outline's (n, 2) points if known."""

    image: Image
    box: NDArray[np.float64]
    outline: NDArray[np.float64] = np.empty((0, 2))


class _Sample(NamedTuple):
    """A pair of views of one target, and another target of the same set in another picture, if there is one."""

    template: _View
    search: _View
    rival: Target | None = None


class _Scene(NamedTuple):
    """A background: which point of which photograph is at the crop's centre, at what scale and angle."""

    path: Path
    centre: NDArray[np.float64]
    scale: float
    angle: float = 0.0


def _affine(
    source: NDArray[np.float64], to: NDArray[np.float64], scale: NDArray[np.float64], angle: float
) -> NDArray[np.float64]:
    """The 2x3 map that scales and turns about the point `source` (continuous pixels) and moves it to `to`."""
    c, s = np.cos(angle), np.sin(angle)
    linear = np.array([[c, -s], [s, c]]) * scale[None, :]
    return np.hstack([linear, (to - linear @ source)[:, None]])


def _warp(image: Image, m: NDArray[np.float64], size: int, **options: object) -> Image:
    """`cv2.warpAffine` for a map of continuous pixels (pixel centres at +0.5), averaging before a strong reduction."""
    m = m.copy()
    reduction = int(1 / max(1e-3, np.sqrt(abs(np.linalg.det(m[:, :2])))))
    if reduction > 1:
        height, width = (max(1, v // reduction) for v in image.shape[:2])
        m[:, 0] *= image.shape[1] / width
        m[:, 1] *= image.shape[0] / height
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    m[:, 2] += m[:, :2] @ (0.5, 0.5) - 0.5
    return cv2.warpAffine(image, m, (size, size), flags=cv2.INTER_LINEAR, **options)  # type: ignore[call-overload]


def _bounds(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 2) points -> cx, cy, w, h of their bounding box."""
    low, high = points.min(0), points.max(0)
    return np.concatenate([(low + high) / 2, high - low])


class PairDataset(Dataset[Pair]):
    """Pairs number 0, 1, 2, ... without end.

    Args:
        sources: where the pictures are; of several, each is drawn from as often as its share says.
        options: what the pairs are made of.
        seed: pairs of different seeds are unrelated.

    Raises:
        PgnetError: nothing can be made of these sources.
    """

    def __init__(self, sources: Sequence[Sources], options: PairOptions | None = None, seed: int = 0) -> None:
        self.sources = sources
        self.options = options or PairOptions()
        self.seed = seed
        self._read = ImageCache()
        size = self.options.search_size
        self._grid = anchors.grid(anchors.GRID - (anchors.SEARCH_SIZE - size) // anchors.STRIDE, size)
        self._photographs = any(s.photos for s in sources)
        available = {
            "video": any(s.videos for s in sources),
            "still": any(s.stills for s in sources),
            "composed": self._photographs and any(s.masked for s in sources),
            "region": self._photographs,
        }
        weights = np.array([getattr(self.options, kind) * has for kind, has in available.items()])
        if not weights.any():
            raise PgnetError("The data has nothing for the kinds of pairs that have a share in the recipe's [pairs].")
        self._kinds, self._weights = list(available), weights / weights.sum()

    def __getitem__(self, index: int) -> Pair:
        """The pair of this number, always the same."""
        rng = np.random.default_rng((self.seed, index))
        kind = rng.choice(self._kinds, p=self._weights)
        template, search, rival = getattr(self, f"_{kind}")(rng)
        negative = rng.random() < self.options.negative
        if negative and rival is not None and rng.random() < self.options.alike:
            search = self._cut(rival, rng, True, self._fill(rng))
        elif negative:  # the template of one pair, the search crop of another
            search = getattr(self, f"_{rng.choice(self._kinds, p=self._weights)}")(rng).search
        elif rng.random() < self.options.occluder and self._photographs:
            search = self._occlude(search, rng)
        images = [augment.photometric(view.image, rng) for view in (template, search)]
        if rng.random() < self.options.grey:
            images = [augment.grey(image) for image in images]
        if rng.random() < 0.5:
            images = [np.ascontiguousarray(image[:, ::-1]) for image in images]
            search.box[0] = self.options.search_size - search.box[0]  # the outline is of no more use
        box = None if negative else search.box
        label, offsets = anchor_targets(self._grid, box, self.options.any_size)
        tensors = [torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))) for image in images]
        truth = np.full(4, np.nan) if box is None else box
        return Pair(
            tensors[0], tensors[1], torch.from_numpy(label), torch.from_numpy(offsets), torch.from_numpy(truth).float()
        )

    # Geometry --------------------------------------------------------------------------------------------------

    def _placement(self, rng: Generator, search: bool) -> tuple[int, NDArray[np.float64], float, NDArray[np.float64]]:
        """Crop size, centre of the target in it, its scale factor and its change of aspect (x, y factors)."""
        o = self.options
        if not search:
            return (
                anchors.TEMPLATE_SIZE,
                anchors.TEMPLATE_SIZE / 2 + rng.uniform(-3, 3, 2),
                np.exp(rng.uniform(-0.05, 0.05)),
                np.ones(2),
            )
        stretch = np.exp(rng.uniform(-o.aspect, o.aspect))
        shift = rng.uniform(-o.shift, o.shift, 2)
        return (
            o.search_size,
            o.search_size / 2 + shift,
            np.exp(rng.uniform(-o.scale, o.scale)),
            np.array([stretch, 1 / stretch]),
        )

    def _cut(self, target: Target, rng: Generator, search: bool, fill: str = "mean") -> _View:
        """A crop around a target where it is; beyond the picture's border as `fill` says."""
        image = self._read(target.path)
        size, to, factor, stretch = self._placement(rng, search)
        x, y, w, h = target.box
        width, height = w * stretch[0], h * stretch[1]
        scale = stretch * factor * anchors.TEMPLATE_SIZE / crop.template_side(width, height)
        m = _affine(np.array([x + w / 2, y + h / 2]), to, scale, 0)
        if fill == "photo":
            canvas = self._background(rng, size)
            warped = _warp(image, m, size, dst=canvas, borderMode=cv2.BORDER_TRANSPARENT)
        else:
            warped = _warp(image, m, size, borderMode=cv2.BORDER_CONSTANT, borderValue=crop.mean_colour(image))
        return _View(warped, np.concatenate([to, np.array([w, h]) * scale]))

    def _scene(self, rng: Generator, size: int) -> _Scene:
        """A random piece of a random photograph for a crop of this size."""
        path = self._any_photo(rng)
        shape = self._read(path).shape
        scale = size / min(shape[:2]) * np.exp(rng.uniform(-0.3, 0.7))
        return _Scene(path, rng.uniform(0.25, 0.75, 2) * shape[1::-1], scale)

    def _show(self, scene: _Scene, size: int) -> Image:
        """The background, mirrored beyond the photograph's border."""
        m = _affine(scene.centre, np.array([size / 2, size / 2]), np.full(2, scene.scale), scene.angle)
        return _warp(self._read(scene.path), m, size, borderMode=cv2.BORDER_REFLECT_101)

    def _background(self, rng: Generator, size: int) -> Image:
        return self._show(self._scene(rng, size), size)

    def _paste(
        self,
        canvas: Image,
        target: Target,
        to: NDArray[np.float64],
        factor: float,
        stretch: NDArray[np.float64],
        angle: float,
    ) -> _View:
        """The masked object, turned, with its centre at `to`, on `canvas`; the box bounds the turned outline."""
        image, size = self._read(target.path), canvas.shape[0]
        outline = np.concatenate(target.polygons)
        centre = _bounds(outline)[:2]
        turned = _bounds(outline @ _affine(np.zeros(2), np.zeros(2), stretch, angle)[:, :2].T)
        scale = stretch * factor * anchors.TEMPLATE_SIZE / crop.template_side(*np.maximum(turned[2:], 4))
        m = _affine(centre, to, scale, angle)
        points = [p @ m[:, :2].T + m[:, 2] for p in target.polygons]
        offset = to - _bounds(np.concatenate(points))[:2]
        m[:, 2] += offset
        points = [p + offset for p in points]
        mask = np.zeros((size, size), np.uint8)
        cv2.fillPoly(mask, [np.round((p - 0.5) * 16).astype(np.int32) for p in points], 255, cv2.LINE_AA, 4)
        alpha = (cv2.blur(mask, (3, 3)).astype(np.float32) / 255)[..., None]
        colour = _warp(image, m, size, borderMode=cv2.BORDER_REPLICATE)
        blended = canvas + (colour.astype(np.float32) - canvas) * alpha
        return _View(blended.astype(np.uint8), _bounds(np.concatenate(points)), np.concatenate(points))

    @staticmethod
    def _bend(view: _View, amount: float, rng: Generator) -> _View:
        """The whole crop moved by a smooth random field, and the box that then bounds the target's outline."""
        size = view.image.shape[0]
        knots = rng.normal(0, amount * np.sqrt(view.box[2] * view.box[3]), (5, 5, 2)).astype(np.float32)
        field = cv2.resize(knots, (size, size), interpolation=cv2.INTER_CUBIC)
        y, x = np.mgrid[:size, :size].astype(np.float32)
        image = cv2.remap(
            view.image, x - field[..., 0], y - field[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
        )
        column, row = np.clip(view.outline.astype(int), 0, size - 1).T
        outline = view.outline + field[row, column]
        return _View(image, _bounds(outline), outline)

    def _occlude(self, view: _View, rng: Generator) -> _View:
        """A piece of a photograph, with a round or straight edge, over at most about 40 % of the target."""
        cx, cy, w, h = view.box
        size = view.image.shape[0]
        angle, reach = rng.uniform(0, 2 * np.pi), rng.uniform(0.65, 0.95)
        centre = np.array([cx, cy]) + reach * np.array([w, h]) / 2 * np.array([np.cos(angle), np.sin(angle)])
        axes = np.array([w, h]) * rng.uniform(0.2, 0.45, 2)
        outline = (
            np.array(cv2.ellipse2Poly((0, 0), (1000, 1000), int(rng.integers(90)), 0, 360, int(rng.choice([20, 90]))))
            / 1000
        )
        mask = np.zeros((size, size), np.uint8)
        cv2.fillPoly(mask, [np.round(centre + outline * axes).astype(np.int32)], 255)
        image = view.image.copy()
        image[mask > 0] = self._background(rng, size)[mask > 0]
        return _View(image, view.box)

    # Kinds of pairs --------------------------------------------------------------------------------------------

    def _source(self, kind: str, rng: Generator) -> Sources:
        """One of the sources that have stills, masked, photos or videos; where there is one, nothing is drawn."""
        having = [s for s in self.sources if getattr(s, kind)]
        if len(having) == 1:
            return having[0]
        shares = np.array([s.share for s in having])
        return having[rng.choice(len(having), p=shares / shares.sum())]

    def _any_photo(self, rng: Generator) -> Path:
        source = self._source("photos", rng)
        sets = list(source.photos)
        # ImageNet's photographs are by far the most diverse set.
        name = "imagenet_sample" if "imagenet_sample" in sets and rng.random() < 0.6 else sets[rng.integers(len(sets))]
        photos = source.photos[name]
        return photos[rng.integers(len(photos))]

    @staticmethod
    def _any(sets: dict[str, list[Target]], rng: Generator) -> list[Target]:
        """The targets of any of the sets."""
        return list(sets.values())[rng.integers(len(sets))]

    @staticmethod
    def _elsewhere(targets: list[Target], target: Target, rng: Generator) -> Target | None:
        """Another target of the same set, unless the one drawn is in the same picture."""
        other = targets[rng.integers(len(targets))] if targets else target
        return other if other.path != target.path else None

    def _video(self, rng: Generator) -> _Sample:
        source = self._source("videos", rng)
        groups = list(source.videos.values())
        # Between per set and per video: sets of few videos are seen often, but not too often.
        weights = np.sqrt([len(group) for group in groups])
        group = groups[rng.choice(len(groups), p=weights / weights.sum())]
        video = group[rng.integers(len(group))]
        first = int(rng.integers(len(video)))
        limit = source.max_gap or self.options.max_gap
        gap = int(rng.integers(-limit, limit + 1))
        second = int(np.clip(first + gap, 0, len(video) - 1))
        other = group[rng.integers(len(group))]
        rival = other[int(rng.integers(len(other)))] if other.name != video.name else None
        return _Sample(self._cut(video[first], rng, False), self._cut(video[second], rng, True), rival)

    def _still(self, rng: Generator) -> _Sample:
        targets = self._any(self._source("stills", rng).stills, rng)
        target = targets[rng.integers(len(targets))]
        template, search = (self._cut(target, rng, search, self._fill(rng)) for search in (False, True))
        return _Sample(template, search, self._elsewhere(targets, target, rng))

    def _fill(self, rng: Generator) -> str:
        return "photo" if self._photographs and rng.random() < 0.5 else "mean"

    def _region(self, rng: Generator) -> _Sample:
        path = self._any_photo(rng)
        height, width = self._read(path).shape[:2]
        side, ratio = np.sqrt(width * height) * rng.uniform(0.12, 0.45), np.exp(rng.uniform(-0.7, 0.7))
        w, h = min(side * ratio, width * 0.9), min(side / ratio, height * 0.9)
        x, y = rng.uniform(0, width - w), rng.uniform(0, height - h)
        target = Target(path, np.array([x, y, w, h]))
        return _Sample(self._cut(target, rng, False), self._cut(target, rng, True, self._fill(rng)))

    def _object(self, rng: Generator, of: list[Target] | None = None) -> tuple[list[Target], Target]:
        """A masked object, `of` these or of any set, and its set; sometimes a blob cut from any photograph, so that
        targets are of any kind."""
        if of is None and rng.random() < 0.3:
            path = self._any_photo(rng)
            size = np.array(self._read(path).shape[1::-1], np.float64)
            angles = np.sort(rng.uniform(0, 2 * np.pi, 12))
            radius = size * rng.uniform(0.15, 0.35, 2) * rng.uniform(0.6, 1, (12, 1))
            centre = size * rng.uniform(0.36, 0.64, 2)
            outline = centre + radius * np.stack([np.cos(angles), np.sin(angles)], 1)
            b = _bounds(outline)
            return [], Target(path, boxes.cxcywh_to_xywh(b), (outline,))
        targets = of or self._any(self._source("masked", rng).masked, rng)
        return targets, targets[rng.integers(len(targets))]

    def _composed(self, rng: Generator) -> _Sample:
        """Two frames of a synthetic video: object and camera move, the object turns, grows and bends, others pass."""
        alike, target = self._object(rng)
        o = self.options
        base, turn = np.deg2rad(rng.uniform(-15, 15)), np.deg2rad(rng.uniform(-o.rotation, o.rotation))
        scene = self._scene(rng, o.search_size)
        size, to, factor, stretch = self._placement(rng, False)
        template = self._paste(self._show(scene, size), target, to, factor, stretch, base)
        size, to, zoom, stretch = self._placement(rng, True)
        if rng.random() < o.scene:
            moved = rng.uniform(-0.4, 0.4, 2) * size / scene.scale
            scale = scene.scale * zoom / factor * np.exp(rng.uniform(-0.1, 0.1))
            scene = _Scene(scene.path, scene.centre + moved, scale, np.deg2rad(rng.uniform(-5, 5)))
        else:
            scene = self._scene(rng, size)
        canvas = self._show(scene, size)
        if rng.random() < o.distractor:
            _, other = self._object(rng, alike if alike and rng.random() < 0.5 else None)
            away = rng.uniform(0, 2 * np.pi)
            place = to + rng.uniform(50, 110) * np.array([np.cos(away), np.sin(away)])
            canvas = self._paste(canvas, other, place, zoom * np.exp(rng.uniform(-0.3, 0.3)), stretch, turn).image
        search = self._paste(canvas, target, to, zoom, stretch, base + turn)
        if o.deform:
            search = self._bend(search, o.deform, rng)
        return _Sample(template, search, self._elsewhere(alike, target, rng))
