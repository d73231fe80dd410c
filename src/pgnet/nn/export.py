"""A trained network as the files that tracking loads: NAME.safetensors, NAME.embed.onnx and NAME.search.onnx.

The graphs hold no weights: their initialisers are ONNX external data that point into the safetensors file, and nodes
that depend on these alone fold the batch norms into the fp16 convolutions, which the runtime does once, at load.
"""

from __future__ import annotations

import json
import logging
import struct
import tempfile
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from torch import Tensor, nn

from pgnet import anchors
from pgnet.errors import PgnetError
from pgnet.files import atomic
from pgnet.models import DTYPES, ModelFile, write_model_file
from pgnet.nn.inference import Embed, Search, fold, norms
from pgnet.nn.network import PGNet

OPSET = 18
SMALL = 64
"""Numbers in a tensor that stays in the graph."""
Part = Literal["embed", "search"]
Function = Callable[..., list[NDArray[np.float32]]]


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
    write_graphs(net, model)
    return model


def write_graphs(net: PGNet, model: ModelFile) -> None:
    """Write the two graphs of a model file anew; `net` must have its weights.

    The file's weights stay as training needs them; nodes of the graph fold the batch norms when it is loaded, so what
    runs are convolutions with bias. (ONNX Runtime 1.32 does not fold batch norms as PyTorch exports them, and computes
    them on every frame: 1.3 times slower for pgnet-r50, 1.7 times for pgnet-lite.)
    """
    for part, proto in graphs(fold(net)).items():
        _point_at_weights(proto, model, net)
        _save(proto, model, part)


def graphs(folded: PGNet) -> dict[Part, onnx.ModelProto]:
    """The two graphs of a folded network, its weights inside, named as in the network behind ``net.``.

    Any number of targets; search crops of `pgnet.anchors.SEARCH_SIZE` or `NEAR_SIZE` pixels.
    """
    template = torch.zeros(2, anchors.TEMPLATE_SIZE, anchors.TEMPLATE_SIZE, 3, dtype=torch.uint8)
    crop = torch.zeros(2, anchors.SEARCH_SIZE, anchors.SEARCH_SIZE, 3, dtype=torch.uint8)
    with torch.no_grad():
        features = Embed(folded)(template)
    names = [f"z{i}" for i in range(len(features))]
    targets = {0: torch.export.Dim("targets", min=1)}
    # Sides at which every layer's size is a whole number of strides, among them both sizes of the search crop.
    side = 64 * torch.export.Dim("n", min=1, max=8) + 63
    searched = ({**targets, 1: side, 2: side}, tuple(targets for _ in names))
    return {
        "embed": _graph(Embed(folded), (template,), (targets,), ["template"], names),
        "search": _graph(Search(folded), (crop, *features), searched, ["crop", *names], ["cls", "reg"]),
    }


def _graph(
    module: nn.Module, args: tuple[Tensor, ...], shapes: tuple[Any, ...], inputs: list[str], outputs: list[str]
) -> onnx.ModelProto:
    # It warns that torchvision, which nothing here needs, is absent.
    logging.getLogger("torch.onnx._internal.exporter._registration").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            module.eval(),
            args,
            dynamo=True,
            optimize=True,
            opset_version=OPSET,
            input_names=inputs,
            output_names=outputs,
            dynamic_shapes=shapes,
            verbose=False,
        )
    assert program is not None
    proto = program.model_proto
    for node in proto.graph.node:  # the exporter's traces of Python code
        node.ClearField("metadata_props")
        node.ClearField("doc_string")
    del proto.graph.value_info[:], proto.graph.metadata_props[:], proto.metadata_props[:]
    return proto


def write_standalone(protos: Mapping[Part, onnx.ModelProto], path: Path, metadata: Mapping[str, Any]) -> ModelFile:
    """Write a model whose graphs use its tensors as they are: folded, or quantised. PyTorch cannot load it.

    Args:
        protos: of `graphs`, or what was made of them.
        path: NAME.safetensors.
        metadata: the description, see `pgnet.models`.
    """
    tensors: dict[str, NDArray[Any]] = {}
    keys: dict[tuple[Part, str], str] = {}
    for part, proto in protos.items():
        for tensor in proto.graph.initializer:
            array = numpy_helper.to_array(tensor)
            if array.dtype not in DTYPES or array.size < SMALL:
                continue
            key = tensor.name
            if key in tensors and not np.array_equal(array, tensors[key]):
                key = f"{part}.{key}"
            keys[part, tensor.name], tensors[key] = key, array
    model = write_model_file(path, tensors, {**metadata, "name": path.stem})
    stored = _Stored(model.path)
    for part, proto in protos.items():
        for tensor in proto.graph.initializer:
            if (part, tensor.name) in keys:
                stored.point(tensor, tensor.name, keys[part, tensor.name])
        _save(proto, model, part)
    return model


class _Stored:
    """The tensors of a model file, for initialisers of graphs beside it to point at."""

    def __init__(self, path: Path) -> None:
        self.location = path.name
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            self.entries = json.loads(file.read(length))
        self.start = 8 + length

    def is_half(self, key: str) -> bool:
        """Whether the tensor is float16."""
        return self.entries[key]["dtype"] == "F16"

    def point(self, tensor: onnx.TensorProto, name: str, key: str) -> None:
        """Make an initialiser of that name out of the tensor `key`."""
        entry = self.entries[key]
        begin, end = entry["data_offsets"]
        kind = helper.np_dtype_to_tensor_dtype(next(dtype for dtype, text in DTYPES.items() if text == entry["dtype"]))
        tensor.Clear()
        tensor.name, tensor.data_type, tensor.data_location = name, kind, onnx.TensorProto.EXTERNAL
        tensor.dims.extend(entry["shape"])
        for field, value in (("location", self.location), ("offset", self.start + begin), ("length", end - begin)):
            tensor.external_data.add(key=field, value=str(value))


