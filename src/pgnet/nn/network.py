"""PG-Net: `net(template, search)`; or `embed` once and `search` for every frame. Nothing is stored between calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from pgnet.anchors import RATIOS
from pgnet.nn.backbone import Basic, Block, ResNet
from pgnet.nn.heads import EnhancedDetection, Level


class Output(NamedTuple):
    """What the network predicts for a batch of search crops.

    Attributes:
        cls: (B, 2A, 25, 25) enhanced logits; channel = class * A + anchor, class 1 is the target.
        reg: (B, 4A, 25, 25) enhanced offsets; channel = (dx, dy, dw, dh) * A + anchor, see `pgnet.anchors`.
        level_cls: Cls 1, 2, 3, shaped like `cls`.
        level_reg: Reg 1, 2, 3, shaped like `reg`.
    """

    cls: Tensor
    reg: Tensor
    level_cls: list[Tensor]
    level_reg: list[Tensor]


class PGNet(nn.Module):
    """The network of Tables 1 and 2.

    >>> net = PGNet().eval()
    >>> out = net(torch.zeros(1, 3, 127, 127), torch.zeros(1, 3, 255, 255))
    >>> tuple(out.cls.shape), tuple(out.reg.shape), len(out.level_cls)
    ((1, 10, 25, 25), (1, 20, 25, 25), 3)

    Args:
        backbone: gives a list of features; `channels` lists their channels. Default: ResNet-50 of Table 1.
        channels: of the adjusted layers and all that follows (Table 2: 256).
        anchors: per position (5: the ratios of `pgnet.anchors`).
        normalise: see `Level`; the paper's network does not.
        layout: likewise.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        backbone: ResNet | None = None,
        channels: int = 256,
        anchors: int = len(RATIOS),
        *,
        normalise: bool = False,
        layout: bool = False,
    ) -> None:
        super().__init__()
        self.backbone = backbone or ResNet()
        self.levels = nn.ModuleList(
            Level(inputs, channels, anchors, normalise, layout) for inputs in self.backbone.channels
        )
        self.enhanced_cls = EnhancedDetection(len(self.levels), 2 * anchors)
        self.enhanced_reg = EnhancedDetection(len(self.levels), 4 * anchors)
        # ImageNet statistics for RGB 0..255.
        mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
        self.register_buffer("mean", (mean * 255).view(3, 1, 1), persistent=False)
        self.register_buffer("std", (std * 255).view(3, 1, 1), persistent=False)

    def each_level(self) -> Iterator[Level]:
        """The target location network of each feature level, in order."""
        yield from self.levels  # type: ignore[misc]

    def features(self, crop: Tensor) -> list[Tensor]:
        """RGB 0..255 (B, 3, S, S), uint8 or float -> backbone features (B, C, S', S') of every level."""
        return self.backbone((crop.to(self.mean.dtype) - self.mean) / self.std)

    def embed(self, template: Tensor) -> list[Tensor]:
        """Template crops (B, 3, 127, 127), RGB 0..255 -> template features (B, C, 5, 5), one per level."""
        return self.embed_features(self.features(template))

    def embed_features(self, features: list[Tensor]) -> list[Tensor]:
        """Backbone features of templates -> template features (B, C, 5, 5), one per level."""
        return [level.adjust.embed(f) for level, f in zip(self.each_level(), features, strict=True)]

    def search(self, template: list[Tensor], crop: Tensor) -> Output:
        """Template features from `embed` and search crops (B, 3, 255, 255), RGB 0..255 -> `Output`."""
        return self.locate(template, self.features(crop))

    def locate(self, template: list[Tensor], features: list[Tensor]) -> Output:
        """The target location network on backbone features of search crops."""
        pairs = [level(z, x) for level, z, x in zip(self.each_level(), template, features, strict=True)]
        level_cls, level_reg = [cls for cls, _ in pairs], [reg for _, reg in pairs]
        return Output(self.enhanced_cls(level_cls), self.enhanced_reg(level_reg), level_cls, level_reg)

    def forward(self, template: Tensor, search: Tensor) -> Output:
        """(B, 3, 127, 127) and (B, 3, 255, 255), RGB 0..255 -> `Output`."""
        return self.search(self.embed(template), search)


LITE = (Block(64, 2), Block(128, 1, stride=2), Block(256, 1, stride=2))
"""ResNet-18's first stage and the first units of the second and third, which stays at stride 16."""


def pgnet_r50(**backbone: Any) -> PGNet:
    """The paper's network: ResNet-50 of Table 1, three levels, 256 channels; 35.0 GMAC a frame."""
    return PGNet(ResNet(**backbone))


def pgnet_lite(**backbone: Any) -> PGNet:
    """For laptops without a GPU: two levels of a ResNet-18, 56 channels; 1.50 GMAC a frame."""
    return PGNet(ResNet(LITE, Basic, levels=(2, 3), **backbone), channels=56, normalise=True, layout=True)


MODELS: dict[str, Callable[..., PGNet]] = {"pgnet-r50": pgnet_r50, "pgnet-lite": pgnet_lite}
