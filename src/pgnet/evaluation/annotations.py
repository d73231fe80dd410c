"""What the toolkits know of a data set's sequences, read from the data set itself or from its annotation files alone.

Annotation files alone, as toolkits ship them, are one of

- a folder of ``NAME.txt`` with x,y,w,h per line, or one that has it as ``anno``, ``annos`` or ``annotations``;
  ``absent/NAME.txt`` (LaSOT) and ``att/NAME.txt`` lie in it or beside it;
- the same as a zip archive (TrackingNet);
- a JSON file: pysot's ``VOT2018.json``, ``OTB100.json`` ..., or ``got-val.json`` with x1, y1, x2, y2 for each frame.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Mapping
from collections.abc import Sequence as List
from dataclasses import dataclass, field, replace
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pgnet.boxes import Boxes, xyxy_to_xywh
from pgnet.datasets import OFFICIAL, Sequence, dataset_reader, lasot, otb, uav
from pgnet.datasets.reading import parse_rows
from pgnet.datasets.vot import official_names, upright_boxes
from pgnet.errors import PgnetError
from pgnet.evaluation.raw import TextFile, key, text_files

TITLES = {
    "otb2013": "OTB-2013",
    "otb50": "OTB-50",
    "otb100": "OTB-100",
    "uav123": "UAV123",
    "uav20l": "UAV20L",
    "nfs30": "NfS (30 fps)",
    "nfs240": "NfS (240 fps)",
    "tc128": "TColor-128",
    "vot2016": "VOT2016",
    "vot2017": "VOT2017",
    "vot2018": "VOT2018",
    "vot2019": "VOT2019",
    "lasot": "LaSOT",
    "lasot-ext": "LaSOT extension",
    "got10k-val": "GOT-10k val",
    "trackingnet": "TrackingNet",
}
"""The data sets that can be scored, and how papers write their names."""
ONE_BASED = ("otb", "uav", "tc128", "lasot")
"""Beginnings of the names of data sets that count pixels from 1."""
ATTRIBUTES = {
    "otb": ("IV", "OPR", "SV", "OCC", "DEF", "MB", "FM", "IPR", "OV", "BC", "LR"),
    "uav": uav.ATTRIBUTES,
    "lasot": lasot.ATTRIBUTES,
}
"""What the flags of ``att/NAME.txt`` mean, by the beginning of the data set's name."""


@dataclass(frozen=True, eq=False)
class Annotation:
    """One sequence as the toolkits see it, in the data set's own numbers."""

    name: str
    boxes: Boxes
    """(N, 4) x, y, w, h as the file has them: 1-based where the data set is."""
    dataset: str = ""
    first_row: int = 0
    """Rows of the file, and of a result that has them all, before the first one that counts (Tiger1 of OTB)."""
    rows: NDArray[np.intp] | None = None
    """(N,) row of a result that belongs to each box, where not every frame is annotated."""
    absent: NDArray[np.bool_] | None = None
    """(N,) labels of LaSOT; None where toolkits use none."""
    cover: NDArray[np.uint8] | None = None
    """(N,) visible part in eighths (GOT-10k)."""
    polygons: NDArray[np.float64] | None = None
    """(N, 8) corners (VOT)."""
    tags: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    """(N,) marks of single frames (VOT)."""
    attributes: tuple[str, ...] = ()
    size: tuple[int, int] | None = None
    """Width and height of the frames."""
    sequence: Sequence | None = None
    """Where the frames are, if the whole data set was given."""

    def __len__(self) -> int:
        return len(self.boxes)

    @property
    def result_rows(self) -> int:
        """How many rows a complete result has."""
        return int(self.rows[-1]) + 1 if self.rows is not None else len(self.boxes)


@dataclass(frozen=True, eq=False)
class Annotations(Mapping[str, Annotation]):
    """The annotated sequences of a data set by name, and what is amiss with them."""

    dataset: str
    root: Path
    sequences: dict[str, Annotation]
    official: List[str]
    """Names of the sequences that the data set should have; empty where they are not known."""
    related: List[str]
    """Names of the sequences of its whole family, such as all of OTB for OTB-50."""
    problems: list[str]
    """Sentences: sequences that the data set should have and that could not be read."""

    def __getitem__(self, name: str) -> Annotation:
        return self.sequences[name]

    def __iter__(self) -> Any:
        return iter(self.sequences)

    def __len__(self) -> int:
        return len(self.sequences)


def dataset_name(name: str) -> str:
    """``"GOT10k_val"`` -> ``"got10k-val"``.

    Raises:
        PgnetError: it is unknown, or cannot be scored.
    """
    wanted = name.lower().replace("_", "-").replace("got-10k", "got10k")
    if wanted not in TITLES:
        raise PgnetError(f"There are no scores for {name!r}; the data sets that have some are {', '.join(TITLES)}.")
    return wanted


