import csv
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("jinja2")

from pgnet.evaluation.annotations import read_annotations
from pgnet.evaluation.report import write_report
from pgnet.evaluation.scoring import score_trackers

FRAMES = 30


def put(path: Path, rows) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(",".join(str(v) for v in row) + "\n" for row in rows))


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The report on two trackers on two sequences of LaSOT with frames; one tracker loses the target."""
    root = tmp_path_factory.mktemp("report")
    for name in ("dog-1", "cat-1"):
        folder = root / "lasot" / name.split("-")[0] / name
        put(folder / "groundtruth.txt", [(10 + i, 10, 20, 20) for i in range(FRAMES)])
        for label in ("full_occlusion", "out_of_view"):
            put(folder / f"{label}.txt", [[0] * FRAMES])
        (folder / "img").mkdir()
        for i in range(FRAMES):
            cv2.imwrite(str(folder / f"img/{i + 1:08d}.jpg"), np.full((60, 80, 3), 90, np.uint8))
        put(root / f"lasot/att/{name}.txt", [[1, 1, 1] + [0] * 11])
        put(root / f"A_1/{name}.txt", [(11 + i, 10, 20, 20) for i in range(FRAMES)])
        put(root / f"B&B/{name}.txt", [(10 + i if i < 9 else 60, 10 if i < 9 else 40, 15, 15) for i in range(FRAMES)])
        put(root / f"B&B/{name}_time.txt", [[0.02]] * FRAMES)
        put(root / f"A_1/{name}_time.txt", [[0.01]] * FRAMES)
    annotations = read_annotations("lasot", root / "lasot")
    roots = [root / "B&B", root / "A_1"]
    files = write_report(score_trackers(roots, annotations), roots, annotations, root / "report")
    return root / "report", files


def test_every_part_has_its_files(written):
    folder, files = written
    assert files == sorted(path.name for path in folder.iterdir())
    for part in ("success-auc", "precision20", "normalized-precision20", "attributes", "sequences", "speed"):
        for suffix in (".png", ".svg", ".csv", ".tex"):
            assert (folder / (part + suffix)).stat().st_size > 50, part + suffix
    assert {
        "index.html",
        "scores.csv",
        "scores.tex",
        "scores.png",
        "scores.svg",
        "failures.csv",
        "failures.tex",
    } <= set(files)


def test_page_asks_for_nothing_outside(written):
    page = (written[0] / "index.html").read_text()
    for address in re.findall(r'(?:src|href)="([^"]*)"', page):
        assert address.startswith("data:image/"), address
    assert not re.search(r"@import|url\(|fetch\(|<link|<script src", page)


def test_page_ranks_and_warns(written):
    page = (written[0] / "index.html").read_text()
    assert page.index("A_1") < page.index("B&amp;B")
    assert "B&B" not in page
    assert "Not everything could be scored" in page
    assert "there is no annotation" in page
    assert "Trackers on LaSOT" in page


def test_tables_hold_the_numbers(written):
    rows = list(csv.DictReader((written[0] / "scores.csv").open()))
    assert [row["Tracker"] for row in rows] == ["A_1", "B&B"]
    assert float(rows[0]["Success AUC"]) == pytest.approx((29 * 19 + 20) / 30 / 21)  # overlap 19 / 21 after the first
    assert rows[1]["Sequences"] == "2/280"
    sequences = list(csv.DictReader((written[0] / "sequences.csv").open()))
    assert [row["Sequence"] for row in sequences] == ["cat-1", "dog-1"]
    curve = list(csv.DictReader((written[0] / "success-auc.csv").open()))
    assert len(curve) == 21
    assert float(curve[0]["A_1"]) == 1


def test_failures_and_their_pictures(written):
    rows = list(csv.DictReader((written[0] / "failures.csv").open()))
    assert [(row["Tracker"], row["Sequence"]) for row in rows] == [("B&B", "cat-1"), ("B&B", "dog-1")]
    assert rows[0]["Lost from frame"] == "10"
    assert rows[0]["Frames"] == "21"
    page = (written[0] / "index.html").read_text()
    assert page.count("data:image/jpeg") == 2
    assert "B&amp;B on dog-1: lost from frame 10, never found again" in page


def test_latex_is_escaped_and_the_best_is_bold(written):
    text = (written[0] / "scores.tex").read_text()
    assert r"A\_1" in text
    assert r"B\&B & 0." in text
    assert text.count(r"\textbf{0.906}") == 1
    assert r"\begin{tabular}{lrrrr}" in text
    assert (
        r"\addplot+ table[col sep=comma, x index=0, y index=2] {success-auc.csv};"
        in (written[0] / "success-auc.tex").read_text()
    )
