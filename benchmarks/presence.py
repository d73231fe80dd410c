"""Fit the presence model of a tracker on training videos, and measure it on test sequences.

    python benchmarks/presence.py --model pgnet-lite --train data/train --root OTB100 --out docs/images --write

Clips are made from real videos: as they are, cut to another video and back, with an occluder that hides the target, and
panned away to another scene and back. On the training videos' clips the regression of `pgnet.tracking.presence` is
fitted; on the test sequences' clips it is measured: expected calibration error and AUROC of the probability (beside
those of the plain score), precision and recall of the state `lost`, and how soon a target that returns is found.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, NamedTuple

import cv2
import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from pgnet.boxes import area, clip, iou
from pgnet.datasets import Sequence, read_got10k, read_otb
from pgnet.errors import PgnetError
from pgnet.files import atomic
from pgnet.models import resolve, update_metadata
from pgnet.tracking import Tracker
from pgnet.tracking.presence import LOST, PRESENT, Evidence, Presence

Image = NDArray[np.uint8]
AWAY = 30
"""Frames for which the target is gone."""
RAMP = 6
"""Frames of a pan."""


@dataclass(frozen=True)
class Clip:
    """Frames of one or two sequences.

    Attributes:
        kind: how the target goes: "plain" (it does not), "cut", "hidden" or "pan".
        start: the frame where it goes.
    """

    kind: str
    sequence: Sequence
    other: Sequence | None = None
    start: int = 0

    @property
    def name(self) -> str:
        return f"{self.sequence.name} {self.kind}"

    def frames(self) -> Iterator[tuple[Image, NDArray[np.float64], bool]]:
        """Image, the target's box in it, and whether it can be seen."""
        absent = self.sequence.absent
        away = 0  # frames since the target began to go
        index = 0
        while index < len(self.sequence):
            image, box = self.sequence.image(index), self.sequence.boxes[index].copy()
            seen = bool(box[2:].min() > 0 and (absent is None or not absent[index]))
            going = self.kind != "plain" and index >= self.start and away < AWAY + 2 * RAMP
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

    def _cut(self, image: Image, box: NDArray[np.float64], away: int) -> tuple[Image, NDArray[np.float64], bool]:
        return self._other(image, away), box, False

    def _hidden(self, image: Image, box: NDArray[np.float64], away: int) -> tuple[Image, NDArray[np.float64], bool]:
        x, y, w, h = box
        rows = slice(max(0, int(y - 0.2 * h)), max(0, int(y + 1.2 * h) + 1))
        columns = slice(max(0, int(x - 0.2 * w)), max(0, int(x + 1.2 * w) + 1))
        image = image.copy()
        image[rows, columns] = self._other(image, 0)[rows, columns]
        return image, box, False

    def _pan(self, image: Image, box: NDArray[np.float64], away: int) -> tuple[Image, NDArray[np.float64], bool]:
        share = min(1.0, away / RAMP, (AWAY + 2 * RAMP - away) / RAMP)
        height, width = image.shape[:2]
        offset = round(share * width)
        scene = np.hstack([image, self._other(image, away)])
        moved = box - np.array([offset, 0, 0, 0])
        visible = float(area(clip(moved, width, height))) > 0.5 * float(area(box))
        return np.ascontiguousarray(scene[:, offset : offset + width]), moved, visible


def make_clips(sequences: list[Sequence], kinds: tuple[str, ...]) -> list[Clip]:
    """A clip of each kind of every sequence that is long enough; the other scene is the next sequence's."""
    clips = []
    for i, sequence in enumerate(sequences):
        for kind in kinds:
            start = len(sequence) // 2
            needed = AWAY + 2 * RAMP + 10 if kind in ("hidden", "pan") else 10
            if kind == "plain":
                clips.append(Clip(kind, sequence))
            elif len(sequence) - start >= needed:
                clips.append(Clip(kind, sequence, sequences[(i + 1) % len(sequences)], start))
    return clips


