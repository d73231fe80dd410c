"""The plots of a report, as papers have them; needs matplotlib (extra [report])."""

from __future__ import annotations

from collections.abc import Sequence as List
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from pgnet.evaluation.scoring import LOWER_IS_BETTER, TITLES, Scores
from pgnet.evaluation.tables import Table
from pgnet.evaluation.vot import EAO_LENGTHS

COLOURS = (
    "#d62728", "#1f77b4", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf", "#e377c2", "#8c564b", "#bcbd22", "#444444",
)  # fmt: skip
DASHES = ("-", "--", ":", "-.")
AXES = {
    "success_auc": ("Success", "Overlap threshold", "Success rate"),
    "precision20": ("Precision", "Centre error threshold in pixels", "Precision"),
    "normalized_precision20": ("Normalised precision", "Normalised centre error threshold", "Precision"),
    "normalized_precision_mean": ("Normalised precision", "Normalised centre error threshold", "Precision"),
    "ao": ("Success", "Overlap threshold", "Success rate"),
    "eao": ("Expected average overlap", "Sequence length in frames", "Expected overlap"),
    "success": ("Success", "Overlap threshold", "Success rate"),
    "precision": ("Precision", "Centre error threshold in pixels", "Precision"),
    "normalized_precision": ("Normalised precision", "Normalised centre error threshold", "Precision"),
}
"""Title and axes of a curve, by the score that stands for it."""

Style = dict[str, dict[str, Any]]


def styles(found: List[Scores]) -> Style:
    """A colour and a dash for each tracker, the same in all plots."""
    return {
        scores.tracker: {"color": COLOURS[i % len(COLOURS)], "linestyle": DASHES[i // len(COLOURS) % len(DASHES)]}
        for i, scores in enumerate(found)
    }


def ranked(found: List[Scores], measure: str) -> list[Scores]:
    """The trackers by one score, the best first."""
    sign = 1 if measure in LOWER_IS_BETTER else -1
    return sorted(found, key=lambda scores: sign * scores.values[measure])


def curves(found: List[Scores], measure: str, dataset: str) -> Figure:
    """Success, precision or expected overlap of all trackers; the legend ranks them by the score of the curve."""
    figure, axes = _figure()
    title, x_label, y_label = AXES[measure]
    style = styles(found)
    for scores in ranked(found, measure):
        curve = scores.curves[measure]
        value = scores.values[measure]
        # TrackingNet's are percentages.
        label = f"[{value:.1f}] {scores.tracker}" if value > 1 else f"[{value:.3f}] {scores.tracker}"
        axes.plot(curve.x, curve.y, label=label, linewidth=1.8, **style[scores.tracker])
    axes.set(title=f"{title} on {dataset}", xlabel=x_label, ylabel=y_label, ylim=(0, None))
    axes.set_xlim(float(curve.x[0]), float(curve.x[-1]))
    if measure == "eao":
        low, high = EAO_LENGTHS[found[0].dataset]
        axes.axvspan(low, high, color="0.9", zorder=0)
        axes.set_xlim(1, 1.5 * high)
        axes.set_ylim(0, 1)
    _legend(axes, len(found), "lower right" if "precision" in measure else "upper right")
    return figure


def attributes(found: List[Scores], dataset: str) -> Figure:
    """The first score on each attribute's sequences: a radar of up to 20 attributes."""
    names = list(found[0].attributes)
    measure = next(iter(found[0].attributes[names[0]]))
    figure = Figure(figsize=(6.0, 5.2), layout="constrained")
    axes = figure.add_subplot(projection="polar")
    angles = np.linspace(0, 2 * np.pi, len(names), endpoint=False)
    style = styles(found)
    for scores in found:
        values = [scores.attributes.get(name, {}).get(measure, np.nan) for name in names]
        closed = [*angles, angles[0]], [*values, values[0]]
        axes.plot(*closed, label=scores.tracker, linewidth=1.5, **style[scores.tracker])
    axes.set_xticks(angles, [name.replace("_", "\n") for name in names])
    for angle, label in zip(angles, axes.get_xticklabels(), strict=True):
        side = np.cos(angle)
        label.set_horizontalalignment("center" if abs(side) < 0.2 else "left" if side > 0 else "right")
    axes.set_title(f"{TITLES[measure]} by attribute on {dataset}", pad=16)
    axes.set_ylim(0, None)
    axes.grid(color="0.85")
    axes.tick_params(axis="y", labelsize=7, labelcolor="0.4")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.09), frameon=False, fontsize=8, ncols=4)
    return figure


