"""The network in ONNX Runtime, on the CPU."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pgnet.errors import PgnetError
from pgnet.models import ModelFile

if TYPE_CHECKING:
    from onnxruntime import InferenceSession


def available_cores() -> int:
    """Physical cores this process may use (its affinity, hyper-threads counted once); logical ones where unknown."""
    if not hasattr(os, "sched_getaffinity"):
        return os.cpu_count() or 1
    cpus = os.sched_getaffinity(0)
    try:
        topology = "/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list"
        return len({Path(topology.format(cpu)).read_text() for cpu in cpus})
    except OSError:
        return len(cpus)


class OnnxEngine:
    """`pgnet.engine.Engine` of a model file with its two graphs.

    Args:
        model: the model; its graphs must lie beside it.
        threads: threads for one operator; by default as many as there are physical cores.

    Raises:
        PgnetError: a graph is missing or does not load, or threads is not positive.
    """

    def __init__(self, model: ModelFile, threads: int | None = None) -> None:
        if threads is not None and threads < 1:
            raise PgnetError(f"{threads} threads cannot compute; give 1 or more.")
        self.model = model
        self.threads = threads or available_cores()
        self._embed = self._session(model.graph("embed"))
        self._search = self._session(model.graph("search"))
        self._levels = [f"z{i}" for i in range(len(self._embed.get_outputs()))]

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
        # Imported here: it takes a moment that commands without a network should not wait for.
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors only
        # Frames come one by one: waiting threads that spin would take cores from decoding the next one.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # the runtime's own errors share no narrower class
            raise PgnetError(
                f"ONNX Runtime cannot load {graph} with {self.model.path.name} ({error}); get the model's files again."
            ) from error
