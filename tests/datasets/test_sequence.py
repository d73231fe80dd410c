import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest

from pgnet.datasets import NumberedFrames, Sequence
from pgnet.errors import PgnetError


def test_numbered_frames_are_a_sequence_of_paths():
    frames = NumberedFrames(Path("img"), "{:08d}.jpg", range(3, 1_400_000))
    assert len(frames) == 1_399_997
    assert frames[0] == Path("img/00000003.jpg")
    assert frames[-1] == Path("img/01399999.jpg")
    assert list(frames[::600_000]) == [Path(f"img/{n:08d}.jpg") for n in (3, 600_003, 1_200_003)]
    assert frames[5:7][1] == Path("img/00000009.jpg")
    assert len(pickle.dumps(frames)) < 500  # what a worker is sent, and what a million frames take in memory
    with pytest.raises(IndexError):
        frames[1_399_997]


def test_image_is_rgb(tmp_path):
    path = tmp_path / "1.png"
    cv2.imwrite(str(path), np.full((4, 5, 3), (10, 20, 30), np.uint8))
    sequence = Sequence("s", [path, tmp_path / "2.png"], np.ones((2, 4)))
    assert sequence.image(0)[0, 0].tolist() == [30, 20, 10]
    with pytest.raises(PgnetError, match=r"2\.png cannot be read"):
        sequence.image(1)


def test_every_takes_all_that_belongs_to_the_frames():
    sequence = Sequence(
        "s",
        [Path(str(i)) for i in range(5)],
        np.arange(20.0).reshape(5, 4),
        absent=np.array([0, 0, 1, 0, 1], bool),
        cover=np.arange(5, dtype=np.uint8),
        regions=np.arange(40.0).reshape(5, 8),
        tags={"occlusion": np.array([1, 0, 0, 0, 1], bool)},
        attributes=("SV",),
    ).every(2)
    assert [path.name for path in sequence.frames] == ["0", "2", "4"]
    assert sequence.boxes[:, 0].tolist() == [0, 8, 16]
    assert sequence.absent.tolist() == [False, True, True]
    assert sequence.cover.tolist() == [0, 2, 4]
    assert sequence.regions[:, 0].tolist() == [0, 16, 32]
    assert sequence.tags["occlusion"].tolist() == [True, False, True]
    assert sequence.attributes == ("SV",)


def test_values_must_fit_the_frames():
    with pytest.raises(PgnetError, match="2 frames, but 3 values of absent"):
        Sequence("s", [Path("1"), Path("2")], np.ones((2, 4)), absent=np.zeros(3, bool))
