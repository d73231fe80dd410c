"""What the writers share: numbers as text, what a format needs, and what it has no place for."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pgnet.errors import PgnetError
from pgnet.results.formats.reading import Row, interpolated
from pgnet.results.track import TargetTrack, Track, is_one_line


def decimal(value: float, digits: int = 3) -> str:
    """A number without needless zeros: 12, 12.5, 12.346."""
    return f"{value:.{digits}f}".rstrip("0").rstrip(".")


def frame_size(track: Track, title: str) -> tuple[int, int]:
    """Width and height. Raises: PgnetError where the track does not know them."""
    if not (track.source.width and track.source.height):
        raise PgnetError(f"{title} needs the frame size; give --size WIDTHxHEIGHT, or --video with the video.")
    return track.source.width, track.source.height


def only_target(track: Track, title: str) -> TargetTrack:
    """The target of a format that holds one. Raises: PgnetError where there are several."""
    if len(track.targets) > 1:
        ids = ", ".join(str(target.id) for target in track.targets)
        raise PgnetError(
            f"{title} holds one target and there are {len(track.targets)}; choose one with --target: {ids}."
        )
    return track.targets[0]


def frame_count(track: Track) -> int:
    """Frames of the video, or as many as the rows need."""
    return max([track.source.frame_count or 0, *(int(t.frames[-1]) + 1 for t in track.targets if len(t))])


def stem(track: Track) -> str:
    """The video's name without folders and suffix, safe in a file name."""
    return re.sub(r"[^\w.-]+", "_", Path(track.source.name).stem).strip("._") or "video"


def clean(text: str) -> str:
    """The text on one line."""
    return "".join(c if is_one_line(c) else "_" for c in text)


def rows(target: TargetTrack) -> list[Row]:
    """A target's rows; where the tracker has lost it, it is absent."""
    columns = target.frames, target.boxes, target.scores, target.missing, target.occluded, target.keyframes
    return [Row(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def every_frame(target: TargetTrack) -> list[Row]:
    """One row for each frame from 0 to the last, for formats that count lines; absent, with zeros, where none is."""
    found = {row.frame: row for row in rows(target)}
    filled = [found.get(i, Row(i, [0.0] * 4, absent=True)) for i in range(max(found, default=-1) + 1)]
    return [row._replace(box=[0.0] * 4) if row.absent else row for row in filled]


def box_lines(target: TargetTrack, first_pixel: int, absent: str = "0,0,0,0") -> str:
    """x,y,w,h of every frame, a line each; the first pixel has number `first_pixel`."""
    shift = (first_pixel, first_pixel, 0, 0)
    lines = [
        absent if row.absent else ",".join(decimal(a + b) for a, b in zip(row.box, shift, strict=True))
        for row in every_frame(target)
    ]
    return "".join(line + "\n" for line in lines)


def key_rows(target: TargetTrack) -> NDArray[np.bool_]:
    """For each row, whether a tool that interpolates between keyframes must be given it as one.

    A row may be left to the tool where it lies between two rows set by a person, with no gap and no change of flags,
    and even interpolation gives its box (to a hundredth of a pixel, as CVAT rounds).
    """
    all_rows = rows(target)
    keys = np.ones(len(all_rows), np.bool_)
    set_by_person: NDArray[np.int64] = np.flatnonzero(target.keyframes)
    for first, last in zip(set_by_person[:-1].tolist(), set_by_person[1:].tolist(), strict=True):
        before, after, between = all_rows[first], all_rows[last], all_rows[first + 1 : last]
        if not between or after.frame - before.frame != last - first or before.absent or after.absent:
            continue
        expected = list(interpolated(before, after))
        same_flags = all(a._replace(box=b.box) == b for a, b in zip(between, expected, strict=True))
        if same_flags and np.allclose([r.box for r in between], [r.box for r in expected], rtol=0, atol=0.011):
            keys[first + 1 : last] = False
    return keys


def lost(track: Track, title: str, *kept: str) -> list[str]:
    """One sentence that names what the track says and the format has no place for; none if nothing is lost.

    Args:
        track: to be written.
        title: of the format.
        kept: what it has a place for, of the keys of `said` below.
    """
    targets, source = track.targets, track.source
    times = np.concatenate([target.times for target in targets])
    regular = np.concatenate([target.frames for target in targets]) / (source.fps or np.nan)
    said = {
        "labels": ("labels", any(target.label for target in targets)),
        "scores": ("scores", any((target.scores != 1).any() for target in targets)),
        "presence": ("how sure the tracker was", any((target.presence < 1).any() for target in targets)),
        "absent": ("frames in which the target is absent", any(target.missing.any() for target in targets)),
        "ends": ("absence before the first or after the last box", any(map(_absent_at_an_end, targets))),
        "occluded": ("occlusion", any(target.occluded.any() for target in targets)),
        "keyframes": ("who set a box (keyframes)", any(target.keyframes.any() for target in targets)),
        "gaps": ("gaps (they become absence)", any((np.diff(target.frames) > 1).any() for target in targets)),
        "start": ("tracks that begin later (absent before)", any((target.frames[:1] > 0).any() for target in targets)),
        "size": ("the frame size", bool(source.width)),
        "fps": ("the frame rate", bool(source.fps)),
        "times": ("uneven times of the frames", bool((np.abs(times - regular) > 0.5e-3).any())),
        "run": ("the record of the run (model, options)", track.model is not None),
    }
    missing = [words for name, (words, present) in said.items() if present and name not in kept]
    return [f"{title} has no place for {', '.join(missing)}."] if missing else []


def _absent_at_an_end(target: TargetTrack) -> bool:
    return bool(target.missing[:1].any() or target.missing[-1:].any())


def more_keyframes(track: Track, title: str) -> list[str]:
    """One sentence where rows that no person set have to be written as keyframes (`key_rows`)."""
    count = sum(int(np.sum(~target.keyframes & ~target.missing & key_rows(target))) for target in track.targets)
    return [f"{title} keeps keyframes only: {count} boxes that no person set become keyframes."] if count else []