class Observed(NamedTuple):
    """A tracked clip, one row per frame after the first: evidence (N, 8), score, probability, IoU, seen, state."""

    evidence: NDArray[np.float64]
    score: NDArray[np.float64]
    probability: NDArray[np.float64]
    overlap: NDArray[np.float64]
    seen: NDArray[np.bool_]
    state: list[str]

    @property
    def correct(self) -> NDArray[np.bool_]:
        """Whether the box is on a target that can be seen."""
        return self.seen & (self.overlap >= 0.5)


@cache
def loaded(model: Path) -> Tracker:
    cv2.setNumThreads(1)
    return Tracker.load(model, threads=1)


def observe(task: tuple[Path, Clip]) -> Observed:
    """Track a clip."""
    model, clip_ = task
    tracker = loaded(model)
    rows = []
    for number, (image, box, seen) in enumerate(clip_.frames()):
        if number == 0:
            tracker.init(image, box)
            continue
        found = tracker.update(image)
        rows.append((found.evidence, found.score, found.presence, float(iou(found.box, box)), seen, found.state))
    evidence, score, probability, overlap, seen_, state = zip(*rows, strict=True)
    return Observed(
        np.array(evidence), np.array(score), np.array(probability), np.array(overlap), np.array(seen_), list(state)
    )


def fit(observed: list[Observed]) -> Presence:
    """The regression; every clip counts the same."""
    from sklearn.linear_model import LogisticRegression

    x = np.concatenate([o.evidence for o in observed])
    y = np.concatenate([o.correct for o in observed])
    weight = np.concatenate([np.full(len(o.score), 100 / len(o.score)) for o in observed])
    model = LogisticRegression(C=1.0, max_iter=1000).fit(x, y, sample_weight=weight)
    weights = {name: round(float(v), 4) for name, v in zip(Evidence._fields, model.coef_[0], strict=True)}
    return Presence(round(float(model.intercept_[0]), 4), weights)


def calibration_error(probability: NDArray[np.float64], correct: NDArray[np.bool_], bins: int = 10) -> float:
    """Expected calibration error: mean distance of probability and frequency over equal bins, weighed by frames."""
    which = np.minimum((probability * bins).astype(int), bins - 1)
    gaps = [
        abs(probability[which == b].mean() - correct[which == b].mean()) * (which == b).mean()
        for b in range(bins)
        if (which == b).any()
    ]
    return float(sum(gaps))


class Return(NamedTuple):
    """One absence: frames from the return to a present, right box (None: not within 30), and a wrong one while gone."""

    found_after: int | None
    wrong: bool


def returns(clip_: Clip, observed: Observed, limit: int = 30) -> Return | None:
    """What happened around the absence of a clip; None where the box was not on the target before."""
    gone = np.flatnonzero(~observed.seen & (np.arange(len(observed.seen)) >= clip_.start - 1))
    if not len(gone) or not observed.correct[max(0, gone[0] - 5) : gone[0]].any():
        return None
    after = gone[-1] + 1
    states = np.array(observed.state)
    good = observed.correct[after : after + limit] & (states[after : after + limit] == PRESENT)
    lost = np.flatnonzero(states[gone] == LOST)
    wrong = bool(len(lost)) and bool((states[gone[lost[0] :]] == PRESENT).any())
    return Return(int(np.argmax(good)) if good.any() else None, wrong)


def report(clips: list[Clip], observed: list[Observed]) -> dict[str, float]:
    """The numbers of the module's text."""
    from sklearn.metrics import roc_auc_score

    def joined(get: Callable[[Observed], NDArray[np.float64]]) -> NDArray[np.float64]:
        return np.concatenate([get(o) for o in observed])

    correct = joined(lambda o: o.correct).astype(bool)
    probability, score = joined(lambda o: o.probability), joined(lambda o: o.score)
    lost = joined(lambda o: np.array(o.state) == LOST).astype(bool)
    absences = [r for c, o in zip(clips, observed, strict=True) if c.kind != "plain" and (r := returns(c, o))]
    return {
        "frames": len(correct),
        "share of frames on the target": float(correct.mean()),
        "ECE": calibration_error(probability, correct),
        "ECE of the score": calibration_error(score, correct),
        "AUROC": float(roc_auc_score(correct, probability)),
        "AUROC of the score": float(roc_auc_score(correct, score)),
        "precision of lost": float((lost & ~correct).sum() / max(1, lost.sum())),
        "recall of lost": float((lost & ~correct).sum() / max(1, (~correct).sum())),
        "absences": len(absences),
        "found within 30 frames": float(np.mean([r.found_after is not None for r in absences])),
        "wrongly present while gone": float(np.mean([r.wrong for r in absences])),
    }


