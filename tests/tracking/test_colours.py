import cv2
import numpy as np
import pytest

from pgnet.tracking.colours import Colours, colours_in

CENTRE, SIZE = np.array([60.0, 40.0]), np.array([30.0, 20.0])


def scene(colour: tuple[int, int, int], ground: tuple[int, int, int] = (70, 110, 60), light: float = 1.0) -> np.ndarray:
    image = np.full((90, 120, 3), ground, np.uint8)
    cv2.rectangle(image, (45, 30), (74, 49), colour, -1)
    noise = np.random.default_rng(3).normal(0, 6, image.shape)
    return np.clip(image * light + noise, 0, 255).astype(np.uint8)


def test_the_same_colours_are_alike_and_others_are_not() -> None:
    red = Colours.of(scene((200, 40, 30)), CENTRE, SIZE)
    assert red.likeness(colours_in(scene((200, 40, 30)), CENTRE, SIZE)) > 0.95
    assert red.likeness(colours_in(scene((200, 40, 30), light=0.85), CENTRE, SIZE)) > 0.6
    assert red.likeness(colours_in(scene((40, 60, 200)), CENTRE, SIZE)) < 0.3
    assert red.likeness(colours_in(scene((200, 40, 30)), np.array([20.0, 70.0]), SIZE)) < 0.3  # the ground


def test_colours_follow_the_light() -> None:
    first = Colours.of(scene((200, 40, 30)), CENTRE, SIZE)
    bright, dark = (colours_in(scene((200, 40, 30), light=light), CENTRE, SIZE) for light in (1.0, 0.5))
    now = first
    for _ in range(20):
        now = now.followed(dark)
    assert now.likeness(dark) > 0.9 > 0.7 > first.likeness(dark)
    assert now.likeness(bright) == first.likeness(bright)  # those of the first frame are kept


def test_colours_of_the_surroundings_count_little() -> None:
    """Half of the box is ground: a box on ground alone is not half like it."""
    image = scene((200, 40, 30))
    wide = Colours.of(image, CENTRE, SIZE * (2, 1))
    assert wide.likeness(colours_in(image, np.array([30.0, 75.0]), SIZE)) < 0.4


@pytest.mark.parametrize("centre", [(-50, 40), (119.9, 89.9), (0, 0)])
def test_boxes_at_the_border(centre: tuple[float, float]) -> None:
    image = scene((200, 40, 30))
    colours = Colours.of(image, CENTRE, SIZE)
    for place, size in ((np.array(centre, float), SIZE), (CENTRE, np.array([1000.0, 900.0]))):
        assert 0 <= colours.likeness(colours_in(image, place, size)) <= 1.001
