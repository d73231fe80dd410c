"""The worked example of docs/scores.md is what the conventions give."""

import re
from pathlib import Path

import numpy as np

from pgnet.boxes import iou
from pgnet.evaluation.annotations import Annotation
from pgnet.evaluation.conventions import CONVENTIONS
from pgnet.evaluation.metrics import centres

SECTION = (Path(__file__).parents[2] / "docs" / "scores.md").read_text(encoding="utf-8").split("## A worked example")[1]
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in SECTION.split("\n## ")[0].splitlines()]


def numbers(text):
    return [float(value) for value in text.split(",")]


def test_worked_example():
    frames = [row for row in ROWS if re.fullmatch(r"\d", row[0])]
    truth, results = (np.array([numbers(row[column]) for row in frames]) for column in (1, 2))
    absent = np.array([row[3] == "1" for row in frames])
    annotation = Annotation("example", truth, "lasot", absent=absent)
    assert len(frames) == 8
    for row, overlap, error in zip(frames, iou(results, truth), centres(results) - centres(truth), strict=True):
        if row[4] != "-":
            assert round(float(overlap), 3) == float(row[4])
            assert round(float(np.hypot(*error))) == float(row[5])
    scores = {row[0][1:-1]: [float(cell) for cell in row[1:]] for row in ROWS if row[0][1:-1] in CONVENTIONS}
    assert scores.keys() == CONVENTIONS.keys()
    for name, printed in scores.items():
        found = CONVENTIONS[name].curves(results, annotation)
        whole = CONVENTIONS[name].normalized == "normalized_precision_mean"
        normalized = found.normalized.mean() if whole else found.normalized20
        np.testing.assert_allclose(printed, [found.auc, found.precision20, normalized], atol=0.51e-5)
