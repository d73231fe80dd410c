"""Photometric augmentation of one crop; every function takes and gives (H, W, 3) uint8 RGB."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator

from pgnet.crop import Image


def colour_jitter(image: Image, rng: Generator, strength: float = 1.0) -> Image:
    """Random brightness, contrast, gamma, saturation and white balance in one linear map and one table."""
    gain = 1 + strength * rng.uniform(-0.25, 0.25, 3) * np.array([1, 0.4, 0.4])  # overall; red; blue
    saturation, offset = 1 + strength * rng.uniform(-0.4, 0.4), strength * rng.uniform(-25, 25)
    grey = np.full((3, 3), [0.299, 0.587, 0.114])
    matrix = (grey + saturation * (np.eye(3) - grey)) * (gain[0] * np.array([gain[1], 1, gain[2]]))[:, None]
    out = cv2.transform(image, np.hstack([matrix, np.full((3, 1), offset - 128 * (gain[0] - 1))]))
    gamma = np.exp(strength * rng.uniform(-0.3, 0.3))
    table = (255 * (np.arange(256) / 255) ** gamma).astype(np.uint8)
    return cv2.LUT(out, table)


def grey(image: Image) -> Image:
    """The luminance in all three channels."""
    return cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)


def blur(image: Image, rng: Generator) -> Image:
    """Defocus or motion blur."""
    if rng.random() < 0.5:
        return cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 2.5))
    length, angle = int(rng.integers(3, 14)), rng.uniform(0, 180)
    line = np.zeros((length, length), np.float32)
    line[length // 2] = 1
    kernel = cv2.warpAffine(line, cv2.getRotationMatrix2D(((length - 1) / 2,) * 2, angle, 1), (length, length))
    return cv2.filter2D(image, -1, kernel / max(kernel.sum(), 1e-6))


def low_resolution(image: Image, rng: Generator) -> Image:
    """As a small target looks after enlargement: most test targets are smaller than the crop shows them."""
    side = int(image.shape[0] / rng.uniform(1.5, 4))
    small = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)


def noise(image: Image, rng: Generator) -> Image:
    """Gaussian sensor noise."""
    values: Image = np.empty(image.shape, np.int16)
    cv2.setRNGSeed(int(rng.integers(1 << 31)))  # OpenCV's generator is much faster than numpy's
    cv2.randn(values, np.zeros(3), np.full(3, rng.uniform(2, 12)))
    return cv2.add(image, values, dtype=cv2.CV_8U)


def photometric(image: Image, rng: Generator) -> Image:
    """The mix of the above that a crop gets, independently for template and search."""
    image = colour_jitter(image, rng)
    if rng.random() < 0.2:
        image = blur(image, rng)
    if rng.random() < 0.2:
        image = low_resolution(image, rng)
    if rng.random() < 0.1:
        image = noise(image, rng)
    return image
