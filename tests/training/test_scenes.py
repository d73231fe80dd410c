"""Composed clips: the truth says where the object is, and whether it can be seen."""

from pathlib import Path

import numpy as np
import pytest

from pgnet.errors import PgnetError
from pgnet.training.scenes import KINDS, SIZES, SceneFrame, Scenes
from pgnet.training.sources import DataSet, Sources, read_sources

FRAMES, AWAY = 36, 12


@pytest.fixture(scope="module")
def scenes(training_root: Path) -> Scenes:
    return Scenes(read_sources([DataSet(training_root)], hold_out=False)[0][0], frames=FRAMES, away=AWAY)


@pytest.fixture(scope="module")
def clips(scenes: Scenes) -> list[list[SceneFrame]]:
    return [list(scenes.clip(number)) for number in range(8)]


def test_every_clip_has_its_frames_and_begins_with_the_object(clips: list[list[SceneFrame]]) -> None:
    for clip in clips:
        assert len(clip) == FRAMES
        height, width = clip[0].image.shape[:2]
        assert (width, height) in SIZES
        assert clip[0].seen
        x, y, w, h = clip[0].box
        assert min(w, h) > 5 and x > -w / 2 and y > -h / 2 and x + w / 2 < width and y + h / 2 < height


def test_the_object_goes_and_comes_back(clips: list[list[SceneFrame]]) -> None:
    for number, clip in enumerate(clips):
        unseen = np.flatnonzero([not frame.seen for frame in clip])
        if KINDS[number % len(KINDS)] != "stays":
            assert len(unseen) >= AWAY - 2
            assert unseen[0] >= FRAMES // 5 and clip[-1].seen


def test_cut_away_the_picture_is_another(clips: list[list[SceneFrame]]) -> None:
    clip = clips[KINDS.index("cut")]
    first = int(np.flatnonzero([not frame.seen for frame in clip])[0])
    cut, before = (np.abs(clip[i].image.astype(float) - clip[i - 1].image).mean() for i in (first, first - 1))
    assert cut > 3 * before


def test_who_leaves_is_outside(clips: list[list[SceneFrame]]) -> None:
    clip = clips[KINDS.index("leaves")]
    height, width = clip[0].image.shape[:2]
    outside = [frame.box for frame in clip if not frame.seen]
    x, y, w, h = outside[len(outside) // 2]
    assert x + w < 0.5 * w or y + h < 0.5 * h or x > width - 0.5 * w or y > height - 0.5 * h


def test_a_clip_is_always_the_same(scenes: Scenes) -> None:
    first, again = (next(iter(scenes.clip(5))) for _ in range(2))
    np.testing.assert_array_equal(first.image, again.image)
    np.testing.assert_array_equal(first.box, again.box)


def test_outlines_are_needed() -> None:
    with pytest.raises(PgnetError, match="outlines and photographs"):
        Scenes(Sources())
