"""A clip made from noise and arithmetic: something to track on a machine that has no video yet.

A mottled stone turns, grows and passes behind a tree trunk, over ground that moves with the camera. Always the same
frames, and the true box of each.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from pgnet.boxes import Boxes
from pgnet.video.writer import VideoWriter

Image = NDArray[np.uint8]
Plane = NDArray[np.float32]

FRAMES, WIDTH, HEIGHT, FPS = 150, 640, 360, 30
_STONE = 256
"""Side of the square in which the stone is modelled, in its own pixels."""


def write_demo_clip(path: str | Path, frames: int = FRAMES) -> Boxes:
    """Writes the clip as MP4 -> (frames, 4) float64 true boxes, x, y, w, h in 0-based pixels.

    Raises:
        PgnetError: the file cannot be written.
    """
    boxes = []
    with VideoWriter(path, WIDTH, HEIGHT, fps=FPS, time_base=Fraction(1, FPS * 512)) as video:
        for index, (image, box) in enumerate(demo_frames(frames)):
            video.write(image, index / FPS)
            boxes.append(box)
    return np.array(boxes).reshape(-1, 4)


def demo_frames(frames: int = FRAMES) -> Iterator[tuple[Image, Boxes]]:
    """Yields the (360, 640, 3) uint8 RGB frames, each with the (4,) box x, y, w, h of the whole stone.

    The box also spans what the trunk hides. The movement is spread over `frames`, so fewer frames move faster.
    """
    rng = np.random.default_rng(7)
    ground = _ground(rng, WIDTH + 240, HEIGHT + 160)
    trunk, trunk_alpha = _trunk(rng, 64, HEIGHT + 80)
    albedo, slope, alpha = _stone(rng)
    grain = rng.normal(0, 2.2, (HEIGHT + 64, WIDTH + 64, 3)).astype(np.float32)
    for index in range(frames):
        t = index / max(1, frames - 1)
        # The camera drifts; the trunk is nearer, so it moves more.
        drift = np.array([60 * np.sin(2.2 * t), 26 * np.sin(5.0 * t + 0.6)])
        image = _placed(ground, _similarity((440, 260), 1.04 + 0.05 * t, 0.02 * np.sin(4 * t), -drift + (320, 180)))

        angle = 0.5 + 2.6 * t + 0.35 * np.sin(6.0 * t)
        scale = 0.38 + 0.16 * t + 0.10 * t * t
        centre = np.array([92 + 448 * t - 26 * np.sin(2 * np.pi * t), 196 + 62 * np.sin(5.2 * t + 0.4)])
        pose = _similarity((_STONE / 2, _STONE / 2), scale, angle, centre)
        cover = _placed(alpha, pose)
        shadow = cv2.GaussianBlur(_placed(alpha, pose + np.array([[0, 0, 34 * scale], [0, 0, 44 * scale]])), (0, 0), 7)
        image *= 1 - 0.55 * shadow[..., None]
        image = _over(image, _lit(_placed(albedo, pose), _placed(slope, pose), angle), cover)

        middle = (330 - 1.5 * drift[0], HEIGHT / 2 - 0.4 * drift[1])
        stand = _similarity((32, (HEIGHT + 80) / 2), 1.0, 0.03, middle)
        image = _over(image, _placed(trunk, stand), _placed(trunk_alpha, stand))

        dy, dx = rng.integers(0, 64, 2)
        image += grain[dy : dy + HEIGHT, dx : dx + WIDTH]
        box = cv2.boundingRect((cover > 0.5).astype(np.uint8))
        yield np.clip(image, 0, 255).astype(np.uint8), np.array(box, np.float64)


# --- pictures: float32, colours 0..255, everything else 0..1 ----------------------------------------------------------


def _noise(rng: np.random.Generator, width: int, height: int, cell: float, octaves: int = 5, tall: float = 1) -> Plane:
    """(height, width) fractal noise in 0..1: each octave half as large, 0.55 times as strong; `tall` stretches."""
    out = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        size = max(1.5, cell / 2**octave)
        grid = rng.random((round(height / (size * tall)) + 3, round(width / size) + 3), dtype=np.float32)
        out += 0.55**octave * cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
    low, high = np.percentile(out, (0.5, 99.5))
    return np.asarray(np.clip((out - low) / (high - low), 0, 1), np.float32)


def _palette(values: Plane, *colours: tuple[int, int, int]) -> Plane:
    """Values 0..1 -> (..., 3), linear between equally spaced colours."""
    stops = np.linspace(0, 1, len(colours))
    table = np.array(colours, np.float32)
    return np.stack([np.interp(values, stops, table[:, c]) for c in range(3)], -1).astype(np.float32)


def _ground(rng: np.random.Generator, width: int, height: int) -> Plane:
    """Moss, soil and dry leaves in dappled light."""
    moss = _palette(_noise(rng, width, height, 26, 6), (34, 44, 22), (66, 82, 40), (104, 116, 62), (146, 146, 92))
    soil = _palette(_noise(rng, width, height, 14, 5), (40, 32, 25), (84, 68, 52), (128, 108, 84), (168, 150, 122))
    mix = np.clip((_noise(rng, width, height, 120, 4) - 0.42) * 5, 0, 1)[..., None]
    light = 0.62 + 0.55 * _noise(rng, width, height, 170, 3)[..., None]
    out: Plane = (moss * (1 - mix) + soil * mix) * light
    for _ in range(420):  # leaves
        x, y, turn = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(0, 180)
        size, tint = rng.uniform(3, 9), rng.uniform(0.55, 1.15)
        colour = [float(c) * tint for c in ((150, 112, 60), (124, 84, 48), (116, 118, 66))[rng.integers(3)]]
        cv2.ellipse(out, ((x, y), (size, size * 2.2), turn), colour, -1, cv2.LINE_AA)
    return cv2.GaussianBlur(out, (0, 0), 0.8).astype(np.float32)


def _trunk(rng: np.random.Generator, width: int, height: int) -> tuple[Plane, Plane]:
    """A tree trunk with ragged sides: (height, width, 3) colours and (height, width) cover."""
    bark = _noise(rng, width, height, 9, 4, tall=6)
    out = _palette(bark, (26, 22, 20), (70, 60, 52), (112, 100, 88), (150, 138, 122))
    lichen = np.clip((_noise(rng, width, height, 30, 5) - 0.66) * 5, 0, 0.7)[..., None]
    out = out * (1 - lichen) + np.array([128, 138, 108], np.float32) * lichen
    across = np.linspace(-1, 1, width, dtype=np.float32)
    edges = 0.70 + 0.20 * (_noise(rng, 2, height, 50, 4) - 0.5)
    inside = np.where(across[None, :] < 0, across + edges[:, :1], edges[:, 1:] - across)
    round_light = np.clip(1.06 - 0.65 * (across + 0.35) ** 2, 0.25, 1.1)
    return (out * round_light[None, :, None]).astype(np.float32), np.clip(inside * width / 2 + 0.5, 0, 1)


def _stone(rng: np.random.Generator) -> tuple[Plane, Plane, Plane]:
    """Colours (S, S, 3), the slope of the surface along x and y (S, S, 2), and the cover (S, S)."""
    y, x = (np.mgrid[:_STONE, :_STONE].astype(np.float32) + 0.5) / (_STONE / 2) - 1
    theta = np.arctan2(y * 1.32, x)
    outline = 0.84 + sum(
        a * np.cos(k * theta + phase)
        for k, a, phase in ((2, 0.05, 0.4), (3, 0.07, 1.9), (5, 0.035, 0.2), (8, 0.012, 3))
    )
    radius = np.hypot(x, y * 1.32) / outline
    bumps = _noise(rng, _STONE, _STONE, 40, 6)
    height = np.sqrt(np.clip(1 - radius**2, 0.02, 1)) * 0.75 + 0.10 * bumps
    slope = np.stack([cv2.Sobel(height, cv2.CV_32F, dx, 1 - dx, ksize=3) for dx in (1, 0)], -1) * (_STONE / 16)
    colour = _palette(
        _noise(rng, _STONE, _STONE, 60, 6), (142, 82, 52), (186, 122, 76), (214, 168, 118), (232, 206, 168)
    )
    patches = np.clip((_noise(rng, _STONE, _STONE, 46, 3) - 0.60) * 9, 0, 1)[..., None]
    colour = colour * (1 - 0.80 * patches) + np.array([52, 50, 58], np.float32) * 0.80 * patches
    vein = np.exp(-(((x * 0.5 + y - 0.12 + 0.5 * (bumps - 0.5)) / 0.055) ** 2))[..., None]
    colour = colour * (1 - 0.75 * vein) + np.array([236, 230, 216], np.float32) * 0.75 * vein
    cover = np.clip((1 - radius) * _STONE / 2 * 0.8, 0, 1)
    return colour.astype(np.float32), slope.astype(np.float32), cover.astype(np.float32)


def _lit(albedo: Plane, slope: Plane, angle: float) -> Plane:
    """Albedo under light from the upper left that stays where it is while the stone turns by `angle`."""
    c, s = np.cos(angle), np.sin(angle)
    gx, gy = slope[..., 0] * c - slope[..., 1] * s, slope[..., 0] * s + slope[..., 1] * c
    facing = (0.50 * gx + 0.62 * gy + 0.62) / np.sqrt(1 + gx**2 + gy**2)
    diffuse = 0.34 + 0.86 * np.clip(facing, 0, 1)
    gloss = 46 * np.clip(facing, 0, 1) ** 22
    return np.asarray(albedo * diffuse[..., None] + gloss[..., None], np.float32)


def _similarity(pivot: ArrayLike, scale: float, angle: float, target: ArrayLike) -> NDArray[np.float64]:
    """(2, 3): turns by `angle` (radians, clockwise on screen) and scales about `pivot`, which moves to `target`."""
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.column_stack([turn, np.asarray(target) - turn @ np.asarray(pivot)])


def _placed(picture: Plane, pose: NDArray[np.float64]) -> Plane:
    """A picture on an otherwise empty frame."""
    return np.asarray(cv2.warpAffine(picture, pose, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR), np.float32)


def _over(below: Plane, above: Plane, cover: Plane) -> Plane:
    return below + (above - below) * cover[..., None]
