"""`pgnet frame SOURCE --out first.png`: a still with a pixel grid, to read a box off."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pgnet.cli.arguments import Overwrite, Source, parse_moment
from pgnet.errors import PgnetError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

STEPS = (10, 20, 50, 100, 200, 500, 1000)


def frame(
    source: Source,
    out: Annotated[Path, typer.Option(help="The picture to write: .png or .jpg.")],
    at: Annotated[str | None, typer.Option(help="Which frame: a number (120) or seconds (2.5s); the first.")] = None,
    overwrite: Overwrite = False,
) -> None:
    """Write one frame as a picture with a pixel grid, to read the box of the object off."""
    import cv2

    from pgnet.files import atomic
    from pgnet.video import open_source

    start = parse_moment(at, "--at")
    if out.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        raise PgnetError(f"--out must end in .png or .jpg, not {out.name!r}.")
    if out.exists() and not overwrite:
        raise PgnetError(f"{out} exists already; give another --out or --overwrite.")
    if not out.parent.is_dir():
        raise PgnetError(f"There is no folder {out.parent} to write {out.name} to; make it or give another --out.")
    with open_source(source, start=start) as frames:
        picture = next(iter(frames), None)
    if picture is None:
        raise PgnetError(f"{source} has no frame {at or 'at all'}; give an earlier --at.")
    ok, data = cv2.imencode(out.suffix, with_grid(picture.image)[..., ::-1])
    if not ok:
        raise PgnetError(f"The frame cannot be written as {out.suffix}; use .png.")
    with atomic(out) as temporary:
        temporary.write_bytes(data.tobytes())
    height, width = picture.image.shape[:2]
    print(f"Wrote {out}: frame {picture.index} at {picture.time:.3f} s, {width} x {height} pixels.")
    start_option = f" --start {at}" if at else ""
    print(f"Read the box off the grid, then: pgnet track {shlex.quote(source)} --box X,Y,W,H{start_option}")


def grid_step(width: int, height: int) -> int:
    """Distance of the grid lines in pixels: a round number, 10 to 25 lines along the longer side."""
    return next((step for step in STEPS if max(width, height) / step <= 25), STEPS[-1])


def with_grid(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """An (H, W, 3) RGB image with labelled grid lines; same size, so positions in a viewer are frame pixels."""
    import cv2

    height, width = image.shape[:2]
    step = grid_step(width, height)
    lines = image.copy()
    for x in range(0, width, step):
        cv2.line(lines, (x, 0), (x, height - 1), (255, 255, 255) if x // step % 5 else (255, 220, 0), 1)
    for y in range(0, height, step):
        cv2.line(lines, (0, y), (width - 1, y), (255, 255, 255) if y // step % 5 else (255, 220, 0), 1)
    picture = cv2.addWeighted(image, 0.55, lines, 0.45, 0)
    size = min(1.2, max(0.3, step / 130))

    def label(text: str, x: int, y: int) -> None:
        place = (x + 2, y + round(22 * size) + 2)
        cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, size, (0, 0, 0), 3, cv2.LINE_AA)
        cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, size, (255, 255, 255), 1, cv2.LINE_AA)

    for x in range(0, width, step):
        label(str(x), x, 0)
    for y in range(step, height, step):
        label(str(y), 0, y)
    return picture.astype(image.dtype, copy=False)
