"""`pgnet data`: check training data and benchmarks, look at them, and take the frames out of a video to annotate."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from pgnet.cli.arguments import Overwrite, Source
from pgnet.cli.progress import progress_bar
from pgnet.errors import PgnetError
from pgnet.files import atomic, atomic_folder

if TYPE_CHECKING:
    from pgnet.training.checks import Look, Problem

app = typer.Typer(help="Check and look at sets of training data.", no_args_is_help=True)

Root = Annotated[Path, typer.Argument(metavar="ROOT", help="The folder of the data set.")]
Layout = Annotated[
    str | None,
    typer.Option(help="A layout of docs/training-data.md, or a benchmark such as uav123; by default found out."),
]
Split = Annotated[
    str | None,
    typer.Option(help="What to read, such as train2017; by default what is for training, or the benchmark named."),
]


@app.command()
def verify(
    root: Root,
    layout: Layout = None,
    split: Split = None,
    against: Annotated[
        Path | None, typer.Option(metavar="ROOT2", help="Data that must have nothing in common with it: a benchmark.")
    ] = None,
    against_layout: Annotated[str | None, typer.Option(help="The layout of ROOT2; by default found out.")] = None,
    against_split: Annotated[str | None, typer.Option(help="What to read of ROOT2, such as test.")] = None,
    every: Annotated[int, typer.Option(min=1, metavar="N", help="Look at each N-th frame of videos only.")] = 1,
    examples: Annotated[int, typer.Option(min=1, help="How many problems of each kind to print.")] = 3,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write all problems to this file.")
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Check pictures, boxes and names, and that no picture is on two sides of a split.

    Of a benchmark that --layout names, such as otb100, it also says what is missing.

    The exit code is 0 if all is well, 1 if there are problems, and 2 if the data cannot be read at all.
    """
    from pgnet.training.checks import check, incomplete, read_any

    if json_file:
        _check_output(json_file, overwrite)
    found = read_any(root, layout, split)
    other = read_any(against, against_layout, against_split) if against else None
    problems = incomplete(root, layout, split) + check(found, other, every, _progress)
    pictures = len({target.path for target in found.annotated()}) + sum(map(len, found.photos.values()))
    if json_file:
        record = {"root": str(root), "pictures": pictures, "problems": [problem._asdict() for problem in problems]}
        with atomic(json_file) as temporary:
            temporary.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    if not problems:
        print(f"No problems: {pictures} pictures checked.")
        return
    _print_problems(problems, examples)
    print(f"{len(problems)} problems with {pictures} pictures.")
    raise typer.Exit(1)


def _progress(looks: Iterable[Look], total: int) -> Iterator[Look]:
    with progress_bar("Looking", total) as update:
        for done, look in enumerate(looks, start=1):
            yield look
            update(done)


def _print_problems(problems: list[Problem], examples: int) -> None:
    from pgnet.training.checks import KINDS

    by_kind = {kind: [problem for problem in problems if problem.kind == kind] for kind in KINDS}
    table = Table("problem", "number", "meaning")
    for kind, some in by_kind.items():
        if some:
            table.add_row(kind, str(len(some)), KINDS[kind])
    _console().print(table)
    for kind, some in by_kind.items():
        for problem in some[:examples]:
            print(f"{kind}: {problem.where + ': ' if problem.where else ''}{problem.text}")
        if len(some) > examples:
            print(f"{kind}: and {len(some) - examples} more")


@app.command()
def stats(
    root: Root,
    out: Annotated[Path, typer.Option(help="The contact sheet to write: .png or .jpg.")],
    layout: Layout = None,
    split: Split = None,
    overwrite: Overwrite = False,
) -> None:
    """Count what is in a data set, and draw some pictures of each set with their boxes."""
    from pgnet.training.checks import read_any
    from pgnet.training.stats import statistics, write_sheet

    _check_output(out, overwrite)
    found = read_any(root, layout, split)
    rows = statistics(found)
    write_sheet(out, found)
    table = Table("set", "pictures", "targets", "videos", "frames", "size in pixels", "width / height")
    for column in table.columns[1:]:
        column.justify = "right"
    for row in rows:
        counts = (row.pictures, row.targets, row.videos, row.frames)
        quartiles = (" ".join(f"{v:.0f}" for v in row.size), " ".join(f"{v:.2f}" for v in row.aspect))
        table.add_row(f"{row.kind} / {row.name}", *(str(n or "") for n in counts), *quartiles)
    table.add_section()
    totals = (sum(getattr(row, name) for row in rows) for name in ("pictures", "targets", "videos", "frames"))
    table.add_row("together", *map(str, totals))
    _console().print(table)
    print("Size is the geometric mean of a box' width and height; 25, 50 and 75 % of the boxes are below.")
    for text in found.damaged:
        print(f"Left out: {text}")
    print(f"Wrote {out}.")


@app.command()
def frames(
    source: Source,
    out: Annotated[Path, typer.Option(help="A new folder for the pictures.")],
) -> None:
    """Write the frames of a video as frame_000000.jpg and so on, the way annotation tools number them."""
    import cv2

    from pgnet.video import open_source

    if out.exists():
        raise PgnetError(f"{out} exists already; give another --out.")
    count = 0
    with open_source(source) as video, progress_bar("Writing", video.expected) as update:
        out.parent.mkdir(parents=True, exist_ok=True)
        with atomic_folder(out) as folder:
            for frame in video:
                _, data = cv2.imencode(".jpg", frame.image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])
                (folder / f"frame_{frame.index:06d}.jpg").write_bytes(data.tobytes())
                count += 1
                update(count)
    for warning in video.warnings:
        typer.echo(f"Note: {warning}", err=True)
    print(f"Wrote {count} frames to {out}.")


def _check_output(path: Path, overwrite: bool) -> None:
    """Before any work is done. Raises: PgnetError where the file cannot or should not be written."""
    if path.exists() and not overwrite:
        raise PgnetError(f"{path} exists already; give another name or --overwrite.")
    if not path.parent.is_dir():
        raise PgnetError(f"There is no folder {path.parent} to write {path.name} to; make it or give another one.")


def _console() -> Console:
    """Tables on stdout; where that is a file or a pipe, wide enough for paths."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=160)
