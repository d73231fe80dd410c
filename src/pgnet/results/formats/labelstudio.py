"""Label Studio's video object tracking (https://labelstud.io/tags/videorectangle): tasks with results in JSON.

A target is a result of type ``videorectangle``. Its ``sequence`` lists key boxes, frames counted from 1, x, y, width
and height in percent of the frame. In between Label Studio moves the box evenly; a box with ``enabled: false`` is the
last one before the target leaves, and after the last enabled one it stays to the end of the video.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from pgnet.errors import PgnetError
from pgnet.files import atomic
from pgnet.results.formats.reading import (
    UNLABELLED,
    Place,
    Row,
    Rows,
    counted,
    interpolated,
    read_json,
    settle,
    upright,
)
from pgnet.results.formats.writing import frame_count, frame_size, key_rows, lost, more_keyframes, rows
from pgnet.results.track import SourceInfo, TargetTrack, Track

TITLE = "Label Studio"
KIND = "videorectangle"


def detect(path: Path, head: str) -> bool:
    """Whether a file, that begins with `head`, is of this format."""
    return head.lstrip()[:1] in ("[", "{") and (f'"{KIND}"' in head or '"framesCount"' in head)


def read(path: Path, known: SourceInfo) -> list[Track]:
    """One track for each task with video rectangles, from the export as JSON or JSON-MIN, or from tasks to import.

    Raises:
        PgnetError: damaged, no video rectangles, or the frame size is neither in the file nor known.
    """
    data = read_json(path)
    tasks = Place(path).items(data if isinstance(data, list) else [data], "")
    tracks = [track for place, task in tasks if (track := _task(place, task, known))]
    if not tracks:
        raise PgnetError(f"{path} has no video rectangles; export a task of video object tracking as JSON.")
    return tracks


def _task(place: Place, task: dict[str, Any], known: SourceInfo) -> Track | None:
    results, notes = _results(place, task)
    labels = {item.get("id"): item["value"].get("labels") for _, item in results if item.get("type") == "labels"}
    boxes = [(where, item) for where, item in results if item.get("type", KIND) == KIND and "sequence" in item["value"]]
    if not boxes:
        return None
    if left := len(results) - len(boxes) - len(labels):
        notes.append(f"Left out, as it is not of type {KIND}: {counted(left, 'result')}.")
    counts = [_count(where, item["value"]) for where, item in boxes]
    rates = [count / seconds for count, seconds in counts if count and seconds]
    sizes = [_size(where, item) for where, item in boxes if "original_width" in item]
    width, height = sizes[0] if sizes else (None, None)
    source = settle(
        known,
        name=_name(task, place.path),
        width=width,
        height=height,
        fps=round(rates[0], 6) if rates else None,
        frame_count=max(count for count, _ in counts) or None,
    )
    if not (source.width and source.height):
        raise place.error("its boxes are in percent of a frame; give --size WIDTHxHEIGHT, or --video with the video")
    collected = Rows()
    turned = 0
    for number, (where, item) in enumerate(boxes, 1):
        label, more = _label(where, item["value"].get("labels") or labels.get(item.get("id")))
        notes += more
        target = int(item["id"][:15]) if str(item.get("id", "")).isdecimal() and isinstance(item["id"], str) else number
        keys = where.items(item["value"]["sequence"], "value.sequence")
        turned += sum(1 for _, key in keys if key.get("rotation"))
        for row in _rows(keys, source.width, source.height, _count(where, item["value"])[0]):
            collected.add(where, target, label, row)
    if turned:
        notes.append(f"Taken as the upright box around it: {counted(turned, 'rotated box')}.")
    return collected.track(place, source, notes)


def _results(place: Place, task: dict[str, Any]) -> tuple[list[tuple[Place, dict[str, Any]]], list[str]]:
    """The results of one annotator, or of the model where nobody annotated; their values under "value"."""
    notes = []
    for kind in ("annotations", "predictions"):
        if isinstance(task.get(kind), list):
            found = [(where, item) for where, item in place.items(task[kind], kind) if not item.get("was_cancelled")]
            if found:
                if len(found) > 1:
                    notes.append(f"There are {len(found)} {kind} of one task; the first was taken.")
                where, chosen = found[0]
                results = where.items(where.member(chosen, "result"), "result")
                for at, item in results:
                    if not isinstance(item.get("value"), dict):
                        raise at.error("value is missing or no object")
                return results, notes
    # JSON-MIN: the values of all results stand in the task itself, under the name of the tag.
    lists = [(name, values) for name, values in task.items() if isinstance(values, list)]
    found = [pair for name, values in lists for pair in place.items(values, name) if "sequence" in pair[1]]
    return [(where, {"value": value}) for where, value in found], notes


def _name(task: dict[str, Any], path: Path) -> str:
    data = task.get("data") if isinstance(task.get("data"), dict) else task
    texts = [value for value in (data or {}).values() if isinstance(value, str)]
    named = (data or {}).get("video")
    return named if isinstance(named, str) else next(iter(texts), path.stem)


def _count(place: Place, value: dict[str, Any]) -> tuple[int, float]:
    """Frames and seconds of the video, 0 where not said."""
    return (
        place.whole(value.get("framesCount") or 0, "framesCount"),
        place.number(value.get("duration") or 0, "duration"),
    )


def _size(place: Place, item: dict[str, Any]) -> tuple[int, int]:
    width, height = (place.whole(item.get(f"original_{side}"), side, lowest=1) for side in ("width", "height"))
    return width, height


def _label(place: Place, labels: Any) -> tuple[str, list[str]]:
    if not labels:
        return "", []
    if not isinstance(labels, list):
        raise place.error("labels is no array")
    more = [f"A target has the labels {labels!r:.60}; the first was taken."] if len(labels) > 1 else []
    return place.label(labels[0], "label"), more


def _rows(keys: list[tuple[Place, dict[str, Any]]], width: int, height: int, count: int) -> Iterator[Row]:
    """The rows of a sequence, with those between the key boxes."""
    found = []
    for place, key in keys:
        enabled = key.get("enabled", True)
        if not isinstance(enabled, bool):
            raise place.error(f"enabled is {enabled!r:.60}, not true or false")
        percent = [place.number(place.member(key, name), name) for name in ("x", "y", "width", "height")]
        box = place.box(np.array(percent) * (width, height, width, height) / 100)
        box = upright(box, place.number(key.get("rotation") or 0, "rotation"), (box[0], box[1]))
        frame = place.whole(place.member(key, "frame"), "frame", lowest=1) - 1
        score = place.number(key.get("score", 1.0), "score")
        found.append((Row(frame, box, score, keyframe=True), enabled, place))
    found.sort(key=lambda item: item[0].frame)
    for (row, enabled, _), (after, _, place) in pairwise(found):
        yield row
        if row.frame == after.frame:
            raise place.error(f"a second box in frame {row.frame + 1}")
        if enabled:
            yield from interpolated(row, after)
        else:
            yield from (row._replace(frame=i, absent=True, keyframe=False) for i in range(row.frame + 1, after.frame))
    for row, enabled, _ in found[-1:]:
        yield row
        if enabled:
            yield from (row._replace(frame=i, keyframe=False) for i in range(row.frame + 1, count))


def write(track: Track, path: Path) -> list[str]:
    """Writes one task to import, with a prediction where a model tracked, otherwise with an annotation.

    The labeling interface needs ``<VideoRectangle name="box" toName="video"/>``, ``<Video name="video"
    value="$video"/>`` and ``<Labels name="videoLabels" toName="video">``.

    Raises:
        PgnetError: the frame size or the times are not known, or it cannot be written.
    """
    width, height = frame_size(track, TITLE)
    if any(np.isnan(target.times).any() for target in track.targets):
        raise PgnetError(f"{TITLE} needs the times of the frames; give --fps, or --video with the video.")
    count, fps = frame_count(track), track.source.fps
    length = {"framesCount": count} | ({"duration": round(count / fps, 9)} if fps else {})
    results = [
        {
            "id": str(target.id),
            "from_name": "box",
            "to_name": "video",
            "type": KIND,
            "origin": "prediction" if track.model else "manual",
            "original_width": width,
            "original_height": height,
            "value": {**length, "sequence": _sequence(target, width, height), "labels": [target.label or UNLABELLED]},
        }
        for target in track.targets
        if not target.missing.all()
    ]
    answer = {"model_version": track.model.name, "result": results} if track.model else {"result": results}
    task = {"data": {"video": track.source.name}, "predictions" if track.model else "annotations": [answer]}
    with atomic(path) as temporary:
        temporary.write_text(json.dumps([task], indent=1), encoding="utf-8")
    return lost(track, TITLE, "labels", "scores", "absent", "keyframes", "size", "fps", "start") + more_keyframes(
        track, TITLE
    )


def _sequence(target: TargetTrack, width: int, height: int) -> list[dict[str, Any]]:
    shown = [
        (row, time)
        for row, time, key in zip(rows(target), target.times.tolist(), key_rows(target).tolist(), strict=True)
        if key and not row.absent
    ]
    visible = set(target.frames[~target.missing].tolist())
    sequence = []
    for row, time in shown:
        x, y, w, h = (np.array(row.box) / (width, height, width, height) * 100).round(6).tolist()
        score = {"score": round(row.score, 6)} if row.score != 1 else {}
        item = {"frame": row.frame + 1, "time": round(time, 6), "enabled": row.frame + 1 in visible}
        sequence.append({**item, "x": x, "y": y, "width": w, "height": h, "rotation": 0, **score})
    return sequence
