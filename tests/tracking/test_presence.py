"""Evidence, probability and states."""

import numpy as np
import pytest

from pgnet.errors import PgnetError
from pgnet.tracking.postprocess import Candidate
from pgnet.tracking.presence import LOST, PRESENT, UNCERTAIN, Belief, Evidence, Presence, gather, logit, next_belief

SURE = gather(Candidate(np.array([127.5, 127.5, 64.0, 64.0]), 0.98, 1.0), likeness=0.96)
DOUBTFUL = gather(Candidate(np.array([180.0, 60.0, 90.0, 40.0]), 0.3, 0.8), likeness=0.4)


def test_evidence_is_larger_for_the_better_candidate() -> None:
    assert SURE.score == pytest.approx(np.log(0.98 / 0.02))
    assert SURE.colour == pytest.approx(-0.2)
    assert all(a > b for a, b in zip(SURE, DOUBTFUL, strict=True))


def test_extreme_scores_stay_finite() -> None:
    assert logit(0) == -6 and logit(1) == 6
    nothing = Candidate(np.array([127.5, 127.5, 0.0, 64.0]), 0.0, 1.0)
    assert np.isfinite(gather(nothing, likeness=1.0001)).all()


def test_probability_is_logistic() -> None:
    presence = Presence(bias=-1, weights={"score": 0.5})
    assert presence.probability(SURE) == pytest.approx(1 / (1 + np.exp(1 - 0.5 * SURE.score)))
    assert 0 < Presence(bias=-1e9).probability(SURE) < 1e-9
    assert Presence().probability(SURE) > 0.8 > 0.2 > Presence().probability(DOUBTFUL)


def test_states_do_not_flicker() -> None:
    presence = Presence(sure=0.6, doubtful=0.2, patience=3, confirm=4)
    belief, seen = Belief(), []
    for probability in (0.9, 0.1, 0.1, 0.9, 0.5, 0.1, 0.1, 0.1, 0.5, 0.9, 0.1, 0.9, 0.9, 0.5):
        belief = next_belief(belief, probability, logit(probability), presence)
        seen.append(belief.state)
    held = [PRESENT, UNCERTAIN, UNCERTAIN, PRESENT, UNCERTAIN, UNCERTAIN, UNCERTAIN]
    assert seen == [*held, *[LOST] * 5, PRESENT, UNCERTAIN]


def frames_to_return(probability: float) -> int:
    """How many such frames make a lost target present; 0: however many."""
    belief = Belief(LOST)
    for frame in range(1, 100):
        belief = next_belief(belief, probability, logit(probability), Presence())
        if belief.state != LOST:
            return frame
    return 0


def test_the_surer_the_sooner_a_lost_target_is_present() -> None:
    waits = [frames_to_return(probability) for probability in (0.99, 0.9, 0.8, 0.7, 0.5)]
    assert waits == [2, 2, 3, 4, 0]


def test_what_has_other_colours_says_less_for_a_lost_target() -> None:
    presence = Presence(caution=8)
    alike, other = Evidence(4, -0.1), Evidence(4, -0.4)
    assert presence.proof(alike) == pytest.approx(logit(presence.probability(alike)))
    assert presence.proof(other) == pytest.approx(logit(presence.probability(other)) - 8 * 0.2)


def test_frames_without_a_sure_one_are_counted() -> None:
    belief, counts = Belief(), []
    for probability in (0.9, 0.5, 0.1, 0.5, 0.7, 0.5):
        belief = next_belief(belief, probability, 0.0, Presence(sure=0.6, doubtful=0.2))
        counts.append(belief.unsure)
    assert counts == [0, 1, 2, 3, 0, 1]


def test_a_model_of_another_version_is_refused() -> None:
    with pytest.raises(PgnetError, match="shoe_size"):
        Presence(weights={"shoe_size": 1.0})
    with pytest.raises(PgnetError, match="patience"):
        Presence(patience=0)
    with pytest.raises(PgnetError, match="caution"):
        Presence(caution=-1)
    with pytest.raises(PgnetError, match="doubtful"):
        Presence(sure=0.1)


def test_a_model_survives_its_file() -> None:
    presence = Presence(-1.5, dict.fromkeys(Evidence._fields, 0.5), sure=0.7)
    assert Presence(**presence.to_json()) == presence
