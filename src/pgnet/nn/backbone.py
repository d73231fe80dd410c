"""Table 1: a residual backbone whose Blocks 2, 3 and 4 all keep stride 8 (dilation replaces down-sampling).

Numbers such as spec C.2 name the resolutions of the printed tables' errors: (1) the stem's max-pool, (2) padding of the
first 3x3 of Block 2, (3) the width of Block 2's last convolution.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

ShortcutKind = Literal["1x1", "3x3"]


@dataclass(frozen=True)
class Block:
    """One row group of Table 1: `repeats` residual units of the given width.

    Args:
        width: channels inside a unit.
        repeats: number of units.
        stride: 2 only in the first 3x3 of the first unit.
        dilation: of the first unit's and of the other units' (last) 3x3 convolution.
    """

    width: int
    repeats: int
    stride: int = 1
    dilation: tuple[int, int] = (1, 1)


def _conv(inputs: int, outputs: int, kernel: int, stride: int = 1, dilation: int = 1) -> nn.Conv2d:
    """A convolution without bias that keeps the size at stride 1; at stride 2 it has no padding (spec C.2)."""
    padding = 0 if stride == 2 else dilation * (kernel // 2)
    return nn.Conv2d(inputs, outputs, kernel, stride, padding, dilation, bias=False)


class Shortcut(nn.Sequential):
    """The convolution of an Adjusted Sum, for units that change the number of channels or the size.

    At stride 2 the 1x1 kind samples pixels 1, 3, 5, ...: the centres of the 3x3 windows without padding (spec C.2).
    """

    def __init__(self, inputs: int, outputs: int, stride: int, kind: ShortcutKind) -> None:
        super().__init__(_conv(inputs, outputs, int(kind[0]), stride), nn.BatchNorm2d(outputs))
        self.trim = stride == 2 and kind == "1x1"

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) -> (B, outputs, H', W')."""
        conv, norm = self
        return norm(conv(x[:, :, 1:-1, 1:-1] if self.trim else x))


class Bottleneck(nn.Module):
    """1x1, 3x3, 1x1 with batch norms, Adjusted Sum, ReLU: the unit of ResNet-50 (output 4 x width, spec C.3)."""

    expansion = 4

    def __init__(self, inputs: int, width: int, stride: int, dilation: int, shortcut: ShortcutKind) -> None:
        super().__init__()
        outputs = width * self.expansion
        self.conv1, self.bn1 = _conv(inputs, width, 1), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = _conv(width, width, 3, stride, dilation), nn.BatchNorm2d(width)
        self.conv3, self.bn3 = _conv(width, outputs, 1), nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.shortcut = Shortcut(inputs, outputs, stride, shortcut) if stride > 1 or inputs != outputs else None
        self.silent = False
        """Whether the residual branch is left out, see `silence`."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) -> (B, 4 * width, H', W')."""
        if self.silent:  # without a shortcut of its own, x is a unit's output and has been through the ReLU
            return x if self.shortcut is None else self.relu(self.shortcut(x))
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return self.relu(y + (x if self.shortcut is None else self.shortcut(x)))


