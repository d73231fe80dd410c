"""Table 2: the parts of the target location network (number in `spec` comments: spec section C)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pgnet.nn.correlation import gather, similarity


def conv_bn_relu(inputs: int, outputs: int, padding: int = 0) -> nn.Sequential:
    """3x3 convolution (He initialisation), batch norm, ReLU."""
    conv = nn.Conv2d(inputs, outputs, 3, padding=padding, bias=False)
    nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
    return nn.Sequential(conv, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


class AdjustedLayer(nn.Module):
    """Brings a backbone feature to the correlation's channels; the two sides have weights of their own (spec C.5)."""

    def __init__(self, inputs: int, channels: int, normalise: bool = False) -> None:
        super().__init__()
        self.template = conv_bn_relu(inputs, channels)
        self.search = conv_bn_relu(inputs, channels)
        self.normalise = normalise

    def embed(self, feature: Tensor) -> Tensor:
        """(B, inputs, 15, 15) -> centre crop 7 x 7 -> (B, channels, 5, 5)."""
        margin = (feature.shape[-1] - 7) // 2
        z = self.template(feature[..., margin : margin + 7, margin : margin + 7])
        return z / z.square().mean((1, 2, 3), keepdim=True).add(1e-6).sqrt() if self.normalise else z


class DetectionHead(nn.Sequential):
    """3x3 p1, BN, ReLU; 1x1. Its padding is printed as 1, which would add a border of pure bias: 0 (spec C.4)."""

    def __init__(self, channels: int, outputs: int) -> None:
        super().__init__(*conv_bn_relu(channels, channels, padding=1), nn.Conv2d(channels, outputs, 1))


class Level(nn.Module):
    """All of Table 2 for one feature level: adjusted layer, PG-Corr, shared convolutions, the two detection heads.

    One correlation serves both heads ("correlation-shared tracking").

    Args:
        inputs: channels of the backbone's feature.
        channels: of the adjusted layers and all that follows.
        anchors: per position.
        normalise: give every template the same root mean square; PG-Corr is quadratic in it.
        layout: show the shared convolutions the 25 similarities beside PG-Corr's result, which alone depends on
            Z Z^T only and so knows neither the template's extent nor the arrangement of its parts.
    """

    def __init__(self, inputs: int, channels: int, anchors: int, normalise: bool = False, layout: bool = False) -> None:
        super().__init__()
        self.adjust = AdjustedLayer(inputs, channels, normalise)
        self.layout = layout
        matched = channels + 25 * layout
        self.shared = nn.Sequential(conv_bn_relu(matched, channels), conv_bn_relu(channels, channels))
        self.cls = DetectionHead(channels, 2 * anchors)
        self.reg = DetectionHead(channels, 4 * anchors)

    def forward(self, template: Tensor, feature: Tensor) -> tuple[Tensor, Tensor]:
        """template (B, C, 5, 5), feature (B, inputs, 31, 31) -> cls (B, 2A, 25, 25), reg (B, 4A, 25, 25)."""
        similar = similarity(template, self.adjust.search(feature))
        matched = gather(template, similar)
        x = self.shared(torch.cat([matched, similar], 1) if self.layout else matched)
        return self.cls(x), self.reg(x)


class EnhancedDetection(nn.Module):
    """Weighted sum of the levels' outputs (softmax over one learned scalar each), then a 3x3 p1 convolution."""

    def __init__(self, levels: int, outputs: int) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.zeros(levels))
        self.conv = nn.Conv2d(outputs, outputs, 3, padding=1)
        # Starts as the plain mean of the levels: nothing is known better before training.
        nn.init.dirac_(self.conv.weight)
        nn.init.zeros_(self.conv.bias)  # type: ignore[arg-type]

    def forward(self, outputs: list[Tensor]) -> Tensor:
        """One (B, n, 25, 25) per level -> (B, n, 25, 25)."""
        weights = self.weights.softmax(0)
        return self.conv(sum(w * output for w, output in zip(weights, outputs, strict=True)))
