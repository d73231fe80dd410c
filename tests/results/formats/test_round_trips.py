"""Whatever is written is read again; what gets lost is what the writer says."""

import math
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgnet.results import ModelInfo, SourceInfo, TargetTrack, Track
from pgnet.results.formats import FORMATS, read, write
from pgnet.results.track import is_one_line

WIDTH, HEIGHT, COUNT = 640, 360, 40
WORDS = {
    "labels": "labels",
    "scores": "scores",
    "occluded": "occlusion",
    "keyframes": "keyframes",
    "presence": "how sure the tracker was",
    "absent": "in which the target is absent",
    "ends": "absence before the first",
    "gaps": "gaps",
    "start": "begin later",
    "times": "times",
    "fps": "frame rate",
    "size": "frame size",
    "run": "record of the run",
}
"""What the notes say of each loss."""

labels = st.sampled_from(["", "dog", "pedestrian", "traffic light", 'a "b" <c> & d, e', "été 犬"]) | st.text(
    max_size=8
).filter(lambda text: is_one_line(text) and text == text.strip())
shares = st.floats(0, 1, allow_nan=False)


@st.composite
def boxes(draw):
    """A box whose centre is inside of the frame."""
    w, h = 1 + draw(shares) * (WIDTH - 1), 1 + draw(shares) * (HEIGHT - 1)
    return [draw(shares) * WIDTH - w / 2, draw(shares) * HEIGHT - h / 2, w, h]


@st.composite
def tracks(draw, targets):
    """A track with a row at least that can be seen."""
    fps = draw(st.sampled_from([25.0, 30000 / 1001, 1.0]))
    uneven = draw(st.booleans())
    scored = draw(st.booleans())
    states = st.sampled_from(["present", "uncertain", "lost"] if draw(st.booleans()) else ["present"])
    model = draw(st.sampled_from([None, ModelInfo("pgnet-lite", "ab" * 32)]))
    track = Track(SourceInfo("clip.mp4", "video", WIDTH, HEIGHT, fps, COUNT), model, targets=[])
    for number in draw(st.lists(st.integers(1, 9), min_size=1, max_size=targets, unique=True)):
        target = TargetTrack(number, draw(labels))
        frames = sorted(draw(st.sets(st.integers(0, COUNT - 1), min_size=1, max_size=12)))
        seen = draw(st.sampled_from(frames))
        for frame in frames:
            target.append(
                frame,
                frame / fps + (frame % 3) * 0.01 * uneven,
                draw(boxes()),
                draw(st.floats(0.01, 0.99)) if scored else 1.0,
                absent=draw(st.booleans()) and frame != seen,
                occluded=draw(st.booleans()),
                keyframe=draw(st.booleans()),
                presence=draw(st.floats(0.01, 1)),
                state="present" if frame == seen else draw(states),
            )
        track.targets.append(target)
    return track


def lost(track: Track, back: Track) -> set[str]:
    """What of the first is not in the second; its boxes must be."""
    found = set()
    others = {target.id: target for target in back.targets}
    for target in track.targets:
        other = others[target.id] if len(track.targets) > 1 else back.target  # one target needs no id
        seen, seen_back = ~target.missing, ~other.missing
        np.testing.assert_array_equal(target.frames[seen], other.frames[seen_back])
        np.testing.assert_allclose(target.boxes[seen], other.boxes[seen_back], atol=0.002)
        first, last = target.frames[seen][[0, -1]]

        def differ(name, target=target, other=other, seen=seen, seen_back=seen_back):
            a, b = getattr(target, name)[seen], getattr(other, name)[seen_back]
            return not np.allclose(a, b, atol=1e-4, equal_nan=True)

        found |= {name for name in ("scores", "presence", "occluded", "keyframes", "times") if differ(name)}
        found |= {"labels"} if other.label != target.label else set()
        inside = {f for f in target.frames[target.missing].tolist() if first < f < last}
        gone = set(other.frames[other.missing].tolist())
        found |= {"absent"} if not inside <= gone else set()
        found |= {"ends"} if not set(target.frames[target.missing].tolist()) - inside <= gone else set()
        new = gone - set(target.frames.tolist())
        found |= {"gaps"} if any(target.frames[0] < f < target.frames[-1] for f in new) else set()
        found |= {"start"} if any(f < target.frames[0] for f in new) else set()
    if "times" in found and not math.isclose(back.source.fps or 0, track.source.fps, rel_tol=1e-6):
        found = found - {"times"} | {"fps"}
    found |= {"size"} if (back.source.width, back.source.height) != (WIDTH, HEIGHT) else set()
    found |= {"run"} if back.model != track.model else set()
    return found


CASES = [(name, form.suffix, 3) for name, form in FORMATS.items() if name not in ("lasot", "got10k", "otb", "vot")]
CASES += [("mot", "", 3), ("otb", ".txt", 1), ("otb", "", 3), ("vot", ".txt", 1), ("vot", "", 3)]
CASES += [("lasot", "", 1), ("got10k", "", 1)]


@pytest.mark.parametrize(("name", "suffix", "targets"), CASES, ids=[f"{name}{suffix}" for name, suffix, _ in CASES])
def test_nothing_is_lost_in_silence(name, suffix, targets):
    known = SourceInfo("", "video", WIDTH, HEIGHT) if name == "yolo" else SourceInfo("", "video")

    @settings(max_examples=20, deadline=None, derandomize=True)
    @given(tracks(targets))
    def check(track):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, f"clip{suffix}")
            notes = " ".join(write(track, path, name))
            back = read(path, name, known=known)
            said = {key for key, words in WORDS.items() if words in notes}
            missing = lost(track, back) - said - ({"size"} if name == "yolo" else set())
            assert not missing, notes

    check()


@pytest.mark.parametrize("name", ["pgnet", "csv"])
def test_own_formats_lose_nothing(name, tmp_path):
    track = Track(SourceInfo("clip.mp4", "video", WIDTH, HEIGHT, 25.0, COUNT), targets=[])
    for number in (3, 7):
        track.targets.append(TargetTrack(number, f"dog {number}"))
        for frame in (2, 4, 9):
            flags = {
                "absent": frame == 4,
                "occluded": number == 7,
                "keyframe": frame == 9,
                "presence": 0.25,
                "state": "lost",
            }
            track.targets[-1].append(frame, math.nan if frame == 4 else frame / 7, (1, 2, 3, number), 0.25, **flags)
    write(track, tmp_path / "track", name)
    back = read(tmp_path / "track", name)
    for target, other in zip(track.targets, back.targets, strict=True):
        assert (target.id, target.label) == (other.id, other.label)
        for column in ("frames", "times", "boxes", "scores", "presence", "states", "absent", "occluded", "keyframes"):
            np.testing.assert_array_equal(getattr(target, column), getattr(other, column))


@pytest.mark.parametrize("name", FORMATS)
def test_content_tells_the_format(name, tmp_path):
    track = Track(SourceInfo("clip.mp4", "video", WIDTH, HEIGHT, 25.0))
    for frame in range(6):
        track.append(frame, frame / 25, (10.5, 20, 30, 40), 1)
    path = tmp_path / f"boxes{FORMATS[name].suffix if name not in ('otb', 'vot') else ''}"
    write(track, path, name)
    back = read(path, known=SourceInfo("", "video", WIDTH, HEIGHT))
    np.testing.assert_allclose(back.targets[0].boxes[:6], track.boxes)
