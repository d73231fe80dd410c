"""demo, models, doctor, and the commands that need the training extra."""

import sys

import numpy as np
import pytest

from pgnet import demo
from pgnet.cli import main
from pgnet.models import write_model_file
from pgnet.results import Track
from pgnet.tracking import Prediction


def test_demo_measures_against_the_truth(tracker, tmp_path, capsys, monkeypatch):
    """A tracker that knows the truth gets an overlap of 1."""
    monkeypatch.setattr(demo, "FRAMES", 12)
    monkeypatch.setattr(demo.write_demo_clip, "__defaults__", (12,))
    truth = iter([box for _, box in demo.demo_frames(12)][1:])
    monkeypatch.setattr(tracker, "update", lambda frame: {1: Prediction(next(truth), 0.9)})
    out = tmp_path / "demo"
    assert main(["demo", "--out", str(out)]) == 0
    assert sorted(path.name for path in out.iterdir()) == ["demo.mp4", "track.csv", "track.json", "track.mp4"]
    assert len(Track.read_json(out / "track.json")) == 12
    assert "by 1.00 on average" in capsys.readouterr().out
    assert main(["demo", "--out", str(out)]) == 2
    assert "--overwrite" in capsys.readouterr().err


def test_models_lists_what_is_there(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PGNET_CACHE", str(tmp_path))
    described = {
        "licence": "Apache-2.0",
        "data": ["some videos", "some\nstills"],
        "score": {"data": "ten clips", "auc": 0.61234},
    }
    file = write_model_file(tmp_path / "mine.safetensors", {"w": np.zeros(4, np.float32)}, described)
    assert main(["models"]) == 0
    row = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("mine "))
    for expected in (file.sha256[:12], "Apache-2.0", "some videos, some stills", "auc 0.612 on ten clips", "0.1 MB"):
        assert expected in row


def test_doctor_goes_on_over_what_is_broken(monkeypatch, capsys):
    def broken():
        raise RuntimeError("no\nengine")

    monkeypatch.setattr("pgnet.cli.doctor._engine", broken)
    monkeypatch.setattr("pgnet.cli.doctor._speed", lambda: "fast")
    assert main(["doctor"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert any(line.split() == ["MISSING", "engine", "no", "engine"] for line in lines)
    assert any(line.split()[:2] == ["ok", "video"] for line in lines)
    assert any("H.264" in line for line in lines)


@pytest.mark.parametrize("command", [["summary", "pgnet-r50"], ["train", "recipe.toml"]])
def test_training_commands_name_the_extra(command, monkeypatch, capsys):
    for name in [name for name in sys.modules if name.partition(".")[0] in ("torch", "lightning_fabric")]:
        monkeypatch.delitem(sys.modules, name)
    for name in [name for name in sys.modules if name.startswith(("pgnet.nn", "pgnet.training"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    assert main(command) == 2
    said = capsys.readouterr().err
    assert "[train]" in said
    assert len(said.splitlines()) == 1
