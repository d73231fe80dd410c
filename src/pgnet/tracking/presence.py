"""Is the box on the target? An estimated probability, and a state that does not flicker.

What the network's outputs and the motion say about a candidate is put into a few numbers (`Evidence`); a logistic
regression, which a model file may bring (`benchmarks/presence.py` fits one), turns them into the
probability that the box overlaps the target by 0.5 or more; two thresholds with hysteresis turn that into a state.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

import numpy as np

from pgnet.errors import PgnetError
from pgnet.tracking.postprocess import Candidate

PRESENT, UNCERTAIN, LOST = STATES = ("present", "uncertain", "lost")


class Evidence(NamedTuple):
    """What speaks for a candidate; every number is of order one."""

    logit: float
    """Of its score, -6 to 6."""
    fall: float
    """How far the logit lies below the one that the target itself got on the first frame."""
    margin: float
    """Logit above that of the best candidate elsewhere, at most 6."""
    support: float
    """Logarithm of how many candidates of its own score agree with it (sum of scores over its score, from 1)."""
    spread: float
    """Standard deviation of the logarithms of the agreeing candidates' sizes, weighed by score."""
    change: float
    """Logarithm of the change of size and of shape since the last frame, from 0."""
    motion: float
    """Distance from the last position in target sizes (square root of the area), at most 3."""
    recent: float
    """Mean of the logits of this and the last frames, the nearest weighed most."""


MEMORY = 0.8
"""Weight that `recent` keeps of its last value in each frame."""


def logit(score: float) -> float:
    """Logarithm of the odds, -6 to 6."""
    return max(-6.0, min(6.0, math.log((score + 1e-9) / (1 - score + 1e-9))))


def gather(candidate: Candidate, size: tuple[float, float], moved: float, recent: float, reference: float) -> Evidence:
    """The evidence for a candidate.

    Args:
        candidate: in search-crop pixels.
        size: the target's width and height so far, in the same pixels.
        moved: distance of its centre from the last one, likewise.
        recent: `Evidence.recent` of the last frame.
        reference: logit of the target itself on the first frame.
    """
    own = logit(candidate.score)
    (w, h), (last_w, last_h) = np.maximum(candidate.box[2:], 1e-3), size
    area_ratio, shape_ratio = w * h / (last_w * last_h), w / h / (last_w / last_h)
    return Evidence(
        logit=own,
        fall=reference - own,
        margin=min(6.0, own - logit(candidate.rival)),
        support=math.log(max(1.0, candidate.support)),
        spread=candidate.spread,
        change=abs(math.log(area_ratio)) / 2 + abs(math.log(shape_ratio)),
        motion=min(3.0, moved / math.sqrt(last_w * last_h)),
        recent=MEMORY * recent + (1 - MEMORY) * own,
    )


@dataclass(frozen=True)
class Presence:
    """The regression and the thresholds of the states.

    The default weights were set by hand on the development sequences: a score near 1 without a rival is believed.

    Raises:
        PgnetError: a weight for something that is not in `Evidence`, or thresholds out of order.
    """

    bias: float = -6.0
    weights: Mapping[str, float] = field(default_factory=lambda: {"logit": 1.2, "margin": 0.7})
    sure: float = 0.8
    """Probability from which the target is present."""
    doubtful: float = 0.2
    """Probability under which a frame speaks for a loss."""
    patience: int = 5
    """Frames in a row that have to speak for a loss."""

    def __post_init__(self) -> None:
        if unknown := sorted(set(self.weights) - set(Evidence._fields)):
            raise PgnetError(f"The presence model weighs {', '.join(unknown)}, which this version does not know.")
        if not 0 <= self.doubtful <= self.sure <= 1 or self.patience < 1:
            raise PgnetError("The presence model needs 0 <= doubtful <= sure <= 1 and a patience of at least 1.")

    def probability(self, evidence: Evidence) -> float:
        """That the candidate's box overlaps the target by 0.5 or more."""
        value = self.bias + sum(weight * getattr(evidence, name) for name, weight in self.weights.items())
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, value))))

    def to_json(self) -> dict[str, Any]:
        """For the model file's description."""
        return asdict(self)


def next_state(last: str, doubts: int, probability: float, presence: Presence) -> tuple[str, int]:
    """The state after a frame, and for how many frames in a row the probability has spoken for a loss.

    A target is lost after `patience` such frames, and then only a sure frame makes it present again.
    """
    doubts = doubts + 1 if probability < presence.doubtful else 0
    if probability >= presence.sure:
        return PRESENT, 0
    if last == LOST or doubts >= presence.patience:
        return LOST, doubts
    return UNCERTAIN, doubts
