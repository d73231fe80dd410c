"""YouTube-BoundingBoxes (Real et al., CVPR 2017; https://research.google.com/youtube-bb/download.html).

``yt_bb_detection_SPLIT.csv`` as published, without a header: youtube_id, timestamp_ms, class_id, class_name, object_id,
object_presence, xmin, xmax, ymin, ymax, the last four relative to the picture. The set has no pictures: extract the
annotated frames of the videos to ``yt_bb_detection_SPLIT/CLASS_ID/YOUTUBE-ID_TIMESTAMP_CLASS-ID_OBJECT-ID.jpg``.
Segments without any frame there are left out, because many of the videos are no longer on line.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from pgnet.errors import PgnetError
from pgnet.training.adapters.reading import choose_split, picture_size
from pgnet.training.annotations import Annotations, Frames, Video

PREFIX = "yt_bb_detection_"
COLUMNS = 10


def matches(root: Path) -> bool:
    """Whether a folder looks like this layout."""
    return bool(_tables(root))


def read(root: Path, split: str | None = None) -> Annotations:
    """One split, by default train.

    Raises:
        PgnetError: no such split, a damaged table, or no frames at all.
    """
    tables = _tables(root)
    split = choose_split(tables, split, f"{root}/{PREFIX}*.csv", lambda name: name == "train")
    folder = root / (PREFIX + split)
    there = {path.name: {frame.name for frame in path.iterdir()} for path in folder.glob("*/")}
    found = Annotations()
    videos = found.videos.setdefault("youtube_bb", [])
    sizes: dict[str, tuple[int, int]] = {}
    for (video, kind, thing), rows in _segments(tables[split]).items():
        times = sorted(rows)
        frames = Frames(folder / kind, [f"{video}_{time}_{kind}_{thing}.jpg" for time in times])
        first = next((name for name in frames.names if name in there.get(kind, ())), None)
        if first is None:
            continue
        with found.unless_damaged():
            if video not in sizes:  # all frames of a video have one size
                sizes[video] = picture_size(frames.folder / first)
            left, right, top, bottom = np.array([rows[time] for time in times]).T
            boxes = np.stack([left, top, right - left, bottom - top], axis=1) * (sizes[video] * 2)
            videos.append(Video(video, frames, boxes, np.arange(len(times)), f"{kind}_{thing}"))
    if not videos:
        raise PgnetError(f"The folder {folder} has no frame of the videos in {tables[split]}; extract them first.")
    return found


def _tables(root: Path) -> dict[str, Path]:
    return {path.stem.removeprefix(PREFIX): path for path in root.glob(f"{PREFIX}*.csv")}


def _segments(table: Path) -> dict[tuple[str, str, str], dict[int, list[float]]]:
    """Video, class and object -> time in ms -> xmin, xmax, ymin, ymax; where the object is present."""
    segments: dict[tuple[str, str, str], dict[int, list[float]]] = {}
    try:
        with table.open(newline="", encoding="utf-8") as file:
            for number, row in enumerate(csv.reader(file), start=1):
                if len(row) != COLUMNS:
                    raise PgnetError(f"Line {number} of {table} has {len(row)} columns instead of {COLUMNS}.")
                video, time, kind, _, thing, presence = row[:6]
                if presence == "present":
                    segments.setdefault((video, kind, thing), {})[int(time)] = [float(v) for v in row[6:]]
    except OSError as error:
        raise PgnetError(f"The table {table} cannot be read: {error.strerror}.") from error
    except (ValueError, csv.Error) as error:
        raise PgnetError(f"The table {table} is damaged: {error}.") from error
    return segments
