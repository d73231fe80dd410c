"""benchmarks/presence.py: the fit and the numbers, on made-up observations, and clips in which the target leaves."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from pgnet.datasets import Sequence
from pgnet.tracking.presence import LOST, PRESENT, UNCERTAIN

pytest.importorskip("sklearn")
SCRIPT = SimpleNamespace(**runpy.run_path(str(Path(__file__).parents[1] / "benchmarks" / "presence.py")))


def observed(name="a", kind="plain", seed=0, state=None, overlap=None, seen=None, n=200):
    """Evidence whose first number decides, logistically; the second means nothing."""
    rng = np.random.default_rng(seed)
    first = rng.normal(0, 2, n)
    right = rng.random(n) < 1 / (1 + np.exp(-(0.5 + 1.5 * first)))
    overlap = np.where(right, 0.8, 0.05) if overlap is None else np.array(overlap)
    n = len(overlap)
    evidence = np.stack([first[:n], rng.normal(0, 1, n)], 1)
    truth = np.tile([10.0, 10, 100, 10], (n, 1))
    boxes = truth.copy()
    boxes[:, 2] *= overlap
    seen = np.ones(n, bool) if seen is None else np.array(seen, bool)
    state = np.array([PRESENT] * n if state is None else state)
    score = 1 / (1 + np.exp(-first[:n] - 2))
    return SCRIPT.Observed(name, kind, evidence, score, np.full(n, 0.5), boxes, truth, seen, state)


def test_the_fit_finds_the_probability():
    clips = [observed(f"video {i}", seed=i) for i in range(6)]
    presence = SCRIPT.fit(clips)
    assert presence.weights["score"] > 0.8 and min(presence.weights.values()) >= 0
    assert presence.weights["colour"] < 0.1
    new = observed(seed=99, n=3000)
    numbers = SCRIPT.belief_numbers(SCRIPT.estimates(presence, [new]), new.correct)
    assert numbers["ECE"] < 0.06 and numbers["AUROC"] > 0.85
    assert SCRIPT.belief_numbers(new.score, new.correct)["ECE"] > 2 * numbers["ECE"]
    assert SCRIPT.cross_validated(clips)["AUROC"] > 0.85


def test_numbers_of_lost():
    lost, correct = np.array([1, 1, 1, 0, 0], bool), np.array([0, 0, 1, 1, 0], bool)
    assert SCRIPT.lost_numbers(lost, correct) == {"precision": 0.667, "recall": 0.667}
    threshold = SCRIPT.best_threshold([observed(n=500)])
    assert 0.5 < threshold < 1


@pytest.mark.parametrize(
    ("after", "found", "again", "wrong"),
    [
        ([LOST, LOST, PRESENT, PRESENT], 2, 1, 0),
        ([PRESENT] * 4, 0, 1, 0),
        ([LOST, UNCERTAIN, LOST, LOST], None, 0, 0),
    ],
)
def test_returns_are_counted(after, found, again, wrong):
    state = [PRESENT] * 5 + [LOST] * 5 + after
    seen = [True] * 5 + [False] * 5 + [True] * 4
    clip = observed(kind="cut", state=state, overlap=[0.8] * 14, seen=seen)
    assert SCRIPT.returned(clip) == (True, found, again, wrong)


def test_a_wrong_return_is_counted():
    state = [PRESENT] * 5 + [LOST, LOST, PRESENT, LOST, LOST, PRESENT, PRESENT]
    seen = [True] * 5 + [False] * 5 + [True] * 2
    clip = observed(kind="pan", state=state, overlap=[0.8] * 10 + [0.05] * 2, seen=seen)
    assert SCRIPT.returned(clip) == (True, None, 2, 2)
    assert SCRIPT.returned(observed(kind="plain")) is None
    assert not SCRIPT.returned(observed(kind="cut", overlap=[0.1] * 12, state=state, seen=seen)).followed
    lost = [LOST] * 5 + state[5:]
    assert not SCRIPT.returned(observed(kind="cut", overlap=[0.8] * 12, state=lost, seen=seen)).followed


@pytest.fixture
def sequences(tmp_path):
    """Two of 120 frames, one all red, one all blue, with the target at the same place."""
    made = []
    for name, colour in (("red", (0, 0, 200)), ("blue", (200, 0, 0))):
        frames = [tmp_path / f"{name}{i}.png" for i in range(120)]
        for frame in frames:
            cv2.imwrite(str(frame), np.full((24, 32, 3), colour, np.uint8))
        made.append(Sequence(name, frames, np.tile([10.0, 8, 6, 5], (120, 1))))
    return made


@pytest.mark.parametrize("away", [away for _, away in SCRIPT.ABSENCES])
@pytest.mark.parametrize("kind", ["cut", "hidden", "pan"])
def test_clips_show_another_scene_while_the_target_is_gone(sequences, kind, away):
    clips = {clip.name: clip for clip in SCRIPT.make_clips(sequences)}
    assert len(clips) == 14
    frames = list(clips[f"red {kind} {away}"].frames())
    gone = np.flatnonzero([not seen for _, _, seen in frames])
    assert away <= len(gone) <= away + 2 * SCRIPT.RAMP and gone[0] >= SCRIPT.BEFORE
    assert len(frames) - 1 - gone[-1] >= SCRIPT.LIMIT
    middle = frames[gone[len(gone) // 2]][0]
    assert middle[10, 12].tolist() == [0, 0, 200] and middle.shape == (24, 32, 3)
    assert frames[0][0][10, 12].tolist() == [200, 0, 0] == frames[-1][0][10, 12].tolist()
