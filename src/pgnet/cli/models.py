"""`pgnet models`: which models there are."""

from __future__ import annotations

from typing import Any


def models() -> None:
    """List the models with size, checksum, licence, training data and score."""
    from pgnet.models import available

    rows = [["NAME", "SIZE", "SHA256", "LICENCE", "SCORE", "DATA"]]
    for model in available():
        said = model.metadata
        described = [_text(value) for value in (said.get("licence"), model.score, said.get("data"))]
        rows.append([model.name, f"{model.path.stat().st_size / 1e6:.1f} MB", model.sha256[:12], *described])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    if len(rows) == 1:
        print("(none: this installation has no models; give --model a path)")


def _text(value: Any) -> str:
    """A metadata value on one line."""
    if value in (None, "", []):
        return "-"
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return " ".join(str(value).split())
