"""Scores against the toolkits' rules written out frame by frame, and against toolkits where they are installed.

The sequences are random and have everything that decides digits: boxes without extent or numbers, truth that is hidden,
not a number, or reaches over the border, absent frames, whole numbers that meet thresholds exactly.
"""

import math

import numpy as np
import pytest

from pgnet.evaluation import got10k, trackingnet
from pgnet.evaluation.annotations import Annotation
from pgnet.evaluation.conventions import CONVENTIONS
from pgnet.evaluation.layouts import TRACKED
from pgnet.evaluation.vot import Run, expected_average_overlap, expected_overlaps, region_overlaps, scores

FRAMES = 80


def sequence(seed, *, nan=True, absent=True):
    """Truth, results and absent labels of one sequence, with all that may be odd about them."""
    rng = np.random.default_rng(seed)
    truth = np.concatenate([rng.integers(-5, 60, (FRAMES, 2)), rng.integers(5, 40, (FRAMES, 2))], axis=1).astype(float)
    results = truth + rng.integers(-6, 7, (FRAMES, 4)) / rng.choice([1, 2, 3], (FRAMES, 1))
    far, none, broken = (rng.random(FRAMES) < share for share in (0.1, 0.05, 0.05))
    results[far, 0] += 200
    results[none, 2] = rng.choice([0, -3], none.sum())
    results[broken] = np.nan
    truth[1:][rng.random(FRAMES - 1) < 0.05] = 0
    if nan:
        truth[1:][rng.random(FRAMES - 1) < 0.05] = np.nan
    truth[0] = (10, 12, 20, 30)
    results[0] = (11, 13, 20, 30)
    return truth, results, rng.random(FRAMES) < 0.1 if absent else None


def overlap(a, b):
    """Of two boxes, counting the pixels at both ends, as the MATLAB toolkits do; NaN where one has no numbers."""
    if np.isnan([*a, *b]).any():
        return math.nan
    wide = min(a[0] + a[2] - 1, b[0] + b[2] - 1) - max(a[0], b[0]) + 1
    high = min(a[1] + a[3] - 1, b[1] + b[3] - 1) - max(a[1], b[1]) + 1
    shared = max(0, wide) * max(0, high)
    return shared / (a[2] * a[3] + b[2] * b[3] - shared)


def length(vector):
    return math.sqrt(vector[0] ** 2 + vector[1] ** 2)  # not hypot: the last bit decides at a threshold


def centre(box):
    return np.array([box[0] + (box[2] - 1) / 2, box[1] + (box[3] - 1) / 2])


def share(values, test, thresholds, frames):
    return [sum(1 for value in values if test(value, t)) / frames for t in thresholds]


def above(value, threshold):
    return value > threshold


def within(value, threshold):
    return value <= threshold


MATLAB = [k * 0.05 for k in range(10)] + [0.5] + [1 - (20 - k) * 0.05 for k in range(11, 21)]
PIXELS = range(51)
SHARES = [k / 100 for k in range(51)]


def shares(overlaps, thresholds, errors, normalized, frames):
    return (
        share(overlaps, above, thresholds, frames),
        share(errors, within, PIXELS, frames),
        share(normalized, within, SHARES, frames),
    )


def repaired(results, truth):
    out = [results[0]]
    for row, target in zip(results[1:], truth[1:], strict=True):
        bad = np.isnan(row).any() or row[2] <= 0 or row[3] <= 0
        out.append(out[-1] if bad and not np.isnan(target).any() else row)
    return [truth[0], *out[1:]]  # only then: a damaged second row is the tracker's first


def official(truth, results, absent, dataset):
    overlaps, errors, normalized = [], [], []
    for i, (box, target) in enumerate(zip(repaired(results, truth), truth, strict=True)):
        if absent is not None and absent[i]:
            continue
        if all(value > 0 for value in target):
            overlaps.append(overlap(box, target))
            errors.append(length(centre(box) - centre(target)))
            normalized.append(length(centre(box) / target[2:] - centre(target) / target[2:]))
        else:
            for values in (overlaps, errors, normalized):
                values.append(-1)
    return shares(overlaps, MATLAB, errors, normalized, len(truth))


def pysot(truth, results, absent, dataset):
    overlaps, errors, normalized = [], [], []
    for i, (box, target) in enumerate(zip(results, truth, strict=True)):
        if absent is not None and absent[i]:
            continue
        overlaps.append(overlap(box, target) if all(value > 0 for value in target) else -1)
        middle, found = centre(target), centre(box)
        errors.append(length(middle - found) if min(middle) > 0 else -1)
        size = target[2:] + 1e-16
        small = middle / size
        normalized.append(length(small - found / size) if min(small) > 0 else -1)
    return shares(overlaps, np.arange(0, 1.05, 0.05), errors, normalized, len(truth))


