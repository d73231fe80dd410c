"""Trackers compared in pictures, as in Figure 1 of the PG-Net paper: a row of key frames for each sequence of LaSOT.

Needs matplotlib (extra [report]).
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as List
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from pgnet.boxes import Boxes, iou, xywh_to_xyxy
from pgnet.datasets import Sequence
from pgnet.errors import PgnetError
from pgnet.evaluation.annotations import Annotation
from pgnet.evaluation.conventions import complete, repaired
from pgnet.evaluation.raw import find_results, read_result
from pgnet.files import atomic

PAPER_SEQUENCES = (
    "airplane-9", "bird-3", "cat-20", "kite-6", "shark-2", "turtle-16", "bicycle-2", "bottle-12", "surfboard-5",
    "sepia-13", "turtle-9", "umbrella-19",
)  # fmt: skip
"""The sequences of the paper's Figure 1, from top to bottom; its caption says ten and names these twelve."""
TRUTH = "Ground truth"
COLOURS = (
    "#ff1e1e", "#00e5ff", "#39ff14", "#ffe600", "#ff2bd6", "#3d7bff", "#ff8c00", "#b266ff", "#00b386", "#ff9ecb",
    "#c8a26b", "#b7ff00", "#8fa3ff",
)  # fmt: skip
"""Of the trackers, in the order given; bright enough for photographs."""
GOOD_SUFFIXES = (".png", ".pdf", ".svg", ".jpg")


@dataclass(frozen=True, eq=False)
class Compared:
    """One sequence and what the trackers made of it."""

    sequence: Sequence
    boxes: Mapping[str, Boxes]
    """By tracker: (N, 4) x, y, w, h in 0-based pixels."""


def read_compared(sequence: Sequence, roots: List[Path], names: List[str]) -> tuple[Compared, list[str]]:
    """The trackers' boxes on a sequence of LaSOT, and sentences on those that are missing.

    Args:
        roots: folder of each tracker's raw results, 1-based.
        names: of the trackers.
    """
    one_based = np.array([1.0, 1.0, 0.0, 0.0])
    annotation = Annotation(sequence.name, sequence.boxes + one_based, "lasot")
    boxes, problems = {}, []
    for root, name in zip(roots, names, strict=True):
        try:
            file = find_results(root, [sequence.name]).boxes[sequence.name][0]
            boxes[name] = repaired(complete(read_result(file), annotation), annotation.boxes) - one_based
        except PgnetError as error:
            problems.append(f"{name} is not drawn on {sequence.name}: {error}")
    return Compared(sequence, boxes), problems


def key_frames(compared: Compared, count: int) -> list[int]:
    """Frames in which the trackers differ most, one from each of `count` parts of the sequence, in order.

    They differ by the spread of their overlaps with the ground truth; frames without a target are not taken unless a
    part has no other. Two frames are at least half a part from each other. The first frame, in which all are equal, is
    not taken.
    """
    truth = compared.sequence.boxes
    seen = np.isfinite(truth).all(axis=1) & (truth[:, 2:] > 0).all(axis=1)
    if compared.sequence.absent is not None:
        seen &= ~compared.sequence.absent
    if len(compared.boxes) > 1:
        difference = np.std([iou(boxes, truth) for boxes in compared.boxes.values()], axis=0)
    elif compared.boxes:
        difference = 1 - iou(next(iter(compared.boxes.values())), truth)
    else:
        difference = np.zeros(len(truth))
    difference = np.where(seen, difference, -1)
    length = len(truth)
    if length <= count:
        return list(range(length))
    apart = length // (2 * count)
    chosen: list[int] = []
    for part in np.array_split(np.arange(1, length), count):
        allowed = part[part >= chosen[-1] + apart] if chosen else part
        chosen.append(int(allowed[np.argmax(difference[allowed])]))
    return chosen


