"""Losses, and the frames that a person should look at."""

import numpy as np
import pytest

from pgnet.errors import PgnetError
from pgnet.results import ModelInfo, SourceInfo, TargetTrack, Track
from pgnet.results.review import losses, review


def track_of(*targets: str, keys: tuple[int, ...] = ()) -> Track:
    """One letter for each frame: p present, u uncertain, l lost, a absent."""
    track = Track(SourceInfo("a.mp4", "video", 64, 36, 10.0), ModelInfo("m", "0"), targets=[])
    for number, letters in enumerate(targets, 1):
        track.targets.append(TargetTrack(number))
        for frame, letter in enumerate(letters):
            presence = {"p": 0.98, "u": 0.4, "l": 0.02, "a": 1.0}[letter]
            state = {"u": "uncertain", "l": "lost"}.get(letter, "present")
            track.targets[-1].append(
                frame,
                frame / 10,
                (1, 2, 3, 4),
                presence=presence,
                state=state,
                absent=letter == "a",
                keyframe=frame in keys,
            )
    return track


def test_events_say_when_the_target_was_gone() -> None:
    track = track_of("pplllppaaplaapa", "lp")
    assert [tuple(event) for event in track.targets[0].events] == [
        (2, 0.2, 1, "lost"),
        (5, 0.5, 1, "back"),
        (7, 0.7, 1, "absent"),
        (9, 0.9, 1, "back"),
        (10, 1.0, 1, "lost"),
        (11, 1.1, 1, "absent"),
        (13, 1.3, 1, "back"),
        (14, 1.4, 1, "absent"),
    ]
    assert [(e.frame, e.target, e.event) for e in track.events][:3] == [(0, 2, "lost"), (1, 2, "back"), (2, 1, "lost")]
    assert TargetTrack().events == []


def test_doubtful_frames_become_moments() -> None:
    track = track_of("p" * 20 + "uupuu" + "p" * 75)
    (moment,) = review(track)
    assert (moment.kind, moment.first, moment.last, moment.affects) == ("uncertain", 20, 24, 80)
    assert moment.frame == 20 and moment.time == 2.0 and moment.presence == pytest.approx(0.4)


def test_a_loss_and_what_came_back_are_looked_at() -> None:
    track = track_of("p" * 30 + "uu" + "l" * 10 + "u" + "p" * 57)
    found = {moment.kind: moment for moment in review(track)}
    assert set(found) == {"lost", "back"}
    assert (found["lost"].first, found["lost"].last, found["lost"].frame) == (30, 41, 30)
    assert (found["back"].first, found["back"].frame, found["back"].affects) == (42, 42, 58)


def test_the_worst_is_first() -> None:
    """An equal doubt weighs more the more of the track hangs on it, up to the next row that a person set."""
    early, late = "p" * 50 + "u" + "p" * 449 + "u" + "p" * 9, (300,)
    assert [m.frame for m in review(track_of(early))] == [50, 500]
    assert [m.affects for m in review(track_of(early, keys=late))] == [250, 10]
    lost = "p" * 50 + "u" + "p" * 20 + "l" * 100 + "p" * 20
    assert review(track_of(lost))[0].kind == "lost"
    costs = [m.cost for m in review(track_of(lost))]
    assert costs == sorted(costs, reverse=True)


def test_what_a_person_set_is_not_asked_again() -> None:
    track = track_of("p" * 10 + "uuuuu" + "p" * 10, keys=(12,))
    assert sorted((m.first, m.last) for m in review(track)) == [(10, 11), (13, 14)]
    assert review(track_of("p" * 10 + "l" * 5 + "p" * 5, keys=(15,)))[0].kind == "lost"
    assert len(review(track_of("p" * 10 + "l" * 5 + "p" * 5, keys=(15,)))) == 1


def test_several_targets_and_none_in_doubt() -> None:
    assert review(track_of("p" * 9)) == []
    assert [m.target for m in review(track_of("p" * 9, "p" * 5 + "u" * 4))] == [2]
    assert review(track_of("", "pl"))[0].affects == 1


def test_a_track_without_presence_is_refused() -> None:
    track = track_of("p")
    track.append(3, 0.3, (1, 2, 3, 4), 0.7)
    track.target._rows[-1] = track.target._rows[7] = 1.0
    with pytest.raises(PgnetError, match="does not say how sure"):
        review(track)
    track.model = None  # annotations of persons
    assert review(track) == []
    assert np.isfinite(track.boxes).all()


def test_losses_in_words() -> None:
    assert losses(track_of("ppp")) == ""
    assert losses(track_of("pllpplll")) == "Lost at frame 1, back at 3; lost at frame 5, not found again"
    assert losses(track_of("paapa")) == ""
    assert losses(track_of("pllaplla")) == "Lost at frame 1, absent at 3; lost at frame 5, absent at 7"
    assert losses(track_of("plplplplp", "ppppllpp")).endswith("; 2 more losses")
    two = track_of("ppp", "plp")
    assert losses(two) == "Target 2 was lost at frame 1, back at 2"
    two.targets[1].label = "Dog"
    assert losses(two) == "Target 2 (Dog) was lost at frame 1, back at 2"
