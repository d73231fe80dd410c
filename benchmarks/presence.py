"""Fit a model's presence estimate on training data, and measure it on test sequences.

    python benchmarks/presence.py --model pgnet-lite --data data/train --root OTB100 --out docs/images --write

The regression of `pgnet.tracking.presence` is fitted on clips with known truth that are composed of the validation
split's objects (`pgnet.training.scenes`), which the network was not trained on; the target stays, or is gone for a
while: cut away, covered, or out of the picture. Test sequences, as they are and with absences made in a like way, then
give the numbers: calibration and discrimination of the probability, beside those of the plain score;
precision and recall of the state `lost`, beside those of a threshold on the score; how soon a target that returns is
found, and how often something else is taken for it; success with and without searching the whole frame.

What a tracker saw is kept in --cache, so that another fit or a broken-off run need not track again.
"""

from __future__ import annotations

import hashlib
import json
import pickle
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import cv2
import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from scipy.optimize import minimize
from sklearn.metrics import roc_auc_score, roc_curve

from pgnet.boxes import area, clip, iou
from pgnet.cli import run_script
from pgnet.datasets import Sequence, read_otb
from pgnet.evaluation import mean_curves, otb_curves
from pgnet.files import atomic
from pgnet.models import resolve, update_metadata
from pgnet.tracking import Tracker, TrackingOptions
from pgnet.tracking.presence import LOST, PRESENT, Evidence, Presence

Image = NDArray[np.uint8]
Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Shown = tuple[Image, Array, bool]
"""A frame, the target's box in it, and whether it can be seen."""

BEFORE, AFTER = 15, 36
"""Frames of a clip in which the target leaves: tracked before, and after its return."""
ABSENCES = ((1 / 3, 12), (2 / 3, 36))
"""Where in the sequence, as a part of its length, and for how many frames the target is away."""
RAMP = 6
"""Frames of a pan to and fro, besides those away."""
STAYS = 6.0
"""Weight in the fit of a clip in which the target stays, against one in which it leaves: most videos are such."""
RIDGE = 2e-3
"""Of the regression's weights, in standard deviations."""
LIMIT = 30
"""Frames in which a target that is back should be found."""


# --- clips ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Clip:
    """Frames of one or two sequences.

    Attributes:
        kind: how the target goes: "plain" (it does not), "cut", "hidden" or "pan".
        start: the frame of the sequence where it goes.
        away: frames for which it is gone, besides those of the ramps.
    """

    kind: str
    sequence: Sequence
    other: Sequence | None = None
    start: int = 0
    away: int = 0

    @property
    def name(self) -> str:
        return f"{self.sequence.name} {self.kind}" + (f" {self.away}" if self.away else "")

    def frames(self) -> Iterator[Shown]:
        absent = self.sequence.absent
        away = 0  # frames since the target began to go
        index = 0
        while index < len(self.sequence):
            image, box = self.sequence.image(index), self.sequence.boxes[index].copy()
            seen = bool(box[2:].min() > 0 and (absent is None or not absent[index]))
            going = self.kind != "plain" and index >= self.start and away < self.away + 2 * RAMP
            if going:
                away += 1
                image, box, visible = getattr(self, f"_{self.kind}")(image, box, away)
                seen = seen and visible
            if not (going and self.kind == "cut"):
                index += 1
            yield image, box, seen

    def _other(self, like: Image, number: int) -> Image:
        assert self.other is not None
        image = self.other.image(min(number, len(self.other) - 1))
        return np.asarray(cv2.resize(image, like.shape[1::-1]), np.uint8)

    def _cut(self, image: Image, box: Array, away: int) -> Shown:
        return self._other(image, away), box, False

    def _hidden(self, image: Image, box: Array, away: int) -> Shown:
        x, y, w, h = box
        rows = slice(max(0, int(y - 0.2 * h)), max(0, int(y + 1.2 * h) + 1))
        columns = slice(max(0, int(x - 0.2 * w)), max(0, int(x + 1.2 * w) + 1))
        image = image.copy()
        image[rows, columns] = self._other(image, 0)[rows, columns]
        return image, box, False

    def _pan(self, image: Image, box: Array, away: int) -> Shown:
        share = min(1.0, away / RAMP, (self.away + 2 * RAMP - away) / RAMP)
        height, width = image.shape[:2]
        offset = round(share * width)
        scene = np.hstack([image, self._other(image, away)])
        moved = box - np.array([offset, 0, 0, 0])
        visible = float(area(clip(moved, width, height))) > 0.5 * float(area(box))
        return np.ascontiguousarray(scene[:, offset : offset + width]), moved, visible


