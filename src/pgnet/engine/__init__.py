"""What computes the network: one small protocol, and the libraries behind it."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pgnet.engine.onnx import OnnxEngine
from pgnet.engine.openvino import OpenvinoEngine
from pgnet.engine.threads import available_cores
from pgnet.engine.torch import TorchEngine
from pgnet.errors import PgnetError
from pgnet.models import ModelFile

__all__ = [
    "ENGINES",
    "Engine",
    "Features",
    "OnnxEngine",
    "OpenvinoEngine",
    "TorchEngine",
    "available_cores",
    "load_engine",
]

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


ENGINES: dict[str, type[OnnxEngine] | type[OpenvinoEngine] | type[TorchEngine]] = {
    "onnxruntime": OnnxEngine,
    "openvino": OpenvinoEngine,
    "torch": TorchEngine,
}
"""The first comes with pgnet, the others with the extras of their names."""


def load_engine(
    model: ModelFile, name: str = "onnxruntime", device: str = "auto", threads: int | None = None, *, half: bool = False
) -> Engine:
    """The engine of that name with a model.

    Args:
        model: its graphs must lie beside it.
        name: of `ENGINES`.
        device: "auto" (a GPU that the engine can use, or else the CPU), "cpu", "cuda", or what the engine calls it.
        threads: on the CPU; by default as many as there are physical cores.
        half: compute in 16-bit floating point: 8 or 11 significant bits, boxes move by a fraction of a pixel.

    Raises:
        PgnetError: no such engine, its library is not installed, it cannot use the device or half precision there, or
            the model does not load.
    """
    if name not in ENGINES:
        raise PgnetError(f"There is no engine {name!r}; the known ones are {', '.join(ENGINES)}.")
    return ENGINES[name](model, device=device, threads=threads, half=half)
