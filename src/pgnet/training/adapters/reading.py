"""What the adapters share: files of annotations that fail with one clear sentence, and folders of frames."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from pgnet.boxes import Boxes
from pgnet.datasets.reading import SUFFIXES
from pgnet.errors import PgnetError
from pgnet.results.formats.reading import read_text


def names_in(file: Path) -> list[str]:
    """The first word of each line of a list of names.

    Raises:
        PgnetError: the file cannot be read, or is empty.
    """
    names = [line.split()[0] for line in read_text(file).splitlines() if line.strip()]
    if not names:
        raise PgnetError(f"The list {file} is empty.")
    return names


def choose_split(found: Iterable[str], wanted: str | None, where: str, default: Callable[[str], bool]) -> str:
    """The name of the split to read.

    Args:
        found: the splits that there are.
        wanted: the one asked for; None takes the only one, or the first for which `default` is true.
        where: for the message.

    Raises:
        PgnetError: it is not there, or it is not clear which.
    """
    names = sorted(found)
    if wanted is None:
        wanted = names[0] if len(names) == 1 else next(filter(default, names), None)
    if wanted not in names:
        asked = "a split is needed" if wanted is None else f"there is no split {wanted!r}"
        raise PgnetError(f"In {where} {asked}; found: {', '.join(names) or 'none'}.")
    return wanted


def list_frames(folder: Path) -> list[str]:
    """Names of the pictures in a folder, in order; numbers in them may have leading zeros or not.

    Raises:
        PgnetError: there is no such folder, or no picture in it.
    """
    if not folder.is_dir():
        raise PgnetError(f"The folder of frames {folder} does not exist.")
    names = [p.name for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and not p.name.startswith(".")]
    if not names:
        raise PgnetError(f"The folder {folder} has no pictures ({', '.join(sorted(SUFFIXES))}).")
    return sorted(names, key=lambda name: (len(name), name))


CORNERS = ("xmin", "ymin", "xmax", "ymax")


@dataclass(frozen=True)
class XmlObject:
    """One <object> of an annotation in Pascal VOC's XML: its box, and the texts of its other elements."""

    box: Boxes
    texts: dict[str, str]


@dataclass(frozen=True)
class XmlPicture:
    """One annotation in Pascal VOC's XML."""

    filename: str
    size: tuple[int, int]
    objects: list[XmlObject]


def read_voc_xml(file: Path, first_pixel: int) -> XmlPicture:
    """The objects of one picture (Everingham et al., The PASCAL VOC Challenge, devkit documentation).

    Args:
        file: the XML.
        first_pixel: the number of the upper left pixel. xmax and ymax are the last pixels inside.

    Raises:
        PgnetError: no XML, or an element is missing or no number.
    """
    try:
        root = ET.fromstring(read_text(file))
        size = (int(root.findtext("size/width", "")), int(root.findtext("size/height", "")))
        objects = []
        for element in root.iter("object"):
            left, top, right, bottom = (float(element.findtext(f"bndbox/{v}", "")) for v in CORNERS)
            box = np.array([left - first_pixel, top - first_pixel, right - left + 1, bottom - top + 1])
            texts = {child.tag: (child.text or "").strip() for child in element if child.tag != "bndbox"}
            objects.append(XmlObject(box, texts))
    except ET.ParseError as error:
        raise PgnetError(f"{file} is not XML ({error}); is the file whole?") from error
    except ValueError as error:
        raise PgnetError(
            f"The file {file} is no annotation in Pascal VOC's XML: a size or a box is missing or no number."
        ) from error
    return XmlPicture(root.findtext("filename", "").strip(), size, objects)


def picture_size(path: Path) -> tuple[int, int]:
    """Width and height of a picture, from its header where the format allows.

    Raises:
        PgnetError: it cannot be read.
    """
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            size = stream.width, stream.height
    except (OSError, av.FFmpegError, IndexError) as error:
        raise PgnetError(f"The picture {path} cannot be read: {error}.") from error
    if 0 in size:
        raise PgnetError(f"The picture {path} cannot be decoded; the file is damaged or no image.")
    return size
