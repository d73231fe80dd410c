"""Pictures that look the same: a 64-bit difference hash, pairs of near hashes, and a closer look at two pictures.

The hash is dHash (Krawetz, Kind of Like That, 2013): whether each of 8 x 8 cells is brighter than its left neighbour,
here by more than one grey level. It survives scaling, compression and changes of brightness, not mirroring or cropping.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pgnet.errors import PgnetError

Grey = NDArray[np.uint8]

DISTANCE = 5
"""Bits in which the hashes of one picture may differ: they then agree in one of six bands."""
BANDS = np.array([0, 11, 22, 33, 44, 54, 64], np.uint64)
"""Where the bands of the 64 bits begin and end."""
CROWD = 20_000
"""A band that more pictures than this have in common says nothing about them."""
LIKENESS = 0.98
"""Correlation of two small grey versions from which on they count as one picture."""
PLAIN = 6.0
"""Grey levels of standard deviation; a picture with less has too little in it to be compared, such as clear sky."""


def read_grey(path: Path) -> Grey:
    """A picture as (H, W) uint8.

    Raises:
        PgnetError: it cannot be read, or is cut off.
    """
    try:
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise PgnetError(f"The picture {path} cannot be read ({error.strerror}).") from error
    image = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE) if len(data) else None
    if image is None:
        raise PgnetError(f"The picture {path} cannot be decoded.")
    # OpenCV 4 returns a JPEG that is cut off, what is missing filled with grey; OpenCV 5 does not.
    if data[:2].tobytes() == b"\xff\xd8" and b"\xff\xd9" not in data[-4096:].tobytes():
        raise PgnetError(f"The picture {path} is cut off: the end of the file is missing.")
    return image.astype(np.uint8, copy=False)


def difference_hash(grey: Grey) -> int | None:
    """The 64 bits of an (H, W) picture; None where there is too little in it."""
    small = cv2.resize(grey, (9, 8), interpolation=cv2.INTER_AREA).astype(np.int16)
    if small.std() < PLAIN:
        return None
    return int.from_bytes(np.packbits(small[:, 1:] > small[:, :-1] + 1).tobytes(), "big")


def near_pairs(hashes: NDArray[np.uint64], groups: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Pairs of near hashes of different groups, the nearest pair for each two groups.

    Args:
        hashes: (N,).
        groups: (N,) number of the video or single picture that each belongs to.

    Returns:
        Indices i, j with groups[i] < groups[j].
    """
    found = [np.zeros((0, 5), np.int64)]
    for start, end in pairwise(BANDS):
        band = hashes >> start & ((np.uint64(1) << (end - start)) - np.uint64(1))
        order = np.argsort(band, kind="stable")
        for members in np.split(order, np.flatnonzero(np.diff(band[order])) + 1):
            if 1 < len(members) <= CROWD:
                found.extend(_near_in(members, hashes, groups))
    rows = np.unique(np.concatenate(found), axis=0)  # by groups, then by distance
    _, first = np.unique(rows[:, :2], axis=0, return_index=True)
    return [(int(i), int(j)) for i, j in rows[first, 3:]]


def _near_in(
    members: NDArray[np.int64], hashes: NDArray[np.uint64], groups: NDArray[np.int64]
) -> Iterator[NDArray[np.int64]]:
    """(M, 5) groups, distance and indices of the near pairs among `members`, a part at a time to spare memory."""
    for part in np.array_split(members, -(-(len(members) ** 2) // 10_000_000)):
        distance = np.bitwise_count(hashes[part][:, None] ^ hashes[members])
        a, b = np.nonzero((distance <= DISTANCE) & (groups[part][:, None] < groups[members]))
        i, j = part[a], members[b]
        yield np.stack([groups[i], groups[j], distance[a, b].astype(np.int64), i, j], axis=1)


def likeness(a: Path, b: Path) -> float:
    """Correlation of two pictures at 32 x 32 grey pixels, 1 for the same one; 0 where one cannot be read."""
    try:
        small = [cv2.resize(read_grey(p), (32, 32), interpolation=cv2.INTER_AREA).astype(np.float64) for p in (a, b)]
    except PgnetError:
        return 0.0
    x, y = (values - values.mean() for values in small)
    return float((x * y).sum() / max(np.sqrt((x * x).sum() * (y * y).sum()), 1e-9))
