"""Which frames have to be tracked, given those where a person said where the target is, or that it is not there.

Such frames are keyframes, and what a person said about them is never changed. Between two of them, and after the last
one, lie spans; a span is tracked forwards from the keyframe before it and backwards from the one after it, as far as
these have a box, and depends on nothing else. So a correction concerns the spans it touches alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

Box = tuple[float, float, float, float]
"""x, y, w, h in 0-based pixels."""
Keyframes = Mapping[int, Box | None]
"""What a person said: frame -> the target's box in it, None where it is absent."""


class Keyframe(NamedTuple):
    """A frame that a person spoke about."""

    frame: int
    box: Box | None
    """None: the target is absent."""


@dataclass(frozen=True)
class Pass:
    """Frames to be tracked one after the other, from a keyframe with a box; that frame itself is not among them."""

    keyframe: int
    last: int
    """The last frame to be tracked; it is before the keyframe where the pass goes backwards."""

    @property
    def direction(self) -> int:
        """1 forwards, -1 backwards."""
        return 1 if self.last > self.keyframe else -1

    @property
    def frames(self) -> range:
        """In the order in which they are tracked."""
        return range(self.keyframe + self.direction, self.last + self.direction, self.direction)


@dataclass(frozen=True)
class Span:
    """All frames between two keyframes, or between one and the end; equal spans are tracked to equal boxes."""

    first: int
    last: int
    before: Keyframe | None
    """The keyframe at first - 1; None where the span begins with the first frame of all."""
    after: Keyframe | None
    """The keyframe at last + 1; None where the span ends with the last frame of all."""

    @property
    def frames(self) -> range:
        """In order of time."""
        return range(self.first, self.last + 1)

    @property
    def forwards(self) -> Pass | None:
        """The pass from the keyframe before; None where that has no box."""
        return Pass(self.before.frame, self.last) if self.before and self.before.box else None

    @property
    def backwards(self) -> Pass | None:
        """The pass from the keyframe after; None where that has no box."""
        return Pass(self.after.frame, self.first) if self.after and self.after.box else None

    @property
    def passes(self) -> list[Pass]:
        """What has to be tracked; nothing where the target is absent throughout."""
        return [found for found in (self.forwards, self.backwards) if found]


def spans(keyframes: Keyframes, last: int, first: int | None = None) -> list[Span]:
    """The spans of a target, in order of time.

    Args:
        keyframes: at least one.
        last: the last frame of all.
        first: the first frame of all; by default the target begins with its first keyframe.

    Raises:
        ValueError: no keyframe, or one that is not between first and last.
    """
    if not keyframes:
        raise ValueError("a target needs a keyframe")
    inner = [Keyframe(frame, keyframes[frame]) for frame in sorted(keyframes)]
    first = inner[0].frame if first is None else first
    if not first <= inner[0].frame <= inner[-1].frame <= last:
        raise ValueError(f"keyframes {inner[0].frame} to {inner[-1].frame} are not within frames {first} to {last}")
    found = []
    for before, after in zip([None, *inner], [*inner, None], strict=True):
        start = first if before is None else before.frame + 1
        end = last if after is None else after.frame - 1
        if start <= end:
            found.append(Span(start, end, before, after))
    return found


def affected(old: Keyframes, new: Keyframes, last: int, first: int | None = None) -> list[Span]:
    """The spans of the new keyframes that were not spans of the old ones: all that a change has to track again.

    Args:
        old, new: before and after the change: keyframes added, moved, removed. No old ones: everything.
        last, first: as for `spans`.

    Raises:
        ValueError: as `spans`, for the new ones.
    """
    known = set(spans(old, last, first)) if old else set()
    return [span for span in spans(new, last, first) if span not in known]
