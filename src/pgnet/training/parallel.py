"""Several processes take the same steps as one: batch norm over the whole batch, gradients averaged.

DDP averages gradients; what is left is what one process would compute over all pairs of a step.
"""

from __future__ import annotations

import os

import torch
import torch.distributed as dist
from lightning_fabric import Fabric
from lightning_fabric.strategies.ddp import DDPStrategy
from torch import Tensor, nn
from torch.distributed.nn.functional import all_reduce


def make_fabric(precision: str) -> Fabric:
    """The devices of this machine, or the processes that torchrun started."""
    local, world = (int(os.environ.get(name, 0)) for name in ("LOCAL_WORLD_SIZE", "WORLD_SIZE"))
    several = world > 1 or torch.cuda.device_count() > 1
    return Fabric(
        devices=local or "auto",
        num_nodes=max(1, world // local) if local else 1,
        # Blocks of the backbone are frozen at first: their parameters get no gradient then.
        strategy=DDPStrategy(find_unused_parameters=True) if several else "auto",
        precision=precision,  # type: ignore[arg-type]
    )


def mean_over_processes(value: Tensor) -> Tensor:
    """The mean of the processes' values, without gradient; the value itself in a single process."""
    if not _several():
        return value
    value = value.detach().float().clone()
    dist.all_reduce(value)
    return value / dist.get_world_size()


class SyncedBatchNorm(nn.BatchNorm2d):
    """Batch norm whose statistics are those of all processes' crops together (equally many each), on any backend."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> the same shape."""
        if not (self.training and _several()):
            return super().forward(x)
        count = x.numel() // x.shape[1] * dist.get_world_size()
        local = torch.stack([x.float().mean((0, 2, 3)), x.float().square().mean((0, 2, 3))])
        mean, square = all_reduce(local) / dist.get_world_size()
        variance = (square - mean.square()).clamp(min=0)
        with torch.no_grad():
            momentum = self.momentum or 0.1
            self.running_mean.lerp_(mean, momentum)  # type: ignore[union-attr]
            self.running_var.lerp_(variance * count / (count - 1), momentum)  # type: ignore[union-attr]
            self.num_batches_tracked.add_(1)  # type: ignore[union-attr]
        scale = self.weight * torch.rsqrt(variance + self.eps)
        shift = self.bias - mean * scale
        return x * scale[:, None, None].to(x.dtype) + shift[:, None, None].to(x.dtype)


def synchronise(net: nn.Module) -> None:
    """Make every batch norm of a network a `SyncedBatchNorm`; weights and their names stay."""
    for module in net.modules():
        if type(module) is nn.BatchNorm2d:
            module.__class__ = SyncedBatchNorm


def _several() -> bool:
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1
