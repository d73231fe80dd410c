"""A trained network as the files that tracking loads: NAME.safetensors, NAME.embed.onnx and NAME.search.onnx.

The graphs hold no weights: their initialisers are ONNX external data that point into the safetensors file, fp16 with a
cast behind each convolution weight; ONNX Runtime folds casts and batch norms when it loads them.
"""

from __future__ import annotations

import json
import struct
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from pgnet import anchors
from pgnet.files import atomic
from pgnet.models import ModelFile, write_model_file
from pgnet.nn.network import PGNet

if TYPE_CHECKING:
    import onnx

OPSET = 18


class Embed(nn.Module):
    """The graph `embed`: template crops (K, 127, 127, 3) uint8 RGB -> one (K, C, 5, 5) per level."""

    def __init__(self, net: PGNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, template: Tensor) -> tuple[Tensor, ...]:
        """See the class."""
        return tuple(self.net.embed(template.permute(0, 3, 1, 2)))


class Search(nn.Module):
    """The graph `search`: (K, 255, 255, 3) uint8 RGB and K targets' features -> enhanced cls, reg (logits)."""

    def __init__(self, net: PGNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, crop: Tensor, *template: Tensor) -> tuple[Tensor, Tensor]:
        """See the class."""
        out = self.net.search(list(template), crop.permute(0, 3, 1, 2))
        return out.cls, out.reg


def write_model(net: PGNet, path: Path, metadata: Mapping[str, Any]) -> ModelFile:
    """Write the three files; convolution weights become fp16, all else stays float32.

    Args:
        net: on the CPU or not; it is not changed.
        path: NAME.safetensors.
        metadata: the description, see `pgnet.models`; sizes and anchors are added. `architecture.model` must be a name
            of `pgnet.nn.MODELS`.

    Returns:
        The model file.
    """
    sizes = {
        "template_size": anchors.TEMPLATE_SIZE,
        "search_size": anchors.SEARCH_SIZE,
        "stride": anchors.STRIDE,
        "anchors": {"ratios": list(anchors.RATIOS), "scale": anchors.SCALE},
    }
    tensors = {
        key: value.detach().cpu().to(torch.float16 if value.ndim == 4 else torch.float32).numpy()
        for key, value in net.state_dict().items()
        if value.is_floating_point()
    }
    model = write_model_file(path, tensors, {"name": path.stem, **sizes, **metadata})
    template = torch.zeros(2, anchors.TEMPLATE_SIZE, anchors.TEMPLATE_SIZE, 3, dtype=torch.uint8)
    crop = torch.zeros(2, anchors.SEARCH_SIZE, anchors.SEARCH_SIZE, 3, dtype=torch.uint8)
    with torch.no_grad():
        features = net.embed(template.permute(0, 3, 1, 2))
    names = [f"z{i}" for i in range(len(features))]
    _write_graph(model, "embed", Embed(net), (template,), ["template"], names)
    _write_graph(model, "search", Search(net), (crop, *features), ["crop", *names], ["cls", "reg"])
    return model


def _write_graph(
    model: ModelFile, part: str, module: nn.Module, args: tuple[Tensor, ...], inputs: list[str], outputs: list[str]
) -> None:
    import onnx

    batch = torch.export.Dim("targets", min=1)
    shapes = tuple({0: batch} for _ in args)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            module.eval(),
            args,
            dynamo=True,
            optimize=False,
            opset_version=OPSET,
            input_names=inputs,
            output_names=outputs,
            dynamic_shapes=({0: batch}, shapes[1:]) if len(args) > 1 else shapes,
            verbose=False,
        )
    assert program is not None
    proto = program.model_proto
    _point_at_weights(proto, model.path)
    with atomic(model.path.with_name(f"{model.name}.{part}.onnx")) as temporary:
        onnx.save_model(proto, temporary)


def _point_at_weights(proto: onnx.ModelProto, path: Path) -> None:
    """Replace every initialiser that the safetensors file holds by a reference into it."""
    import onnx

    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    graph = proto.graph
    casts = []
    for tensor in graph.initializer:
        entry = header.get(tensor.name.removeprefix("net."))
        if entry is None:
            continue
        name, half = tensor.name, entry["dtype"] == "F16"
        begin, end = entry["data_offsets"]
        tensor.Clear()
        tensor.name = f"{name}.fp16" if half else name
        tensor.data_type = onnx.TensorProto.FLOAT16 if half else onnx.TensorProto.FLOAT
        tensor.dims.extend(entry["shape"])
        tensor.data_location = onnx.TensorProto.EXTERNAL
        for key, value in (("location", path.name), ("offset", 8 + length + begin), ("length", end - begin)):
            tensor.external_data.add(key=key, value=str(value))
        if half:
            casts.append(
                onnx.helper.make_node("Cast", [tensor.name], [name], name=f"{name}.cast", to=onnx.TensorProto.FLOAT)
            )
    nodes = list(graph.node)
    for node in nodes:  # the exporter's traces of Python code
        node.ClearField("metadata_props")
        node.ClearField("doc_string")
    del graph.node[:], graph.value_info[:], graph.metadata_props[:], proto.metadata_props[:]
    graph.node.extend(casts + nodes)
