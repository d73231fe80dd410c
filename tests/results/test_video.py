import numpy as np
import pytest

from pgnet.errors import PgnetError
from pgnet.results import ModelInfo, SourceInfo, TargetTrack, Track
from pgnet.results.video import Annotated, Concealed, FollowCrop, drawn_boxes, write_video
from pgnet.video import Frame, FrameReader

WIDTH, HEIGHT, COUNT = 320, 240, 40
GREY = 120


def frame(number, box=None):
    """Grey, with a white box."""
    image = np.full((HEIGHT, WIDTH, 3), GREY, np.uint8)
    if box is not None:
        x, y, w, h = map(round, box)
        image[max(0, y) : y + h, max(0, x) : x + w] = 255
    return Frame(number, number / 20, image)


def target(boxes, first=0, id=1, label="", **flags):
    found = TargetTrack(id, label)
    for n, box in enumerate(boxes, first):
        found.append(n, n / 20, box, 0.9, **{name: value(n) for name, value in flags.items()})
    return found


def track(*targets):
    return Track(SourceInfo("clip.mp4", "video", WIDTH, HEIGHT, 20, COUNT), targets=list(targets))


def extent(image):
    """x, y, w, h of what is white."""
    rows, columns = np.nonzero(image[..., 0] > 200)
    return columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1


SHAKY = [(100 + 2 * i + (i % 2) * 6, 90 + (i % 3) * 4, 40, 50) for i in range(COUNT)]


@pytest.mark.parametrize("ratio", [1.0, 9 / 16, 2.0])
def test_the_crop_holds_the_target_and_is_steady(ratio):
    crop = FollowCrop(target(SHAKY), (WIDTH, HEIGHT), ratio, fps=20)
    assert crop.size[0] / crop.size[1] == pytest.approx(ratio, rel=0.03)
    assert crop.size[0] % 2 == crop.size[1] % 2 == 0
    places = []
    for n, box in enumerate(SHAKY):
        picture = crop(frame(n, box))
        assert picture.shape == (crop.size[1], crop.size[0], 3) and picture.dtype == np.uint8
        x, y, w, h = extent(picture)
        assert w / h == pytest.approx(40 / 50, abs=0.06)  # nothing of it is cut off, or stretched
        assert 0.2 < max(w / crop.size[0], h / crop.size[1]) < 0.6
        places.append((x - SHAKY[n][0], y - SHAKY[n][1]))
    # The frame's own content moves evenly: its jumps are much smaller than those of the target.
    assert np.abs(np.diff(places, 2, axis=0)).max() <= 3 < np.abs(np.diff(SHAKY, 2, axis=0)).max()


def test_the_crop_stays_in_the_frame_and_in_it_is_room_for_all():
    boxes = [(-20 + i, 200, 60, 60) for i in range(COUNT)]
    crop = FollowCrop(target(boxes), (WIDTH, HEIGHT))
    assert (crop._corners >= 0).all() and (crop._corners + crop._sizes <= (WIDTH, HEIGHT)).all()
    large = FollowCrop(target([(10, 10, 300, 220)] * COUNT), (WIDTH, HEIGHT), 9 / 16)
    assert large.size[1] <= HEIGHT and large(frame(0)) is not None


def test_the_crop_moves_on_evenly_where_the_target_is_lost():
    """While it is lost, its box jumps somewhere else, which the crop does not follow."""
    lost = range(15, 25)
    boxes = [(250, 10, 40, 40) if n in lost else (60 + 2 * n, 100, 40, 40) for n in range(COUNT)]
    state = target(boxes, state=lambda n: "lost" if n in lost else "present")
    crop = FollowCrop(state, (WIDTH, HEIGHT))
    straight = FollowCrop(target([(60 + 2 * n, 100, 40, 40) for n in range(COUNT)]), (WIDTH, HEIGHT))
    assert np.abs(crop._corners - straight._corners).max() < 0.5


def test_frames_without_the_target_are_left_out():
    crop = FollowCrop(target(SHAKY[:5], first=10), (WIDTH, HEIGHT))
    assert [n for n in range(COUNT) if crop(frame(n)) is not None] == [10, 11, 12, 13, 14]
    one = FollowCrop(target(SHAKY[:1]), (WIDTH, HEIGHT))
    assert one(frame(0)) is not None


