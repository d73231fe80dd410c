"""The loop: it learns, resumes exactly, and leaves a model that tracks."""

import dataclasses
import json
import shutil
import signal
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from pgnet import Tracker
from pgnet.cli import main
from pgnet.errors import PgnetError
from pgnet.models import resolve
from pgnet.nn.backbone import Block, ResNet
from pgnet.nn.network import PGNet
from pgnet.nn.weights import load_model
from pgnet.training import loop
from pgnet.training.log import RunLog
from pgnet.training.losses import LossOptions
from pgnet.training.pairs import PairOptions
from pgnet.training.recipe import Recipe


@pytest.fixture
def recipe(training_root: Path) -> Recipe:
    return Recipe(
        model="pgnet-lite",
        data=training_root,
        steps=4,
        batch=4,
        warmup=1,
        train_blocks=(3,),
        unfreeze=2,
        workers=0,
        validate_every=4,
        validation_pairs=8,
        checkpoint_minutes=0,
        pairs=PairOptions(search_size=143, shift=8),
    )


def losses(out: Path) -> list[float]:
    records = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    return [r["loss"] for r in records if "loss" in r]


def test_an_interrupted_run_continues_exactly(recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loop.train(recipe, tmp_path / "whole")
    real, calls = loop.total_loss, []

    def interrupt(*args: object) -> object:
        calls.append(None)
        if len(calls) == 4:  # the fourth step is the first one after the backbone's block is unfrozen and saved
            raise KeyboardInterrupt
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(loop, "total_loss", interrupt)
    with pytest.raises(KeyboardInterrupt):
        loop.train(recipe, tmp_path / "parts")
    monkeypatch.setattr(loop, "total_loss", real)
    loop.train(recipe, tmp_path / "parts", resume=True)
    assert losses(tmp_path / "parts") == losses(tmp_path / "whole")
    whole, parts = (load_model(tmp_path / run / "pgnet-lite.safetensors").state_dict() for run in ("whole", "parts"))
    assert all(torch.equal(whole[key], parts[key]) for key in whole)


def test_ctrl_c_ends_after_the_step_and_the_run_goes_on(
    training_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe, out = tmp_path / "recipe.toml", tmp_path / "run"
    recipe.write_text(f"""
model = "pgnet-lite"
data = "{training_root}"
steps = 3
batch = 2
workers = 1
validation_pairs = 0
pairs.search_size = 143
""")
    real = loop.total_loss

    def interrupted(*args: object) -> object:
        signal.raise_signal(signal.SIGINT)
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(loop, "total_loss", interrupted)
    assert main(["train", str(recipe), "--out", str(out)]) == 130
    said = capsys.readouterr().err
    assert "--resume" in said and "Traceback" not in said
    assert len(losses(out)) == 1 and not (out / "pgnet-lite.safetensors").exists()
    monkeypatch.setattr(loop, "total_loss", real)
    assert main(["train", str(recipe), "--out", str(out), "--resume"]) == 0
    assert len(losses(out)) == 3 and (out / "pgnet-lite.safetensors").exists()


def test_the_result_tracks_and_an_existing_run_is_kept(recipe: Recipe, tmp_path: Path) -> None:
    scores = loop.train(recipe, tmp_path / "run")
    assert set(scores) == {"loss", "iou", "hit", "size"}
    tracker = Tracker.load(tmp_path / "run/pgnet-lite.safetensors", threads=1)
    frame = np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8)
    tracker.init(frame, (50, 40, 30, 30))
    assert np.isfinite(tracker.update(frame).box).all()
    with pytest.raises(PgnetError, match="--resume"):
        loop.train(recipe, tmp_path / "run")


def test_a_teacher_draws_its_student_near(recipe: Recipe, tmp_path: Path) -> None:
    loop.train(recipe, tmp_path / "teacher")
    taught = dataclasses.replace(
        recipe,
        teacher=tmp_path / "teacher/pgnet-lite.safetensors",
        loss=LossOptions(similarity_weight=0.5),
        steps=8,
        seed=1,
    )
    loop.train(taught, tmp_path / "student")
    records = [json.loads(line) for line in (tmp_path / "student/log.jsonl").read_text().splitlines()]
    distances = [r["distance"] for r in records if "distance" in r]
    assert len(distances) == 8
    assert np.mean(distances[-2:]) < np.mean(distances[:2])
    unlike = [r["unlike"] for r in records if "unlike" in r]
    assert len(unlike) == 8 and np.mean(unlike[-2:]) < np.mean(unlike[:2])


def test_a_compiled_network_takes_the_same_steps(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop.train(recipe, tmp_path / "plain")
    real = PGNet.compile
    graphs = []

    def compile_without_generating_code(net: PGNet) -> None:
        real(net, backend=lambda graph, _: graphs.append(graph) or graph.forward)

    monkeypatch.setattr(PGNet, "compile", compile_without_generating_code)
    loop.train(dataclasses.replace(recipe, compiled=True), tmp_path / "compiled")
    assert len(graphs) >= 2  # one while the backbone is frozen and one after it
    assert losses(tmp_path / "compiled") == pytest.approx(losses(tmp_path / "plain"), rel=1e-5)


def test_a_share_of_the_initial_weights_is_kept(recipe: Recipe, tmp_path: Path) -> None:
    tuned = dataclasses.replace(recipe, init=Path("pgnet-lite"), steps=2)
    runs = {keep: dataclasses.replace(tuned, keep=keep) for keep in (0.0, 0.5)}
    for keep, run in runs.items():
        loop.train(run, tmp_path / str(keep))
    begin, end, kept = (
        load_model(file).state_dict()
        for file in ("pgnet-lite", *(tmp_path / str(keep) / "pgnet-lite.safetensors" for keep in runs))
    )
    changed = [key for key in begin if begin[key].is_floating_point() and not torch.equal(begin[key], end[key])]
    assert changed
    for key in changed:
        torch.testing.assert_close(kept[key], (begin[key] + end[key]) / 2, rtol=2e-3, atol=1e-4)


def test_records_after_the_checkpoint_are_dropped(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text('{"step": 1, "loss": 3}\n{"step": 2, "loss": 2}\n{"step": 3, "loss": 1}\n')
    with RunLog(tmp_path, 2, 9) as log:
        log.step(3, {"loss": 5, "pairs_per_s": 1})
    assert losses(tmp_path) == [3, 2, 5]


def test_only_the_named_blocks_of_the_backbone_change(recipe: Recipe, tmp_path: Path) -> None:
    loop.train(recipe, tmp_path / "run")
    before, after = loop.build(recipe).state_dict(), load_model(tmp_path / "run/pgnet-lite.safetensors").state_dict()
    changed = {
        key
        for key in before
        if before[key].is_floating_point() and not torch.equal(before[key].half(), after[key].half())
    }
    assert {key.split(".")[2] for key in changed if key.startswith("backbone.blocks")} == {"2"}
    assert not any(key.startswith(("backbone.conv1", "backbone.bn1")) for key in changed)
    assert any("running_mean" in key for key in changed) and not any(
        "running" in key for key in changed if "backbone" in key
    )


def test_processes_share_the_pairs_of_a_step() -> None:
    one = list(loop.StepSampler(3, 5, batch=4))
    two = [list(loop.StepSampler(3, 5, batch=4, rank=rank, world=2)) for rank in (0, 1)]
    assert one == list(range(12, 20))
    assert sorted(two[0] + two[1]) == one and two[0][:2] + two[1][:2] == one[:4]


@pytest.mark.parametrize("decay", ["cosine", "exponential"])
def test_the_rate_warms_up_and_falls(recipe: Recipe, decay: str) -> None:
    long = dataclasses.replace(recipe, steps=100, warmup=10, decay=decay)
    rates = [loop.rate(long, step) for step in range(100)]
    assert rates[0] == 0.1 and max(rates) == rates[10] == 1.0
    assert all(a >= b for a, b in pairwise(rates[10:])) and rates[-1] < 0.02


def test_a_block_that_is_not_there_is_said_before_anything_is_written(recipe: Recipe, tmp_path: Path) -> None:
    with pytest.raises(PgnetError, match="has 3 blocks; mend train_blocks"):
        loop.train(dataclasses.replace(recipe, train_blocks=(9,)), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_unknown_model_is_said(recipe: Recipe) -> None:
    with pytest.raises(PgnetError, match="Unknown model x"):
        loop.build(dataclasses.replace(recipe, model="x"))


def test_a_model_is_fine_tuned_by_its_name(recipe: Recipe, training_root: Path, tmp_path: Path) -> None:
    """On a single clip: nothing is held out, and the model keeps its tracking options."""
    shutil.copytree(training_root / "videos/clip_1", tmp_path / "data/videos/clip_1")
    few = dataclasses.replace(recipe, data=tmp_path / "data", init=Path("pgnet-lite"), steps=1, validation_pairs=0)
    assert loop.train(few, tmp_path / "run") == {}
    before, after = resolve("pgnet-lite"), resolve(tmp_path / "run/pgnet-lite.safetensors")
    assert before.metadata["tracking"] and after.metadata["tracking"] == before.metadata["tracking"]
    assert (tmp_path / "run/average.safetensors").is_file()
    old, new = (load_model(file.path).state_dict() for file in (before, after))
    assert all(torch.equal(old[key], new[key]) for key in old if key.startswith("backbone"))
    assert not all(torch.equal(old[key], new[key]) for key in old)


def test_initial_weights_are_a_model_or_another_file(tmp_path: Path) -> None:
    assert loop.initial_model(Path("pgnet-lite")) is not None
    (tmp_path / "average.safetensors").touch()
    assert loop.initial_model(tmp_path / "average.safetensors") is None
    with pytest.raises(PgnetError, match="no model 'pgnet-huge'"):
        loop.initial_model(Path("pgnet-huge"))
    with pytest.raises(PgnetError, match="does not exist"):
        loop.initial_model(tmp_path / "nowhere.safetensors")


def test_blocks_before_a_silent_one_are_trained_as_if_it_were_computed() -> None:
    torch.manual_seed(0)
    net = PGNet(ResNet((Block(4, 1), Block(4, 2)), levels=(2,)), channels=4)
    for unit in net.backbone.blocks[1]:
        torch.nn.init.zeros_(unit.bn3.weight)
    image, gradients = torch.rand(1, 3, 63, 63) * 255, []
    for silent in (True, False):
        loop.freeze(net, (1,))
        assert all(unit.silent for unit in net.backbone.blocks[1])
        for unit in net.backbone.blocks[1]:
            unit.silent = silent
        net.zero_grad()
        net.features(image)[0].square().sum().backward()
        gradients.append(net.backbone.blocks[0][0].conv2.weight.grad.clone())
    assert gradients[0].any()
    torch.testing.assert_close(gradients[0], gradients[1])
