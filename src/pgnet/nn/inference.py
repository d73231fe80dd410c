"""The network as engines run it: pixels in, batch norms folded into the convolutions."""

from __future__ import annotations

import copy
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from pgnet.nn.backbone import silence
from pgnet.nn.network import PGNet


def fold(net: PGNet) -> PGNet:
    """A float32 copy for inference: batch norms, and the crop's normalisation, are part of the convolutions.

    Exact but for rounding: the first convolution has no padding. Residual branches that add nothing are left out. Only
    `Embed` and `Search` know how to feed it.
    """
    net = copy.deepcopy(net).cpu().float().eval().requires_grad_(False)
    silence(net.backbone)
    for conv_name, norm_name in norms(net).items():
        conv, norm = net.get_submodule(conv_name), net.get_submodule(norm_name)
        assert isinstance(conv, nn.Conv2d)
        assert isinstance(norm, nn.BatchNorm2d)
        net.set_submodule(conv_name, fuse_conv_bn_eval(conv, norm))
        net.set_submodule(norm_name, nn.Identity())
    first = net.backbone.conv1
    assert first.padding == (0, 0)
    assert first.bias is not None
    with torch.no_grad():
        first.weight /= net.std
        first.bias -= (first.weight * net.mean).sum((1, 2, 3))
    return net


def norms(net: nn.Module) -> dict[str, str]:
    """Names of the convolutions that a batch norm follows -> its name."""
    found = {}
    for name, module in net.named_modules():
        prefix = f"{name}." if name else ""
        for (first, conv), (second, norm) in pairwise(module.named_children()):
            if isinstance(norm, nn.BatchNorm2d):
                assert isinstance(conv, nn.Conv2d)
                found[prefix + first] = prefix + second
    return found


class Embed(nn.Module):
    """The graph `embed`: template crops (K, 127, 127, 3) uint8 RGB -> one (K, C, 5, 5) per level."""

    def __init__(self, net: PGNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, template: Tensor) -> tuple[Tensor, ...]:
        """See the class."""
        return tuple(self.net.embed_features(_features(self.net, template)))


class Search(nn.Module):
    """The graph `search`: (K, 255, 255, 3) uint8 RGB and K targets' features -> enhanced cls, reg (logits)."""

    def __init__(self, net: PGNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, crop: Tensor, *template: Tensor) -> tuple[Tensor, Tensor]:
        """See the class."""
        out = self.net.locate(list(template), _features(self.net, crop))
        return out.cls, out.reg


def _features(net: PGNet, crop: Tensor) -> list[Tensor]:
    """Of a folded network, whose first convolution takes pixels."""
    return net.backbone(crop.permute(0, 3, 1, 2).to(net.backbone.conv1.weight.dtype))