def test_a_target_that_is_never_seen_has_no_crop():
    with pytest.raises(PgnetError, match="seen in no frame"):
        FollowCrop(target(SHAKY, absent=lambda n: True), (WIDTH, HEIGHT))


@pytest.mark.parametrize("blocks", [False, True])
def test_what_is_concealed_cannot_be_made_out(blocks):
    noise = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    box = (100.5, 80.2, 60, 40)
    concealed = Concealed([target([box])], (WIDTH, HEIGHT), blocks=blocks)
    image = concealed(Frame(0, 0.0, noise))
    assert not np.shares_memory(image, noise)
    inside = image[82:118, 103:158].astype(float)
    assert inside.std() < noise.std() / 3  # detail is gone, and not to be had back from what is left
    assert len(np.unique(inside.reshape(-1, 3), axis=0)) <= (48 if blocks else 36 * 55)
    changed = np.argwhere((image != noise).any(2))
    assert (changed.min(0) >= (74, 91)).all() and (changed.max(0) <= (127, 170)).all()


def test_uncertain_and_lost_targets_are_concealed_and_absent_ones_not():
    boxes = [(100, 80, 60, 40)] * 3
    states = ["uncertain", "lost", "present"]
    concealed = Concealed([target(boxes, state=lambda n: states[n], absent=lambda n: n == 2)], (WIDTH, HEIGHT))
    changed = [bool((concealed(f).copy() != f.image).any()) for f in (frame(n, (120, 90, 10, 10)) for n in range(3))]
    assert changed == [True, True, False]
    outside = Concealed([target([(400, 80, 60, 40)])], (WIDTH, HEIGHT))
    assert (outside(frame(0)) == GREY).all()


def test_the_number_at_a_box_is_how_sure_the_tracker_was():
    run = track(TargetTrack())
    run.append(0, 0.0, (10, 10, 20, 20), 0.9, presence=0.6, state="uncertain")
    run.append(1, 0.1, (10, 10, 20, 20), 0.9, presence=0.1, state="lost")
    assert drawn_boxes(run, 0)[0].text == "0.90 #0"  # not from a tracker
    run.model = ModelInfo("m", "0")
    assert [drawn_boxes(run, n)[0].text for n in range(2)] == ["0.60 #0", "lost #1"]


def test_several_targets_are_told_apart():
    run = track(
        target([(10, 10, 20, 20)] * 3, label="dog"),
        target([(50, 10, 20, 20)] * 2, id=5, state=lambda n: ("present", "lost")[n]),
    )
    dog, other = drawn_boxes(run, 0)
    assert dog.text == "dog 0.90" and other.text == "5 0.90" and dog.colour != other.colour
    assert not dog.dashed and not other.dashed
    assert drawn_boxes(run, 1)[1].text == "5 lost" and drawn_boxes(run, 1)[1].dashed
    assert len(drawn_boxes(run, 2)) == 1
    picture = Annotated(run, (WIDTH, HEIGHT))(frame(0))
    assert (picture == dog.colour).all(2).any() and (picture == other.colour).all(2).any()
    chosen = {one.id: (n, 2, 3) for n, one in enumerate(run.targets)}
    assert [drawn.colour for drawn in drawn_boxes(run, 0, chosen)] == [(0, 2, 3), (1, 2, 3)]
    absent = track(target([(10, 10, 20, 20)], absent=lambda n: True))
    assert drawn_boxes(absent, 0) == []


def test_a_video_is_written_with_the_times_of_its_frames(tmp_path):
    path = tmp_path / "crop.mp4"
    crop = FollowCrop(target(SHAKY[:5], first=3), (WIDTH, HEIGHT))
    ticks = []
    count = write_video(path, (frame(n) for n in range(10)), crop, tick=lambda: ticks.append(1))
    assert count == 5 and len(ticks) == 10
    with FrameReader(path) as frames:
        assert (frames.source.width, frames.source.height) == crop.size
        assert np.diff(frames.index.times) == pytest.approx([1 / 20] * 4)


def test_without_a_frame_there_is_no_video(tmp_path):
    crop = FollowCrop(target(SHAKY[:5], first=30), (WIDTH, HEIGHT))
    with pytest.raises(PgnetError, match="no frame to write"):
        write_video(tmp_path / "crop.mp4", (frame(n) for n in range(10)), crop)
    assert list(tmp_path.iterdir()) == []