def sequences(found: List[Scores], dataset: str) -> Figure:
    """A strip for each tracker: the first score on every sequence, from the hardest for all to the easiest."""
    measure, table = _table(found)
    order = np.argsort(np.nanmean(table, axis=0))
    figure, axes = _figure(height=0.9 + 0.28 * len(found))
    image = axes.imshow(table[:, order], aspect="auto", cmap="RdYlGn", interpolation="nearest")
    if measure not in ("success", "precision"):
        image.set_clim(0, 1)
    axes.grid(visible=False)
    axes.set_yticks(range(len(found)), [scores.tracker for scores in found])
    axes.set(title=f"{TITLES[measure]} on each sequence of {dataset}", xlabel="Sequences, the hardest first")
    figure.colorbar(image, ax=axes, pad=0.01)
    return figure


def speed(found: List[Scores], dataset: str) -> Figure:
    """The first score over the frames per second."""
    figure, axes = _figure()
    measure = next(iter(found[0].values))
    style = styles(found)
    for scores in found:
        if scores.fps:
            axes.scatter(scores.fps, scores.values[measure], s=48, color=style[scores.tracker]["color"], zorder=3)
            axes.annotate(
                scores.tracker,
                (scores.fps, scores.values[measure]),
                xytext=(6, 4),
                textcoords="offset points",
                fontsize=8,
            )
    axes.set_xscale("log")
    axes.margins(0.2)
    axes.set(title=f"{TITLES[measure]} and speed on {dataset}", xlabel="Frames per second", ylabel=TITLES[measure])
    return figure


def failures(counts: dict[str, tuple[int, int]], dataset: str) -> Figure:
    """Bars of the sequences in which each tracker lost the target: found again, and never again."""
    figure, axes = _figure(height=1.1 + 0.3 * len(counts))
    names = list(counts)
    again, never = np.array([counts[name] for name in names]).T
    axes.barh(names, never, color="#c0392b", label="lost to the end")
    axes.barh(names, again, left=never, color="#f0b27a", label="lost and found again")
    axes.invert_yaxis()
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(title=f"Sequences of {dataset} with a lost target", xlabel="Sequences")
    axes.legend(frameon=False, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.5 / len(counts) - 0.2), ncols=2)
    axes.grid(visible=False, axis="y")
    return figure


def accuracy_robustness(found: List[Scores], dataset: str) -> Figure:
    """VOT's plot: accuracy over the chance to follow the target for 100 frames without a failure."""
    figure, axes = _figure()
    style = styles(found)
    for scores in found:
        reliability = np.exp(-scores.values["robustness"])
        axes.scatter(
            reliability, scores.values["accuracy"], s=60, color=style[scores.tracker]["color"], label=scores.tracker
        )
    axes.set(title=f"Accuracy and robustness on {dataset}", xlabel="Reliability (100 frames)", ylabel="Accuracy")
    axes.set(xlim=(0, 1), ylim=(0, 1))
    _legend(axes, len(found), "lower left")
    return figure


def _table(found: List[Scores]) -> tuple[str, Any]:
    """The first score of each tracker (rows) on each sequence (columns), NaN where it was not scored."""
    names = list(dict.fromkeys(name for scores in found for name in scores.sequences))
    measure = next(iter(next(iter(found[0].sequences.values()))))
    return measure, np.array([[s.sequences.get(name, {}).get(measure, np.nan) for name in names] for s in found])


def _figure(height: float = 4.0) -> tuple[Figure, Axes]:
    # Not pyplot: it keeps figures in the state of the module.
    figure = Figure(figsize=(6.0, height), layout="constrained")
    axes = figure.add_subplot()
    axes.grid(color="0.9")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _legend(axes: Axes, count: int, place: Literal["upper right", "lower right", "lower left"]) -> None:
    if count > 10:
        axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False, fontsize=8)
    else:
        axes.legend(loc=place, fontsize=8, framealpha=0.9, edgecolor="0.85")


def table(of: Table) -> Figure:
    """A table as a picture, for slides: rules above, below and under the head, the best numbers bold."""
    figure = Figure(figsize=(1.5 * len(of.head) + 1, 0.3 * len(of.rows) + 0.6), layout="constrained")
    axes = figure.add_subplot()
    axes.axis("off")
    drawn = axes.table(
        [[of.format(value) for value in row] for row in of.rows], colLabels=of.head, edges="horizontal", loc="center"
    )
    drawn.auto_set_font_size(False)
    drawn.set_fontsize(9)
    drawn.auto_set_column_width(range(len(of.head)))
    for (line, column), cell in drawn.get_celld().items():
        cell.set_edgecolor("#444444" if line == 0 else "#dddddd")
        words = column == 0 or of.head[column] in of.texts
        cell.set_text_props(
            ha="left" if words else "right",
            weight="bold" if line == 0 or of.is_best(line - 1, column) else "normal",
        )
    return figure
