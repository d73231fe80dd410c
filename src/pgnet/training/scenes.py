"""Short clips with known truth, composed from stills: an object with an outline moves over a photograph, as in a video.

Camera and object move, the object turns, bends and changes its size, others like it pass by, something may cover it,
and it may be gone for a while: cut away, behind an obstacle, or out of the picture. Clip number i of a seed is always
the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from pgnet.boxes import Boxes
from pgnet.crop import Image
from pgnet.errors import PgnetError
from pgnet.training.annotations import Target
from pgnet.training.sources import ImageCache, Sources

Array = NDArray[np.float64]

SIZES = ((320, 240), (480, 270), (360, 360), (640, 360))
"""Widths and heights of the frames."""
KINDS = ("stays", "cut", "covered", "leaves")
"""How the object goes: not at all, by a cut to another scene, behind an obstacle, out of the picture."""
SEEN = 0.4
"""Part of the object that must be visible for it to count as seen."""
RAMP = 6
"""Frames that leaving and returning take."""
_SPRITE = 192
"""Side of the square in which an object is kept, about a third of it margin for bending."""


class SceneFrame(NamedTuple):
    """A frame of a composed clip."""

    image: Image
    """(H, W, 3) uint8 RGB."""
    box: Boxes
    """(4,) x, y, w, h around the whole object, also where it is hidden or outside."""
    seen: bool
    """Whether it can be seen: enough of it is inside of the frame and not covered."""


@dataclass
class Scenes:
    """Composed clips of the masked stills and the photographs of a source.

    Attributes:
        sources: where the pictures are.
        frames: of each clip.
        away: frames for which the object is gone.
        seed: clips of different seeds are unrelated.

    Raises:
        PgnetError: the source has no stills with outlines or no photographs.
    """

    sources: Sources
    frames: int = 60
    away: int = 20
    seed: int = 0
    _read: ImageCache = field(default_factory=ImageCache, repr=False)

    def __post_init__(self) -> None:
        if not (self.sources.masked and self.sources.photos):
            raise PgnetError("Clips are composed of stills with outlines and photographs; the data lacks one of them.")

    def clip(self, number: int) -> Iterator[SceneFrame]:
        """The frames of a clip; the object is seen in the first."""
        rng = np.random.default_rng((self.seed, number))
        kind = KINDS[number % len(KINDS)]
        width, height = SIZES[rng.integers(len(SIZES))]
        extent = min(float(np.exp(rng.uniform(np.log(20), np.log(120)))), 0.4 * min(width, height))
        start = int(self.frames * rng.uniform(0.3, 0.45))
        gone = np.arange(self.frames) - start  # 0 in the first frame of the absence
        scene, other = (self._background(rng, width, height) for _ in range(2))
        set_name = list(self.sources.masked)[rng.integers(len(self.sources.masked))]
        target = _Actor(self._sprite(set_name, rng), self._path(rng, kind, gone, width, height, extent), extent, rng)
        actors = [target]
        for _ in range(rng.integers(4)):
            name = set_name if rng.random() < 0.6 else list(self.sources.masked)[rng.integers(len(self.sources.masked))]
            path = self._passing(rng, target.path, extent)
            actors.insert(rng.integers(len(actors) + 1), _Actor(self._sprite(name, rng), path, extent, rng))
        if kind == "covered" or rng.random() < 0.25:
            actors.append(self._obstacle(rng, target, gone, full=kind == "covered"))
        light = np.exp(
            np.stack([_smooth(rng, self.frames, 25) for _ in range(4)], 1)
            * (rng.exponential(0.15), *rng.uniform(0, 0.08, 3))
        )
        noise = rng.uniform(0.5, 6)
        blurred = _smooth(rng, self.frames, 8) > 1.3
        for t in range(self.frames):
            cut = kind == "cut" and 0 <= gone[t] < self.away
            image, seen = (other if cut else scene)(t), np.zeros((height, width), np.float32)
            for actor in actors:
                if not (cut and actor is target):
                    actor.paint(image, seen, t, is_target=actor is target)
            box, whole = target.extent(t)
            image = cv2.LUT(
                image, np.clip(np.arange(256)[:, None] * light[t, :1] * light[t, 1:], 0, 255).astype(np.uint8)[None]
            )
            if blurred[t]:
                image = cv2.blur(image, (5, 3))
            grain = np.empty(image.shape[:2], np.int16)
            cv2.setRNGSeed(int(rng.integers(1 << 31)))
            cv2.randn(grain, np.zeros(1), np.full(1, noise))
            image = cv2.add(image, cv2.merge([grain] * 3), dtype=cv2.CV_8U)
            yield SceneFrame(image, box, bool(seen.sum() >= SEEN * whole))

    def _photo(self, rng: Generator) -> Image:
        sets = list(self.sources.photos.values())
        weights = np.sqrt([len(photos) for photos in sets])
        photos = sets[rng.choice(len(sets), p=weights / weights.sum())]
        return self._read(photos[rng.integers(len(photos))])

    def _background(self, rng: Generator, width: int, height: int) -> Callable[[int], Image]:
        """A camera that moves over a photograph, mirrored beyond its border."""
        photo = self._photo(rng)
        scale = max(width / photo.shape[1], height / photo.shape[0]) * np.exp(rng.uniform(0, 0.7))
        zoom = scale * np.exp(0.08 * _smooth(rng, self.frames, 25))
        move = np.stack([_smooth(rng, self.frames, 20) for _ in range(2)], 1) * rng.uniform(0, 0.12) * width
        turn = 0.05 * _smooth(rng, self.frames, 20)
        middle = np.array(photo.shape[1::-1]) / 2

        def frame(t: int) -> Image:
            m = _similarity(middle, move[t] + np.array([width, height]) / 2, (zoom[t], zoom[t]), turn[t])
            return cv2.warpAffine(photo, m, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)

        return frame

    def _sprite(self, set_name: str, rng: Generator) -> _Sprite:
        """Some object of a set."""
        targets = self.sources.masked[set_name]
        return _cut_out(targets[rng.integers(len(targets))], self._read)

    def _path(
        self, rng: Generator, kind: str, gone: NDArray[np.int64], width: int, height: int, extent: float
    ) -> Array:
        """(N, 2) centres of the target; where it is gone by leaving, outside."""
        size = np.array([width, height], np.float64)

        def wander() -> Array:
            speed = np.exp(rng.uniform(np.log(0.03), np.log(0.25)))
            steps = np.stack([_smooth(rng, self.frames, 25) for _ in range(2)], 1) * speed * size
            inside = np.minimum(0.6 * extent, 0.45 * size)
            return np.asarray(np.clip(rng.uniform(0.25, 0.75, 2) * size + steps, inside, size - inside))

        before = wander()
        after = wander() if kind != "stays" and rng.random() < 0.5 else before
        path = np.where((gone < self.away // 2)[:, None], before, after)
        if kind == "leaves":
            share = np.clip(np.minimum(gone + RAMP, self.away + RAMP - gone) / RAMP, 0, 1)[:, None]
            sides = np.array([[1, 0], [-1, 0], [0, 1], [0, -1]], np.float64)[rng.integers(4, size=2)]
            outside = size / 2 + np.where((gone < self.away // 2)[:, None], *sides) * (size / 2 + 0.8 * extent)
            path = path + share * np.where(outside == size / 2, 0, outside - path)
        return path

    def _passing(self, rng: Generator, path: Array, extent: float) -> Array:
        """(N, 2) centres of something that passes by the target."""
        when = rng.integers(12, self.frames)
        angle, speed = rng.uniform(0, 2 * np.pi), extent * rng.uniform(0.08, 0.3)
        line = np.outer(np.arange(self.frames) - when, speed * np.array([np.cos(angle), np.sin(angle)]))
        near = path[when] + rng.uniform(-1, 1, 2) * extent
        return np.asarray(near + line)

    def _obstacle(self, rng: Generator, target: _Actor, gone: NDArray[np.int64], full: bool) -> _Actor:
        """A piece of a photograph that comes over the target, over all of it or over a part, and goes again."""
        photo = self._photo(rng)
        side = min(photo.shape[:2])
        colour = cv2.resize(photo[:side, :side], (_SPRITE, _SPRITE), interpolation=cv2.INTER_AREA)
        cover = np.zeros((_SPRITE, _SPRITE), np.uint8)
        middle, reach = _SPRITE // 2, _SPRITE // 2 - 4
        if rng.random() < 0.5:
            cv2.circle(cover, (middle, middle), reach, 255, -1, cv2.LINE_AA)
        else:
            cover[middle - reach : middle + reach, middle - reach : middle + reach] = 255
        length = self.away if full else int(rng.integers(1, self.away))
        away = np.maximum(0, np.maximum(-gone, gone - length + 1)) / RAMP  # 0 while it is over the target
        angles = rng.uniform(0, 2 * np.pi, 2)
        angle = np.where(gone < length // 2, *angles)
        size = target.size * (rng.uniform(1.7, 2.2) if full else rng.uniform(0.6, 1.1))
        offset = np.stack([np.cos(angle), np.sin(angle)], 1) * (away[:, None] * 1.5 + (0 if full else 0.4)) * size
        return _Actor(_Sprite(colour, cover), target.path + offset, size, rng)


class _Sprite(NamedTuple):
    """An object in the middle of a square: (S, S, 3) uint8 colours and (S, S) uint8 cover."""

    colour: Image
    cover: Image


class _Actor:
    """A sprite in motion.

    Args:
        sprite: what is seen.
        path: (N, 2) centres in the frame.
        size: square root of the sprite's area in the frame, at first; in pixels.
        rng: turns, bends and scales it.
    """

    def __init__(self, sprite: _Sprite, path: Array, size: float, rng: Generator) -> None:
        frames = len(path)
        self.sprite, self.path, self.size = sprite, path, size
        scale = size / np.sqrt(max(1.0, sprite.cover.sum() / 255))
        growth = 0.2 * _smooth(rng, frames, 50)
        stretch = 0.08 * _smooth(rng, frames, 35)
        self.scales = scale * np.exp(np.stack([growth + stretch, growth - stretch], 1) - (growth[0], growth[0]))
        self.angles = rng.exponential(0.4) * _smooth(rng, frames, 40)
        knots = rng.normal(0, 0.05 * _SPRITE * rng.random(), (2, 5, 5, 2)).astype(np.float32)
        self.fields = [cv2.resize(k, (_SPRITE, _SPRITE), interpolation=cv2.INTER_CUBIC) for k in knots]
        self.phase = np.arange(frames) * rng.uniform(0.03, 0.15)
        self.shade = np.exp(0.15 * _smooth(rng, frames, 30))
        self._at: tuple[int, Image, Image, Array, Array] | None = None

    def _posed(self, t: int) -> tuple[Image, Image, Array, Array]:
        """Bent colours and cover, the map into the frame, and the (n, 2) outline there."""
        if self._at is None or self._at[0] != t:
            cos, sin = math.cos(self.phase[t]), math.sin(self.phase[t])
            field = self.fields[0] * cos + self.fields[1] * sin
            y, x = np.mgrid[:_SPRITE, :_SPRITE].astype(np.float32)
            colour, cover = (
                cv2.remap(part, x + field[..., 0], y + field[..., 1], cv2.INTER_LINEAR, borderMode=border)
                for part, border in (
                    (self.sprite.colour, cv2.BORDER_REPLICATE),
                    (self.sprite.cover, cv2.BORDER_CONSTANT),
                )
            )
            m = _similarity(np.full(2, _SPRITE / 2), self.path[t], self.scales[t], self.angles[t])
            contours, _ = cv2.findContours((cover > 127).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
            points = np.concatenate(contours)[:, 0].astype(np.float64) + 0.5
            self._at = t, colour, cover, m, points @ m[:, :2].T + m[:, 2]
        return self._at[1:]

    def extent(self, t: int) -> tuple[Boxes, float]:
        """x, y, w, h around all of it, and its area in pixels."""
        _, cover, m, outline = self._posed(t)
        low, high = outline.min(0), outline.max(0)
        return np.concatenate([low, high - low]), float(cover.sum() / 255 * abs(np.linalg.det(m[:, :2])))

    def paint(self, image: Image, seen: NDArray[np.float32], t: int, *, is_target: bool) -> None:
        """Onto the frame, in place; `seen` (H, W) is what can be seen of the target."""
        colour, cover, m, outline = self._posed(t)
        limit = np.array(image.shape[1::-1])
        left, top = np.clip(np.floor(outline.min(0)).astype(int) - 1, 0, limit)
        right, bottom = np.clip(np.ceil(outline.max(0)).astype(int) + 1, 0, limit)
        if right <= left or bottom <= top:
            return
        m = m.copy()
        m[:, 2] += m[:, :2] @ (0.5, 0.5) - 0.5 - (left, top)  # from continuous pixels to OpenCV's
        shape, rows, columns = (int(right - left), int(bottom - top)), slice(top, bottom), slice(left, right)
        mask = cv2.warpAffine(cover, m, shape, flags=cv2.INTER_LINEAR).astype(np.float32) / 255
        layer = cv2.warpAffine(colour, m, shape, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        part = image[rows, columns]
        shaded = np.minimum(layer * np.float32(self.shade[t]), 255)
        part[...] = (part + (shaded - part) * mask[..., None]).astype(np.uint8)
        seen[rows, columns] = mask if is_target else seen[rows, columns] * (1 - mask)


def _cut_out(target: Target, read: Callable[[Path], Image]) -> _Sprite:
    """The object of a still, as large as fits."""
    outline = np.concatenate(target.polygons)
    low, high = outline.min(0), outline.max(0)
    scale = 0.68 * _SPRITE / max(1.0, float((high - low).max()))
    m = _similarity((low + high) / 2, np.full(2, _SPRITE / 2), (scale, scale), 0.0)
    cover = np.zeros((_SPRITE, _SPRITE), np.uint8)
    points = [np.round((p @ m[:, :2].T + m[:, 2] - 0.5) * 16).astype(np.int32) for p in target.polygons]
    cv2.fillPoly(cover, points, 255, cv2.LINE_AA, 4)
    m[:, 2] += m[:, :2] @ (0.5, 0.5) - 0.5
    image = read(target.path)
    colour = cv2.warpAffine(image, m, (_SPRITE, _SPRITE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return _Sprite(colour, cv2.blur(cover, (3, 3)))


def _similarity(pivot: Array, to: Array, scale: Array | tuple[float, float], angle: float) -> Array:
    """(2, 3): scales by x and y factors, turns by `angle` (radians) about `pivot`, and moves that to `to`."""
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * np.asarray(scale)
    return np.column_stack([turn, to - turn @ pivot])


def _smooth(rng: Generator, frames: int, period: float) -> Array:
    """(N,) a curve without jumps, about -1.5 to 1.5, from 0 at first; `period` frames between its turns."""
    knots = rng.normal(0, 1, max(2, round(frames / period) + 2)).astype(np.float32)
    curve = cv2.resize(knots[None], (frames, 1), interpolation=cv2.INTER_CUBIC)[0]
    return np.asarray(curve - curve[0], np.float64)