def pytracking(truth, results, absent, dataset):
    overlaps, errors, normalized, valid_frames = [], [], [], 0
    for i, (box, target) in enumerate(zip(repaired(results, truth), truth, strict=True)):
        hidden = absent is not None and absent[i]
        valid = target[2] > 0 and target[3] > 0 and not hidden
        valid_frames += valid
        if valid:
            overlaps.append(overlap(box, target))
            errors.append(length(centre(box) - centre(target)))
            normalized.append(length((centre(box) - centre(target)) / target[2:]))
        else:
            overlaps.append(-1)
            errors.append(-1 if dataset.startswith("uav") else math.inf)
            normalized.append(math.inf if hidden and dataset == "lasot" else -1)
    frames = len(truth) if dataset == "lasot" or dataset.startswith("uav") else valid_frames
    return shares(overlaps, MATLAB, errors, normalized, frames)


REFERENCES = {"official": official, "pysot": pysot, "pytracking": pytracking}


@pytest.mark.parametrize("dataset", ["otb100", "uav20l", "lasot", "lasot-ext", "nfs30"])
@pytest.mark.parametrize("name", REFERENCES)
def test_frame_by_frame(name, dataset):
    for seed in range(25):
        truth, results, absent = sequence(seed, nan=dataset == "uav20l", absent=dataset.startswith("lasot"))
        annotation = Annotation("s", truth, dataset, absent=absent)
        found = CONVENTIONS[name].curves(results, annotation)
        for curve, expected in zip(found, REFERENCES[name](truth, results, absent, dataset), strict=True):
            assert np.abs(curve - expected).max() < 1e-12, (seed, dataset)


def test_trackingnet_frame_by_frame():
    for seed in range(25):
        truth, results, _ = sequence(seed, nan=False, absent=False)
        truth[1:, 2:] = np.maximum(truth[1:, 2:], 1)
        overlaps, errors, normalized = [], [], []
        for i, (row, target) in enumerate(zip(np.round(results), np.round(truth), strict=True)):
            box = target if i == 0 else row
            # The devkit adds a pixel to the edges only to take it away again.
            overlaps.append(overlap(box, target))
            offset = (box[:2] + (box[2:] + 1) / 2) - (target[:2] + (target[2:] + 1) / 2)
            errors.append(length(offset))
            normalized.append(length(offset / target[2:]))
        found = trackingnet.curves(results, truth)
        expected = (
            share(overlaps, lambda value, t: value >= t, np.linspace(0, 1, 21), FRAMES),
            share(errors, within, np.linspace(0, 50, 21), FRAMES),
            share(normalized, within, np.linspace(0, 0.5, 21), FRAMES),
        )
        for curve, wanted in zip(found, expected, strict=True):
            assert np.abs(curve - wanted).max() < 1e-12, seed
        area = sum((a + b) / 2 for a, b in zip(expected[0], expected[0][1:], strict=False)) / 20 * 100
        assert trackingnet.scores(found, 1)["success"] == pytest.approx(area, abs=1e-9)


# --- VOT --------------------------------------------------------------------------------------------------------------


def supervised(rng, length):
    """A run of so many frames: codes and overlaps as the toolkit has them."""
    codes, values = np.full(length, TRACKED), rng.random(length)
    start = 0
    while start < length:
        codes[start] = 1
        values[start] = np.nan
        if rng.random() < 0.3:
            break
        failure = start + int(rng.integers(1, 60))
        if failure >= length:
            break
        codes[failure : failure + 5] = 0
        codes[failure] = 2
        values[failure : failure + 5] = np.nan
        start = failure + 5
    burnt_in = values.copy()
    for begin in np.flatnonzero(codes == 1):
        burnt_in[begin : begin + 10] = np.nan
    return Run(codes, values, burnt_in)


def eao(runs, low, high):
    """The definition: for each length the mean over the pieces that reach it, failed ones continued by zeros."""
    longest = max(len(run.codes) for group in runs.values() for run in group)
    pieces = []
    for group in runs.values():
        for run in group:
            starts = [0, *(at + 5 for at in np.flatnonzero(run.codes == 2) if at + 5 <= len(run.codes))]
            for i, start in enumerate(starts):
                last = i + 1 == len(starts)
                values = run.overlaps[start:] if last else run.overlaps[start : starts[i + 1] + 1]
                if (run.codes == 2).any():
                    values = np.nan_to_num(values)
                # A piece that ends with the sequence lacks the frame of its next start.
                there = 1 if last else len(values) / (starts[i + 1] + 1 - start)
                pieces.append((values if last else [*values, *[0.0] * longest][:longest], there / len(group)))
    expected = []
    for count in range(2, longest + 1):
        reaching = [
            (weight, np.mean(piece[1:count]))
            for piece, weight in pieces
            if len(piece) >= count and not np.isnan(piece[count - 1])
        ]
        total = sum(weight for weight, _ in reaching)
        expected.append(sum(weight * mean for weight, mean in reaching) / total if total else 0.0)
    return np.mean(expected[low - 2 : high - 1])


