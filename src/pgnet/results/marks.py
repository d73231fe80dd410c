"""What people said of the targets: the boxes they set, and the frames where a target is absent."""

from __future__ import annotations

from dataclasses import dataclass, field

from pgnet.results.track import TargetTrack, name_of
from pgnet.tracking.spans import Box


@dataclass
class Marks:
    """One target as a person marked it."""

    id: int
    label: str = ""
    keyframes: dict[int, Box | None] = field(default_factory=dict)
    """Frame -> x, y, w, h in 0-based pixels, or None where the target is absent."""

    def __str__(self) -> str:
        return f"target {name_of(self.id, self.label)}"


def marks_of(target: TargetTrack) -> Marks:
    """The rows of a track that a person set: its keyframes.

    A file that does not say who set a box may lack them; then these are the rows with a score of 1, which trackers do
    not give, or else its first row.
    """
    chosen = target.keyframes
    if not chosen.any():
        chosen = target.scores == 1
    if not chosen.any():
        chosen[:1] = True
    rows = zip(target.frames[chosen].tolist(), target.boxes[chosen].tolist(), target.absent[chosen], strict=True)
    return Marks(target.id, target.label, {frame: None if absent else tuple(box) for frame, box, absent in rows})