def read_annotations(dataset: str, root: Path) -> Annotations:
    """The sequences of a data set in its order.

    Args:
        dataset: one of `TITLES`.
        root: the data set itself, or its annotation files alone (see above).

    Raises:
        PgnetError: nothing of this data set is there.
    """
    if not root.exists():
        raise PgnetError(f"{root} does not exist; give the folder of the annotations of {dataset}.")
    files = _bare_files(root)
    problems: dict[str, str] = {}
    official = official_names(root) if dataset.startswith("vot") else OFFICIAL.get(dataset, ())
    found: list[Annotation]
    if json_file := _json_file(dataset, root):
        found = _from_json(dataset, json_file)
    elif files:
        found = _from_files(dataset, root, files, official, problems)
    else:
        found = []
        for sequence in dataset_reader(dataset)(root, problems=problems):
            try:
                found.append(_from_sequence(dataset, sequence))
            except PgnetError as error:
                problems[sequence.name] = str(error)
    names = {key(annotation.name) for annotation in found}
    missing = [name for name in official if key(name) not in names and name not in problems]
    if official and len(names) + len(problems) == 0:
        raise PgnetError(
            f"{root} has no annotation of {dataset} (such as {official[0]}); is it that of another data set?"
        )
    if not found:
        raise PgnetError(f"No sequence in {root} can be read: {next(iter(problems.values()), 'it is empty')}")
    family = "".join(takewhile(str.isalpha, dataset))
    related = [name for other, names in OFFICIAL.items() if other.startswith(family) for name in names]
    if dataset == "trackingnet" and not any(np.isfinite(annotation.boxes[1:]).any() for annotation in found):
        raise PgnetError(
            f"{root} has only the first box of each sequence: TrackingNet's server alone can score its test set; send "
            "the zip of results there."
        )
    sentences = [f"{name}: {text}" for name, text in problems.items()]
    if missing:
        few = ", ".join(missing[:8]) + (f" and {len(missing) - 8} more" if len(missing) > 8 else "")
        sentences.append(f"{few}: there is no annotation in {root}")
    return Annotations(
        dataset, root, {annotation.name: annotation for annotation in found}, official, related, sentences
    )


def _from_sequence(dataset: str, sequence: Sequence) -> Annotation:
    boxes = sequence.boxes
    if dataset.startswith("lasot") and sequence.absent is None:
        raise PgnetError(f"{sequence.name} has no full_occlusion.txt and out_of_view.txt, which LaSOT's scores need.")
    if dataset.startswith(ONE_BASED):
        boxes = boxes + [1, 1, 0, 0]
    size = sequence.size
    if size is None and dataset.startswith("vot"):
        height, width = sequence.image(0).shape[:2]
        size = (width, height)
    return Annotation(
        sequence.name,
        boxes,
        dataset,
        first_row=otb.SKIPPED_ROWS.get(sequence.name, 0) if dataset.startswith("otb") else 0,
        absent=sequence.absent if dataset.startswith("lasot") else None,
        cover=sequence.cover,
        polygons=(sequence.regions if sequence.regions is not None else _corners(boxes))
        if dataset.startswith("vot")
        else None,
        tags=sequence.tags,
        attributes=sequence.attributes,
        size=size,
        sequence=sequence,
    )


def _places(root: Path) -> list[Path]:
    """Where annotation files may lie."""
    return [folder / name for folder in (root, root / "annotations") for name in ("", "anno", "annos")]


def _bare_files(root: Path) -> dict[str, TextFile]:
    """The text files that may be annotations, in the folder itself, or in its folder of them."""
    for folder in _places(root):
        if folder.is_dir() or zipfile.is_zipfile(folder):
            files = {file.stem: file for file in text_files(folder, deep=False) if file.stem != "list"}
            if any(_is_boxes(file) for file in list(files.values())[:3]):
                return files
    return {}


def _is_boxes(file: TextFile) -> bool:
    lines = file.read().split("\n", 1)
    try:
        return parse_rows(lines[0], str(file)).shape == (1, 4)
    except PgnetError:
        return False


def _from_files(
    dataset: str, root: Path, files: dict[str, TextFile], official: List[str], problems: dict[str, str]
) -> list[Annotation]:
    by_key = {key(stem): file for stem, file in files.items()}
    wanted = [(name, by_key[key(name)]) for name in official if key(name) in by_key] if official else files.items()
    annotations = []
    labels = {what: _labels(root, what) for what in ("absent", "att")}
    for name, file in wanted:
        try:
            annotation = Annotation(name, _boxes(file), dataset)
            if dataset.startswith("otb"):
                skip = otb.SKIPPED_ROWS.get(name, 0)
                annotation = replace(annotation, boxes=annotation.boxes[skip:], first_row=skip)
            if dataset.startswith("lasot"):
                annotation = replace(annotation, absent=_absent(labels["absent"], annotation, file))
            annotation = replace(annotation, attributes=_attributes(labels["att"], dataset, name))
        except PgnetError as error:
            problems[name] = str(error)
            continue
        annotations.append(annotation)
    return annotations