class Exported:
    """A `pgnet.engine.Engine` of an exported model in the library that it is for.

    Args:
        embed, search: the two graphs: arrays in, arrays out, in the order of the graphs' inputs and outputs.
    """

    def __init__(self, embed: Function, search: Function) -> None:
        self._embed, self._search = embed, search

    def embed(self, template: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """See `pgnet.engine.Engine`."""
        return self._embed(template)

    def search(
        self, features: list[NDArray[np.float32]], crop: NDArray[np.uint8]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """See `pgnet.engine.Engine`."""
        cls, reg = self._search(crop, *features)
        return cls, reg


def write_openvino(protos: Mapping[Part, onnx.ModelProto], folder: Path, name: str) -> Exported:
    """Write NAME.embed.xml, NAME.search.xml and their weights (.bin) for OpenVINO.

    Raises:
        PgnetError: OpenVINO is not installed.
    """
    try:
        import openvino
    except ModuleNotFoundError as error:
        raise PgnetError("OpenVINO is not installed; install the extra with pip install 'pgnet[openvino]'.") from error

    def write(part: Part) -> Function:
        path = folder / f"{name}.{part}.xml"
        with tempfile.TemporaryDirectory() as temporary:
            onnx.save_model(protos[part], Path(temporary, "graph.onnx"))
            openvino.save_model(openvino.convert_model(Path(temporary, "graph.onnx")), path, compress_to_fp16=False)
        compiled = openvino.compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        return lambda *inputs: list(compiled(list(inputs)).to_tuple())

    return Exported(write("embed"), write("search"))


def write_torchscript(folded: PGNet, folder: Path, name: str) -> Exported:
    """Write NAME.embed.pt and NAME.search.pt for PyTorch and LibTorch: they need no code of pgnet."""
    template = torch.zeros(1, anchors.TEMPLATE_SIZE, anchors.TEMPLATE_SIZE, 3, dtype=torch.uint8)
    crop = torch.zeros(1, anchors.SEARCH_SIZE, anchors.SEARCH_SIZE, 3, dtype=torch.uint8)

    def write(part: Part, module: nn.Module, *inputs: Tensor) -> Function:
        path = folder / f"{name}.{part}.pt"
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # tracing is deprecated, but torch.export's files do not run in LibTorch
            traced = torch.jit.freeze(torch.jit.trace(module.eval(), inputs, check_trace=False))
            with atomic(path) as temporary:
                torch.jit.save(traced, temporary)
            loaded = torch.jit.load(path)

        def run(*arrays: NDArray[Any]) -> list[NDArray[np.float32]]:
            with torch.no_grad():
                return [value.numpy() for value in loaded(*map(torch.from_numpy, arrays))]

        return run

    with torch.no_grad():
        features = Embed(folded)(template)
    return Exported(write("embed", Embed(folded), template), write("search", Search(folded), crop, *features))


def _save(proto: onnx.ModelProto, model: ModelFile, part: Part) -> None:
    with atomic(model.path.with_name(f"{model.name}.{part}.onnx")) as temporary:
        onnx.save_model(proto, temporary)


def _point_at_weights(proto: onnx.ModelProto, model: ModelFile, net: PGNet) -> None:
    """Take the weights out of a folded network's graph: it computes them from those of the model file."""
    file, graph = _Stored(model.path), proto.graph
    replaced = {tensor.name for tensor in graph.initializer if tensor.name.startswith("net.")}
    kept = [tensor for tensor in graph.initializer if tensor.name not in replaced]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    nodes: list[onnx.NodeProto] = []

    def node(kind: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        output = name or f"fold.{len(nodes)}"
        nodes.append(helper.make_node(kind, inputs, [output], name=f"{output}.{kind}", **attributes))
        return output

    def constant(name: str, value: Any) -> str:
        graph.initializer.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def stored(key: str) -> str:
        half = file.is_half(key)
        name = f"{key}.fp16" if half else key
        file.point(graph.initializer.add(), name, key)
        return node("Cast", name, name=key, to=onnx.TensorProto.FLOAT) if half else key

    axes = constant("fold.axes", np.array([1, 2, 3]))
    normed = norms(net)
    for conv, norm in normed.items():
        if f"net.{conv}.weight" not in replaced:
            continue
        module = net.get_submodule(norm)
        assert isinstance(module, nn.BatchNorm2d)
        epsilon = constant(f"{norm}.eps", np.float32(module.eps))
        deviation = node("Sqrt", node("Add", stored(f"{norm}.running_var"), epsilon))
        factor = node("Div", stored(f"{norm}.weight"), deviation)
        weight = node("Mul", stored(f"{conv}.weight"), node("Unsqueeze", factor, axes))
        bias = node("Sub", stored(f"{norm}.bias"), node("Mul", stored(f"{norm}.running_mean"), factor))
        if conv == "backbone.conv1":
            weight = node("Div", weight, constant("fold.std", net.std.cpu().numpy()))
            of_mean = node("Mul", weight, constant("fold.mean", net.mean.cpu().numpy()))
            bias = node("Sub", bias, node("ReduceSum", of_mean, axes, keepdims=0))
        node("Identity", weight, name=f"net.{conv}.weight")
        node("Identity", bias, name=f"net.{conv}.bias")
    for name in sorted(replaced):
        key = name.removeprefix("net.")
        if key.rpartition(".")[0] not in normed:
            node("Identity", stored(key), name=name)
    computed = [*nodes, *graph.node]
    del graph.node[:]
    graph.node.extend(computed)