@pytest.mark.parametrize(
    ("dataset", "low", "high"),
    [("vot2016", 108, 371), ("vot2017", 100, 356), ("vot2018", 100, 356), ("vot2019", 46, 291)],
)
@pytest.mark.parametrize("repetitions", [1, 15])
def test_vot_piece_by_piece(dataset, low, high, repetitions):
    rng = np.random.default_rng(5)
    runs = {
        str(n): [supervised(rng, length) for _ in range(repetitions)] for n, length in enumerate((420, 60, 200, 380))
    }
    found = scores(runs, dataset)
    assert found["eao"] == pytest.approx(eao(runs, low, high), abs=1e-12)
    assert found["eao"] == expected_average_overlap(expected_overlaps(runs), dataset)
    frames, lost = [], 0.0
    for group in runs.values():
        for values in zip(*(run.burnt_in for run in group), strict=True):
            known = [value for value in values if not math.isnan(value)]
            frames += [sum(known) / len(known)] if known else []
        lost += sum(int((run.codes == 2).sum()) for run in group) / len(group)
    assert found["accuracy"] == pytest.approx(np.mean(frames), abs=1e-12)
    assert found["robustness"] == pytest.approx(100 * lost / (420 + 60 + 200 + 380))


# --- the GOT-10k toolkit itself ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "nan"), [("ExperimentOTB", False), ("ExperimentUAV123", True)])
def test_got10k_toolkit_on_other_data_sets(kind, nan):
    experiments = pytest.importorskip("got10k.experiments", reason="the GOT-10k toolkit is not installed")
    experiment = object.__new__(getattr(experiments, kind))
    experiment.nbins_iou, experiment.nbins_ce = 21, 51
    for seed in range(25):
        truth, results, _ = sequence(seed, nan=nan, absent=False)
        boxes = results.copy()
        boxes[0] = truth[0]
        expected = experiment._calc_curves(*experiment._calc_metrics(boxes, truth))
        found = CONVENTIONS["got10k"].curves(results, Annotation("s", truth, "uav123"))
        assert np.abs(found.success - expected[0]).max() < 1e-12, seed
        assert np.abs(found.precision - expected[1]).max() < 1e-12, seed


def test_got10k_toolkit_on_its_own():
    experiments = pytest.importorskip("got10k.experiments", reason="the GOT-10k toolkit is not installed")
    metrics = pytest.importorskip("got10k.utils.metrics")
    experiment = object.__new__(experiments.ExperimentGOT10k)
    experiment.nbins_iou = 101
    for seed in range(25):
        truth, results, _ = sequence(seed, nan=False, absent=False)
        results = np.nan_to_num(results)
        cover = np.random.default_rng(seed).integers(0, 9, FRAMES).astype(np.uint8)
        ours = got10k.overlaps(results, Annotation("s", truth, cover=cover, size=(70, 60)))
        theirs = metrics.rect_iou(results[1:].copy(), truth[1:].copy(), bound=(70, 60))[cover[1:] > 0]
        assert np.abs(ours - theirs).max() < 1e-12, seed
        ao, sr, _, curve = experiment._evaluate(theirs, np.empty(0))
        found = got10k.scores(ours)
        assert (found["ao"], found["sr50"]) == pytest.approx((ao, sr))
        assert np.abs(got10k.success_curve(ours) - curve).max() < 1e-12


# --- the VOT toolkit itself -------------------------------------------------------------------------------------------


def test_vot_toolkit_on_whole_pixels():
    """Upright regions; its present version draws polygons in another way, and counts hulls that only touch."""
    toolkit = pytest.importorskip("vot.region", reason="the VOT toolkit is not installed")
    rng = np.random.default_rng(0)
    corner, size = rng.integers(0, 120, (2, 500, 2)), rng.integers(5, 40, (2, 500, 2))
    apart = (np.maximum(*corner) >= np.minimum(*(corner + size))).any(axis=1)
    signs = np.array([[0, 0], [1, 0], [1, 1], [0, 1]])
    first, second = (corner[:, :, None] + signs * size[:, :, None]).astype(np.float32)
    ours = region_overlaps(first, second, (199, 199))
    polygons = ([toolkit.Polygon(region.tolist()) for region in regions] for regions in (first, second))
    theirs = np.array(toolkit.calculate_overlaps(*polygons, (200, 200)))
    assert (ours[apart] == 0).all()
    assert np.abs(ours - theirs)[~apart].max() < 1e-6
