"""Evidence, probability and states."""

import numpy as np
import pytest

from pgnet.errors import PgnetError
from pgnet.tracking.postprocess import Candidate
from pgnet.tracking.presence import LOST, PRESENT, UNCERTAIN, Evidence, Presence, gather, logit, next_state

SURE = Candidate(np.array([127.5, 127.5, 64.0, 64.0]), 0.98, 1.0, rival=0.02, support=30, spread=0.02)
DOUBTFUL = Candidate(np.array([180.0, 60.0, 90.0, 40.0]), 0.3, 0.8, rival=0.28, support=4, spread=0.2)


def evidence(candidate: Candidate) -> Evidence:
    moved = float(np.hypot(*(candidate.box[:2] - 127.5)))
    return gather(candidate, (64, 64), moved, recent=4.0, reference=5.0)


def test_evidence_says_what_differs() -> None:
    sure, doubtful = evidence(SURE), evidence(DOUBTFUL)
    assert sure.change == sure.motion == 0
    assert sure.logit == pytest.approx(np.log(0.98 / 0.02)) and sure.fall == pytest.approx(5 - sure.logit)
    assert doubtful.margin < 0.2 < 6 == pytest.approx(sure.margin)
    assert doubtful.change > 0.5 and doubtful.motion > 1
    assert doubtful.recent < sure.recent < 4.1


def test_extreme_scores_stay_finite() -> None:
    assert logit(0) == -6 and logit(1) == 6
    nothing = Candidate(np.array([127.5, 127.5, 0.0, 64.0]), 0.0, 1.0)
    assert np.isfinite(evidence(nothing)).all()


def test_probability_is_logistic() -> None:
    presence = Presence(bias=-1, weights={"margin": 0.5})
    value = -1 + 0.5 * evidence(SURE).margin
    assert presence.probability(evidence(SURE)) == pytest.approx(1 / (1 + np.exp(-value)))
    assert 0 < Presence(bias=-1e9).probability(evidence(SURE)) < 1e-9


def test_states_do_not_flicker() -> None:
    presence = Presence(sure=0.6, doubtful=0.2, patience=3)
    state, doubts, seen = PRESENT, 0, []
    for probability in (0.9, 0.1, 0.1, 0.9, 0.5, 0.1, 0.1, 0.1, 0.5, 0.3, 0.7):
        state, doubts = next_state(state, doubts, probability, presence)
        seen.append(state)
    assert seen == [PRESENT, UNCERTAIN, UNCERTAIN, PRESENT, UNCERTAIN, UNCERTAIN, UNCERTAIN, LOST, LOST, LOST, PRESENT]


def test_a_model_of_another_version_is_refused() -> None:
    with pytest.raises(PgnetError, match="shoe_size"):
        Presence(weights={"shoe_size": 1.0})
    with pytest.raises(PgnetError, match="patience"):
        Presence(patience=0)


def test_a_model_survives_its_file() -> None:
    presence = Presence(-1.5, {"logit": 1.0, "spread": -3.0}, sure=0.7)
    assert Presence(**presence.to_json()) == presence
