"""COCO with videos: one JSON file of ``videos``, ``images`` and ``annotations`` that carry a track id.

Boxes are x, y, w, h in 0-based pixels. The names of the additions differ between tools; read are those of CocoVID
(mmtracking: ``frame_id``, ``instance_id``), TAO (``frame_index``, ``track_id``) and of CVAT's export (``attributes``,
frame numbers in file names only). Written are CocoVID's with the track id in all three places.
"""

from __future__ import annotations

import json
import re
from pathlib import Path, PurePath
from typing import Any

from pgnet.files import atomic
from pgnet.results.formats.reading import LAST_FRAME, UNLABELLED, Place, Row, Rows, counted, read_json, settle
from pgnet.results.formats.writing import frame_count, lost, rows, stem
from pgnet.results.track import SourceInfo, Track

TITLE = "COCO"
HIGHEST_ID = 2**53


def detect(path: Path, head: str) -> bool:
    """Whether a file, that begins with `head`, is of this format."""
    return head.lstrip().startswith("{") and bool(re.search(r'"(images|annotations|categories|videos)"\s*:\s*\[', head))


def read(path: Path, known: SourceInfo) -> list[Track]:
    """One track for each video that has annotations; images without video are the frames of a single one.

    Raises:
        PgnetError: damaged, an annotation without track id or box.
    """
    top, data = Place(path), read_json(path)
    if not isinstance(data, dict):
        raise top.error("COCO's files are an object with images, annotations and categories")
    categories = {
        place.whole(place.member(item, "id"), "id", highest=HIGHEST_ID): place.label(
            place.member(item, "name"), "name of the category"
        )
        for place, item in top.items(data.get("categories", []), "categories")
    }
    videos = {_id(place, item, "id"): (place, item) for place, item in top.items(data.get("videos", []), "videos")}
    images = {_id(place, item, "id"): (place, item) for place, item in top.items(data.get("images"), "images")}
    images_of: dict[int | None, list[tuple[Place, dict[str, Any]]]] = {}
    for place, item in images.values():
        video = _id(place, item, "video_id") if "video_id" in item else None
        if video not in videos and (video is not None or videos):
            raise place.error(f"video_id is {video}, which videos does not have")
        images_of.setdefault(video, []).append((place, item))
    collected: dict[int | None, Rows] = {}
    segments = 0
    for place, item in top.items(data.get("annotations"), "annotations"):
        image = _id(place, item, "image_id")
        if image not in images:
            raise place.error(f"image_id is {image}, which images does not have")
        where, frame_of = images[image]
        category = _id(place, item, "category_id")
        if category not in categories:
            raise place.error(f"category_id is {category}, which categories does not have")
        segments += bool(item.get("segmentation"))
        row = _row(place, item, _frame(where, frame_of))
        found = collected.setdefault(frame_of.get("video_id"), Rows())
        found.add(place, _target(place, item), categories[category], row)
    notes = [f"Left out: {counted(segments, 'outline')} (segmentation)."] if segments else []
    if not collected:
        raise top.error("it has no annotations")
    tracks = []
    for video, found in collected.items():
        source = _source(top, known, videos.get(video) if video is not None else None, images_of[video])
        annotated = sorted(_frame(where, image) for where, image in images_of[video])
        tracks.append(found.track(top, source, notes, annotated))
    return tracks


def _id(place: Place, item: dict[str, Any], name: str) -> int:
    return place.whole(place.member(item, name), name, highest=HIGHEST_ID)


def _attributes(item: dict[str, Any]) -> dict[str, Any]:
    found = item.get("attributes")
    return found if isinstance(found, dict) else {}


def _target(place: Place, item: dict[str, Any]) -> int:
    for name in ("track_id", "instance_id"):
        for members in (item, _attributes(item)):
            if name in members:
                return _id(place, members, name)
    raise place.error("it has no track_id (or instance_id): these are boxes in single images, not tracks")


