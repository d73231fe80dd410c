"""The network in PyTorch (extra `torch`): for NVIDIA GPUs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pgnet.engine.threads import thread_count
from pgnet.errors import PgnetError
from pgnet.models import ModelFile

if TYPE_CHECKING:
    from torch import Tensor


class TorchEngine:
    """`pgnet.engine.Engine` of a model file; see `pgnet.engine.load_engine`.

    On a GPU it is compiled, which takes the first frames a minute. Features stay on the host, as with other engines.

    Args:
        model: the model; the graphs beside it are not used.
        device: "auto" is CUDA where there is a GPU, and the CPU otherwise; "cuda:1" and the like work too.
        threads: on the CPU; by default as many as there are physical cores. PyTorch has one number for the process.
        half: bfloat16. (PG-Corr is quadratic in the template's features: float16 could overflow.)

    Raises:
        PgnetError: PyTorch is not installed, it cannot use the device, or the model is quantised.
    """

    def __init__(
        self, model: ModelFile, *, device: str = "auto", threads: int | None = None, half: bool = False
    ) -> None:
        try:
            import torch
        except ModuleNotFoundError as error:
            raise PgnetError(
                "The engine torch is not installed; install the extra with pip install 'pgnet[torch]'."
            ) from error
        from pgnet.nn.inference import Embed, Search, fold
        from pgnet.nn.weights import load_model

        self.model = model
        self.threads = thread_count(threads)
        self.device = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
        self._dtype = torch.bfloat16 if half else torch.float32
        net = fold(load_model(model.path))
        try:
            net = net.to(torch.device(self.device), self._dtype).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        except (RuntimeError, AssertionError) as error:  # the latter from a PyTorch without CUDA
            raise PgnetError(f"PyTorch cannot compute on {device!r} ({str(error).splitlines()[0]}).") from error
        self._embed: Callable[..., tuple[Tensor, ...]] = Embed(net)
        self._search: Callable[..., tuple[Tensor, Tensor]] = Search(net)
        if self.device == "cpu":
            torch.set_num_threads(self.threads)
        else:
            self._embed = torch.compile(self._embed, mode="reduce-overhead")
            self._search = torch.compile(self._search, mode="reduce-overhead")

    @staticmethod
    def devices() -> list[str]:
        """The CPU, and CUDA where there is a GPU for it."""
        import torch

        return ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]

    def embed(self, template: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """(K, 127, 127, 3) uint8 RGB -> one (K, C, 5, 5) float32 array per level."""
        import torch

        with torch.inference_mode():
            return [z.float().cpu().numpy() for z in self._embed(self._there(template))]

    def search(
        self, features: list[NDArray[np.float32]], crop: NDArray[np.uint8]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Features of K targets and (K, 255, 255, 3) uint8 RGB -> cls (K, 10, 25, 25), reg (K, 20, 25, 25) float32."""
        import torch

        with torch.inference_mode():
            z = [self._there(level).to(self._dtype) for level in features]
            cls, reg = self._search(self._there(crop), *z)
            return cls.float().cpu().numpy(), reg.float().cpu().numpy()

    def _there(self, array: NDArray[Any]) -> Tensor:
        import torch

        return torch.from_numpy(np.ascontiguousarray(array)).to(self.device, non_blocking=True)
