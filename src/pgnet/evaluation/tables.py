"""The tables of a report: on its page, as CSV and as LaTeX."""

from __future__ import annotations

import csv
from collections.abc import Sequence as List
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pgnet.evaluation.failures import Failure
from pgnet.evaluation.scoring import LOWER_IS_BETTER, TITLES, Scores

PERCENT = ("success", "precision", "normalized_precision", "coverage")
"""Scores between 0 and 100."""
Value = str | float | int | None


@dataclass
class Table:
    """A table of the report, for the page, a CSV file and LaTeX."""

    name: str
    """Of its files."""
    head: list[str]
    rows: list[list[Value]]
    best: str = ""
    """"columns" or "rows": where the best number is bold."""
    lower: frozenset[int] = frozenset()
    """Columns in which less is better."""
    percent: bool = False
    shaded: bool = False
    texts: list[str] = field(default_factory=list)
    """Columns of words, besides the first."""

    def format(self, value: Value) -> str:
        if value is None or (isinstance(value, float) and np.isnan(value)):
            return "-"
        if isinstance(value, float):
            return f"{value:.1f}" if self.percent or abs(value) >= 10 else f"{value:.3f}"
        return str(value)

    def is_best(self, row: int, column: int) -> bool:
        if not self.best or column == 0:
            return False
        line = self.rows[row][1:] if self.best == "rows" else [other[column] for other in self.rows]
        numbers = [value for value in line if isinstance(value, float | int) and not np.isnan(value)]
        value = self.rows[row][column]
        if len(numbers) < 2 or not isinstance(value, float | int):
            return False
        return value == (min(numbers) if column in self.lower else max(numbers))

    def page(self) -> dict[str, Any]:
        """What the page's template takes."""
        rows = [
            [
                {"text": self.format(value), "best": self.is_best(i, j), "shade": self._shade(value)}
                for j, value in enumerate(row)
            ]
            for i, row in enumerate(self.rows)
        ]
        return {"head": self.head, "rows": rows, "texts": self.texts}

    def _shade(self, value: Value) -> str:
        if not self.shaded or not isinstance(value, float) or np.isnan(value):
            return ""
        share = min(max(value / (100 if self.percent else 1), 0), 1)
        return f"hsl({120 * share:.0f} 55% 90%)"

    def write_csv(self, path: Path) -> None:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(self.head)
            writer.writerows(["" if value is None else value for value in row] for row in self.rows)

    def write_tex(self, path: Path) -> None:
        """A tabular with booktabs, a longtable where it does not fit on a page."""
        many = len(self.rows) > 60
        columns = "l" + "".join("l" if name in self.texts else "r" for name in self.head[1:])
        lines = [r"% \usepackage{booktabs" + (",longtable}" if many else "}")]
        lines += [rf"\begin{{{'longtable' if many else 'tabular'}}}{{{columns}}}", r"\toprule"]
        lines += [" & ".join(map(tex, self.head)) + r" \\", r"\midrule"] + [r"\endhead"] * many
        for i, row in enumerate(self.rows):
            cells = [tex(self.format(value)) for value in row]
            bold = [rf"\textbf{{{cell}}}" if self.is_best(i, j) else cell for j, cell in enumerate(cells)]
            lines.append(" & ".join(bold) + r" \\")
        lines += [r"\bottomrule", rf"\end{{{'longtable' if many else 'tabular'}}}"]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def tex(text: str) -> str:
    special = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    return "".join(special.get(c, "\\" + c if c in "&%$#_{}" else c) for c in text)


def score_table(found: List[Scores]) -> Table:
    """The scores of the whole data set, a row for each tracker."""
    names = list(found[0].values)
    rows: list[list[Value]] = [
        [scores.tracker, *scores.values.values(), f"{len(scores.sequences)}/{scores.total}"] for scores in found
    ]
    lower = frozenset(i for i, name in enumerate(names, 1) if name in LOWER_IS_BETTER)
    head = ["Tracker", *(TITLES[name] for name in names), "Sequences"]
    return Table("scores", head, rows, "columns", lower, percent=names[0] in PERCENT)


def sequence_table(found: List[Scores]) -> Table:
    """The first score on each sequence, a column for each tracker."""
    names = list(dict.fromkeys(name for scores in found for name in scores.sequences))
    measure = next(iter(next(iter(found[0].sequences.values()))))
    rows: list[list[Value]] = [
        [name, *(scores.sequences.get(name, {}).get(measure) for scores in found)] for name in names
    ]
    head = ["Sequence", *(scores.tracker for scores in found)]
    return Table("sequences", head, rows, "rows", percent=measure in PERCENT, shaded=True)


def attribute_table(found: List[Scores]) -> Table:
    """The first score on each attribute's sequences, a column for each tracker."""
    names = list(dict.fromkeys(name for scores in found for name in scores.attributes))
    measure = next(iter(next(iter(found[0].attributes.values()))))
    rows: list[list[Value]] = [
        [name.replace("_", " "), *(scores.attributes.get(name, {}).get(measure) for scores in found)] for name in names
    ]
    return Table("attributes", ["Attribute", *(scores.tracker for scores in found)], rows, "rows", shaded=True)


def speed_table(found: List[Scores]) -> Table:
    """Frames per second."""
    rows: list[list[Value]] = [[scores.tracker, scores.fps] for scores in found]
    return Table("speed", ["Tracker", "Frames per second"], rows, "columns")


def failure_counts(found: List[Scores], failures: dict[str, list[Failure]]) -> Table:
    """How often each tracker lost the target."""
    rows: list[list[Value]] = []
    for scores in found:
        own = failures[scores.tracker]
        lost = {failure.sequence for failure in own}
        never = {failure.sequence for failure in own if not failure.found_again}
        frames = sum(failure.end - failure.first for failure in own)
        share = frames / max(1, sum(len(overlaps) for overlaps in scores.overlaps.values()))
        rows.append([scores.tracker, len(own), len(lost), len(never), share])
    head = ["Tracker", "Failures", "Sequences with one", "Lost to the end", "Share of frames"]
    return Table("failure-counts", head, rows, "columns", frozenset(range(1, 5)))


def failure_table(failures: dict[str, list[Failure]]) -> Table:
    """Every failure."""
    rows: list[list[Value]] = [
        [
            tracker,
            failure.sequence,
            failure.first + 1,
            failure.end - failure.first,
            str(failure.end + 1) if failure.found_again else "never",
        ]
        for tracker, own in failures.items()
        for failure in own
    ]
    head = ["Tracker", "Sequence", "Lost from frame", "Frames", "Found again in frame"]
    return Table("failures", head, rows, texts=["Sequence"])


def curve_table(found: List[Scores], measure: str) -> Table:
    """The points of a curve, a column for each tracker."""
    curve = found[0].curves[measure]
    # A tracker's expected overlap is as long as its longest run.
    columns = [scores.curves[measure].y.tolist() for scores in found]
    rows: list[list[Value]] = [
        [float(x), *(column[i] if i < len(column) else None for column in columns)] for i, x in enumerate(curve.x)
    ]
    return Table(measure.replace("_", "-"), ["threshold", *(scores.tracker for scores in found)], rows)