def _frame(place: Place, image: dict[str, Any]) -> int:
    for name in ("frame_id", "frame_index"):
        if name in image:
            return place.whole(image[name], name)
    digits = re.findall(r"\d+", PurePath(str(image.get("file_name", ""))).stem)
    if not digits:
        raise place.error("it has neither frame_id (or frame_index) nor a number in file_name")
    return place.whole(digits[-1], "number in file_name")


def _row(place: Place, item: dict[str, Any], frame: int) -> Row:
    box = place.member(item, "bbox")
    if not isinstance(box, list) or len(box) != 4:
        raise place.error("bbox is not an array of four numbers")
    attributes = _attributes(item)
    occluded, keyframe = (attributes.get(name, False) is True for name in ("occluded", "keyframe"))
    score = place.number(item.get("score", 1.0), "score")
    return Row(frame, place.box(box), score, occluded=occluded, keyframe=keyframe)


def _source(
    top: Place,
    known: SourceInfo,
    video: tuple[Place, dict[str, Any]] | None,
    images: list[tuple[Place, dict[str, Any]]],
) -> SourceInfo:
    place, described = video or (top, {})
    sizes = {
        tuple(where.whole(item[name], name, lowest=1) for name in ("width", "height"))
        for where, item in [(place, described), *images]
        if item.get("width") and item.get("height")
    }
    if len(sizes) > 1:
        raise place.error(f"its images have {len(sizes)} sizes, and the frames of a video have one")
    width, height = next(iter(sizes), (None, None))
    numbers = {
        "fps": place.number(described["fps"], "fps") if described.get("fps") else None,
        "frame_count": place.whole(described["length"], "length", highest=LAST_FRAME)
        if described.get("length")
        else None,
    }
    name = described.get("name") or described.get("file_name") or top.path.stem
    return settle(known, name=place.text(name, "name of the video"), width=width, height=height, **numbers)


def write(track: Track, path: Path) -> list[str]:
    """Writes one JSON file; every frame with a row is an image, also where the target is absent.

    Raises:
        PgnetError: the file cannot be written.
    """
    source, name = track.source, stem(track)
    size = {"width": source.width, "height": source.height} if source.width and source.height else {}
    labels = sorted({target.label or UNLABELLED for target in track.targets})
    scored = any((target.scores != 1).any() for target in track.targets)
    video = {"id": 1, "name": source.name, **size, "length": frame_count(track)}
    frames = sorted({int(frame) for target in track.targets for frame in target.frames})
    images = [
        {"id": i, "video_id": 1, "frame_id": frame, "file_name": f"{name}/{frame:06d}.jpg", **size}
        for i, frame in enumerate(frames, 1)
    ]
    image_of = {image["frame_id"]: image["id"] for image in images}
    annotations = [
        {
            "image_id": image_of[row.frame],
            "video_id": 1,
            "category_id": labels.index(target.label or UNLABELLED) + 1,
            "track_id": target.id,
            "instance_id": target.id,
            "bbox": [round(value, 3) for value in row.box],
            "area": round(row.box[2] * row.box[3], 3),
            "iscrowd": 0,
            "attributes": {"occluded": row.occluded, "keyframe": row.keyframe, "track_id": target.id},
            **({"score": round(row.score, 6)} if scored else {}),
        }
        for target in track.targets
        for row in rows(target)
        if not row.absent
    ]
    data = {
        "info": {"description": f"tracks in {source.name}"},
        "videos": [video | ({"fps": source.fps} if source.fps else {})],
        "categories": [{"id": i, "name": label} for i, label in enumerate(labels, 1)],
        "images": images,
        "annotations": [{"id": i, **annotation} for i, annotation in enumerate(annotations, 1)],
    }
    with atomic(path) as temporary:
        temporary.write_text(json.dumps(data), encoding="utf-8")
    kept = ("labels", "scores", "absent", "start", "occluded", "keyframes", "size", "fps")
    return lost(track, TITLE, *kept, *(["gaps"] if len(track.targets) == 1 else []))
