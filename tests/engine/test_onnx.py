"""A tiny network whose graphs read their weight from a model file, as the exported ones do."""

import json
import os
import struct
import subprocess
import sys

import numpy as np
import pytest
from safetensors import safe_open

from pgnet.engine import OnnxEngine, available_cores
from pgnet.errors import PgnetError
from pgnet.models import ModelFile, update_metadata, write_model_file

onnx = pytest.importorskip("onnx", reason="building graphs needs onnx")
from onnx import TensorProto, helper  # noqa: E402


def external(path, name):
    """An initialiser that points at a float16 tensor of a safetensors file."""
    with path.open("rb") as file:
        length = struct.unpack("<Q", file.read(8))[0]
        entry = json.loads(file.read(length))[name]
    begin, end = entry["data_offsets"]
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT16, dims=entry["shape"])
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in {"location": path.name, "offset": 8 + length + begin, "length": end - begin}.items():
        tensor.external_data.add(key=key, value=str(value))
    return tensor


def save(path, nodes, inputs, outputs, weights):
    def info(name, kind, shape):
        return helper.make_tensor_value_info(name, kind, shape)

    graph = helper.make_graph(nodes, "g", [info(*i) for i in inputs], [info(*o) for o in outputs], weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)


@pytest.fixture
def model(tmp_path) -> ModelFile:
    """z0 = 5 x 5 means of the template times w; cls and reg = mean of z0 plus the crop's corner pixel."""
    path = tmp_path / "tiny.safetensors"
    model = write_model_file(path, {"w": np.array([1, 2, 3], np.float16).reshape(1, 3, 1, 1)}, {"name": "tiny"})
    node, kind = helper.make_node, TensorProto
    save(
        tmp_path / "tiny.embed.onnx",
        [
            node("Cast", ["template"], ["f"], to=kind.FLOAT),
            node("Transpose", ["f"], ["t"], perm=[0, 3, 1, 2]),
            node("AveragePool", ["t"], ["p"], kernel_shape=[25, 25], strides=[25, 25]),
            node("Cast", ["w"], ["w32"], to=kind.FLOAT),
            node("Mul", ["p", "w32"], ["z0"]),
        ],
        [("template", kind.UINT8, ["K", 127, 127, 3])],
        [("z0", kind.FLOAT, ["K", 3, 5, 5])],
        [external(path, "w")],
    )
    constants = [helper.make_tensor(n, kind.INT64, [4], v) for n, v in (("a", (0, 0, 0, 0)), ("e", (9, 1, 1, 1)))]
    shapes = [helper.make_tensor(n, kind.INT64, [4], (1, c, 25, 25)) for n, c in (("cs", 10), ("rs", 20))]
    save(
        tmp_path / "tiny.search.onnx",
        [
            node("Cast", ["crop"], ["f"], to=kind.FLOAT),
            node("Slice", ["f", "a", "e"], ["corner"]),
            node("ReduceMean", ["z0"], ["m"], axes=[1, 2, 3], keepdims=1),
            node("Add", ["m", "corner"], ["s"]),
            node("Expand", ["s", "cs"], ["cls"]),
            node("Expand", ["s", "rs"], ["reg"]),
        ],
        [("z0", kind.FLOAT, ["K", 3, 5, 5]), ("crop", kind.UINT8, ["K", 255, 255, 3])],
        [("cls", kind.FLOAT, ["K", 10, 25, 25]), ("reg", kind.FLOAT, ["K", 20, 25, 25])],
        constants + shapes,
    )
    return model


def test_graphs_read_the_weights_of_the_model_file(model):
    engine = OnnxEngine(model, threads=1)
    template = np.full((2, 127, 127, 3), 10, np.uint8)
    (z,) = engine.embed(template)
    assert z.shape == (2, 3, 5, 5)
    assert z[0, :, 0, 0].tolist() == [10, 20, 30]
    cls, reg = engine.search([z], np.full((2, 255, 255, 3), 7, np.uint8))
    assert cls.shape == (2, 10, 25, 25)
    assert reg.shape == (2, 20, 25, 25)
    assert cls[1, 3, 4, 5] == 27


def test_graphs_stay_valid_when_metadata_changes(model):
    update_metadata(model.path, score={"success_auc": 0.5}, recipe="x" * 5000)
    with safe_open(model.path, framework="numpy") as file:
        assert "x" * 5000 in file.metadata()["pgnet"]
    (z,) = OnnxEngine(model, threads=1).embed(np.full((1, 127, 127, 3), 10, np.uint8))
    assert z[0, :, 0, 0].tolist() == [10, 20, 30]


def test_missing_graph(model):
    model.graph("search").unlink()
    with pytest.raises(PgnetError, match=r"tiny\.search\.onnx is missing"):
        OnnxEngine(model)


def test_damaged_graph(model):
    model.graph("search").write_bytes(b"not a graph")
    with pytest.raises(PgnetError, match="cannot load"):
        OnnxEngine(model)


def test_threads(model):
    assert OnnxEngine(model).threads == available_cores() >= 1
    with pytest.raises(PgnetError, match="0 threads"):
        OnnxEngine(model, threads=0)


def test_nothing_is_reported_and_the_home_folder_stays_as_it_is(tmp_path):
    # ONNX Runtime reports to its maker unless told not to; it keeps quiet by itself where CI is set.
    quiet = {"CI", "ORT_DISABLE_TELEMETRY", "ORT_RUNNING_UNIT_TESTS"}
    environment = {name: value for name, value in os.environ.items() if name not in quiet}
    environment |= {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / ".cache")}
    code = "from pgnet import Tracker; Tracker.load('pgnet-lite', threads=1)"
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, timeout=120)
    assert not list(tmp_path.rglob("*"))
