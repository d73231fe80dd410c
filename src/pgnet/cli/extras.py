"""Videos besides the one with the boxes: --crop-follow, --blur, --pixelate."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pgnet.cli.progress import progress
from pgnet.cli.source import limits
from pgnet.errors import PgnetError
from pgnet.results import Track
from pgnet.results.video import Concealed, FollowCrop, Picture, write_video
from pgnet.video import open_source

EXTRA = re.compile(r"crop(-\d+)?\.mp4|blurred\.mp4|pixelated\.mp4")
"""Names of these videos."""


@dataclass(frozen=True)
class Extras:
    """Which are wanted.

    Raises:
        PgnetError: a ratio that is none.
    """

    crop: str | None = None
    """Width : height of a crop that follows each target: "square", "9:16"."""
    blur: bool = False
    pixelate: bool = False

    def __post_init__(self) -> None:
        if self.crop is not None:
            self._ratio()

    def _ratio(self) -> float:
        match = re.fullmatch(r"([1-9]\d{0,3}):([1-9]\d{0,3})", "1:1" if self.crop == "square" else self.crop or "")
        ratio = int(match[1]) / int(match[2]) if match else 0
        if not 0.1 <= ratio <= 10:
            raise PgnetError(f"--crop-follow takes square or WIDTH:HEIGHT, such as 9:16, not {self.crop!r}.")
        return ratio

    def names(self, targets: list[int]) -> list[str]:
        """Of the files, for targets with these ids."""
        crops = ["crop.mp4"] if len(targets) == 1 else [f"crop-{id}.mp4" for id in targets]
        return crops * (self.crop is not None) + ["blurred.mp4"] * self.blur + ["pixelated.mp4"] * self.pixelate

    def pictures(self, track: Track, size: tuple[int, int]) -> dict[str, Picture]:
        """What is drawn, by the names of the files, for a video with frames of this width and height."""
        made: list[Picture] = []
        if self.crop is not None:
            made += [FollowCrop(target, size, self._ratio(), fps=track.source.fps) for target in track.targets]
        made += [Concealed(track.targets, size)] * self.blur
        made += [Concealed(track.targets, size, blocks=True)] * self.pixelate
        return dict(zip(self.names([target.id for target in track.targets]), made, strict=True))


def draw(track: Track, video: str, folder: Path, pictures: Mapping[str, Picture], *, quiet: bool = False) -> None:
    """Write videos of a track from the frames of its source.

    Raises:
        PgnetError: the source cannot be read again, or a video not be written.
    """
    start, end = limits(track)
    for name, picture in pictures.items():
        with (
            open_source(video, start=start, end=end) as source,
            progress(f"Drawing {name}", source.expected, hidden=quiet) as advance,
        ):
            write_video(folder / name, source, picture, tick=advance)
