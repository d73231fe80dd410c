"""`pgnet plot-track TRACK`: presence, and overlap with a ground truth, over time as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pgnet.cli.arguments import Overwrite, report_extra
from pgnet.errors import PgnetError


def plot_track(
    track: Annotated[
        Path, typer.Argument(metavar="TRACK", help="track.json of a run, or any format that pgnet convert reads.")
    ],
    truth: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The right boxes, in any format that pgnet convert reads.")
    ] = None,
    truth_format: Annotated[
        str | None, typer.Option(metavar="NAME", help="Format of the truth, found from its content if not given.")
    ] = None,
    out: Annotated[Path, typer.Option(metavar="FILE", help="track.png, .pdf, .svg or .jpg.")] = Path("track.png"),
    overwrite: Overwrite = False,
) -> None:
    """Draw over time how sure the tracker was, and how well its box fits."""
    with report_extra("pgnet plot-track"):
        from pgnet.evaluation.figure import write_figure
        from pgnet.evaluation.track_plot import track_figure
    from pgnet.results import formats

    if out.exists() and not overwrite:
        raise PgnetError(f"{out} exists already; give another --out or --overwrite.")
    run = formats.read(track)
    right = formats.read(truth, truth_format, known=run.source) if truth else None
    write_figure(track_figure(run, right), out)
    print(f"Wrote {out}.")
