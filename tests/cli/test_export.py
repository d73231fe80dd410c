"""`pgnet export` on the smallest model; integers are tested in tests/nn/test_quantise.py."""

from itertools import islice

import numpy as np
import pytest

pytest.importorskip("torch", reason="the training extra is not installed")

from pgnet.cli import main
from pgnet.demo import demo_frames
from pgnet.engine import OnnxEngine
from pgnet.models import resolve
from pgnet.video import VideoWriter


@pytest.fixture
def clips(tmp_path):
    """A folder with five frames of the demo clip and its box."""
    folder = tmp_path / "clips"
    folder.mkdir()
    frames = list(islice(demo_frames(), 5))
    with VideoWriter(folder / "stone.mp4", 640, 360, fps=30) as video:
        for i, (image, _) in enumerate(frames):
            video.write(image, i / 30)
    (folder / "stone.txt").write_text(",".join(f"{v:g}" for v in frames[0][1]))
    return folder


def test_an_export_is_verified_on_clips(clips, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["export", "pgnet-lite", "--out", str(out), "--verify", str(clips)]) == 0
    printed = capsys.readouterr().out
    assert f"--model {out / 'pgnet-lite.safetensors'}" in printed
    row = next(line for line in printed.splitlines() if "stone.mp4" in line).split()
    assert int(row[1]) == 4
    assert float(row[2]) > 0.99
    assert "within the bound of 0.99" in printed
    # Its weights are folded, so another file, but the same function.
    crops = np.random.default_rng(0).integers(0, 256, (2, 127, 127, 3), np.uint8)
    theirs, ours = (
        OnnxEngine(resolve(m), threads=1).embed(crops) for m in (out / "pgnet-lite.safetensors", "pgnet-lite")
    )
    assert all(np.allclose(a, b, rtol=1e-3, atol=1e-4) for a, b in zip(theirs, ours, strict=True))
    assert main(["export", "pgnet-lite", "--out", str(out)]) == 2
    assert "exists already" in capsys.readouterr().err


def test_an_export_that_drifts_fails(clips, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("pgnet.evaluation.drift.iou", lambda a, b: 0.5)
    call = ["export", "pgnet-lite", "--to", "torchscript", "--out", str(tmp_path / "out"), "--verify", str(clips)]
    assert main(call) == 1
    assert "BELOW the bound of 0.99" in capsys.readouterr().out


def test_integers_need_pictures(tmp_path, capsys):
    assert main(["export", "pgnet-lite", "--int8", "--out", str(tmp_path / "out")]) == 2
    assert "--calibrate" in capsys.readouterr().err
    (tmp_path / "none").mkdir()
    call = ["export", "pgnet-lite", "--int8", "--calibrate", str(tmp_path / "none"), "--out", str(tmp_path / "out")]
    assert main(call) == 2
    assert "no pictures" in capsys.readouterr().err
    assert not (tmp_path / "out").exists(), "nothing half-written"
