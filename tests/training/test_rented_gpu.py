"""scripts/rented_gpu.py, as a user runs it."""

import json
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts/rented_gpu.py"
RECIPE = """
model = "pgnet-lite"
data = "{data}"
steps = 3
batch = 2
warmup = 1
workers = 0
validate_every = 3
validation_pairs = 4

[pairs]
search_size = 143
shift = 8
"""


def rented_gpu(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, SCRIPT, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)


def test_parcels_are_bounded_and_complete(tmp_path: Path) -> None:
    (tmp_path / "data/deep").mkdir(parents=True)
    for i in range(5):
        (tmp_path / f"data/deep/{i}.bin").write_bytes(bytes([i]) * 400_000)
    done = rented_gpu("pack", "data", "--out", "parcels", "--limit", 1, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    parcels = sorted((tmp_path / "parcels").glob("*.tar"))
    assert len(parcels) == 3 and all(p.stat().st_size <= 1 << 20 for p in parcels)
    names = []
    for parcel in parcels:
        with tarfile.open(parcel) as archive:
            names += archive.getnames()
    assert names == [f"data/deep/{i}.bin" for i in range(5)]
    (tmp_path / "data/big.bin").write_bytes(bytes(2 << 20))
    refused = rented_gpu("pack", "data", "--out", "parcels", "--limit", 1, cwd=tmp_path)
    assert refused.returncode == 2 and "big.bin" in refused.stderr


def test_chunks_continue_and_come_back(training_root: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="the training extra is not installed")
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(RECIPE.format(data=training_root))
    for minutes, steps in ((0, 1), (9, 3)):
        back = tmp_path / f"back-{steps}"
        done = rented_gpu(
            "chunk",
            recipe,
            "--run",
            tmp_path / "run",
            "--minutes",
            minutes,
            "--out",
            back,
            "--limit",
            1,
            "--checkpoint",
        )
        assert done.returncode == 0, done.stderr
        assert all(p.stat().st_size <= 1 << 20 for p in back.iterdir())
        joined = rented_gpu("join", back, "--out", tmp_path / "here")
        assert joined.returncode == 0, joined.stderr
        records = [json.loads(line) for line in (tmp_path / "here/log.jsonl").read_text().splitlines()]
        assert [r["step"] for r in records if "loss" in r] == list(range(1, steps + 1))
        assert json.loads((tmp_path / "here/recipe.json").read_text())["model"] == "pgnet-lite"
        assert "iou" in json.loads((back / "index.json").read_text())["scores"]
    assert (tmp_path / "here/last.ckpt").read_bytes() == (tmp_path / "run/last.ckpt").read_bytes()
    piece = next(back.glob("last.ckpt.*"))
    piece.write_bytes(piece.read_bytes()[:-1] + b"x")
    spoilt = rented_gpu("join", back, "--out", tmp_path / "here")
    assert spoilt.returncode == 2 and "checksum" in spoilt.stderr
