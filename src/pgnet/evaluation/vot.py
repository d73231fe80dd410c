"""VOT short-term, reset-based (Kristan et al., 2015 to 2019): accuracy, robustness and expected average overlap.

A tracker that fails is started again five frames later. Overlaps are those of regions drawn on the pixel grid, as the
VOT toolkit and pysot's Python port of it do, in single precision.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as List
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pgnet.evaluation.annotations import Annotation
from pgnet.evaluation.layouts import TRACKED
from pgnet.evaluation.metrics import Array

INITIALISED, FAILED, SKIPPED = 1, 2, 0
"""Codes of frames, which stand in the files in place of a region."""
RESTART = 5
"""Frames from a failure to the next start."""
BURN_IN = 10
"""Frames from a start on that do not count for accuracy: they are biased towards 1."""
REPETITIONS = 15
"""Runs of a tracker that is not deterministic; with fewer, only the first counts."""
EAO_LENGTHS = {"vot2016": (108, 371), "vot2017": (100, 356), "vot2018": (100, 356), "vot2019": (46, 291)}
"""Lengths over which the expected overlap is averaged, first and last, counted from 1 with the frame of the start."""

Single = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Run:
    """One repetition on one sequence."""

    codes: NDArray[np.int64]
    """(N,) code of each frame, `TRACKED` where there is a region."""
    overlaps: Array
    """(N,) with frames cut to (width - 1, height - 1), NaN where there is no region."""
    burnt_in: Array
    """(N,) with frames cut to (width, height), NaN also in the first `BURN_IN` frames from each start."""

    @property
    def failures(self) -> NDArray[np.intp]:
        """Frames in which the tracker failed."""
        return np.flatnonzero(self.codes == FAILED)


def run(rows: List[Array], annotation: Annotation) -> Run:
    """The overlaps of a result's rows, one for each frame.

    Args:
        rows: a code, x, y, w, h, or corners x1, y1, x2, y2 ...
        annotation: with polygons and size.
    """
    assert annotation.polygons is not None
    assert annotation.size is not None
    codes = np.array([int(row[0]) if len(row) == 1 else TRACKED for row in rows])
    places = np.flatnonzero(codes == TRACKED)
    width, height = annotation.size
    found = _polygons([rows[i] for i in places.tolist()])
    truth = annotation.polygons[places].astype(np.float32).reshape(len(places), -1, 2)
    overlaps, burnt_in = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
    overlaps[places] = region_overlaps(found, truth, (width - 1, height - 1))
    burnt_in[places] = region_overlaps(found, truth, (width, height))
    for start in np.flatnonzero(codes == INITIALISED):
        burnt_in[start : start + BURN_IN] = np.nan
    return Run(codes, overlaps, burnt_in)


def _polygons(rows: List[Array]) -> Single:
    """Rows of 4 numbers or of corners -> (F, K, 2) corners; those with fewer have their last corner repeated."""
    corners = [np.array([*_rectangle(row)] if len(row) == 4 else row).reshape(-1, 2) for row in rows]
    count = max((len(c) for c in corners), default=4)
    padded = [np.concatenate([c, np.repeat(c[-1:], count - len(c), axis=0)]) for c in corners]
    return np.array(padded, np.float32).reshape(len(rows), count, 2)


def _rectangle(row: Array) -> tuple[float, ...]:
    x, y, w, h = row
    return x, y, x + w, y, x + w, y + h, x, y + h


def region_overlaps(a: Single, b: Single, limit: tuple[float, float]) -> Array:
    """Overlaps of polygons drawn on the pixel grid inside 0, 0 ... limit -> (F,); NaN where both draw nothing.

    Args:
        a: (F, K, 2) float32 corners in pixels.
        b: (F, L, 2) likewise.
    """
    top = np.array(limit, np.float32)
    low_a, high_a = np.maximum(np.floor(a.min(axis=1)), 0), np.minimum(np.ceil(a.max(axis=1)), top)
    low_b, high_b = np.maximum(np.floor(b.min(axis=1)), 0), np.minimum(np.ceil(b.max(axis=1)), top)
    origin = np.minimum(low_a, low_b)
    size = (np.maximum(high_a, high_b) - origin).astype(np.int64) + 1
    area_a, area_b = (high_a - low_a).prod(axis=1), (high_b - low_b).prod(axis=1)
    shared = (np.minimum(high_a, high_b) - np.maximum(low_a, low_b)).prod(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = shared / (area_a + area_b - shared) <= 0  # of the upright hulls
        hopeless = (area_a / area_b < 1e-10) | (area_b / area_a < 1e-10) | (size < 1).any(axis=1)
    drawn = ~(apart | hopeless)
    out = np.zeros(len(a))
    if drawn.any():
        shift = origin[drawn][:, None]
        out[drawn] = _drawn_overlaps(a[drawn] - shift, b[drawn] - shift, size[drawn])
    return out


def _drawn_overlaps(a: Single, b: Single, size: NDArray[np.int64]) -> Array:
    """Overlaps of polygons on grids of their own (F, 2) width and height, row by row."""
    height = size[:, 1]
    frame = np.repeat(np.arange(len(a)), height)
    y = np.arange(len(frame)) - np.repeat(np.cumsum(height) - height, height)
    width = size[frame, 0]
    spans_a, spans_b = _spans(a, frame, y, width), _spans(b, frame, y, width)
    count_a, count_b = (sum(last - first + 1 for first, last in spans) for spans in (spans_a, spans_b))
    both = sum(
        np.maximum(np.minimum(last_a, last_b) - np.maximum(first_a, first_b) + 1, 0)
        for first_a, last_a in spans_a
        for first_b, last_b in spans_b
    )
    total_a, total_b, total = (np.bincount(frame, count, len(a)) for count in (count_a, count_b, both))
    with np.errstate(invalid="ignore"):
        return (total.astype(np.float32) / (total_a + total_b - total).astype(np.float32)).astype(np.float64)


def _spans(
    polygons: Single, frame: NDArray[np.intp], y: NDArray[np.intp], width: NDArray[np.int64]
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """First and last pixel of each stretch that a polygon fills in a row; last = first - 1 where it fills none.

    Corners are rounded to pixels. A row crosses an edge at both of its ends too; crossings are sorted, and of two that
    fall together the first is dropped, so that a row through a lone corner stays empty.

    Args:
        polygons: (F, K, 2) corners.
        frame: (R,) the polygon of each row.
        y: (R,) the row's number.
        width: (R,) pixels of the row.
    """
    # C's round goes away from zero at a half.
    corners = np.copysign(np.floor(np.abs(polygons.astype(np.float64)) + 0.5), polygons)
    start, end = corners, np.roll(corners, 1, axis=1)
    missing = np.iinfo(np.int64).max
    nodes = []
    for k in range(corners.shape[1]):
        (x0, y0), (x1, y1) = start[:, k].T, end[:, k].T
        rise = np.where(y0 == y1, 1, y1 - y0)
        crossing = x0[frame] + (y - y0[frame]) / rise[frame] * (x1 - x0)[frame]
        crosses = (y0 != y1)[frame] & (np.minimum(y0, y1)[frame] <= y) & (y <= np.maximum(y0, y1)[frame])
        nodes.append(np.where(crosses, np.trunc(crossing).astype(np.int64), missing))
    table = np.sort(np.array(nodes), axis=0)
    spans = []
    at = np.zeros(len(y), np.intp)
    rows = np.arange(len(y))
    count = len(table)
    filled_to = np.full(len(y), -1)
    for _ in range(count - 1):
        here, there = table[np.minimum(at, count - 1), rows], table[np.minimum(at + 1, count - 1), rows]
        pair = (at < count - 1) & (there != missing) & (here != there)
        first = np.where(pair, np.maximum(np.maximum(here, 0), filled_to + 1), 0)
        last = np.where(pair, np.minimum(there, width - 1), -1)
        first = np.where(last < first, last + 1, first)
        filled_to = np.where(pair, np.maximum(filled_to, last), filled_to)
        spans.append((first, last))
        at += np.where(pair, 2, 1)
    return [span for span in spans if (span[1] >= span[0]).any()]


def expected_overlaps(runs: Mapping[str, List[Run]], tags: Mapping[str, NDArray[np.bool_]] | None = None) -> Array:
    """Expected average overlap for sequences of each length -> (L,); entry n is for n frames after the start's.

    A run is cut at its starts. A piece that ends in a failure is continued by zeros, the last piece is not; pieces are
    averaged over those that are long enough.

    Args:
        runs: by sequence; each sequence counts the same.
        tags: (N,) marks by sequence: pieces count by the share of their frames that has the mark.
    """
    length = max(len(run.overlaps) for group in runs.values() for run in group)
    pieces, weights = [], []
    for name, group in runs.items():
        for run in group:
            marks = np.ones(len(run.overlaps)) if tags is None else tags[name][: len(run.overlaps)].astype(float)
            starts = [0, *(at + RESTART for at in run.failures if at + RESTART <= len(run.overlaps))]
            for i, start in enumerate(starts):
                end = starts[i + 1] + 1 if i + 1 < len(starts) else len(run.overlaps)
                values = run.overlaps[start:end]  # shorter where the next start lies past the end
                piece = np.full(length, np.nan if i + 1 == len(starts) else 0.0)
                piece[: len(values)] = np.nan_to_num(values) if len(run.failures) else values
                pieces.append(piece)
                weights.append(marks[start:end].sum() / max(end - start, 1) / len(group))
    table, weight = np.array(pieces), np.array(weights)[:, None]
    reached = ~np.isnan(table)
    mean = np.cumsum(table[:, 1:], axis=1) / np.arange(1, length)
    total = np.where(reached, weight, 0).sum(axis=0)[1:]
    with np.errstate(invalid="ignore", divide="ignore"):
        expected = np.where(reached[:, 1:], mean * weight, 0).sum(axis=0) / total
    return np.concatenate([[1.0], np.where(reached.any(axis=0)[1:], expected, 0)])


def expected_average_overlap(expected: Array, dataset: str) -> float:
    """EAO: the mean of `expected_overlaps` over the challenge's lengths; NaN where no sequence is that long."""
    low, high = EAO_LENGTHS[dataset]
    values = expected[low - 1 : high]
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")


def per_frame(group: List[Run]) -> Array:
    """(N,) overlaps without burn-in, averaged over the repetitions; NaN where none has one."""
    table = np.array([run.burnt_in for run in group])
    known = ~np.isnan(table)
    with np.errstate(invalid="ignore"):
        return np.where(known, table, 0).sum(axis=0) / known.sum(axis=0)


def scores(runs: Mapping[str, List[Run]], dataset: str) -> dict[str, float]:
    """EAO, accuracy, robustness (failures in 100 frames), and how often the target was lost."""
    frames = [per_frame(group) for group in runs.values()]
    lost = sum(float(np.mean([len(run.failures) for run in group])) for group in runs.values())
    return {
        "eao": expected_average_overlap(expected_overlaps(runs), dataset),
        "accuracy": float(np.nanmean(np.concatenate(frames))),
        "robustness": 100 * lost / sum(map(len, frames)),
        "lost": lost,
    }