def _boxes(file: TextFile) -> Boxes:
    boxes = parse_rows(file.read(), str(file))
    if boxes.shape[1] != 4:
        raise PgnetError(f"{file} has {boxes.shape[1]} numbers on a line; an annotation has four: x, y, w, h.")
    return boxes


def _labels(root: Path, what: str) -> dict[str, TextFile]:
    folders = [place / what for place in [*_places(root), root.parent]]
    folder = next((folder for folder in folders if folder.is_dir()), None)
    return {key(file.stem): file for file in text_files(folder, deep=False)} if folder else {}


def _absent(labels: dict[str, TextFile], annotation: Annotation, file: TextFile) -> NDArray[np.bool_]:
    path = labels.get(key(annotation.name))
    if path is None:
        raise PgnetError(f"{file} has no labels absent/{annotation.name}.txt beside it, which LaSOT's scores need.")
    absent = parse_rows(path.read(), str(path)).reshape(-1) != 0
    if len(absent) != len(annotation):
        raise PgnetError(f"{path} has {len(absent)} labels for the {len(annotation)} frames of {file}.")
    return absent


def _attributes(labels: dict[str, TextFile], dataset: str, name: str) -> tuple[str, ...]:
    path = labels.get(key(name))
    names = next((names for start, names in ATTRIBUTES.items() if dataset.startswith(start)), ())
    if path is None or not names:
        return ()
    flags = parse_rows(path.read(), str(path)).reshape(-1)
    if len(flags) != len(names):
        raise PgnetError(f"{path} has {len(flags)} flags; {dataset} has {len(names)} attributes.")
    return tuple(name for name, flag in zip(names, flags, strict=True) if flag)


def _json_file(dataset: str, root: Path) -> Path | None:
    """The file itself, the one in the folder that has the data set's name, or (VOT, GOT-10k) any one there."""
    if root.is_file():
        return root if root.suffix == ".json" else None
    paths = sorted(root.glob("*.json"))
    name = key(dataset).replace("-", "")
    named = [path for path in paths if key(path.stem).replace("-", "") == name]
    return next(iter(named or (paths if dataset.startswith(("vot", "got10k")) else ())), None)


def _from_json(dataset: str, path: Path) -> list[Annotation]:
    read = next((read for start, read in _ENTRIES.items() if dataset.startswith(start)), _one_pass_entry)
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return [read(dataset, name, entry) for name, entry in data.items()]
    except OSError as error:
        raise PgnetError(f"{path} cannot be read ({error.strerror}).") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PgnetError(f"{path} is no annotation of {dataset} as pysot's toolkit has it ({error!r}).") from error


def _vot_entry(dataset: str, name: str, entry: dict[str, Any]) -> Annotation:
    regions = np.array(entry["gt_rect"], np.float64)
    polygons = regions if regions.shape[1] == 8 else _corners(regions)
    names = ("camera_motion", "illum_change", "motion_change", "occlusion", "size_change")
    return Annotation(
        name,
        upright_boxes(polygons) if regions.shape[1] == 8 else regions,
        dataset,
        polygons=polygons,
        tags={tag: np.array(entry[tag], bool) for tag in names if len(entry.get(tag, ())) == len(regions)},
        size=(int(entry["width"]), int(entry["height"])),
    )


def _got10k_entry(dataset: str, name: str, entry: dict[str, list[float]]) -> Annotation:
    frames = sorted((int(number), corners) for number, corners in entry.items())
    return Annotation(
        name,
        xyxy_to_xywh(np.array([corners for _, corners in frames])),
        dataset,
        rows=np.array([number - 1 for number, _ in frames]),
    )


def _one_pass_entry(dataset: str, name: str, entry: dict[str, Any]) -> Annotation:
    boxes = np.array(entry["gt_rect"], np.float64).reshape(-1, 4)
    skip = otb.SKIPPED_ROWS.get(name, 0) if dataset.startswith("otb") else 0
    seen = entry["absent"] if dataset.startswith("lasot") else None  # 1 where the target can be seen
    return Annotation(
        name,
        boxes[skip:],
        dataset,
        first_row=skip,
        absent=None if seen is None else np.array(seen).reshape(len(boxes)) != 1,
        attributes=tuple(entry.get("attr") or ()),
    )


_ENTRIES: Mapping[str, Callable[[str, str, Any], Annotation]] = {"vot": _vot_entry, "got10k": _got10k_entry}
"""How a sequence's entry is read, by the beginning of the data set's name; the others are one-pass evaluation."""


def _corners(boxes: Boxes) -> NDArray[np.float64]:
    """(N, 4) x, y, w, h -> (N, 8) corners, clockwise from the upper left, as the VOT code makes them of rectangles."""
    x, y, w, h = boxes.T
    return np.stack([x, y, x + w, y, x + w, y + h, x, y + h], axis=1)
