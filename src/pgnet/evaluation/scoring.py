"""The scores of trackers from their raw results: reading, counting, and saying loudly what could not be counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from collections.abc import Sequence as List
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pgnet.boxes import Boxes, iou
from pgnet.errors import PgnetError
from pgnet.evaluation import got10k, trackingnet, vot
from pgnet.evaluation.annotations import Annotation, Annotations
from pgnet.evaluation.conventions import CONVENTIONS, complete, repaired
from pgnet.evaluation.metrics import (
    ERROR_THRESHOLDS,
    NORMALIZED_THRESHOLDS,
    OVERLAP_THRESHOLDS,
    Array,
    Curves,
    mean_curves,
)
from pgnet.evaluation.raw import ResultFiles, TextFile, find_results, read_result, read_seconds, read_vot_result

TITLES = {
    "success_auc": "Success AUC",
    "precision20": "Precision@20",
    "normalized_precision20": "Norm. precision@0.2",
    "normalized_precision_mean": "Norm. precision, mean",
    "ao": "AO",
    "sr50": "SR 0.5",
    "sr75": "SR 0.75",
    "accuracy": "Accuracy",
    "robustness": "Robustness",
    "lost": "Lost",
    "failures": "Failures",
    "eao": "EAO",
    "success": "Success",
    "precision": "Precision",
    "normalized_precision": "Norm. precision",
    "coverage": "Coverage",
}
"""What the scores are called."""
LOWER_IS_BETTER = frozenset({"robustness", "lost", "failures"})


class Curve(NamedTuple):
    """Points of a plot."""

    x: Array
    y: Array


@dataclass(eq=False)
class Scores:
    """Everything that is known of one tracker on one data set."""

    tracker: str
    dataset: str
    convention: str
    values: dict[str, float] = field(default_factory=dict)
    """The scores of the whole data set, by the keys of `TITLES`; the first one ranks."""
    sequences: dict[str, dict[str, float]] = field(default_factory=dict)
    attributes: dict[str, dict[str, float]] = field(default_factory=dict)
    curves: dict[str, Curve] = field(default_factory=dict)
    """By the score that stands for the curve."""
    overlaps: dict[str, Array] = field(default_factory=dict)
    """(N,) overlap in each frame of a sequence, NaN where it has no truth."""
    fps: float | None = None
    """Frames over seconds, of the sequences that have times."""
    total: int = 0
    """Sequences that the data set has; those scored are in `sequences`."""
    problems: list[str] = field(default_factory=list)
    """Sentences: what was left out, and why."""
    notes: list[str] = field(default_factory=list)
    """Sentences: what was counted, but should be known."""

    @property
    def rank(self) -> float:
        """The first score, the greater the better."""
        name, value = next(iter(self.values.items()))
        return -value if name in LOWER_IS_BETTER else value


def check_convention(convention: str, dataset: str) -> None:
    """Raises: PgnetError where the toolkit does not score the data set."""
    if convention not in CONVENTIONS:
        raise PgnetError(f"There is no convention {convention!r}; the known ones are {', '.join(CONVENTIONS)}.")
    if dataset.startswith("vot"):
        allowed = ["official", "pysot"]
    elif dataset.startswith("got10k"):
        allowed = ["official", "got10k"]
    else:
        allowed = ["official"] if dataset == "trackingnet" else list(CONVENTIONS)
    if convention not in allowed:
        raise PgnetError(f"{convention} does not score {dataset}; choose {' or '.join(allowed)}.")


def score_tracker(root: Path, annotations: Annotations, convention: str = "official", strict: bool = False) -> Scores:
    """Score one tracker.

    Args:
        root: its raw results, a folder or zip archive.
        convention: one of `CONVENTIONS`.
        strict: refuse results of which something would be left out.

    Raises:
        PgnetError: no results of this data set, the convention is not for it, or (strict) something is wrong with them.
    """
    dataset = annotations.dataset
    check_convention(convention, dataset)
    files = find_results(root, list(annotations), annotations.related)
    scores = Scores(files.tracker, dataset, convention, problems=list(annotations.problems))
    scores.total = len(annotations.official) or len(annotations) + len(annotations.problems)
    if files.unknown:
        names = _few([file.path.name for file in files.unknown])
        scores.problems.append(f"{names} in {root}: named after no sequence of {dataset}")
    if (missing := [name for name in annotations if name not in files.boxes]) and dataset != "trackingnet":
        scores.problems.append(f"{_few(missing)}: there is no result in {root}")
    score = next((score for start, score in _FAMILIES.items() if dataset.startswith(start)), _score_one_pass)
    score(scores, files, annotations)
    scores.fps = _speed(files, scores)
    if strict and scores.problems:
        more = f" (and {len(scores.problems) - 1} more)" if len(scores.problems) > 1 else ""
        raise PgnetError(f"{scores.tracker}: {scores.problems[0]}{more}; without --strict the rest is scored.")
    return scores


def score_trackers(
    roots: Iterable[Path],
    annotations: Annotations,
    convention: str = "official",
    strict: bool = False,
    workers: int = 1,
    progress: Callable[[int], None] = lambda done: None,
) -> list[Scores]:
    """Score trackers, the best first.

    Args:
        workers: processes.
        progress: called with the number of trackers that are done.

    Raises:
        PgnetError: see `score_tracker`; or two trackers of one name.
    """
    roots = list(roots)
    check_convention(convention, annotations.dataset)
    score = partial(score_tracker, annotations=annotations, convention=convention, strict=strict)
    with ExitStack() as stack:
        results: Iterable[Scores] = map(score, roots)
        if workers > 1 and len(roots) > 1:
            pool = ProcessPoolExecutor(min(workers, len(roots)), get_context("spawn"))
            results = stack.enter_context(pool).map(score, roots)
        found = []
        for scores in results:
            found.append(scores)
            progress(len(found))
    names = [scores.tracker for scores in found]
    if twice := [name for name in names if names.count(name) > 1]:
        raise PgnetError(f"Two folders are called {twice[0]}; the last part of a folder's path is the tracker's name.")
    return sorted(found, key=lambda scores: -scores.rank)


def result_boxes(root: Path, annotations: Annotations, name: str) -> Boxes:
    """A tracker's (N, 4) boxes on one sequence, a row for each annotated frame, in the data set's own numbers.

    A row of a code (VOT) is NaN.

    Raises:
        PgnetError: there is no result of it, or it is damaged.
    """
    annotation = annotations[name]
    files = find_results(root, [name], annotations.related or list(annotations)).boxes[name]
    if annotation.polygons is None:
        return complete(read_result(files[0]), annotation)
    rows = [row if len(row) == 4 else np.full(4, np.nan) for row in read_vot_result(files[0])]
    return np.array(rows).reshape(-1, 4)


def _few(names: List[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def _read_one(scores: Scores, name: str, files: List[TextFile], annotation: Annotation) -> Boxes | None:
    """(N, 4) rows of a result, one for each annotated frame; None, and a problem, where it cannot be scored."""
    try:
        if len(files) > 1:
            raise PgnetError(f"{files[0]} and {files[1]} are both results of it; give the folder of one run.")
        return _read_rows(scores, name, files[0], annotation)
    except PgnetError as error:
        scores.problems.append(f"{name}: {error}")
        return None


def _read_rows(scores: Scores, name: str, file: TextFile, annotation: Annotation) -> Boxes:
    rows = read_result(file)
    try:
        boxes = complete(rows, annotation)
    except PgnetError as error:
        raise PgnetError(f"{file}: {error}") from error
    if len(rows) < annotation.result_rows:
        scores.notes.append(
            f"{name}: {file} has {len(rows)} rows for {annotation.result_rows} frames; the last one stands for the rest"
        )
    with np.errstate(invalid="ignore"):
        if np.isfinite(boxes[0]).all() and (boxes[0, 2:] > 0).all() and iou(boxes[0], annotation.boxes[0]) == 0:
            scores.notes.append(f"{name}: {file} starts far from the ground truth; is it of this sequence?")
    return boxes


def _need_some(scores: Scores, root: Path) -> None:
    if not scores.sequences:
        raise PgnetError(f"Nothing in {root} can be scored; the first problem is {'; '.join(scores.problems[:1])}.")


def _score_one_pass(scores: Scores, files: ResultFiles, annotations: Annotations) -> None:
    convention = CONVENTIONS[scores.convention]
    curves: dict[str, Curves] = {}

    def numbers(curves: Curves) -> dict[str, float]:
        whole = convention.normalized == "normalized_precision_mean"
        normalized = float(curves.normalized.mean()) if whole else curves.normalized20
        return {"success_auc": curves.auc, "precision20": curves.precision20, convention.normalized: normalized}

    for name in annotations:
        annotation = annotations[name]
        boxes = _read_one(scores, name, files.boxes[name], annotation) if name in files.boxes else None
        if boxes is None:
            continue
        curves[name] = convention.curves(boxes, annotation)
        scores.sequences[name] = numbers(curves[name])
        scores.overlaps[name] = frame_overlaps(boxes, annotation)
    _need_some(scores, files.root)
    mean = mean_curves(curves.values())
    scores.values = numbers(mean)
    scores.curves = {
        "success_auc": Curve(OVERLAP_THRESHOLDS, mean.success),
        "precision20": Curve(ERROR_THRESHOLDS, mean.precision),
        convention.normalized: Curve(NORMALIZED_THRESHOLDS, mean.normalized),
    }
    for attribute, names in _by_attribute(annotations, curves).items():
        scores.attributes[attribute] = numbers(mean_curves(curves[name] for name in names))


def _by_attribute(annotations: Annotations, names: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in names:
        for attribute in annotations[name].attributes:
            found.setdefault(attribute, []).append(name)
    return dict(sorted(found.items()))


def frame_overlaps(boxes: Boxes, annotation: Annotation) -> Array:
    """(N,) overlap in each frame, NaN where there is no truth; damaged rows as the official toolkits repair them."""
    truth = annotation.boxes
    known = (truth[:, 2:] > 0).all(axis=1)
    if annotation.absent is not None:
        known &= ~annotation.absent
    with np.errstate(invalid="ignore"):
        return np.where(known, np.nan_to_num(iou(repaired(boxes, truth), truth)), np.nan)


def _score_got10k(scores: Scores, files: ResultFiles, annotations: Annotations) -> None:
    pool = []
    for name in annotations:
        annotation = annotations[name]
        runs = []
        for file in files.boxes.get(name, ()):
            boxes = _read_one(scores, name, [file], annotation)
            if boxes is not None:
                runs.append(boxes)
        if not runs:
            continue
        values = np.concatenate([got10k.overlaps(boxes, annotation) for boxes in runs])
        pool.append(values)
        scores.sequences[name] = got10k.scores(values)
        scores.overlaps[name] = frame_overlaps(runs[0], annotation)
    _need_some(scores, files.root)
    values = np.concatenate(pool)
    scores.values = got10k.scores(values)
    scores.curves = {"ao": Curve(got10k.THRESHOLDS, got10k.success_curve(values))}
    if any(annotation.size is None for annotation in annotations.values()):
        scores.notes.append("the sizes of the frames are not known, so boxes were not cut to the frame")
    if any(annotation.cover is None for annotation in annotations.values()):
        scores.notes.append("there are no labels cover, so frames without a visible target count as well")


def _score_vot(scores: Scores, files: ResultFiles, annotations: Annotations) -> None:
    runs: dict[str, list[vot.Run]] = {}
    for name in annotations:
        annotation = annotations[name]
        found = files.boxes.get(name, [])
        try:
            group = []
            for file in found if len(found) == vot.REPETITIONS else found[:1]:
                rows = read_vot_result(file)
                if len(rows) != len(annotation):
                    raise PgnetError(f"{file}: {len(rows)} result rows do not belong to {len(annotation)} frames.")
                group.append(vot.run(rows, annotation))
        except PgnetError as error:
            scores.problems.append(f"{name}: {error}")
            continue
        if group:
            runs[name] = group
            values = vot.per_frame(group)
            lost = float(np.mean([len(run.failures) for run in group]))
            scores.sequences[name] = {
                "accuracy": float(np.nanmean(values)) if not np.isnan(values).all() else 0.0,
                "failures": lost,
            }
            scores.overlaps[name] = np.where(group[0].codes == vot.FAILED, 0, group[0].overlaps)
    _need_some(scores, files.root)
    scores.values = vot.scores(runs, scores.dataset)
    expected = vot.expected_overlaps(runs)
    scores.curves = {"eao": Curve(np.arange(1.0, len(expected) + 1), expected)}
    for tag in sorted({tag for name in runs for tag in annotations[name].tags}):
        marks = {name: annotations[name].tags.get(tag, np.zeros(len(annotations[name]), bool)) for name in runs}
        frames = np.concatenate([vot.per_frame(group)[marks[name]] for name, group in runs.items()])
        if not np.isnan(frames).all():
            expected = vot.expected_overlaps(runs, marks)
            scores.attributes[tag] = {
                "eao": vot.expected_average_overlap(expected, scores.dataset),
                "accuracy": float(np.nanmean(frames)),
            }


def _score_trackingnet(scores: Scores, files: ResultFiles, annotations: Annotations) -> None:
    curves, covered = [], []
    for name in annotations:
        annotation = annotations[name]
        try:
            boxes = _trackingnet_rows(scores, name, files.boxes.get(name, []), annotation)
        except PgnetError as error:
            scores.problems.append(f"{name}: {error} It counts as zeros.")
            boxes = np.zeros_like(annotation.boxes)
        curves.append(trackingnet.curves(boxes, annotation.boxes))
        covered.append(np.full(len(annotation), trackingnet.covered(boxes, annotation.boxes)))
        scores.sequences[name] = trackingnet.scores(curves[-1], float(covered[-1][0]))
        scores.overlaps[name] = frame_overlaps(boxes, annotation)
    mean = mean_curves(curves)
    scores.values = trackingnet.scores(mean, float(np.concatenate(covered).mean()))
    scores.curves = {
        "success": Curve(trackingnet.OVERLAP_THRESHOLDS, mean.success),
        "precision": Curve(trackingnet.ERROR_THRESHOLDS, mean.precision),
        "normalized_precision": Curve(trackingnet.NORMALIZED_THRESHOLDS, mean.normalized),
    }


def _trackingnet_rows(scores: Scores, name: str, files: List[TextFile], annotation: Annotation) -> Boxes:
    """(N, 4) rows of a result; rows that are missing at its end become NaN, which the server counts as misses."""
    if len(files) != 1:
        raise PgnetError(
            "There is no result of it." if not files else f"{files[0]} and {files[1]} are both its result."
        )
    rows = read_result(files[0])[: len(annotation)]
    if len(rows) < len(annotation):
        scores.notes.append(
            f"{name}: {files[0]} has {len(rows)} rows for {len(annotation)} frames; the other frames count as misses"
        )
    return np.concatenate([rows, np.full((len(annotation) - len(rows), 4), np.nan)])


_FAMILIES: Mapping[str, Callable[[Scores, ResultFiles, Annotations], None]] = {
    "got10k": _score_got10k,
    "vot": _score_vot,
    "trackingnet": _score_trackingnet,
}
"""How a data set is scored, by the beginning of its name; the others are one-pass evaluation."""


def _speed(files: ResultFiles, scores: Scores) -> float | None:
    """Frames over seconds, of the sequences that have times."""
    seconds = []
    for name, file in files.times.items():
        try:
            seconds.append(read_seconds(file))
        except PgnetError as error:
            scores.notes.append(f"{name}: its times were left out: {error}")
    times = np.concatenate(seconds) if seconds else np.empty(0)
    return len(times) / float(times.sum()) if len(times) else None