@dataclass(frozen=True)
class Composed:
    """A clip of `pgnet.training.scenes`."""

    data: Path
    number: int

    @property
    def name(self) -> str:
        return f"composed {self.number}"

    @property
    def kind(self) -> str:
        from pgnet.training.scenes import KINDS

        return "plain" if KINDS[self.number % len(KINDS)] == "stays" else "gone"

    def frames(self) -> Iterator[Shown]:
        yield from held_out(self.data).clip(self.number)


@cache
def held_out(data: Path) -> Any:
    """Clips of the objects that no network is trained on."""
    from pgnet.training.scenes import Scenes
    from pgnet.training.sources import DataSet, read_sources

    return Scenes(read_sources([DataSet(data)])[1][0], frames=50, away=16)


def make_clips(sequences: list[Sequence]) -> list[Clip]:
    """Every sequence as it is, and cut down to the frames around `ABSENCES` in it, of each kind.

    The other scene of a clip is that of the next sequence of another video.
    """
    clips = []
    for i, sequence in enumerate(sequences):
        clips.append(Clip("plain", sequence))
        following = [*sequences[i + 1 :], *sequences[:i]]
        other = next((s for s in following if s.frames[0] != sequence.frames[0]), sequence)
        for (place, away), kind in product(ABSENCES, ("cut", "hidden", "pan")):
            gone = 0 if kind == "cut" else away + 2 * RAMP  # frames of the sequence meanwhile
            start = max(BEFORE, min(round(place * len(sequence)), len(sequence) - gone - AFTER))
            part = sequence.part(slice(start - BEFORE, start + gone + AFTER))
            if len(part) >= BEFORE + gone + AFTER:
                clips.append(Clip(kind, part, other, BEFORE, away))
    return clips


# --- what the tracker says of them ------------------------------------------------------------------------------------


class Observed(NamedTuple):
    """A tracked clip, one row per frame after the first."""

    name: str
    kind: str
    evidence: Array
    """(N, 2), see `Evidence`."""
    score: Array
    presence: Array
    boxes: Array
    truth: Array
    seen: Flags
    state: NDArray[np.str_]

    @property
    def overlap(self) -> Array:
        return iou(self.boxes, self.truth)

    @property
    def correct(self) -> Flags:
        """Whether the box is on a target that can be seen."""
        return self.seen & (self.overlap >= 0.5)


@dataclass(frozen=True)
class Task:
    """A clip to track."""

    model: Path
    engine: str
    half: bool
    presence: Presence
    options: TrackingOptions
    clip: Clip | Composed
    kept: Path | None
    """Where the result is kept."""


@cache
def loaded(model: Path, engine: str, half: bool) -> Tracker:
    cv2.setNumThreads(1)
    return Tracker.load(model, engine=engine, half=half, threads=1)


def observe(task: Task) -> Observed:
    """Track a clip, or read what an earlier run kept of it."""
    if task.kept and task.kept.is_file():
        return pickle.loads(task.kept.read_bytes())
    tracker = loaded(task.model, task.engine, task.half)
    tracker.presence, tracker.options = task.presence, task.options
    rows = []
    for number, (image, box, seen) in enumerate(task.clip.frames()):
        if number == 0:
            tracker.init(image, box)
        else:
            found = tracker.update(image)
            rows.append((found.evidence, found.score, found.presence, found.box, box, seen, found.state))
    observed = Observed(task.clip.name, task.clip.kind, *(np.array(column) for column in zip(*rows, strict=True)))
    if task.kept:
        with atomic(task.kept) as temporary:
            temporary.write_bytes(pickle.dumps(observed))
    return observed


