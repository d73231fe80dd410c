"""pgnet data: what it prints, its exit codes and files."""

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from pgnet.cli import main
from pgnet.training.adapters import LAYOUTS

DEVBENCH = Path(__file__).parents[2] / "../shared/data/devbench/OTB100"


@pytest.fixture
def root(tmp_path) -> Path:
    """Two clips in GOT-10k's layout."""
    for number in range(2):
        folder = tmp_path / f"data/videos/clip_{number}"
        folder.mkdir(parents=True)
        for i in range(3):
            small = np.random.default_rng(10 * number + i).integers(0, 256, (6, 8, 3), np.uint8)
            cv2.imwrite(str(folder / f"{i + 1:08d}.png"), cv2.resize(small, (64, 48), interpolation=cv2.INTER_CUBIC))
        (folder / "groundtruth.txt").write_text("5,5,20,20\n" * 3)
    return tmp_path / "data"


def test_verify_says_that_all_is_well(root, capsys):
    assert main(["data", "verify", str(root)]) == 0
    assert capsys.readouterr().out == "No problems: 6 pictures checked.\n"


def test_verify_lists_problems_and_exits_with_1(root, tmp_path, capsys):
    (root / "videos/clip_0/groundtruth.txt").write_text("5,5,20,20\n5,5,90,20\n5,5,20,-1\n")
    (root / "videos/clip_1/00000002.png").write_bytes(b"")
    assert main(["data", "verify", str(root), "--json", str(tmp_path / "p.json")]) == 1
    out = capsys.readouterr().out
    assert "3 problems with 6 pictures" in out
    assert "box outside: " in out and "5,5,90,20 sticks out of the picture (64 x 48)" in out
    record = json.loads((tmp_path / "p.json").read_text())
    assert record["pictures"] == 6
    assert [p["kind"] for p in record["problems"]] == ["box outside", "empty box", "unreadable picture"]
    assert main(["data", "verify", str(root), "--json", str(tmp_path / "p.json")]) == 2
    assert "--overwrite" in capsys.readouterr().err


def test_verify_prints_as_many_examples_as_asked_for(root, capsys):
    (root / "videos/clip_0/groundtruth.txt").write_text("5,5,90,20\n" * 3)
    assert main(["data", "verify", str(root), "--examples", "1"]) == 1
    assert "box outside: and 2 more" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "The folder of data nowhere does not exist."),
        (["."], "has none of the layouts"),
        ([".", "--layout", "voc"], "has not the layout voc"),
        ([".", "--layout", "otto"], "no layout 'otto'"),
        ([".", "--layout", "uav123"], "does not hold"),
        ([".", "--layout", "uav123", "--split", "train"], "has no splits"),
        ([".", "--json", "no/where.json"], "no folder no"),
    ],
)
def test_bad_input_exits_with_2_and_a_sentence(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["data", "verify", *arguments]) == 2
    said = capsys.readouterr().err
    assert message in said and len(said.splitlines()) == 1


@pytest.mark.skipif(not DEVBENCH.is_dir(), reason="the OTB sequences in ../shared are absent")
def test_verify_reads_a_benchmark(capsys):
    assert main(["data", "verify", str(DEVBENCH), "--every", "50"]) in (0, 1)
    assert "1893 pictures" in capsys.readouterr().out


def test_stats_counts_and_draws(root, tmp_path, capsys):
    out = tmp_path / "sheet.png"
    assert main(["data", "stats", str(root), "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "videos / clip" in printed and "20 20 20" in printed and "1.00 1.00 1.00" in printed
    assert cv2.imread(str(out)) is not None
    assert main(["data", "stats", str(root), "--out", str(out)]) == 2
    assert main(["data", "stats", str(root), "--out", str(out), "--overwrite"]) == 0
    assert main(["data", "stats", str(root), "--out", str(tmp_path / "sheet.txt")]) == 2


def test_frames_are_numbered_as_annotation_tools_do(video, tmp_path, capsys):
    out = tmp_path / "images"
    assert main(["data", "frames", str(video), "--out", str(out)]) == 0
    names = sorted(path.name for path in out.iterdir())
    assert names[0] == "frame_000000.jpg" and names[-1] == "frame_000023.jpg" and len(names) == 24
    assert cv2.imread(str(out / names[0])).shape == (120, 160, 3)
    assert "Wrote 24 frames" in capsys.readouterr().out
    assert main(["data", "frames", str(video), "--out", str(out)]) == 2
    assert main(["data", "frames", "nowhere.mp4", "--out", str(tmp_path / "new")]) == 2
    assert not (tmp_path / "new").exists()


def test_every_layout_is_in_the_documentation():
    text = (Path(__file__).parents[2] / "docs/training-data.md").read_text()
    assert [name for name in LAYOUTS if f"`{name}`" not in text] == []


def test_verify_and_stats_run_without_torch(root, tmp_path):
    program = (
        "import sys; sys.modules['torch'] = None; sys.modules['lightning_fabric'] = None\n"
        "from pgnet.cli import main\n"
        f"assert main(['data', 'verify', {str(root)!r}]) == 0\n"
        f"assert main(['data', 'stats', {str(root)!r}, '--out', {str(tmp_path / 's.png')!r}]) == 0\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, env=os.environ | {"NO_COLOR": "1"}
    )
    assert done.returncode == 0, done.stderr


def test_verify_says_what_a_benchmark_lacks(tmp_path, capsys):
    (tmp_path / "Dog/img").mkdir(parents=True)
    for i in range(2):
        picture = np.random.default_rng(i).integers(0, 256, (48, 64, 3), np.uint8)
        cv2.imwrite(str(tmp_path / f"Dog/img/{i + 1:04d}.jpg"), picture)
    (tmp_path / "Dog/groundtruth_rect.txt").write_text("5,5,20,20\n" * 2)
    assert main(["data", "verify", str(tmp_path), "--layout", "otb100", "--examples", "100"]) == 1
    out = capsys.readouterr().out
    assert "Sequence Basketball is missing." in out and "Sequence Dog is missing." not in out
    assert main(["data", "verify", str(tmp_path)]) == 0  # a part of it is all there is to check


def test_verify_reads_the_benchmark_that_training_data_shares_its_name_with(tmp_path, capsys):
    """LaSOT: without a split its test set; two targets in the same pictures are no duplicates."""
    folder = tmp_path / "bear/bear-2"
    (folder / "img").mkdir(parents=True)
    for i in range(1, 3):
        cv2.imwrite(str(folder / f"img/{i:08d}.jpg"), np.random.default_rng(i).integers(0, 255, (60, 80, 3), np.uint8))
    (folder / "groundtruth.txt").write_text("11,11,20,20\n" * 2)
    assert main(["data", "verify", str(tmp_path), "--layout", "lasot"]) == 1
    assert "279 problems with 2 pictures" in capsys.readouterr().out
    assert main(["data", "verify", str(tmp_path), "--layout", "lasot", "--split", "train"]) == 2
    jogging = tmp_path / "otb/Jogging"
    jogging.mkdir(parents=True)
    (folder / "img").rename(jogging / "img")
    for target in (1, 2):
        (jogging / f"groundtruth_rect.{target}.txt").write_text("11,11,20,20\n" * 2)
    assert main(["data", "verify", str(tmp_path / "otb")]) == 0
