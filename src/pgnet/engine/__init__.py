"""What computes the network: one small protocol, and ONNX Runtime behind it."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pgnet.engine.onnx import OnnxEngine, available_cores

__all__ = ["Engine", "Features", "OnnxEngine", "available_cores"]

Features = list[NDArray[np.float32]]
"""Template features, one (K, C, 5, 5) array per level."""


class Engine(Protocol):
    """The network, split for tracking; it keeps nothing between calls, so K targets are a batch."""

    def embed(self, template: NDArray[np.uint8]) -> Features:
        """Features of (K, 127, 127, 3) RGB template crops."""
        ...

    def search(self, features: Features, crop: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Logits (K, 10, 25, 25) and offsets (K, 20, 25, 25) in (K, 255, 255, 3) RGB search crops.

        Logits: channel = class * 5 + anchor, class 1 is the target. Offsets: channel = coordinate * 5 + anchor, the
        coordinates dx, dy, dw, dh as `pgnet.anchors.decode` takes them.
        """
        ...