def weights_digest(model: Path) -> str:
    """Of the tensors alone: --write changes the file's header."""
    with model.open("rb") as file:
        file.seek(int.from_bytes(file.read(8), "little"), 1)
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True)
class Run:
    """Tracks clips in several processes."""

    model: Path
    engine: str
    half: bool
    options: TrackingOptions
    workers: int
    cache: Path | None

    def __call__(
        self, clips: Iterable[Clip | Composed], presence: Presence, *, redetect: bool = True
    ) -> list[Observed]:
        options = replace(self.options, redetect=redetect)
        what = f"{weights_digest(self.model)} {self.engine} {self.half} {presence} {options}"
        key = hashlib.sha256(what.encode()).hexdigest()[:12]
        tasks = []
        for clip_ in clips:
            kept = self.cache / f"{key} {clip_.name}.pickle" if self.cache else None
            tasks.append(Task(self.model, self.engine, self.half, presence, options, clip_, kept))
        with ProcessPoolExecutor(self.workers, get_context("spawn")) as pool:
            console = Console(stderr=True)
            return list(track(pool.map(observe, tasks), "tracking", len(tasks), console=console, transient=True))


# --- the fit ----------------------------------------------------------------------------------------------------------


def fit(observed: list[Observed], only: NDArray[np.int64] | None = None) -> Presence:
    """The regression on the clips of these numbers (all): logistic, ridge, no negative weight."""
    chosen = [observed[i] for i in (range(len(observed)) if only is None else only)]
    x, y = np.concatenate([o.evidence for o in chosen]), np.concatenate([o.correct for o in chosen])
    rows = np.concatenate([np.full(len(o.score), (STAYS if o.kind == "plain" else 1) / len(o.score)) for o in chosen])
    rows /= rows.sum()
    mean, deviation = rows @ x, np.sqrt(rows @ (x - rows @ x) ** 2) + 1e-9
    z = (x - mean) / deviation

    def loss(w: Array) -> tuple[float, Array]:
        value = w[0] + z @ w[1:]
        error = (1 / (1 + np.exp(-value)) - y) * rows
        cost = rows @ np.logaddexp(0, np.where(y, -value, value)) + RIDGE * (w[1:] @ w[1:])
        return float(cost), np.concatenate([[error.sum()], z.T @ error + 2 * RIDGE * w[1:]])

    bounds = [(None, None), *[(0, None)] * x.shape[1]]
    best = minimize(loss, np.zeros(1 + x.shape[1]), jac=True, bounds=bounds).x
    slopes = best[1:] / deviation
    named = {name: round(float(slope), 4) for name, slope in zip(Evidence._fields, slopes, strict=True)}
    return Presence(round(float(best[0] - slopes @ mean), 4), named)


def estimates(presence: Presence, observed: list[Observed]) -> Array:
    """The probabilities that a model gives to rows that were tracked with another."""
    return np.array([presence.probability(Evidence(*row)) for o in observed for row in o.evidence])


def cross_validated(observed: list[Observed], folds: int = 5) -> dict[str, float]:
    """The fit's numbers on clips that it has not seen; every n-th is in one part."""
    part = np.arange(len(observed)) % folds
    probability, correct = [], []
    for fold in range(folds):
        tested = [o for o, p in zip(observed, part, strict=True) if p == fold]
        probability.append(estimates(fit(observed, np.flatnonzero(part != fold)), tested))
        correct += [o.correct for o in tested]
    return belief_numbers(np.concatenate(probability), np.concatenate(correct))


# --- the numbers ------------------------------------------------------------------------------------------------------


def calibration(probability: Array, correct: Flags, bins: int = 10) -> list[tuple[float, float, int]]:
    """Mean probability, share that is correct and number of rows of each of equal bins that has rows."""
    which = np.minimum((probability * bins).astype(int), bins - 1)
    groups = [which == b for b in range(bins) if (which == b).any()]
    return [(float(probability[g].mean()), float(correct[g].mean()), int(g.sum())) for g in groups]


def belief_numbers(probability: Array, correct: Flags) -> dict[str, float]:
    """Expected calibration error over ten bins, and area under the receiver operating characteristic."""
    gaps = [abs(mean - share) * count for mean, share, count in calibration(probability, correct)]
    return {
        "ECE": round(sum(gaps) / len(correct), 4),
        "AUROC": round(float(roc_auc_score(correct, probability)), 4),
    }


