"""Track files of this package (`docs/track-format.md`)."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from pgnet.results.formats.reading import settle
from pgnet.results.track import SourceInfo, Track

TITLE = "pgnet's track file"


def detect(path: Path, head: str) -> bool:
    """Whether a file, that begins with `head`, is of this format."""
    return bool(re.search(r'"schema"\s*:\s*"pgnet\.track"', head))


def read(path: Path, known: SourceInfo) -> list[Track]:
    """The track; what is known of the video goes before what the file says.

    Raises:
        PgnetError: damaged.
    """
    track = Track.read_json(path)
    source = track.source
    found = {name: getattr(source, name) for name in ("name", "width", "height", "fps", "frame_count")}
    return [replace(track, source=replace(settle(known, **found), kind=source.kind))]


def write(track: Track, path: Path) -> list[str]:
    """Writes the whole record. Raises: PgnetError where it cannot be written."""
    track.write_json(path)
    return []
