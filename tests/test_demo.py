from itertools import islice
from pathlib import Path

import numpy as np

from pgnet.boxes import iou
from pgnet.demo import HEIGHT, WIDTH, demo_frames, write_demo_clip
from pgnet.video.reader import open_source


def test_the_same_every_time() -> None:
    for (a, box_a), (b, box_b) in zip(islice(demo_frames(), 2), islice(demo_frames(), 2), strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(box_a, box_b)
        assert a.shape == (HEIGHT, WIDTH, 3)
        assert a.dtype == np.uint8


def test_what_happens_in_it() -> None:
    frames = list(demo_frames(30))
    boxes = np.array([box for _, box in frames])
    assert (boxes[:, :2] > 0).all()
    assert (boxes[:, :2] + boxes[:, 2:] < (WIDTH, HEIGHT)).all(), "always inside the frame"
    assert boxes[-1, 2:].prod() > 2 * boxes[0, 2:].prod(), "grows"
    assert (boxes[:, 2] / boxes[:, 3]).max() / (boxes[:, 2] / boxes[:, 3]).min() > 1.5, "turns"
    assert boxes[-1, 0] - boxes[0, 0] > WIDTH / 2, "moves"
    # The ground moves too: a corner that neither stone nor trunk reaches changes by more than noise.
    corners = [image[:80, -120:].astype(int) for image, _ in frames]
    assert np.abs(corners[10] - corners[0]).mean() > 10
    # The stone is warmer than everything else: less of it shows behind the trunk, but never nothing.
    shown = []
    for image, (x, y, w, h) in frames:
        patch = image[int(y) : int(y + h), int(x) : int(x + w)].astype(int)
        shown.append((patch[..., 0] - patch[..., 2] > 35).mean())
    assert min(shown) < 0.6 * np.median(shown)
    assert min(shown) > 0.03


def test_movement_can_be_followed() -> None:
    boxes = np.array([box for _, box in islice(demo_frames(), 12)])
    assert iou(boxes[1:], boxes[:-1]).min() > 0.75


def test_clip(tmp_path: Path) -> None:
    boxes = write_demo_clip(tmp_path / "demo.mp4", 6)
    assert boxes.shape == (6, 4)
    with open_source(tmp_path / "demo.mp4") as source:
        assert [f.time for f in source] == [i / 30 for i in range(6)]
        assert (source.width, source.height, source.fps) == (WIDTH, HEIGHT, 30)
