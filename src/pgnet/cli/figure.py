"""`pgnet figure LASOT_ROOT RESULTS...`: trackers compared in pictures, as in Figure 1 of the paper."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from pgnet.cli.arguments import Overwrite, report_extra
from pgnet.cli.score import Results
from pgnet.errors import PgnetError


def figure(
    root: Annotated[Path, typer.Argument(metavar="LASOT_ROOT", help="Folder of LaSOT, or of some of its sequences.")],
    results: Results,
    out: Annotated[Path, typer.Option(metavar="FILE", help="figure.png, .pdf, .svg or .jpg.")] = Path("figure.png"),
    sequences: Annotated[
        str | None,
        typer.Option(
            metavar="A,B",
            help="These, from top to bottom; by default the twelve of the paper, or any if none of them is there.",
        ),
    ] = None,
    frames: Annotated[
        str,
        typer.Option(
            metavar="auto|N,N",
            help="auto takes frames in which the trackers differ most; or numbers from 1, for each sequence after a "
            "semicolon: 12,80,400;7,90,230.",
        ),
    ] = "auto",
    columns: Annotated[int, typer.Option(min=1, help="Frames of each sequence, for auto.")] = 4,
    zoom: Annotated[bool, typer.Option("--zoom", help="Show only the part of each frame around the boxes.")] = False,
    no_truth: Annotated[bool, typer.Option("--no-truth", help="Draw no ground truth.")] = False,
    overwrite: Overwrite = False,
) -> None:
    """Draw a row of key frames for each sequence, with the box of every tracker in its colour."""
    with report_extra("pgnet figure"):
        from pgnet.evaluation import figure as drawing
    from pgnet.datasets import read_lasot
    from pgnet.evaluation.raw import tracker_name

    if out.exists() and not overwrite:
        raise PgnetError(f"{out} exists already; give another --out or --overwrite.")
    wanted = sequences.split(",") if sequences else list(drawing.PAPER_SEQUENCES)
    problems: dict[str, str] = {}
    there = {sequence.name.lower(): sequence for sequence in read_lasot(root, problems=problems)}
    missing = [name for name in wanted if name.strip().lower() not in there]
    chosen = [there[name.strip().lower()] for name in wanted if name not in missing]
    if not chosen and sequences:
        raise PgnetError(f"There is no sequence {sequences} in {root}; it has {', '.join(list(there)[:20])}.")
    chosen = chosen or list(there.values())[: len(wanted)]
    trackers = [tracker_name(path) for path in results]
    if twice := [name for name in trackers if trackers.count(name) > 1]:
        raise PgnetError(f"Two folders are called {twice[0]}; the last part of a folder's path is the tracker's name.")
    rows = []
    notes = [f"{name} cannot be read: {problems[name]}" for name in missing if name in problems]
    if absent := [name for name in missing if name not in problems]:
        notes.append(f"{', '.join(absent)}: not in {root}, left out.")
    for sequence in chosen:
        row, lacking = drawing.read_compared(sequence, results, trackers)
        rows.append(row)
        notes += lacking
    if not any(row.boxes for row in rows):
        raise PgnetError(f"No tracker has a result of {', '.join(sequence.name for sequence in chosen)}. {notes[-1]}")
    indices = (
        [drawing.key_frames(row, columns) for row in rows]
        if frames == "auto"
        else _parse_frames(frames, [(row.sequence.name, len(row.sequence)) for row in rows])
    )
    drawing.write_figure(drawing.comparison_figure(rows, indices, trackers, truth=not no_truth, zoom=zoom), out)
    for row, numbers in zip(rows, indices, strict=True):
        print(f"{row.sequence.name}: frames {', '.join(str(index + 1) for index in numbers)}")
    print(f"Wrote {out}.")
    for note in notes:
        print(f"Note: {note}", file=sys.stderr)


def _parse_frames(text: str, lengths: list[tuple[str, int]]) -> list[list[int]]:
    """``"1,5;2,6"`` -> [[0, 4], [1, 5]]; one list is for every sequence.

    Raises:
        PgnetError: not numbers, a frame that a sequence does not have, or another number of lists.
    """
    try:
        lists = [[int(part) - 1 for part in group.split(",")] for group in text.split(";")]
    except ValueError as error:
        raise PgnetError(f"--frames takes auto, or numbers such as 12,80,400, not {text!r}.") from error
    if len(lists) == 1:
        lists *= len(lengths)
    if len(lists) != len(lengths):
        raise PgnetError(f"--frames has {len(lists)} lists for {len(lengths)} sequences; separate lists by semicolons.")
    for (name, length), numbers in zip(lengths, lists, strict=True):
        if wrong := [index + 1 for index in numbers if not 0 <= index < length]:
            raise PgnetError(f"{name} has no frame {wrong[0]}; its frames are 1 to {length}.")
    return lists
