"""Raw results of trackers as they are passed around: one file per sequence, in many layouts.

``TRACKER/NAME.txt`` with x,y,w,h per line, separated by commas, tabs or blanks; names in any case and with ``_``, ``-``
or ``.`` between their parts, with pytracking's ``uav_`` before or a repetition ``_001`` behind; in folders
``baseline/NAME/`` or ``NAME/``; as a zip archive; or the OTB toolkit's ``NAME_TRACKER.mat``. Times lie in
``NAME_time.txt``.
"""

from __future__ import annotations

import os
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pgnet.boxes import Boxes
from pgnet.datasets.reading import line_numbers, parse_rows
from pgnet.errors import PgnetError
from pgnet.evaluation.matlab import read_mat

Array = NDArray[np.float64]
SUFFIXES = (".txt", ".csv", ".mat")
PREFIXES = ("uav-", "nfs-", "otb-", "tc128-", "tpl-", "lasot-")
"""What pytracking and others put before a sequence's name."""


@dataclass(frozen=True)
class TextFile:
    """A file in a folder or in a zip archive."""

    archive: Path | None
    path: Path
    """In the archive, or on its own."""

    @property
    def stem(self) -> str:
        return self.path.stem

    @property
    def suffix(self) -> str:
        return self.path.suffix.lower()

    def __str__(self) -> str:
        return f"{self.archive}:{self.path}" if self.archive else str(self.path)

    def read_bytes(self) -> bytes:
        """Raises: PgnetError where it cannot be read."""
        try:
            if self.archive is None:
                return self.path.read_bytes()
            with zipfile.ZipFile(self.archive) as archive:
                return archive.read(self.path.as_posix())
        except (OSError, zipfile.BadZipFile, zlib.error, RuntimeError) as error:  # RuntimeError: it has a password
            raise PgnetError(f"{self} cannot be read ({error}).") from error

    def read(self) -> str:
        """Raises: PgnetError where it cannot be read or is no text."""
        try:
            return self.read_bytes().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise PgnetError(f"{self} cannot be read ({error}).") from error


def text_files(root: Path, *, deep: bool = True) -> list[TextFile]:
    """The files with one of `SUFFIXES` in a folder (and those below it) or a zip archive, by name."""
    if root.is_dir():
        paths = sorted(root.rglob("*") if deep else root.iterdir())
        return [TextFile(None, path) for path in paths if _wanted(path.relative_to(root)) and path.is_file()]
    with zipfile.ZipFile(root) as archive:
        return [TextFile(root, path) for path in sorted(map(Path, archive.namelist())) if _wanted(path)]


