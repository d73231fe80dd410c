"""Tables 1 and 2 of the spec, printed from a live network instead of from memory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import torch
from torch import Tensor, nn

from pgnet import anchors
from pgnet.errors import PgnetError
from pgnet.nn.heads import Level
from pgnet.nn.network import MODELS, PGNet


@dataclass(frozen=True)
class Row:
    """One line of a table.

    Attributes:
        table: 1 (backbone) or 2 (target location network).
        part: such as "Block 2" or "shared convs".
        layer: such as "conv1" or "search".
        kernel, stride, channels, dilation, padding: of the layer; channels are its outputs.
        search: spatial size of the output for a 255 search crop, 0 where the layer does not see it.
        template: likewise for a 127 template crop.
        repeats: how often the row occurs.
        parameters: of all its occurrences, batch norms included.
        macs: multiply-adds of all its occurrences for one search crop; of template-only rows for one template crop.
    """

    table: int
    part: str
    layer: str
    kernel: int
    stride: int
    channels: int
    dilation: int
    padding: int
    search: int
    template: int
    repeats: int
    parameters: int
    macs: int


def _size(value: Any) -> int:
    """Of a square kernel, stride, dilation or padding, however torch keeps it."""
    return int(value if isinstance(value, int) else value[0])


@torch.no_grad()
def _output_sizes(net: PGNet) -> dict[nn.Module, dict[str, int]]:
    """Spatial output sizes of every layer for the search and the template crop, from one real pass of each."""
    sizes: dict[nn.Module, dict[str, int]] = {}
    side = ""

    def record(module: nn.Module, _: object, output: Tensor) -> None:
        sizes.setdefault(module, {})[side] = output.shape[-1]

    layers = [m for m in net.modules() if isinstance(m, (nn.Conv2d, nn.MaxPool2d))]
    hooks = [layer.register_forward_hook(record) for layer in layers]
    training = net.training
    net.eval()
    try:
        side = "template"
        template = net.embed(torch.zeros(1, 3, anchors.TEMPLATE_SIZE, anchors.TEMPLATE_SIZE))
        side = "search"
        net.search(template, torch.zeros(1, 3, anchors.SEARCH_SIZE, anchors.SEARCH_SIZE))
    finally:
        net.train(training)
        for hook in hooks:
            hook.remove()
    return sizes


def rows(net: PGNet) -> list[Row]:
    """The rows of both tables; consecutive equal units and levels are one row with their number in `repeats`."""
    sizes = _output_sizes(net)

    def row(table: int, part: str, layer: str, conv: nn.Module, norm: nn.Module | None = None) -> Row:
        assert isinstance(conv, (nn.Conv2d, nn.MaxPool2d))
        seen = sizes[conv]
        search, template = seen.get("search", 0), seen.get("template", 0)
        parameters = sum(p.numel() for m in (conv, norm) if m is not None for p in m.parameters())
        macs = conv.weight.numel() * (search or template) ** 2 if isinstance(conv, nn.Conv2d) else 0
        channels = conv.out_channels if isinstance(conv, nn.Conv2d) else net.backbone.conv1.out_channels
        shape = (_size(conv.kernel_size), _size(conv.stride), channels, _size(conv.dilation), _size(conv.padding))
        return Row(table, part, layer, *shape, search, template, 1, parameters, macs)

    backbone = net.backbone
    table = [row(1, "stem", "conv", backbone.conv1, backbone.bn1), row(1, "stem", "max-pool", backbone.pool)]
    for number, block in enumerate(backbone.blocks, start=1):
        units = []
        for unit in block:  # type: ignore[attr-defined]
            names = [name for name in ("conv1", "conv2", "conv3") if hasattr(unit, name)]
            unit_rows = [
                row(1, f"Block {number}", n, getattr(unit, n), getattr(unit, n.replace("conv", "bn"))) for n in names
            ]
            if unit.shortcut is not None:
                unit_rows.append(row(1, f"Block {number}", "shortcut", *unit.shortcut))
            units.append(unit_rows)
        table += _merged(units)
    return (
        table
        + _merged([_level_rows(row, sizes, level) for level in net.each_level()])
        + [
            row(2, "enhanced detection", "Cls", net.enhanced_cls.conv),
            row(2, "enhanced detection", "Reg", net.enhanced_reg.conv),
        ]
    )


def _level_rows(row, sizes: dict[nn.Module, dict[str, int]], level: Level) -> list[Row]:  # type: ignore[no-untyped-def]
    search_conv: Any = level.adjust.search[0]
    template_conv: Any = level.adjust.template[0]
    side, kernels = sizes[search_conv]["search"], sizes[template_conv]["template"] ** 2
    channels = search_conv.out_channels
    correlation_macs = 2 * channels * kernels * side**2
    result = [
        row(2, "adjusted layer", "search", search_conv, level.adjust.search[1]),
        row(2, "adjusted layer", "template", template_conv, level.adjust.template[1]),
        Row(2, "PG-Corr", "", 1, 1, channels, 1, 0, side, 0, 1, 0, correlation_macs),
    ]
    result += [row(2, "shared convs", f"conv{i}", part[0], part[1]) for i, part in enumerate(level.shared, start=1)]  # type: ignore[index]
    for name, head in (("Cls", level.cls), ("Reg", level.reg)):
        result += [row(2, f"{name} head", "conv1", head[0], head[1]), row(2, f"{name} head", "conv2", head[3])]
    return result


def _merged(groups: list[list[Row]]) -> list[Row]:
    """Consecutive groups of rows that differ in nothing but cost, as one group with repeats and summed costs."""

    def shape(group: list[Row]) -> list[Row]:
        return [replace(r, parameters=0, macs=0) for r in group]

    merged: list[Row] = []
    for _, same in groupby(groups, key=shape):
        columns = list(zip(*same, strict=True))
        merged += [
            replace(c[0], repeats=len(c), parameters=sum(r.parameters for r in c), macs=sum(r.macs for r in c))
            for c in columns
        ]
    return merged


def summary_text(model: str) -> str:
    """Both tables of a model of `pgnet.nn.MODELS` with its totals, as text.

    Raises:
        PgnetError: there is no such model.
    """
    if model not in MODELS:
        raise PgnetError(f"Unknown model {model!r}; known are {', '.join(MODELS)}.")
    net = MODELS[model]()
    table = rows(net)
    header = ("part", "layer", "k", "s", "n", "d", "p", "search", "template", "repeats", "parameters", "MMAC")
    lines: list[str] = [f"{model}: search / template crops of {anchors.SEARCH_SIZE} / {anchors.TEMPLATE_SIZE} pixels"]
    for number, title in ((1, "backbone"), (2, "target location network")):
        cells: list[tuple[str, ...]] = [header]
        for r in (r for r in table if r.table == number):
            numbers = (r.kernel, r.stride, r.channels, r.dilation, r.padding, r.search or "-", r.template or "-")
            cost = (f"x{r.repeats}", f"{r.parameters:,}", f"{r.macs / 1e6:,.1f}")
            cells.append((r.part, r.layer, *map(str, numbers), *cost))
        widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
        lines += ["", f"Table {number}: {title}"]
        for row in cells:
            lines.append(
                "  ".join(c.ljust(w) if i < 2 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True)))
            )
    total = sum(p.numel() for p in net.parameters())
    frame = sum(r.macs for r in table if r.search)
    lines += ["", f"{total / 1e6:.1f} M parameters, {frame / 1e9:.2f} GMAC for a search crop (once for a frame)"]
    return "\n".join(lines)
