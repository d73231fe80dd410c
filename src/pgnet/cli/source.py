"""A track and its video: where that is, that it is this one, and the part of it that was tracked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pgnet.errors import PgnetError
from pgnet.results import Track
from pgnet.video import FrameReader


def find_video(path: Path, track: Track, given: str | None) -> str:
    """Where the video of a track is.

    Args:
        path: the track's own.
        track: what it holds.
        given: what the user says, if anything.

    Raises:
        PgnetError: it is not found.
    """
    if given:
        return given
    name = track.source.name
    for place in (Path(name), path.parent / name, path.parent / Path(name).name):
        if name and track.source.kind in ("video", "images") and (place.exists() or any(c in name for c in "*?")):
            return str(place)
    raise PgnetError(f"The video {name} of the track is not there; give --video FILE.")


def open_frames(video: str, track: Track) -> FrameReader:
    """The frames of a video that should be a track's.

    Raises:
        PgnetError: it cannot be read, has frames of another size, or fewer frames than the track.
    """
    frames = FrameReader(video)
    try:
        size, expected = (frames.source.width, frames.source.height), (track.source.width, track.source.height)
        if expected[0] and size != expected:
            sizes = " and ".join("{} x {}".format(*s) for s in (size, expected))
            raise PgnetError(f"The frames of {video} and of the track have {sizes} pixels; give its own --video.")
        last = _last_frame(track)
        if last >= len(frames):
            raise PgnetError(f"{video} has {len(frames)} frames and the track goes on to {last}; give its own --video.")
    except PgnetError:
        frames.close()
        raise
    return frames


def limits(track: Track) -> tuple[int | float | None, int | float | None]:
    """Start and end of what was tracked, as `pgnet.video.open_source` takes them."""
    start, end = (track.options.get(name) for name in ("start", "end"))
    if track.status == "interrupted":
        end = _last_frame(track) + 1
    return start if isinstance(start, int | float) else None, end if isinstance(end, int | float) else None


def _last_frame(track: Track) -> int:
    return max((int(target.frames[-1]) for target in track.targets if len(target)), default=0)


def choose_target(track: Track, path: Path, target: int | None) -> Track:
    """The track with one of its targets only, or as it is.

    Raises:
        PgnetError: it has no such target.
    """
    if target is None:
        return track
    chosen = [found for found in track.targets if found.id == target]
    if not chosen:
        ids = ", ".join(str(found.id) for found in track.targets)
        raise PgnetError(f"{path} has no target {target}; it has {ids}.")
    return replace(track, targets=chosen)
