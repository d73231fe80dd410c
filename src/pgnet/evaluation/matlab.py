"""Raw results of the OTB toolkit in MATLAB's files, as rectangles in the way its scores make them; needs scipy.

Trackers that turn and shear their box stored its transformation. ``results{1}.type`` says what stands in
``results{1}.res``: ``rect`` x, y, w, h per row, ``4corner`` and ``affine`` two rows of corners, ``LK_Aff`` two rows of
a warp, ``ivtAff`` and ``L1Aff`` six affine parameters, ``SIMILARITY`` scale, angle and offset. ``tmplsize`` is what
they are applied to.
"""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray

from pgnet.errors import PgnetError

Array = NDArray[np.float64]


def read_mat(data: bytes, where: str) -> Array:
    """The (M, 4) x, y, w, h of a file ``NAME_TRACKER.mat``.

    Args:
        data: the file.
        where: its name, for messages.

    Raises:
        PgnetError: scipy is not installed, it is no such file, or holds something that the toolkit does not score.
    """
    try:
        from scipy.io import loadmat
        from scipy.io.matlab import MatReadError
    except ModuleNotFoundError as error:
        raise PgnetError(f"{where} is a MATLAB file, which needs scipy: pip install 'pgnet[matlab]'.") from error
    try:
        # Without mat_dtype, doubles come as the small integers that the file packs them into.
        result = loadmat(io.BytesIO(data), mat_dtype=True)["results"].ravel()[0].ravel()[0]
        kind, rows = str(result["type"].ravel()[0]), np.asarray(result["res"], np.float64)
        size = np.asarray(result["tmplsize"], np.float64).ravel() if "tmplsize" in result.dtype.names else np.empty(0)
    except (OSError, ValueError, KeyError, IndexError, TypeError, NotImplementedError, MatReadError) as error:
        raise PgnetError(f"{where} is no result of the OTB toolkit, which has results{{1}}.res ({error}).") from error
    try:
        return _rectangles(kind, rows, size)
    except ValueError as error:
        raise PgnetError(
            f"{where} has regions of type {kind!r} in an array of {' x '.join(map(str, rows.shape))}, which the OTB "
            "toolkit does not score."
        ) from error


def _rectangles(kind: str, rows: Array, size: Array) -> Array:
    """(M, 4) x, y, w, h. Raises: ValueError where the type is unknown or the arrays do not fit it."""
    if kind == "rect":
        return _frames(rows, 4)
    if kind in ("4corner", "affine"):
        return _around(_frames(rows, 2, 4))
    first, second = size.tolist()  # width and height of ivtAff, otherwise rows and columns
    if kind == "ivtAff":
        affine = _frames(rows, 6)[:, [2, 3, 0, 4, 5, 1]].reshape(-1, 2, 3)
        low, high = np.floor(affine @ [-first / 2, -second / 2, 1]), np.floor(affine @ [first / 2, second / 2, 1])
        return np.concatenate([low, high - low], axis=1)
    if kind == "L1Aff":
        affine = _frames(rows, 6)[:, [2, 3, 5, 0, 1, 4]].reshape(-1, 2, 3)
        low, high = _round(affine @ [1, 1, 1]), _round(affine @ [first, second, 1])
        return np.concatenate([low, high - low + 1], axis=1)
    corners = np.array([[1, 1, second, second], [1, first, first, 1], [1, 1, 1, 1]])
    if kind == "LK_Aff":
        return _around((_frames(rows, 2, 3) + np.eye(2, 3)) @ corners)
    if kind == "SIMILARITY":
        scale, angle, x, y = _frames(rows, 4).T
        cos, sin = scale * np.cos(angle), scale * np.sin(angle)
        return _around(np.stack([cos, -sin, x, sin, cos, y], axis=1).reshape(-1, 2, 3) @ corners)
    raise ValueError(kind)


def _frames(rows: Array, *shape: int) -> Array:
    """Rows as (M, ...) of this shape. Raises: ValueError where they have another number of columns."""
    if rows.ndim != 2 or rows.shape[1] != shape[-1]:
        raise ValueError(rows.shape)
    return rows.reshape(-1, *shape)


def _around(corners: Array) -> Array:
    """(M, 2, 4) x and y of corners -> (M, 4) whole pixels from the outermost to the outermost."""
    low, high = corners.min(axis=2), corners.max(axis=2)
    return _round(np.concatenate([low, high - low + 1], axis=1))


def _round(values: Array) -> Array:
    """MATLAB's round goes away from zero at a half."""
    return np.copysign(np.floor(np.abs(values) + 0.5), values)