def lost_numbers(lost: Flags, correct: Flags) -> dict[str, float]:
    """Of the frames said to be lost, how many have no box on the target; and of those, how many are said to be lost."""
    hits = (lost & ~correct).sum()
    precision, recall = hits / max(1, lost.sum()), hits / max(1, (~correct).sum())
    return {"precision": round(float(precision), 3), "recall": round(float(recall), 3)}


def best_threshold(observed: list[Observed]) -> float:
    """The threshold under which a plain score says "lost" best, by F1 on these clips."""
    score, wrong = np.concatenate([o.score for o in observed]), ~np.concatenate([o.correct for o in observed])

    def f1(threshold: float) -> float:
        low = score < threshold
        return float(2 * (low & wrong).sum() / max(1, low.sum() + wrong.sum()))

    return max(np.linspace(0.05, 0.95, 19).round(2).tolist(), key=f1)


class Returned(NamedTuple):
    """What happened around the absence of a clip."""

    followed: bool
    """Whether the box was on the target before, and not said to be lost: else there was nothing to return to."""
    found_after: int | None
    """Frames from the return to a box on the target that is said to be present; None: not within `LIMIT`."""
    reacquired: int
    """Times that a lost target was said to be present again."""
    wrong: int
    """Times of them that the box had nothing to do with it (overlap under 0.1, or it cannot be seen)."""


def returned(observed: Observed) -> Returned | None:
    """None where nothing went away."""
    gone = np.flatnonzero(~observed.seen)
    if observed.kind == "plain" or not len(gone):
        return None
    before = slice(max(0, gone[0] - 5), gone[0])
    followed = bool((observed.correct & (observed.state != LOST))[before].any())
    after = gone[-1] + 1
    good = (observed.correct & (observed.state == PRESENT))[after : after + LIMIT]
    again = np.flatnonzero((observed.state[1:] == PRESENT) & (observed.state[:-1] == LOST)) + 1
    wrong = ~observed.seen[again] | (observed.overlap[again] < 0.1)
    return Returned(followed, int(np.argmax(good)) if good.any() else None, len(again), int(wrong.sum()))


