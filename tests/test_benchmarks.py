"""The scripts in benchmarks/, on sequences made here."""

import json
import runpy
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from pgnet.datasets import read_otb
from pgnet.evaluation import Curves
from pgnet.tracking import TrackingOptions

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def root(tmp_path):
    rng = np.random.default_rng(5)
    background = cv2.GaussianBlur(rng.integers(0, 256, (100, 120, 3), np.uint8), (0, 0), 4)
    patch = cv2.resize(rng.integers(0, 256, (6, 6, 3), np.uint8), (24, 24), interpolation=cv2.INTER_NEAREST)
    for name in ("One", "Two"):
        folder = tmp_path / "otb" / name / "img"
        folder.mkdir(parents=True)
        rows = []
        for i in range(8):
            image = background.copy()
            image[20 + 2 * i :, 30 + 2 * i :][:24, :24] = patch
            cv2.imwrite(str(folder / f"{i + 1:04d}.jpg"), image)
            rows.append(f"{31 + 2 * i},{21 + 2 * i},24,24")
        (folder.parent / "groundtruth_rect.txt").write_text("\n".join(rows))
    return tmp_path / "otb"


def accuracy(*arguments):
    return subprocess.run(
        [sys.executable, BENCHMARKS / "accuracy.py", *map(str, arguments)], capture_output=True, text=True, check=False
    )


def test_accuracy_scores_and_resumes(root, tmp_path):
    arguments = ["--root", root, "--trackers", "mil", "--out", tmp_path / "raw", "--json", tmp_path / "scores.json"]
    first = accuracy(*arguments)
    assert first.returncode == 0, first.stderr
    assert "| tracker | success AUC | precision@20 | frames/s |" in first.stdout
    scores = json.loads((tmp_path / "scores.json").read_text())["mil"]
    assert scores["success_auc"] > 0.5
    assert scores["sequences"].keys() == {"One", "Two"}
    # A stored result is taken, not made again: here that of a tracker that lost the target at once.
    (tmp_path / "raw/mil/One.txt").write_text("500,500,5,5\n" * 8)
    second = accuracy(*arguments)
    assert second.returncode == 0, second.stderr
    changed = json.loads((tmp_path / "scores.json").read_text())["mil"]["sequences"]
    assert changed["One"]["success_auc"] < 0.2
    assert changed["Two"] == pytest.approx(scores["sequences"]["Two"], abs=1e-3)


def test_accuracy_says_what_is_wrong(root):
    result = accuracy("--root", root, "--trackers", "nonsense")
    assert result.returncode == 2
    assert "no model 'nonsense'" in result.stderr
    assert "Traceback" not in result.stderr


def test_tuning_finds_better_options():
    search = runpy.run_path(str(BENCHMARKS / "tune.py"))["search"]
    tried = []

    def evaluate(options):
        tried.append(options)
        auc = 1 - (options.window_influence - 0.3) ** 2 - (options.size_lr - 0.6) ** 2
        return Curves(np.full(21, auc), np.zeros(51), np.zeros(51))

    start = TrackingOptions(context=0.4)
    best, curves = search(start, 40, 0, evaluate)
    assert tried[0] == start
    assert len(tried) == 41
    assert curves.auc > 0.99
    assert best.context == 0.4
    assert search(start, 0, 0, evaluate)[0] == start


def test_a_zoomed_sequence_shows_the_target_where_its_box_says(root):
    zoomed = runpy.run_path(str(BENCHMARKS / "tune.py"))["Zoomed"]
    sequence = read_otb(root)[0]
    last = len(sequence) - 1
    for zoom in (0.5, 2.0):
        seen = zoomed.of(sequence, zoom)
        np.testing.assert_allclose(seen.boxes[0], sequence.boxes[0])
        np.testing.assert_allclose(seen.boxes[last, 2:], sequence.boxes[last, 2:] * zoom)
        crops = []
        for of in (sequence, seen):
            x, y, w, h = of.boxes[last].astype(int)
            image = of.image(last)
            crops.append(
                cv2.resize(image[max(0, y) : y + h, max(0, x) : x + w], (32, 32), interpolation=cv2.INTER_AREA)
            )
        assert np.abs(crops[0].astype(float) - crops[1]).mean() < 12


