"""What the readers of data sets share: text files of numbers, and the choice of sequences."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pgnet.boxes import Boxes
from pgnet.datasets.sequence import NumberedFrames, Sequence
from pgnet.errors import PgnetError

SEPARATOR = re.compile(r"[,;\s]+")
SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".webp"})

Found = Mapping[str, Callable[[], Sequence]]
"""The sequences below a folder: for each name what reads it."""


def choose(
    found: Found, root: Path, names: Iterable[str] | None, problems: dict[str, str] | None, what: str
) -> list[Sequence]:
    """Read the sequences that were found, or those with some names, in any case.

    Args:
        found: the sequences, in the order wanted.
        root: where they were searched, for the messages.
        names: only these, in this order.
        problems: where to put what is wrong with damaged sequences, by name; they are then left out.
        what: the data set and how it is recognised, for the message when nothing was found.

    Raises:
        PgnetError: nothing there, an unknown name, or (without `problems`) a damaged sequence.
    """
    if not root.is_dir():
        raise PgnetError(f"The folder {root} does not exist; give the one that holds {what}.")
    if not found:
        raise PgnetError(f"{root} does not hold {what}; give the folder that does.")
    if names is not None:
        lower = {name.lower(): name for name in found}
        wanted = {name: name if name in found else lower.get(name.lower()) for name in map(str.strip, names)}
        if unknown := [name for name, spelled in wanted.items() if spelled is None]:
            known = ", ".join(list(found)[:20]) + (f" and {len(found) - 20} more" if len(found) > 20 else "")
            raise PgnetError(f"There is no sequence {', '.join(unknown)} in {root}; it has {known}.")
        found = {name: found[name] for name in wanted.values() if name is not None}
    sequences = []
    for name, read in found.items():
        try:
            sequences.append(read())
        except PgnetError as error:
            if problems is None:
                raise
            problems[name] = str(error)
    return sequences


def words(text: str) -> tuple[str, ...]:
    """The words of a text: long lists of names read better without quotes and commas."""
    return tuple(text.split())


def subfolders(folder: Path) -> list[Path]:
    """The folders in a folder by name; none where it does not exist."""
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def read_text(path: Path) -> str:
    """Raises: PgnetError where the file cannot be read."""
    try:
        return path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise PgnetError(f"{path} cannot be read ({error.strerror}); get the data set again.") from error


def read_rows(path: Path) -> list[list[str]]:
    """The values of each line that is not empty, separated by commas, semicolons, tabs or blanks, as text.

    Raises:
        PgnetError: the file cannot be read.
    """
    return [SEPARATOR.split(line.strip()) for line in read_text(path).splitlines() if line.strip()]


def parse_rows(text: str, where: str) -> NDArray[np.float64]:
    """(N, C) numbers of a text with C on each line, separated by commas, semicolons, tabs or blanks.

    Raises:
        PgnetError: nothing there, or a line that cannot be read or has another number of values; it is named.
    """
    lines = [line for line in text.translate(_BLANKS).splitlines() if line and not line.isspace()]
    if not lines:
        raise PgnetError(f"{where} is empty.")
    try:
        return np.loadtxt(lines, np.float64, ndmin=2, comments=None)
    except ValueError as error:
        columns = len(lines[0].split())
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip() and len(line_numbers(line)) != columns:
                raise PgnetError(f"{where}, line {number}: {line.strip()[:60]!r} is not {columns} numbers.") from error
        raise PgnetError(f"{where} cannot be read: {error}.") from error


_BLANKS = str.maketrans(",;\t", "   ")


def line_numbers(line: str) -> list[float]:
    """The numbers of a line, separated likewise; none if one of them is not a number."""
    try:
        return [float(value) for value in SEPARATOR.split(line.strip(" \t,;\r\n"))]
    except ValueError:
        return []


def read_boxes(path: Path) -> Boxes:
    """(N, 4) values of a text file with four per line, as they stand there; NaN is a value.

    Raises:
        PgnetError: the file cannot be read or a line has not four numbers.
    """
    boxes = parse_rows(read_text(path), str(path))
    if boxes.shape[1] != 4:
        raise PgnetError(f"{path} should have four numbers x, y, w, h on each line.")
    return boxes


def read_labels(path: Path) -> NDArray[np.uint8]:
    """(N,) small whole numbers of a text file, one per line or all on one.

    Raises:
        PgnetError: the file cannot be read or has something else in it.
    """
    try:
        return np.array([float(v) for row in read_rows(path) for v in row if v]).astype(np.uint8)
    except ValueError as error:
        raise PgnetError(f"The labels in {path} cannot be read: {error}.") from error


def read_attributes(path: Path, names: tuple[str, ...]) -> tuple[str, ...]:
    """The names whose flag is 1 in a file with a 0 or 1 for each of them; none where there is no file.

    Raises:
        PgnetError: the file has another number of flags.
    """
    if not path.is_file():
        return ()
    flags = read_labels(path)
    if len(flags) != len(names):
        raise PgnetError(f"{path} has {len(flags)} attributes instead of {len(names)}; get it again.")
    return tuple(name for name, flag in zip(names, flags, strict=True) if flag)


def numbered_frames(folder: Path, digits: int, first: int, count: int | None = None) -> NumberedFrames:
    """Frames numbered from `first`; counted in the folder where `count` is not known.

    Nothing but the suffix is looked up when the count is known: a data set of a million files opens at once.
    """
    pattern = f"{{:0{digits}d}}" if digits > 1 else "{}"
    if not (folder / f"{pattern.format(first)}.jpg").is_file():
        others = (path.suffix for path in folder.glob(f"{pattern.format(first)}.*") if path.suffix in SUFFIXES)
        suffix = next(others, ".jpg")
    else:
        suffix = ".jpg"
    if count is None:
        count = sum(1 for path in folder.glob(f"*{suffix}") if path.stem.isdecimal())
    return NumberedFrames(folder, pattern + suffix, range(first, first + count))
