"""The exported graphs compute what the network computes, on real crops where there are any."""

from pathlib import Path

import numpy as np
import pytest
import torch

from pgnet import boxes, crop
from pgnet.engine.onnx import OnnxEngine
from pgnet.models import ModelFile, available, resolve, update_metadata
from pgnet.nn import MODELS
from pgnet.nn.export import write_model
from pgnet.nn.weights import load_model

CLIP = Path(__file__).parents[2] / "../shared/data/devbench/OTB100/Deer"


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> ModelFile:
    torch.manual_seed(0)
    net = MODELS["pgnet-lite"]()
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    path = tmp_path_factory.mktemp("model") / "tiny.safetensors"
    return write_model(net, path, {"architecture": {"model": "pgnet-lite"}, "tracking": {}})


def real_crops() -> tuple[np.ndarray, np.ndarray]:
    """Three templates and search crops of a real clip, or of a smooth random picture where it is absent."""
    from pgnet.training.sources import read_image

    if CLIP.is_dir():
        truth = np.loadtxt(CLIP / "groundtruth_rect.txt", delimiter=",") - [1, 1, 0, 0]
        frames = [read_image(CLIP / f"img/{i + 1:04d}.jpg") for i in (0, 20, 40)]
        targets = truth[[0, 20, 40]]
    else:
        noise = np.random.default_rng(0).integers(0, 256, (3, 30, 40, 3), dtype=np.uint8)
        frames = [np.kron(n, np.ones((12, 12, 1), np.uint8)) for n in noise]
        targets = np.array([[200.0, 150, 60, 40]] * 3)
    templates, searches = [], []
    for frame, box in zip(frames, targets, strict=True):
        cx, cy, w, h = boxes.xywh_to_cxcywh(box)
        templates.append(crop.square_crop(frame, cx, cy, crop.template_side(w, h), 127))
        searches.append(crop.square_crop(frame, cx, cy, crop.search_side(w, h), 255))
    return np.stack(templates), np.stack(searches)


def relative_error(ours: np.ndarray, reference: torch.Tensor) -> float:
    expected = reference.numpy()
    return float(np.linalg.norm(ours - expected) / np.linalg.norm(expected))


@torch.no_grad()
def check_parity(model: ModelFile) -> None:
    engine, net = OnnxEngine(model, threads=1), load_model(model.path)
    templates, searches = real_crops()
    features = engine.embed(templates)
    expected = net.embed(torch.from_numpy(templates).permute(0, 3, 1, 2))
    for ours, reference in zip(features, expected, strict=True):
        assert relative_error(ours, reference) < 1e-4
    cls, reg = engine.search(features, searches)
    out = net.search(expected, torch.from_numpy(searches).permute(0, 3, 1, 2))
    assert relative_error(cls, out.cls) < 1e-4
    assert relative_error(reg, out.reg) < 1e-4
    near = np.ascontiguousarray(searches[:, 32:-32, 32:-32])
    cls, reg = engine.search(features, near)
    out = net.search(expected, torch.from_numpy(near).permute(0, 3, 1, 2))
    assert cls.shape == (3, 10, 17, 17)
    assert relative_error(cls, out.cls) < 1e-4
    assert relative_error(reg, out.reg) < 1e-4


def test_onnx_agrees_with_pytorch(exported: ModelFile) -> None:
    check_parity(exported)


@pytest.mark.parametrize("name", [model.name for model in available()])
def test_shipped_models_agree_with_pytorch(name: str) -> None:
    check_parity(resolve(name))


def test_graphs_are_small_and_follow_the_weights_file(exported: ModelFile) -> None:
    for part in ("embed", "search"):
        assert exported.graph(part).stat().st_size < 100_000
    assert 2 * sum(p.numel() for p in load_model(exported.path).parameters()) < exported.path.stat().st_size


def test_metadata_can_change_without_a_new_export(exported: ModelFile) -> None:
    crops = real_crops()[0]
    before = OnnxEngine(exported, threads=1).embed(crops)
    changed = update_metadata(exported.path, tracking={"penalty_k": 0.123}, data="x" * 5000)
    assert changed.metadata["tracking"]["penalty_k"] == 0.123
    after = OnnxEngine(changed, threads=1).embed(crops)
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
