"""Eight-bit integer graphs, made with ONNX Runtime's own quantisation tools (static, QDQ, per channel).

What stays in floating point, and why: see `float_nodes`.
"""

from __future__ import annotations

import copy
import logging
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from pgnet import anchors
from pgnet.crop import mean_colour, search_side, square_crop, template_side
from pgnet.engine import OnnxEngine
from pgnet.errors import PgnetError
from pgnet.models import ModelFile
from pgnet.nn.export import Part
from pgnet.video import open_source
from pgnet.video.reader import IMAGE_SUFFIXES, read_image

Image = NDArray[np.uint8]
Feed = dict[str, NDArray[np.uint8] | NDArray[np.float32]]

QUANTISED = ("Add", "Conv", "MaxPool", "Relu")
VIDEO_SUFFIXES = frozenset({".avi", ".m4v", ".mkv", ".mov", ".mp4", ".webm"})
FRAMES = 10
"""Frames taken of each video, from its first seconds."""


def pictures(folder: Path, count: int) -> Iterator[Image]:
    """At most `count` pictures, evenly out of all images and the first frames of all videos below a folder.

    Raises:
        PgnetError: there are none, or one cannot be read.
    """
    suffixes = IMAGE_SUFFIXES | VIDEO_SUFFIXES
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in suffixes and file.is_file())
    if not files:
        raise PgnetError(f"{folder} has no pictures or videos to calibrate on; give a folder with some hundreds.")
    frames = [(file, i) for file in files for i in range(FRAMES if file.suffix.lower() in VIDEO_SUFFIXES else 1)]
    for i in np.unique(np.linspace(0, len(frames) - 1, min(count, len(frames))).round().astype(int)):
        file, index = frames[i]
        if file.suffix.lower() in IMAGE_SUFFIXES:
            yield read_image(file)
        else:
            with open_source(file, end=10 * index + 1) as video:
                yield list(video)[-1].image  # the last one where the video is shorter


def calibration_crops(folder: Path, count: int, seed: int = 0) -> Iterator[tuple[Image, Image]]:
    """A (1, 127, 127, 3) template and a (1, 255, 255, 3) search crop out of each of `count` pictures.

    The targets are boxes of random place, shape and size (8% to 50% of the picture): any piece of a picture may be
    tracked. The search crop is off its centre by up to 40 pixels and some percent larger or smaller.
    """
    rng = np.random.default_rng(seed)
    for image in pictures(folder, count):
        height, width = image.shape[:2]
        size = min(height, width) * np.exp(rng.uniform(np.log(0.08), np.log(0.5)))
        aspect = np.exp(rng.normal(0, 0.4))
        w, h = size * np.sqrt(aspect), size / np.sqrt(aspect)
        x, y = rng.uniform(0.2, 0.8) * width, rng.uniform(0.2, 0.8) * height
        fill = mean_colour(image)
        template = square_crop(image, x, y, template_side(w, h), anchors.TEMPLATE_SIZE, fill)
        side = search_side(w, h) * np.exp(rng.normal(0, 0.1))
        dx, dy = rng.uniform(-40, 40, 2) * side / anchors.SEARCH_SIZE
        yield template[None], square_crop(image, x + dx, y + dy, side, anchors.SEARCH_SIZE, fill)[None]


def float_nodes(graph: onnx.GraphProto) -> set[str]:
    """Names of the nodes that are not quantised: those that depend on the template, which are PG-Corr and what follows.

    PG-Corr is quadratic in the template's features, so a range calibrated on some targets does not fit the next one
    (unless they are normalised), and errors weigh most there.
    """
    after = {tensor.name for tensor in graph.input if tensor.name.startswith("z")}
    names = set()
    for node in graph.node:  # in the order of computation
        if after & set(node.input):
            after |= set(node.output)
            names.add(node.name)
    return names


def quantise(proto: onnx.ModelProto, feeds: Iterator[Feed], *, reduce_range: bool) -> onnx.ModelProto:
    """A folded network's graph with integer convolutions.

    Args:
        proto: of `pgnet.nn.export.graphs`.
        feeds: inputs to calibrate the ranges of activations on.
        reduce_range: 7-bit weights. With 8 bits, sums of two products saturate on x86 processors without VNNI.
    """
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def get_next(self) -> Feed | None:
            return next(feeds, None)

    exact = {"scale": np.array(1, np.float32), "zero_point": np.array(0, np.uint8)}
    pixels = next(node.output[0] for node in proto.graph.node if node.op_type == "Cast")
    with tempfile.TemporaryDirectory() as folder, _without_warnings():
        path = Path(folder, "graph.onnx")
        quantize_static(
            copy.deepcopy(proto),  # it moves the weights to files
            path,
            Reader(),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=list(QUANTISED),
            nodes_to_exclude=sorted(float_nodes(proto.graph)),
            per_channel=True,
            reduce_range=reduce_range,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            extra_options={"TensorQuantOverrides": {pixels: [exact]}},
        )
        quantised = onnx.load(path)
    _feed_bytes(quantised.graph)
    return quantised


@contextmanager
def _without_warnings() -> Iterator[None]:
    """The tools advise to fold batch norms first, on the root logger: they are folded already."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(level)


def _feed_bytes(graph: onnx.GraphProto) -> None:
    """Pixels are bytes already: drop their way to float and back."""
    cast = next(node for node in graph.node if node.op_type == "Cast")
    quantise = next(node for node in graph.node if node.op_type == "QuantizeLinear" and node.input[0] == cast.output[0])
    for node in graph.node:
        for i, name in enumerate(node.input):
            if name == quantise.output[0]:
                node.input[i] = cast.input[0]
    graph.node.remove(cast)
    graph.node.remove(quantise)


def quantise_model(
    protos: Mapping[Part, onnx.ModelProto],
    model: ModelFile,
    folder: Path,
    crops: int,
    *,
    reduce_range: bool = True,
    tick: Callable[[int], None] = lambda done: None,
) -> dict[Part, onnx.ModelProto]:
    """Both graphs of a model with integer convolutions.

    Args:
        protos: of `pgnet.nn.export.graphs`.
        model: what they are of, to compute the template features that `search` is calibrated with.
        folder: pictures or videos to calibrate on.
        crops: how many pieces of them, for each graph.
        reduce_range: 7-bit weights, see `quantise`.
        tick: called with the number of pieces done, up to two times `crops`.

    Raises:
        PgnetError: nothing in the folder can be calibrated on.
    """
    engine = OnnxEngine(model, device="cpu")

    def feeds(part: Part) -> Iterator[Feed]:
        before = crops if part == "search" else 0
        for i, (template, crop) in enumerate(calibration_crops(folder, crops), 1):
            if part == "embed":
                yield {"template": template}
            else:
                yield {"crop": crop, **{f"z{j}": z for j, z in enumerate(engine.embed(template))}}
            tick(before + i)

    return {part: quantise(proto, feeds(part), reduce_range=reduce_range) for part, proto in protos.items()}
