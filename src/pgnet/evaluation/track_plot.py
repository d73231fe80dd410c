"""One run over time as a picture: how sure the tracker was, and its overlap with a ground truth; needs matplotlib."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pgnet.boxes import iou
from pgnet.errors import PgnetError
from pgnet.evaluation.metrics import Array
from pgnet.evaluation.plots import COLOURS
from pgnet.results import TargetTrack, Track


def overlaps(target: TargetTrack, truth: TargetTrack) -> Array:
    """(N,) overlap in each frame of a track, NaN where the truth has no row or the target is absent.

    Raises:
        PgnetError: they have no frame in common.
    """
    rows = {int(frame): row for row, frame in enumerate(truth.frames)}
    places = np.array([rows.get(int(frame), -1) for frame in target.frames], np.int64)
    if not (places >= 0).any():
        raise PgnetError("The track and the truth have no frame in common; are they of the same video?")
    known = (places >= 0) & ~truth.absent[places]
    return np.where(known, iou(target.boxes, truth.boxes[places]), np.nan)


def track_figure(track: Track, truth: Track | None = None) -> Figure:
    """The presence over time, or the score of a track that has none, and below it the overlap.

    Diamonds are what a person set.

    Args:
        truth: of the same video; its targets belong to those with the same id, a single one to a single one.

    Raises:
        PgnetError: no frame, or a target that the truth does not have.
    """
    if not len(track):
        raise PgnetError("The track has no frames; there is nothing to draw.")
    figure = Figure(figsize=(9, 5.4 if truth else 3.0), layout="constrained")
    panels = [figure.add_subplot(2 if truth else 1, 1, 1)]
    if truth:
        panels.append(figure.add_subplot(2, 1, 2, sharex=panels[0]))
    believed = any((target.presence < 1).any() for target in track.targets)
    timed = all(np.isfinite(target.times).all() for target in track.targets)
    for target, colour in zip(track.targets, COLOURS * (1 + len(track.targets) // len(COLOURS)), strict=False):
        x = target.times if timed else target.frames
        name = target.label or (f"target {target.id}" if len(track.targets) > 1 else "box")
        y = target.presence if believed else target.scores
        panels[0].plot(x, y, color=colour, linewidth=1.3, label=name)
        key = target.keyframes & ~target.absent
        panels[0].plot(x[key], y[key], "D", color=colour, markersize=5, clip_on=False)
        _shade(panels[0], x, target.absent, "said to be absent")
        _shade(panels[0], x, target.missing & ~target.absent, "lost", "#f6d5d2")
        if truth:
            own = matching(target, track, truth)
            values = overlaps(target, own)
            mean = f"{np.nanmean(values):.3f}" if np.isfinite(values).any() else "unknown"
            panels[1].plot(x, values, color=colour, linewidth=1.3, label=f"{name}, mean {mean}")
            gone = set(own.frames[own.absent].tolist())
            _shade(panels[1], x, np.array([int(frame) in gone for frame in target.frames]), "absent")
    for axes, label in zip(panels, ("Presence" if believed else "Score", "Overlap with the truth"), strict=False):
        axes.set(ylabel=label, ylim=(-0.02, 1.02))
        axes.margins(x=0)
        axes.grid(color="0.9")
        axes.spines[["top", "right"]].set_visible(False)
    for axes in panels:
        if truth or len(axes.get_legend_handles_labels()[1]) > 1:
            axes.legend(fontsize=8, loc="lower left", framealpha=0.9)
    panels[-1].set_xlabel("Seconds" if timed else "Frame")
    panels[0].set_title(track.source.name + (f", {track.model.name}" if track.model else ""), fontsize=10)
    return figure


def matching(target: TargetTrack, track: Track, truth: Track) -> TargetTrack:
    """The truth's target that belongs to one of a track: the one with its id, or the only one.

    Raises:
        PgnetError: there is none.
    """
    if len(track.targets) == len(truth.targets) == 1:
        return truth.target
    found = [other for other in truth.targets if other.id == target.id]
    if not found:
        ids = ", ".join(str(other.id) for other in truth.targets)
        raise PgnetError(f"The truth has no target {target.id}; it has {ids}.")
    return found[0]


def _shade(axes: Axes, x: NDArray[Any], marked: NDArray[np.bool_], label: str, colour: str = "0.85") -> None:
    """Grey or another colour where frames are marked."""
    if marked.any():
        axes.fill_between(x, -0.02, 1.02, where=marked, color=colour, linewidth=0, step="mid", zorder=0, label=label)
