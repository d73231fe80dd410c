"""COCO's JSON (Lin et al., Microsoft COCO, ECCV 2014; https://cocodataset.org/#format-data), for stills and videos.

``annotations/instances_SPLIT.json`` with the pictures in ``SPLIT/``, ``images/SPLIT/`` or ``images/``; or one JSON file
``instances.json`` or ``_annotations.coco.json`` beside the pictures. Boxes are x, y, w, h in 0-based pixels. Crowds are
left out. Polygons become outlines; of a run-length encoded mask only the box is used. Annotations that carry a track id
(CocoVID's instance_id, TAO's track_id, CVAT's attribute track_id) make videos: the pictures are their frames.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from pgnet.errors import PgnetError
from pgnet.results.formats.reading import read_json
from pgnet.training.adapters.reading import choose_split
from pgnet.training.annotations import Annotations, Frames, Outlines, Target, Video

BESIDE = ("instances.json", "_annotations.coco.json")


def matches(root: Path) -> bool:
    """Whether a folder looks like this layout."""
    return bool(_files(root))


def read(root: Path, split: str | None = None) -> Annotations:
    """One split, by default the training split.

    Raises:
        PgnetError: no such split, or the JSON is malformed.
    """
    files = _files(root)
    split = choose_split(files, split, f"{root}/annotations", lambda name: name.startswith("train"))
    return read_instances(files[split], "coco", root / split, root / "images" / split, root / "images", root)


def _files(root: Path) -> dict[str, Path]:
    """The JSON file of each split."""
    found = {p.stem.removeprefix("instances_"): p for p in root.glob("annotations/instances_*.json")}
    return found or {name.partition(".")[0]: root / name for name in BESIDE if (root / name).is_file()}


def read_instances(file: Path, name: str, *folders: Path) -> Annotations:
    """The objects of a COCO JSON file, crowds left out, as a set of stills or of videos.

    Args:
        file: the JSON.
        name: of the set.
        folders: the first one that has the first picture is where all pictures are.

    Raises:
        PgnetError: not JSON, or not COCO's instances.
    """
    content = read_json(file)
    try:
        images = {image["id"]: image for image in content["images"]}
        first = next(iter(images.values()))["file_name"] if images else ""
        folder = next((folder for folder in folders if (folder / first).is_file()), folders[0])
        things = [thing for thing in content["annotations"] if not thing.get("iscrowd")]
        if any(_track(thing) is not None for thing in things):
            names = {video["id"]: str(video["name"]) for video in content.get("videos", [])}
            around = file.resolve().parent
            names[None] = around.parent.name if around.name == "annotations" else around.name
            return Annotations(videos={name: _videos(things, images, names, folder)})
        targets = [_target(thing, images[thing["image_id"]], folder) for thing in things]
        return Annotations(stills={name: targets})
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise PgnetError(f"The file {file} is not COCO's instances: {type(error).__name__} {error}.") from error


def _target(thing: dict[str, Any], image: dict[str, Any], folder: Path) -> Target:
    size = (int(image["width"]), int(image["height"]))
    return Target(folder / image["file_name"], _box(thing), _polygons(thing), size)


def _box(thing: dict[str, Any]) -> np.ndarray:
    return np.array(thing["bbox"], np.float64).reshape(4)


def _polygons(thing: dict[str, Any]) -> Outlines:
    outlines = thing.get("segmentation") or []
    return tuple(np.array(p, np.float64).reshape(-1, 2) for p in outlines) if isinstance(outlines, list) else ()


def _track(thing: dict[str, Any]) -> Any:
    """The track id of an annotation, or None."""
    places = (thing, thing.get("attributes") or {})
    return next((place[key] for key in ("track_id", "instance_id") for place in places if key in place), None)


def _videos(
    things: list[dict[str, Any]], images: dict[Any, dict[str, Any]], names: dict[Any, str], folder: Path
) -> list[Video]:
    """One video for each track; its frames are the pictures that show it, by number and name."""
    tracks: dict[tuple[Any, Any], list[tuple[tuple[int, str], dict[str, Any]]]] = {}
    for thing in things:
        image, track = images[thing["image_id"]], _track(thing)
        visible = not (thing.get("attributes") or {}).get("occluded")
        if track is not None and visible:
            order = (int(image.get("frame_id", image.get("frame_index", 0))), str(image["file_name"]))
            tracks.setdefault((image.get("video_id"), track), []).append((order, thing))
    videos = []
    for (video, track), rows in tracks.items():
        rows.sort(key=lambda row: row[0])
        frames = Frames(folder, [name for (_, name), _ in rows])
        boxes, outlines = np.array([_box(thing) for _, thing in rows]), [_polygons(thing) for _, thing in rows]
        videos.append(Video(names[video], frames, boxes, np.arange(len(rows)), str(track), outlines))
    return videos