class Basic(nn.Module):
    """3x3, 3x3 with batch norms, Adjusted Sum, ReLU: the unit of ResNet-18 (output 1 x width)."""

    expansion = 1

    def __init__(self, inputs: int, width: int, stride: int, dilation: int, shortcut: ShortcutKind) -> None:
        super().__init__()
        self.conv1, self.bn1 = _conv(inputs, width, 3, stride, dilation if stride == 1 else 1), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = _conv(width, width, 3, 1, dilation), nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.shortcut = Shortcut(inputs, width, stride, shortcut) if stride > 1 or inputs != width else None

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) -> (B, width, H', W')."""
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return self.relu(y + (x if self.shortcut is None else self.shortcut(x)))


RESNET50 = (
    Block(64, 3),
    Block(128, 4, stride=2),
    Block(256, 6, dilation=(1, 2)),
    Block(512, 3, dilation=(2, 4)),
)
"""Blocks 1 to 4 of Table 1."""


class ResNet(nn.Module):
    """Stem and blocks of Table 1; gives the output of each block in `levels`.

    >>> [tuple(f.shape) for f in ResNet()(torch.zeros(1, 3, 127, 127))]
    [(1, 512, 15, 15), (1, 1024, 15, 15), (1, 2048, 15, 15)]

    Args:
        blocks: Block 1, Block 2, ...
        unit: residual unit, `Bottleneck` (ResNet-50) or `Basic` (ResNet-18).
        levels: numbers of the blocks (from 1) whose outputs are the features.
        stem_channels: outputs of the 7x7 convolution.
        pool_kernel: of the stem's max-pool: 2 as printed in Table 1, or 3 as in ResNet-50; both give 63 / 31 (C.1).
        shortcut: kernel of the shortcuts' convolutions; "1x1" fits ImageNet weights (spec C.2).
    """

    def __init__(
        self,
        blocks: Sequence[Block] = RESNET50,
        unit: type[Bottleneck] | type[Basic] = Bottleneck,
        levels: Sequence[int] = (2, 3, 4),
        stem_channels: int = 64,
        pool_kernel: Literal[2, 3] = 2,
        shortcut: ShortcutKind = "1x1",
    ) -> None:
        super().__init__()
        self.levels = tuple(levels)
        self.conv1 = nn.Conv2d(3, stem_channels, 7, stride=2, padding=0, bias=False)
        self.bn1 = nn.BatchNorm2d(stem_channels)
        self.relu = nn.ReLU(inplace=True)
        self.pool = nn.MaxPool2d(pool_kernel, stride=2, padding=1)
        self.blocks = nn.ModuleList()
        self.channels: list[int] = []
        """Channels of every level's feature."""
        self.coarse: set[int] = set()
        """Numbers of the blocks at stride 16, whose outputs are brought back to stride 8."""
        inputs, stride = stem_channels, 4
        for number, block in enumerate(blocks[: max(levels)], start=1):
            units = nn.Sequential()
            for i in range(block.repeats):
                dilation = block.dilation[min(i, 1)]
                units.append(unit(inputs, block.width, block.stride if i == 0 else 1, dilation, shortcut))
                inputs = block.width * unit.expansion
            self.blocks.append(units)
            stride *= block.stride
            if stride == 16:
                self.coarse.add(number)
            if number in self.levels:
                self.channels.append(inputs)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, image: Tensor) -> list[Tensor]:
        """Normalised RGB (B, 3, H, W) -> features (B, C, H', W') of the levels; 255 -> 31, 127 -> 15."""
        x = self.pool(self.relu(self.bn1(self.conv1(image))))
        features = []
        for number, block in enumerate(self.blocks, start=1):
            x = block(x)
            if number in self.levels:
                features.append(double(x) if number in self.coarse else x)
        return features


def silence(backbone: ResNet) -> None:
    """Leave out the residual branches that are zero, by their last batch norm, and are not trained."""
    for unit in backbone.modules():
        if isinstance(unit, Bottleneck):
            norm = unit.bn3
            unit.silent = not (norm.weight.requires_grad or norm.weight.any() or norm.bias.any())


def double(x: Tensor) -> Tensor:
    """(B, C, H, W) -> (B, C, 2 H + 1, 2 W + 1) by linear interpolation.

    Pixel i goes to 2 i + 1: the inverse of the sampling of a convolution of stride 2 without padding. Two small matrix
    products are three times faster in ONNX Runtime than padding, slicing and stacking, or its Resize.
    """

    def spread(size: int) -> Tensor:
        """(2 size + 1, size): a tent over each pixel's place; the outermost pixels are repeated."""
        to = torch.arange(2 * size + 1, device=x.device, dtype=x.dtype)[:, None]
        place = 2 * torch.arange(size, device=x.device, dtype=x.dtype) + 1
        tents = (1 - (to - place).abs() / 2).clamp(min=0)
        return tents / tents.sum(1, keepdim=True)

    return spread(x.shape[2]) @ x @ spread(x.shape[3]).T
