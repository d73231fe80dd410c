import hashlib
import json
import struct

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from pgnet import models
from pgnet.errors import PgnetError


@pytest.fixture
def tensors():
    rng = np.random.default_rng(0)
    return {
        "b.weight": rng.normal(size=(3, 2, 1, 1)).astype(np.float16),
        "a.bias": rng.normal(size=3).astype(np.float32),
        "c.scalar": np.array(2.5, np.float32),
    }


@pytest.fixture
def path(tmp_path, tensors):
    path = tmp_path / "tiny.safetensors"
    models.write_model_file(path, tensors, {"name": "tiny", "tracking": {"penalty_k": 0.1, "size_lr": 0.3}})
    return path


def data_start(path):
    return 8 + struct.unpack("<Q", path.read_bytes()[:8])[0]


def test_file_is_safetensors(path, tensors):
    loaded = load_file(path)
    assert loaded.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert loaded[name].dtype == tensor.dtype
        assert np.array_equal(loaded[name], tensor)


def test_data_start_on_a_page(path):
    assert data_start(path) % models.DATA_ALIGNMENT == 0


def test_model_knows_itself(path):
    model = models.resolve(path)
    assert model.name == "tiny"
    assert model.metadata["tracking"] == {"penalty_k": 0.1, "size_lr": 0.3}
    assert model.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(PgnetError, match=r"tiny\.embed\.onnx is missing"):
        model.graph("embed")
    graph = path.with_name("tiny.embed.onnx")
    graph.touch()
    assert model.graph("embed") == graph


def test_metadata_changes_and_no_tensor_moves(path):
    before = path.read_bytes()
    model = models.resolve(path).with_tracking(size_lr=0.5, window_influence=0.4)
    assert model.metadata["tracking"] == {"penalty_k": 0.1, "size_lr": 0.5, "window_influence": 0.4}
    model = models.update_metadata(path, score={"success_auc": 0.6}, licence="Apache-2.0")
    assert model.metadata["score"] == {"success_auc": 0.6}
    assert model.metadata["name"] == "tiny"
    after = path.read_bytes()
    assert len(after) == len(before)
    assert after[data_start(path) :] == before[data_start(path) :]
    assert [p.name for p in path.parent.iterdir()] == ["tiny.safetensors"]


def test_metadata_that_outgrows_the_header_is_refused(path):
    before = path.read_bytes()
    with pytest.raises(PgnetError, match="too long"):
        models.update_metadata(path, data="x" * models.DATA_ALIGNMENT)
    assert path.read_bytes() == before


def test_other_types_are_not_written(tmp_path):
    with pytest.raises(PgnetError, match="count is int64"):
        models.write_model_file(tmp_path / "m.safetensors", {"count": np.array(1, np.int64)}, {})
    assert not list(tmp_path.iterdir())


def test_names_come_from_package_and_cache(path, monkeypatch):
    monkeypatch.setenv("PGNET_CACHE", str(path.parent))
    assert models.resolve("tiny").path == path
    assert path in [model.path for model in models.available()]
    with pytest.raises(PgnetError, match=r"no model 'huge'.*tiny"):
        models.resolve("huge")


def test_cache_folder_need_not_exist(tmp_path, monkeypatch):
    monkeypatch.setenv("PGNET_CACHE", str(tmp_path / "none"))
    monkeypatch.setattr(models, "PACKAGED", tmp_path / "none")
    assert models.available() == []
    with pytest.raises(PgnetError, match="none is installed"):
        models.resolve("pgnet-lite")


def test_missing_file(tmp_path):
    with pytest.raises(PgnetError, match="does not exist"):
        models.resolve(tmp_path / "nothing.safetensors")


@pytest.mark.parametrize("keep", [0, 5, 100, -1])
def test_truncated_file(path, keep):
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(PgnetError, match="damaged"):
        models.resolve(path)


def test_file_of_another_kind(path):
    path.write_bytes(b"PK\x03\x04" * 5000)
    with pytest.raises(PgnetError, match="not a safetensors file"):
        models.resolve(path)


def test_folder_in_place_of_a_file(tmp_path):
    (tmp_path / "m.safetensors").mkdir()
    with pytest.raises(PgnetError):
        models.resolve(tmp_path / "m.safetensors")


def test_weights_of_somebody_else(path, tensors):
    save_file(tensors, path, {"made": "elsewhere"})
    with pytest.raises(PgnetError, match="not of a pgnet model"):
        models.resolve(path)


@pytest.mark.parametrize("text", ["{", "[]", "3", '{"name": "no format"}'])
def test_damaged_description(path, tensors, text):
    save_file(tensors, path, {"pgnet": text})
    with pytest.raises(PgnetError, match=r"description in .* is damaged"):
        models.resolve(path)


def test_newer_format(path, tensors):
    save_file(tensors, path, {"pgnet": json.dumps({"format": 2})})
    with pytest.raises(PgnetError, match="format 2"):
        models.resolve(path)
