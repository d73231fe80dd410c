"""Is the box on the target? A calibrated probability, and a state that does not flicker.

What the network's outputs and the colours say about a candidate is put into two numbers, each of which speaks for the
target where it is larger (`Evidence`); a logistic regression without negative weights, which a model file may bring
(`benchmarks/presence.py` fits one), turns them into the probability that the box overlaps the target by 0.5 or more;
thresholds and waiting times turn that into a state. `docs/presence.md` has the measurements.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from pgnet.errors import PgnetError
from pgnet.tracking.postprocess import Candidate

PRESENT, UNCERTAIN, LOST = STATES = ("present", "uncertain", "lost")


class Evidence(NamedTuple):
    """What speaks for a candidate: the larger, the more."""

    score: float
    """Logarithm of the odds that the network gives, -6 to 6."""
    colour: float
    """Minus the Hellinger distance of its colours from the target's, -1 to 0."""


ALIKE = -0.2
"""Colours of a target that is sure to be seen are about so much alike to its own, or more."""


def logit(score: float) -> float:
    """Logarithm of the odds, -6 to 6."""
    return max(-6.0, min(6.0, math.log((score + 1e-9) / (1 - score + 1e-9))))


def gather(candidate: Candidate, likeness: float) -> Evidence:
    """The evidence for the best candidate in a search crop, with the `likeness` of its colours (`Colours`)."""
    return Evidence(logit(candidate.score), -math.sqrt(max(0.0, 1 - likeness)))


@dataclass(frozen=True)
class Presence:
    """The regression and the thresholds of the states.

    The default weights were fitted for pgnet-lite.

    Raises:
        PgnetError: a weight for something that is not in `Evidence`, or thresholds out of order.
    """

    bias: float = 0.33
    weights: Mapping[str, float] = field(default_factory=lambda: {"score": 0.68, "colour": 4.5})
    sure: float = 0.6
    """Probability from which the target is present."""
    doubtful: float = 0.2
    """Probability under which a frame speaks for a loss."""
    patience: int = 3
    """Frames in a row that have to speak for a loss."""
    confirm: float = 3.0
    """What the frames say for a lost target (`Presence.proof`) adds up to this before it is present again."""
    caution: float = 8.0
    """What is taken from that for each unit by which the colours are less alike than `ALIKE`."""

    def __post_init__(self) -> None:
        if unknown := sorted(set(self.weights) - set(Evidence._fields)):
            raise PgnetError(f"The presence model weighs {', '.join(unknown)}, which this version does not know.")
        if not 0 <= self.doubtful <= self.sure <= 1 or self.patience < 1 or min(self.confirm, self.caution) < 0:
            raise PgnetError(
                "The presence model needs 0 <= doubtful <= sure <= 1, patience of at least 1, and confirm and caution "
                "of at least 0."
            )

    def probability(self, evidence: Evidence) -> float:
        """That the candidate's box overlaps the target by 0.5 or more."""
        value = self.bias + sum(weight * getattr(evidence, name) for name, weight in self.weights.items())
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, value))))

    def proof(self, evidence: Evidence) -> float:
        """What a frame says for a target that is lost: the logarithm of the odds, less where the colours are others.

        What was lost may be nowhere in the frame, and what looks like it to the network is then something else.
        """
        return logit(self.probability(evidence)) - self.caution * max(0.0, ALIKE - evidence.colour)

    def to_json(self) -> dict[str, Any]:
        """For the model file's description."""
        return asdict(self)


class Belief(NamedTuple):
    """What is thought of a target after a frame."""

    state: str = PRESENT
    """Of `STATES`."""
    doubts: int = 0
    """Frames in a row that speak for a loss."""
    proof: float = 0.0
    """What has spoken for a lost target since the last doubtful frame."""
    unsure: int = 0
    """Frames in a row that are not sure."""


def next_belief(last: Belief, probability: float, proof: float, presence: Presence) -> Belief:
    """The belief after one more frame, in which the box is right with that `probability`.

    A target is lost after `patience` doubtful frames in a row, and from then on until enough speaks for it, as in a
    sequential probability ratio test (Wald, 1945): a few frames that are very sure, or more that are less so.
    """
    sure, doubtful = probability >= presence.sure, probability < presence.doubtful
    doubts, unsure = last.doubts + 1 if doubtful else 0, 0 if sure else last.unsure + 1
    if last.state == LOST:
        proof = min(proof, presence.confirm / 2)  # no frame is enough by itself
        total = 0.0 if doubtful else max(0.0, last.proof + proof)
        if total < presence.confirm:
            return Belief(LOST, doubts, total, unsure)
    elif doubts >= presence.patience:
        return Belief(LOST, doubts, 0.0, unsure)
    return Belief(PRESENT if sure else UNCERTAIN, doubts, 0.0, unsure)