def draw(observed: list[Observed], path: Path) -> None:
    """Reliability diagram and receiver operating characteristic, of the probability and of the plain score."""
    from matplotlib.figure import Figure
    from sklearn.calibration import calibration_curve
    from sklearn.metrics import roc_curve

    correct = np.concatenate([o.correct for o in observed])
    figure = Figure(figsize=(8, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    for name, values in (("presence", [o.probability for o in observed]), ("score alone", [o.score for o in observed])):
        value = np.concatenate(values)
        left.plot(*calibration_curve(correct, value, n_bins=10)[::-1], "o-", ms=4, label=name)
        wrong, right_, _ = roc_curve(correct, value)
        right.plot(wrong, right_, label=name)
    left.plot([0, 1], [0, 1], ":", color="grey")
    left.set(xlabel="probability given", ylabel="share with IoU of 0.5 or more", xlim=(0, 1), ylim=(0, 1))
    right.set(xlabel="share of wrong boxes accepted", ylabel="share of right boxes accepted", xlim=(0, 1), ylim=(0, 1))
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
        axes.spines[["top", "right"]].set_visible(False)
    with atomic(path) as temporary:
        figure.savefig(temporary, dpi=110, format="png")


def main(
    model: Annotated[str, typer.Option(help="Name or path.")],
    root: Annotated[Path | None, typer.Option(help="Test sequences in OTB's layout.")] = None,
    train: Annotated[
        Path | None, typer.Option(help="Training data with videos/ in GOT-10k's layout, to fit on.")
    ] = None,
    frames: Annotated[int, typer.Option(min=60, help="At most so many frames of a training video.")] = 150,
    workers: Annotated[int, typer.Option(min=1, help="Processes, one thread each.")] = 2,
    write: Annotated[bool, typer.Option("--write", help="Keep the fitted model in the model file.")] = False,
    out: Annotated[Path | None, typer.Option(help="Folder for presence-MODEL.png and .json.")] = None,
) -> None:
    """Fit the presence model of a tracker on training videos, and measure it on test sequences."""
    file = resolve(model)
    kinds = ("plain", "cut", "hidden", "pan")
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:

        def run(clips: list[Clip]) -> list[Observed]:
            results = pool.map(observe, [(file.path, c) for c in clips])
            return list(track(results, "tracking", len(clips), console=Console(stderr=True), transient=True))

        if train:
            videos = [s.part(slice(frames)) for s in read_got10k(train / "videos")]
            presence = fit(run(make_clips(videos, kinds)))
            print(json.dumps(presence.to_json()))
            if write:
                file = update_metadata(file.path, presence=presence.to_json())
        if root:
            clips = make_clips(read_otb(root), kinds)
            observed = run(clips)
            numbers = {"plain": report_plain(clips, observed), "all": report(clips, observed)}
            print(json.dumps(numbers, indent=2))
            if out:
                draw(observed, out / f"presence-{file.name}.png")


def report_plain(clips: list[Clip], observed: list[Observed]) -> dict[str, float]:
    """Of the sequences as they are."""
    plain = [(c, o) for c, o in zip(clips, observed, strict=True) if c.kind == "plain"]
    numbers = report(*(list(v) for v in zip(*plain, strict=True)))  # type: ignore[arg-type]
    return {k: v for k, v in numbers.items() if v == v}


if __name__ == "__main__":
    try:
        typer.run(main)
    except PgnetError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
