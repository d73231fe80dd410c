"""Integer graphs, from the shipped model and from pieces of the demo clip."""

from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from safetensors import safe_open

from pgnet.cli import main
from pgnet.demo import demo_frames
from pgnet.engine import OnnxEngine
from pgnet.errors import PgnetError
from pgnet.models import ModelFile, resolve
from pgnet.nn.quantise import calibration_crops, float_nodes, pictures
from pgnet.tracking import Tracker
from pgnet.video import VideoWriter


@pytest.fixture(scope="module")
def stills(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stills")
    for i, (image, _) in enumerate(islice(demo_frames(), 0, 36, 6)):
        cv2.imwrite(str(folder / f"{i}.png"), image[..., ::-1])
    return folder


@pytest.fixture(scope="module")
def integer(stills: Path, tmp_path_factory: pytest.TempPathFactory) -> ModelFile:
    out = tmp_path_factory.mktemp("int8")
    call = ["export", "pgnet-lite", "--int8", "--calibrate", str(stills), "--crops", "6", "--out", str(out)]
    assert main(call) == 0
    assert sorted(path.name for path in out.iterdir()) == [
        "pgnet-lite-int8.embed.onnx",
        "pgnet-lite-int8.safetensors",
        "pgnet-lite-int8.search.onnx",
    ]
    return resolve(out / "pgnet-lite-int8.safetensors")


def test_it_computes_nearly_the_same(integer: ModelFile, stills: Path) -> None:
    """For two targets at once, on crops that it was not calibrated on."""
    full, other = OnnxEngine(resolve("pgnet-lite"), threads=1), OnnxEngine(integer, threads=1)
    templates, crops = map(np.concatenate, zip(*calibration_crops(stills, 2, seed=5), strict=True))
    for expected, got in zip(full.embed(templates), other.embed(templates), strict=True):
        assert np.linalg.norm(got - expected) < 0.25 * np.linalg.norm(expected)
    z = full.embed(templates)
    expected, got = full.search(z, crops)[0], other.search(z, crops)[0]
    assert got.shape == expected.shape
    assert 0 < np.linalg.norm(got - expected) < 0.25 * np.linalg.norm(expected)


def test_weights_have_seven_bits_for_processors_without_vnni(integer: ModelFile) -> None:
    with safe_open(integer.path, framework="numpy") as file:
        weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no dictionary
    integers = [w for w in weights.values() if w.dtype == np.int8 and w.ndim == 4]
    assert len(integers) > 10
    assert all(abs(w.astype(int)).max() <= 64 for w in integers)
    assert integer.path.stat().st_size < resolve("pgnet-lite").path.stat().st_size


def test_it_tracks_and_says_where_it_comes_from(integer: ModelFile) -> None:
    assert integer.metadata["exported"] == {"model": "pgnet-lite", "sha256": resolve("pgnet-lite").sha256}
    assert "score" not in integer.metadata, "that of another model"
    (first, box), (second, _) = islice(demo_frames(), 2)
    tracker = Tracker.load(integer, threads=1)
    tracker.init(first, box)
    assert tracker.options == Tracker.load("pgnet-lite").options
    assert np.abs(tracker.update(second).box - box).max() < 20


def test_what_follows_the_template_stays_in_floating_point() -> None:
    node = helper.make_node
    nodes = [
        node("Conv", ["crop", "w"], ["x"], name="backbone"),
        node("Reshape", ["z0", "s"], ["t"], name="reshape"),
        node("MatMul", ["t", "x"], ["p"], name="correlation"),
        node("Conv", ["p", "v"], ["cls"], name="head"),
    ]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("crop", "z0", "cls")]
    weights = [numpy_helper.from_array(np.zeros(1, np.float32), name) for name in "wvs"]
    graph = helper.make_graph(nodes, "g", ends[:2], ends[2:], weights)
    assert float_nodes(graph) == {"reshape", "correlation", "head"}


def test_pictures_come_from_images_and_videos(tmp_path: Path) -> None:
    image = np.zeros((48, 64, 3), np.uint8)
    (tmp_path / "a").mkdir()
    cv2.imwrite(str(tmp_path / "a/one.png"), image)
    with VideoWriter(tmp_path / "two.mp4", 64, 48, fps=10) as video:
        for i in range(25):
            video.write(image + 5 * i, i / 10)
    found = list(pictures(tmp_path, 100))
    assert len(found) == 11, "the image and ten frames of the video"
    # Every tenth frame; the last one where the video is shorter.
    assert [round(f.mean() / 50) for f in found[1:4]] == [0, 1, 2]
    assert len(list(pictures(tmp_path, 3))) == 3
    (tmp_path / "empty").mkdir()
    with pytest.raises(PgnetError, match="no pictures"):
        next(pictures(tmp_path / "empty", 3))