def comparison_figure(
    rows: List[Compared],
    frames: List[List[int]],
    trackers: List[str],
    *,
    truth: bool = True,
    zoom: bool = False,
    width: float = 7.2,
) -> Figure:
    """Draw the figure.

    Args:
        rows: the sequences from top to bottom.
        frames: the frames of each, 0-based; drawn with their numbers from 1, as LaSOT's files have them.
        trackers: all of them in the order of their colours.
        truth: draw the ground truth too, dashed in white.
        zoom: show the part of each frame around the boxes.
        width: of the figure in inches.

    Raises:
        PgnetError: a frame cannot be read.
    """
    columns = max(map(len, frames))
    cell = width / columns
    shapes = [row.sequence.image(indices[0]).shape for row, indices in zip(rows, frames, strict=True)]
    heights = [cell * shape[0] / shape[1] for shape in shapes]
    names = [*trackers, TRUTH] if truth else [*trackers]
    legend_columns = min(len(names), max(3, int(width / 1.15)))
    legend = 0.08 + 0.16 * -(-len(names) // legend_columns)
    gap = 0.03
    total = sum(heights) + gap * (len(rows) - 1) + legend
    figure = Figure(figsize=(width, total), facecolor="white")
    colours = tracker_colours(trackers)
    top = total
    for row, indices, height in zip(rows, frames, heights, strict=True):
        for column, index in enumerate(indices):
            place = (column / columns, (top - height) / total, (1 - gap / cell) / columns, height / total)
            axes = figure.add_axes(place)
            _draw_frame(axes, row, index, colours, truth, zoom)
            if column == 0:
                _write(axes, row.sequence.name, "bottom")
        top -= height + gap
    handles = [_handle(colours[name], "-") for name in trackers] + [_handle("white", "--")] * truth
    figure.legend(
        handles,
        names,
        loc="lower center",
        ncols=legend_columns,
        fontsize=7,
        frameon=False,
        borderaxespad=0.2,
        handlelength=2.2,
        columnspacing=1.2,
    )
    return figure


def tracker_colours(trackers: List[str]) -> dict[str, str]:
    """A colour for each tracker; after the last one they begin again."""
    return {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(trackers)}


def _handle(colour: str, dash: Literal["-", "--"]) -> Line2D:
    return Line2D([], [], color=colour, linestyle=dash, linewidth=2, path_effects=_outline(3))


def _outline(width: float) -> list[Any]:
    return [withStroke(linewidth=width, foreground="black", alpha=0.55)]


def _draw_frame(axes: Axes, row: Compared, index: int, colours: Mapping[str, str], truth: bool, zoom: bool) -> None:
    image: NDArray[np.uint8] = row.sequence.image(index)
    height, width = image.shape[:2]
    # Pixel i covers i to i + 1.
    axes.imshow(image, extent=(0, width, height, 0), interpolation="lanczos", aspect="auto")
    axes.set_axis_off()
    target = row.sequence.boxes[index]
    if truth and np.isfinite(target).all() and (target[2:] > 0).all():
        _draw_box(axes, target, "white", "--")
    # The first tracker lies on top.
    for name in reversed(list(row.boxes)):
        _draw_box(axes, row.boxes[name][index], colours[name], "-")
    left, top, right, bottom = (0.0, 0.0, width, height)
    if zoom:
        left, top, right, bottom = _around([target, *(boxes[index] for boxes in row.boxes.values())], width, height)
    axes.set(xlim=(left, right), ylim=(bottom, top))
    _write(axes, f"#{index + 1:04d}", "top")


def _around(boxes: List[Boxes], width: int, height: int) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of a part of the frame, in its aspect, with room around all boxes."""
    corners = xywh_to_xyxy([box for box in boxes if np.isfinite(box).all() and (box[2:] > 0).all()] or [boxes[0]])
    low, high = np.clip(corners[:, :2].min(axis=0), 0, None), corners[:, 2:].max(axis=0)
    high = np.minimum(high, [width, height])
    share = min(1.0, max(2 * float(((high - low) / [width, height]).max()), 0.15))
    size = share * np.array([width, height])
    corner = np.clip((low + high) / 2 - size / 2, 0, [width, height] - size)
    return float(corner[0]), float(corner[1]), float(corner[0] + size[0]), float(corner[1] + size[1])


def _draw_box(axes: Axes, box: Boxes, colour: str, dash: str) -> None:
    x, y, w, h = box.tolist()
    axes.add_patch(
        Rectangle((x, y), w, h, fill=False, color=colour, linewidth=0.9, linestyle=dash, path_effects=_outline(1.4))
    )


def _write(axes: Axes, text: str, place: str) -> None:
    axes.text(
        0.015,
        0.97 if place == "top" else 0.03,
        text,
        transform=axes.transAxes,
        ha="left",
        va=place,
        color="#ffe600" if place == "top" else "white",
        fontsize=7,
        fontweight="bold",
        path_effects=_outline(2),
    )


def write_figure(figure: Figure, path: Path) -> None:
    """Write a figure in the format of its suffix.

    Raises:
        PgnetError: another suffix than `GOOD_SUFFIXES`, or the file cannot be written.
    """
    if path.suffix.lower() not in GOOD_SUFFIXES:
        raise PgnetError(f"A figure can be {', '.join(GOOD_SUFFIXES)}, not {path.name!r}; give another --out.")
    metadata = {".pdf": {"CreationDate": None}, ".svg": {"Date": None}}.get(path.suffix.lower())
    with atomic(path) as temporary:
        figure.savefig(temporary, dpi=300, metadata=metadata)