def test_sizes_are_measured(root):
    command = [sys.executable, BENCHMARKS / "sizes.py", "--root", root, "--models", "pgnet-lite", "--every", "3"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in done.stdout.splitlines()[2:]]
    assert [row[:2] for row in rows] == [["pgnet-lite", name] for name in ("One", "Two", "all")]
    assert all(0 < float(response) < 1.5 and abs(float(bias)) < 0.5 for _, _, response, bias, _ in rows)


def test_ablation_compares_with_the_base_and_keeps_what_is_done(tmp_path):
    ablation = runpy.run_path(str(BENCHMARKS / "ablation.py"))
    base, common, variants = ablation["read_plan"](BENCHMARKS / "ablation.toml")
    assert base.is_file() and common["steps"] > 0 and variants[0].name == "base"
    names = [v.name for v in variants]
    assert len(set(names)) == len(names) > 10
    for iou, variant in zip((0.5, 0.45), variants, strict=False):
        (tmp_path / variant.name).mkdir()
        (tmp_path / variant.name / "result.json").write_text(json.dumps({"loss": 1, "iou": iou, "hit": 0.6}))
    rows = [(v, ablation["run"](base, {}, tmp_path / v.name)) for v in variants[:2]]
    lines = ablation["table"](rows).splitlines()
    assert "0.500" in lines[2] and "0.450 (-0.050) | 0.600 (+0.000)" in lines[3]


def test_every_variant_of_the_ablation_is_a_valid_recipe():
    recipe = pytest.importorskip("pgnet.training.recipe", reason="the training extra is not installed")
    base, common, variants = runpy.run_path(str(BENCHMARKS / "ablation.py"))["read_plan"](BENCHMARKS / "ablation.toml")
    for variant in variants:
        recipe.load_recipe(base, [f"{k}={json.dumps(v)}" for k, v in {**common, **variant.set}.items()])


def test_curves_are_drawn_from_logs(tmp_path):
    pytest.importorskip("matplotlib", reason="the report extra is not installed")
    records = [{"step": i + 1, "loss": 3 - i / 100} for i in range(100)]
    records += [{"step": 100, "validation_loss": 1.0, "validation_iou": 0.5, "validation_hit": 0.6}]
    (tmp_path / "run").mkdir()
    (tmp_path / "run/log.jsonl").write_text("\n".join(map(json.dumps, records)))
    command = [
        sys.executable,
        BENCHMARKS / "curves.py",
        tmp_path / "run",
        tmp_path / "run",
        "--out",
        tmp_path / "c.png",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert cv2.imread(str(tmp_path / "c.png")).shape[1] > 500
    missing = subprocess.run([*command[:2], tmp_path, *command[4:]], capture_output=True, text=True, check=False)
    assert missing.returncode == 2 and "no log" in missing.stderr


def test_speed_measures_every_part(tmp_path):
    """Whether it works; the times of so few frames say nothing."""
    file = tmp_path / "speed.json"
    command = [sys.executable, BENCHMARKS / "speed.py", "--quick", "--models", "pgnet-lite", "--json", file]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    record = json.loads(file.read_text())
    assert list(record["parts"]) == ["update", "profile", "engines", "video", "targets", "start", "memory"]
    rows = [row for part in record["parts"].values() for row in part["rows"]]
    assert len(rows) >= 6
    for row in rows:
        assert row["what"] in done.stdout and row["measured"] in done.stdout
    times = [entry for part in record["parts"].values() for entry in part["times"].values()]
    assert all(0 < entry["best"] <= entry["median"] for entry in times)
    wrong = subprocess.run([*map(str, command), "--parts", "nonsense"], capture_output=True, text=True, check=False)
    assert wrong.returncode == 2 and "no part nonsense" in wrong.stderr


def test_offline_compares_forward_passes_with_both_ways(root):
    command = [sys.executable, BENCHMARKS / "offline.py", "--root", root, "--threads", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = [line for line in done.stdout.splitlines() if "success AUC" in line]
    assert [line.split(" success")[0].strip() for line in lines] == [
        "first box, forwards",
        "first box, both ways",
        "three boxes, forwards",
        "three boxes, both ways",
    ]
    for line in lines:
        mean, *each = map(float, line.split("AUC")[1].split())
        assert len(each) == 2 and 0 <= mean <= 1 and mean == pytest.approx(np.mean(each), abs=1e-3)
