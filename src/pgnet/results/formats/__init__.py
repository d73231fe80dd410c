"""Result formats that other tools read and write: `FORMATS`, one module each, and what `pgnet convert` does.

>>> track = read("annotations.xml")  # doctest: +SKIP
>>> track.targets[0].label, track.targets[0].frames, track.targets[0].boxes, track.targets[0].absent  # doctest: +SKIP
>>> write(track, "annotations.coco.json", "coco")  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from pgnet.errors import PgnetError
from pgnet.results.formats import coco, csv, cvat, got10k, labelstudio, lasot, mot, otb, pgnet, vot, yolo
from pgnet.results.track import SourceInfo, Track

__all__ = ["FORMATS", "Format", "detect", "file_name", "format_for", "read", "read_all", "write"]

UNKNOWN = SourceInfo("", "video")
HEAD = 1 << 16
"""Characters that a file's format is told from."""


@dataclass(frozen=True)
class Format:
    """One format.

    Attributes:
        title: its name in sentences.
        suffix: of its files; "" for a folder.
        read: (path, what is known of the video) -> a track for each video in the file.
        write: (track, path) -> sentences on what the format has no place for.
        detect: (path, beginning of the file) -> whether it is of this format.
    """

    title: str
    suffix: str
    read: Callable[[Path, SourceInfo], list[Track]]
    write: Callable[[Track, Path], list[str]]
    detect: Callable[[Path, str], bool]


FORMATS = {
    "pgnet": Format(pgnet.TITLE, ".json", pgnet.read, pgnet.write, pgnet.detect),
    "csv": Format(csv.TITLE, ".csv", csv.read, csv.write, csv.detect),
    "cvat": Format(cvat.TITLE, ".xml", cvat.read, cvat.write, cvat.detect),
    "labelstudio": Format(labelstudio.TITLE, ".json", labelstudio.read, labelstudio.write, labelstudio.detect),
    "coco": Format(coco.TITLE, ".json", coco.read, coco.write, coco.detect),
    "mot": Format(mot.TITLE, ".txt", mot.read, mot.write, mot.detect),
    "yolo": Format(yolo.TITLE, "", yolo.read, yolo.write, yolo.detect),
    "got10k": Format(got10k.TITLE, "", got10k.read, got10k.write, got10k.detect),
    "lasot": Format(lasot.TITLE, "", lasot.read, lasot.write, lasot.detect),
    "otb": Format(otb.TITLE, ".txt", otb.read, otb.write, otb.detect),
    "vot": Format(vot.TITLE, ".txt", vot.read, vot.write, vot.detect),
}
"""All formats by the name they have on the command line; the first that recognises a file reads it."""


def _format(name: str) -> Format:
    if name not in FORMATS:
        raise PgnetError(f"There is no format {name}; known are {', '.join(FORMATS)}.")
    return FORMATS[name]


def detect(path: str | Path) -> str:
    """The name of a file's or folder's format, told from what is in it.

    Raises:
        PgnetError: nothing there, unreadable, or it could be of several formats or none.
    """
    path = Path(path)
    head = ""
    if not path.exists():
        raise PgnetError(f"There is no file or folder {path}; check the path.")
    if path.is_file():
        try:
            with path.open(encoding="utf-8-sig", errors="replace") as file:
                head = file.read(HEAD)
        except OSError as error:
            raise PgnetError(f"{path} cannot be read ({error.strerror}).") from error
    for name, form in FORMATS.items():
        if form.detect(path, head):
            return name
    names = ", ".join(FORMATS)
    raise PgnetError(f"The format of {path} cannot be told from its content; pgnet convert --from takes it: {names}.")


def format_for(path: str | Path) -> str:
    """The format to write a path in: .xml, .csv, or a name in the file's name, such as track.coco.json.

    Raises:
        PgnetError: the name does not say.
    """
    name = Path(path).name.lower()
    if by_suffix := {".xml": "cvat", ".csv": "csv"}.get(Path(name).suffix):
        return by_suffix
    if named := [part for part in name.split(".")[1:] if part in FORMATS]:
        return named[-1]
    raise PgnetError(f"The name {Path(path).name} does not say which format to write; give --to: {', '.join(FORMATS)}.")


def file_name(format: str) -> str:
    """What `pgnet track` calls its boxes in a format: track.coco.json, or a folder such as track.yolo.

    Raises:
        PgnetError: unknown format.
    """
    return f"track.{format}{_format(format).suffix}"


def read_all(path: str | Path, format: str | None = None, *, known: SourceInfo = UNKNOWN) -> list[Track]:
    """The tracks of all videos in a file or folder.

    Args:
        path: in any of `FORMATS`.
        format: its name there; found from the content if not given.
        known: what is known of the video: size for formats that hold shares of it, rate for the times of the frames.

    Raises:
        PgnetError: damaged (file and line are named) or unknown format.
    """
    path = Path(path)
    form = _format(format or detect(path))
    if not path.exists():
        raise PgnetError(f"There is no file or folder {path}; check the path.")
    if path.is_dir() and form.suffix in (".json", ".csv", ".xml"):
        raise PgnetError(f"{path} is a folder, and {form.title} is a {form.suffix} file.")
    if path.is_file() and form is FORMATS["yolo"]:
        raise PgnetError(f"{path} is a file, and {form.title} labels are a folder.")
    return form.read(path, known)


def read(
    path: str | Path, format: str | None = None, *, video_name: str | None = None, known: SourceInfo = UNKNOWN
) -> Track:
    """The track of one video; see `read_all`.

    Args:
        path: in any of `FORMATS`.
        format: its name there; found from the content if not given.
        video_name: which, where the file has several.
        known: what is known of the video.

    Raises:
        PgnetError: as `read_all`, several videos and none of this name, or boxes for frames of another size.
    """
    tracks = read_all(path, format, known=replace(known, name=""))
    names = ", ".join(track.source.name for track in tracks)
    if video_name is not None:
        tracks = [track for track in tracks if track.source.name == video_name]
        if not tracks:
            raise PgnetError(f"{path} has no video {video_name}; it has {names}.")
    if len(tracks) > 1:
        raise PgnetError(f"{path} has {len(tracks)} videos; choose one with --video-name: {names}.")
    source = tracks[0].source
    if known.width and (source.width, source.height) != (known.width, known.height):
        raise PgnetError(
            f"{path} is for frames of {source.width} x {source.height} pixels and the video's are {known.width} x "
            f"{known.height}; give the video that it belongs to, or leave --size and --video away."
        )
    return replace(tracks[0], source=replace(source, name=known.name or source.name))


def write(track: Track, path: str | Path, format: str | None = None) -> list[str]:
    """Writes a track; what is there already is replaced, and appears whole or not at all.

    Args:
        track: of one video.
        path: a file, or a folder where the format is one.
        format: its name in `FORMATS`; by default told from the path's name.

    Returns:
        Sentences on what the format has no place for.

    Raises:
        PgnetError: something that the format needs is not known, or the path cannot be written.
    """
    form = _format(format or format_for(path))
    if all(target.missing.all() for target in track.targets):
        raise PgnetError(f"There are no boxes to write to {path}.")
    if Path(path).is_dir() and form.suffix in (".json", ".csv", ".xml"):
        raise PgnetError(f"{path} is a folder, and {form.title} is a {form.suffix} file.")
    return form.write(track, Path(path))