def _wanted(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and not any(part.startswith((".", "__MACOSX")) for part in path.parts)


def key(name: str) -> str:
    """The name as far as it counts: ``Human4.2`` and ``human4_2`` are one."""
    return re.sub(r"[_.\s]+", "-", name.lower())


@dataclass
class ResultFiles:
    """The files of one tracker on one data set."""

    tracker: str
    root: Path
    boxes: dict[str, list[TextFile]] = field(default_factory=dict)
    """By sequence; several where a tracker ran several times."""
    times: dict[str, TextFile] = field(default_factory=dict)
    unknown: list[TextFile] = field(default_factory=list)
    """Files that belong to no sequence of the data set."""


def tracker_name(root: Path) -> str:
    """The tracker whose results lie there: the last part of the path, as it was given where that is a link."""
    return root.stem if root.is_file() else Path(os.path.abspath(root)).name


def find_results(root: Path, names: Collection[str], others: Collection[str] = ()) -> ResultFiles:
    """The files of one tracker for the sequences with these names.

    Args:
        root: folder or zip archive of the tracker.
        others: names whose files are passed over.

    Raises:
        PgnetError: it does not exist, is empty, or has nothing of these sequences.
    """
    if not root.exists():
        raise PgnetError(f"The results {root} do not exist; give a folder with one text file per sequence.")
    if root.is_file() and not zipfile.is_zipfile(root):
        raise PgnetError(f"The results {root} are a file; give the folder (or zip archive) of one tracker.")
    found = ResultFiles(tracker_name(root), root)
    # VOT has three experiments; the others are unsupervised and real-time.
    files = text_files(root / "baseline" if (root / "baseline").is_dir() else root)
    if not files:
        raise PgnetError(f"{root} has no results (NAME.txt, .csv or .mat); give the folder of one tracker.")
    match, passed = _Names(names), _Names(others)
    for file in files:
        stem = re.sub(r"[_-]times?$", "", file.stem)
        name = match.of(file, stem)
        if name is None:
            if passed.of(file, stem) is None:
                found.unknown.append(file)
        elif stem != file.stem or file.path.parent.name == "times":
            found.times[name] = file
        else:
            found.boxes.setdefault(name, []).append(file)
    if not found.boxes:
        raise PgnetError(
            f"None of the {len(files)} files in {root} (such as {files[0].path.name}) is named after a sequence of "
            f"this data set (such as {next(iter(names), 'none')}); are they results on another one?"
        )
    return found


class _Names:
    """Finds the sequence that a file is named after."""

    def __init__(self, names: Collection[str]) -> None:
        self._names = {key(name): name for name in names}
        short = Counter(name.replace("-", "") for name in self._names)
        self._short = {k.replace("-", ""): name for k, name in self._names.items() if short[k.replace("-", "")] == 1}
        # OTB evaluates only the second target of Human4, and some trackers leave its number away.
        if "human4-2" in self._names:
            self._names.setdefault("human4", self._names["human4-2"])

    def of(self, file: TextFile, stem: str) -> str | None:
        """The sequence of a file whose name begins with `stem`, or that lies in the sequence's folder."""
        return self._exact(stem) or self._exact(file.path.parent.name) or self._start(file, stem)

    def _exact(self, text: str) -> str | None:
        wanted = key(text)
        candidates = [wanted, re.sub(r"-\d{3}$", "", wanted)]
        candidates += [c.removeprefix(p) for c in candidates for p in PREFIXES if c.startswith(p)]
        for candidate in candidates:
            if candidate in self._names:
                return self._names[candidate]
        return self._short.get(wanted.replace("-", ""))

    def _start(self, file: TextFile, stem: str) -> str | None:
        """For NAME_TRACKER.mat: the longest name that it begins with."""
        if file.suffix != ".mat":
            return None
        names = [name for name in self._names if key(stem).startswith(name + "-")]
        return self._names[max(names, key=len)] if names else None


def read_result(file: TextFile) -> Boxes:
    """(M, 4) x, y, w, h as they stand in a result.

    Raises:
        PgnetError: the file or one of its lines cannot be read; it is named.
    """
    rows = read_mat(file.read_bytes(), str(file)) if file.suffix == ".mat" else parse_rows(file.read(), str(file))
    if rows.ndim != 2 or rows.shape[1] != 4:
        raise PgnetError(f"{file} has {rows.shape[-1]} numbers on a line; a result has four: x, y, w, h.")
    return rows


def read_vot_result(file: TextFile) -> list[Array]:
    """The rows of a reset-based result: one number is a code, four are x, y, w, h, more are corners.

    Raises:
        PgnetError: the file or one of its lines cannot be read; it is named.
    """
    rows = []
    for number, line in enumerate(file.read().splitlines(), 1):
        if not line.strip():
            continue
        row = np.array(line_numbers(line))
        if len(row) not in (1, 4) and (len(row) < 6 or len(row) % 2):
            raise PgnetError(
                f"{file}, line {number}: {line.strip()[:60]!r} is no code (one number) and no region (4, 6, 8 ...)."
            )
        rows.append(row)
    if not rows:
        raise PgnetError(f"{file} is empty.")
    return rows


def read_seconds(file: TextFile) -> Array:
    """(N,) times of each frame, those of the first repetition; what is not positive is left out.

    Raises:
        PgnetError: see `parse_rows`.
    """
    seconds = parse_rows(file.read(), str(file))[:, 0]
    return seconds[np.isfinite(seconds) & (seconds > 0)]