def report(observed: list[Observed], threshold: float) -> dict[str, Any]:
    """All numbers of tracked test clips."""
    correct = np.concatenate([o.correct for o in observed])
    probability, score = (np.concatenate([getattr(o, name) for o in observed]) for name in ("presence", "score"))
    lost = np.concatenate([o.state for o in observed]) == LOST
    plain = np.concatenate([np.full(len(o.score), o.kind == "plain") for o in observed])
    numbers: dict[str, Any] = {}
    for what, rows in (("all", plain | True), ("plain", plain), ("gone", ~plain)):
        if rows.any():
            numbers[what] = {
                "frames": int(rows.sum()),
                "on the target": round(float(correct[rows].mean()), 3),
                "presence": belief_numbers(probability[rows], correct[rows]),
                "score": belief_numbers(score[rows], correct[rows]),
                "lost": lost_numbers(lost[rows], correct[rows]),
                f"score < {threshold}": lost_numbers(score[rows] < threshold, correct[rows]),
            }
    absences = [r for o in observed if (r := returned(o))]
    for what, chosen in (("returns", absences), ("returns of followed", [r for r in absences if r.followed])):
        waits = sorted(r.found_after for r in chosen if r.found_after is not None)
        numbers[what] = {
            "clips": len(chosen),
            f"found within {LIMIT} frames": len(waits),
            "median wait": waits[len(waits) // 2] if waits else None,
            "re-acquisitions": sum(r.reacquired for r in chosen),
            "wrong re-acquisitions": sum(r.wrong for r in chosen),
        }
    return numbers


def success(observed: list[Observed]) -> float:
    """Success AUC of the sequences as they are (OTB's convention, one pass); the first frame is given."""
    curves = []
    for o in observed:
        if o.kind == "plain":
            first = o.truth[:1]
            curves.append(otb_curves(np.concatenate([first, o.boxes]), np.concatenate([first, o.truth])))
    return round(mean_curves(curves).auc, 4)


def draw(observed: list[Observed], path: Path) -> None:
    """Reliability diagram and receiver operating characteristic, of the probability and of the plain score."""
    from matplotlib.figure import Figure

    correct = np.concatenate([o.correct for o in observed])
    figure = Figure(figsize=(8, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    for name, column in (("presence", "presence"), ("score alone", "score")):
        value = np.concatenate([getattr(o, column) for o in observed])
        numbers = belief_numbers(value, correct)
        mean, share, count = zip(*calibration(value, correct), strict=True)
        (line,) = left.plot(mean, share, "-", label=f"{name} (ECE {numbers['ECE']:.3f})")
        left.scatter(mean, share, s=np.array(count) / max(count) * 120 + 6, color=line.get_color())
        wrong, hit, _ = roc_curve(correct, value)
        right.plot(wrong, hit, label=f"{name} (AUROC {numbers['AUROC']:.3f})")
    left.plot([0, 1], [0, 1], ":", color="grey")
    left.set(xlabel="probability given", ylabel="share of boxes with IoU of 0.5 or more", xlim=(0, 1), ylim=(0, 1))
    right.set(xlabel="share of wrong boxes accepted", ylabel="share of right boxes accepted", xlim=(0, 1), ylim=(0, 1))
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.legend(frameon=False, loc="lower right")
        axes.spines[["top", "right"]].set_visible(False)
    with atomic(path) as temporary:
        figure.savefig(temporary, dpi=110, format="png")


def main(
    model: Annotated[str, typer.Option(help="Name or path.")],
    data: Annotated[Path | None, typer.Option(help="Training data with outlined stills and photos, to fit on.")] = None,
    root: Annotated[Path | None, typer.Option(help="Test sequences in OTB's layout.")] = None,
    composed: Annotated[int, typer.Option(min=4, help="Composed clips to fit on.")] = 48,
    every: Annotated[int, typer.Option(min=1, help="Only each n-th test clip.")] = 1,
    engine: Annotated[str, typer.Option(help="What computes the network.")] = "onnxruntime",
    half: Annotated[bool, typer.Option("--half", help="In half precision.")] = False,
    workers: Annotated[int, typer.Option(min=1, help="Processes, one thread each.")] = 1,
    cache: Annotated[Path | None, typer.Option(help="Folder that keeps what the tracker saw.")] = None,
    write: Annotated[bool, typer.Option("--write", help="Keep the fitted estimate in the model file.")] = False,
    out: Annotated[Path | None, typer.Option(help="Folder for presence-MODEL.png and .json.")] = None,
) -> None:
    """Fit a model's presence estimate on training data, and measure it on test sequences."""
    file = resolve(model)
    tracker = Tracker.load(file, threads=1)
    presence, record = tracker.presence, {"model": file.name, "sha256": file.sha256}
    for folder in (cache, out):
        if folder:
            folder.mkdir(parents=True, exist_ok=True)
    run = Run(file.path, engine, half, tracker.options, workers, cache)
    threshold = 0.5
    if data:
        clips = [Composed(data, i) for i in range(composed)]
        observed = run(clips, Presence())
        presence, threshold = fit(observed), best_threshold(observed)
        record["training"] = {"clips": len(clips), "held out": cross_validated(observed)}
    record["presence"] = presence.to_json()
    if root:
        tests = make_clips(read_otb(root))[::every]
        observed = run(tests, presence)
        record |= report(observed, threshold)
        if every == 1:
            # Where nothing was lost, nothing was searched for.
            plain = {o.name: o for o in observed if o.kind == "plain"}
            lost = [clip_ for clip_ in tests if clip_.name in plain and (plain[clip_.name].state == LOST).any()]
            local = plain | {o.name: o for o in run(lost, presence, redetect=False)}
            record["success AUC"] = {"with the search": success(observed), "without": success(list(local.values()))}
        if out:
            draw(observed, out / f"presence-{file.name}.png")
    text = json.dumps(record, indent=2)
    print(text)
    if out:
        with atomic(out / f"presence-{file.name}.json") as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")
    if write:
        update_metadata(file.path, presence=presence.to_json())


if __name__ == "__main__":
    run_script(main)
