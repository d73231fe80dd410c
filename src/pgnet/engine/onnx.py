"""The network in ONNX Runtime."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pgnet.engine.threads import thread_count
from pgnet.errors import PgnetError
from pgnet.models import ModelFile

if TYPE_CHECKING:
    from onnxruntime import InferenceSession, SessionOptions

PROVIDERS = {"cuda": "CUDAExecutionProvider", "coreml": "CoreMLExecutionProvider", "cpu": "CPUExecutionProvider"}
"""ONNX Runtime's names of the devices."""


def session_options(threads: int) -> SessionOptions:
    """How ONNX Runtime computes a graph here."""
    # Imported here: it takes a moment that commands without a network should not wait for.
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors only
    # Frames come one by one: waiting threads that spin would take cores from decoding the next one.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


class OnnxEngine:
    """`pgnet.engine.Engine` of a model file with its two graphs; see `pgnet.engine.load_engine`.

    Args:
        model: the model; its graphs must lie beside it.
        device: "auto" is CUDA where this ONNX Runtime has it, and the CPU otherwise; Core ML must be asked for.
        threads: threads for one operator; by default as many as there are physical cores.
        half: ONNX Runtime computes a graph in the precision that is written in it: refused.

    Raises:
        PgnetError: a graph is missing or does not load, the device is not there, or half precision is asked for.
    """

    def __init__(
        self, model: ModelFile, *, device: str = "auto", threads: int | None = None, half: bool = False
    ) -> None:
        if half:
            raise PgnetError("ONNX Runtime has no half precision here; take --engine openvino or torch for it.")
        self.model = model
        self.threads = thread_count(threads)
        available = self.devices()
        if device not in ("auto", *available):
            raise PgnetError(f"This ONNX Runtime cannot compute on {device!r}; it has {', '.join(available)}.")
        self.device = ("cuda" if "cuda" in available else "cpu") if device == "auto" else device
        self._embed = self._session(model.graph("embed"))
        self._search = self._session(model.graph("search"))
        self._levels = [f"z{i}" for i in range(len(self._embed.get_outputs()))]

    @staticmethod
    def devices() -> list[str]:
        """Those of `PROVIDERS` that this ONNX Runtime has."""
        import onnxruntime

        available = onnxruntime.get_available_providers()
        return [device for device, provider in PROVIDERS.items() if provider in available]

    def embed(self, template: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """(K, 127, 127, 3) uint8 RGB -> one (K, C, 5, 5) float32 array per level."""
        return list(self._embed.run(self._levels, {"template": template}))

    def search(
        self, features: list[NDArray[np.float32]], crop: NDArray[np.uint8]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Features of K targets and (K, 255, 255, 3) uint8 RGB -> cls (K, 10, 25, 25), reg (K, 20, 25, 25) float32."""
        inputs = {"crop": crop, **dict(zip(self._levels, features, strict=True))}
        cls, reg = self._search.run(["cls", "reg"], inputs)
        return cls, reg

    def _session(self, graph: Path) -> InferenceSession:
        import onnxruntime

        options = session_options(self.threads)
        provider = PROVIDERS[self.device]
        try:
            session = onnxruntime.InferenceSession(graph, options, providers=[provider])
        except Exception as error:  # the runtime's own errors share no narrower class
            raise PgnetError(
                f"ONNX Runtime cannot load {graph} with {self.model.path.name} ({error}); get the model's files again."
            ) from error
        if session.get_providers()[0] != provider:  # it falls back to the CPU by itself, which would only be slow
            raise PgnetError(f"ONNX Runtime cannot start {self.device} here; its drivers are missing, or take cpu.")
        return session
