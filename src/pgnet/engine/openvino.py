"""The network in OpenVINO (extra `openvino`): processors and GPUs of Intel, and any CPU of PCs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pgnet.engine.threads import thread_count
from pgnet.errors import PgnetError
from pgnet.models import ModelFile

if TYPE_CHECKING:
    from openvino import CompiledModel


class OpenvinoEngine:
    """`pgnet.engine.Engine` of a model file with its two graphs; see `pgnet.engine.load_engine`.

    Args:
        model: the model; its graphs must lie beside it.
        device: "auto" is the CPU; others are OpenVINO's own: "gpu", "npu", "gpu.1".
        threads: on the CPU; by default as many as there are physical cores.
        half: bfloat16 on a CPU with instructions for it (AVX512-BF16, AMX), float16 on a GPU.

    Raises:
        PgnetError: OpenVINO is not installed, a graph is missing or does not load, or the device is not there.
    """

    def __init__(
        self, model: ModelFile, *, device: str = "auto", threads: int | None = None, half: bool = False
    ) -> None:
        try:
            import openvino
        except ModuleNotFoundError as error:
            raise PgnetError(
                "The engine openvino is not installed; install the extra with pip install 'pgnet[openvino]'."
            ) from error
        self.model = model
        self.threads = thread_count(threads)
        self.device = "cpu" if device == "auto" else device
        if self.device not in self.devices():
            raise PgnetError(f"OpenVINO cannot compute on {device!r}; here it has {', '.join(self.devices())}.")
        core, name = openvino.Core(), self.device.upper()
        properties: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY"}
        if name == "CPU":
            properties["INFERENCE_NUM_THREADS"] = self.threads
            properties["ENABLE_CPU_PINNING"] = False  # every process would take the same first cores
            capabilities = core.get_property(name, "OPTIMIZATION_CAPABILITIES")
            if half and "BF16" not in capabilities:
                raise PgnetError("This processor has no instructions for bfloat16; leave half precision away.")
        # Never left to OpenVINO: it would take half precision wherever there is any.
        properties["INFERENCE_PRECISION_HINT"] = ("bf16" if name == "CPU" else "f16") if half else "f32"

        def load(graph: Path) -> CompiledModel:
            try:
                return core.compile_model(core.read_model(graph), name, properties)
            except RuntimeError as error:
                raise PgnetError(
                    f"OpenVINO cannot load {graph} with {model.path.name} ({error}); get the model's files again."
                ) from error

        embed, search = load(model.graph("embed")), load(model.graph("search"))
        self._levels = [f"z{i}" for i in range(len(embed.outputs))]
        self._embed, self._search = embed.create_infer_request(), search.create_infer_request()

    @staticmethod
    def devices() -> list[str]:
        """OpenVINO's names of what it can compute on here, in small letters."""
        import openvino

        return [name.lower() for name in openvino.Core().available_devices]

    def embed(self, template: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """(K, 127, 127, 3) uint8 RGB -> one (K, C, 5, 5) float32 array per level."""
        found = self._embed.infer({"template": template})
        return [np.array(found[level], np.float32) for level in self._levels]

    def search(
        self, features: list[NDArray[np.float32]], crop: NDArray[np.uint8]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Features of K targets and (K, 255, 255, 3) uint8 RGB -> cls (K, 10, 25, 25), reg (K, 20, 25, 25) float32."""
        found = self._search.infer({"crop": crop, **dict(zip(self._levels, features, strict=True))})
        return np.array(found["cls"], np.float32), np.array(found["reg"], np.float32)
