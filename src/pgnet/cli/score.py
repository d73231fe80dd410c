"""`pgnet score RESULTS... --dataset D --annotations DIR`: scores of raw results, as the official toolkits count."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from pgnet.evaluation.scoring import Scores

Results = Annotated[
    list[Path],
    typer.Argument(
        metavar="RESULTS...", help="Raw results: a folder (or zip archive) for each tracker.", show_default=False
    ),
]
Dataset = Annotated[str, typer.Option(metavar="NAME", help="Such as lasot, otb100, uav123, got10k-val, vot2018.")]
AnnotationFolder = Annotated[
    Path, typer.Option("--annotations", metavar="DIR", help="The data set, or its annotation files alone.")
]
Convention = Annotated[
    str, typer.Option("--as", metavar="TOOLKIT", help="Count as official, pysot, got10k or pytracking does.")
]
Strict = Annotated[bool, typer.Option("--strict", help="Fail where otherwise a sequence would be left out.")]


def score(
    results: Results,
    dataset: Dataset,
    annotations: AnnotationFolder,
    convention: Convention = "official",
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write everything to this file, every sequence too.")
    ] = None,
    strict: Strict = False,
    per_sequence: Annotated[bool, typer.Option("--per-sequence", help="Print every sequence.")] = False,
    per_attribute: Annotated[bool, typer.Option("--per-attribute", help="Print every attribute.")] = False,
    statistics: Annotated[
        bool,
        typer.Option("--statistics", help="Print 95% intervals, and whether the best tracker is better by chance."),
    ] = False,
) -> None:
    """Score raw results to the digit of the official toolkits."""
    from pgnet.cli.progress import progress_bar
    from pgnet.evaluation.annotations import dataset_name, read_annotations
    from pgnet.evaluation.scoring import check_convention, score_trackers

    name = dataset_name(dataset)
    check_convention(convention, name)
    truth = read_annotations(name, annotations)
    with progress_bar("Scoring", len(results)) as update:
        found = score_trackers(results, truth, convention, strict, progress=update)
    print_scores(found)
    if per_attribute:
        _print_parts(found, "attribute", lambda scores: scores.attributes)
    if per_sequence:
        _print_parts(found, "sequence", lambda scores: scores.sequences)
    if json_file:
        _write_json(json_file, found)
    print_problems(found)
    if statistics:  # last: with less than two sequences it fails
        _print_statistics(found)


def print_table(rows: list[list[str]]) -> None:
    """Columns under their heads: the first to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *rest in rows:
        cells = [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True))]
        print("  ".join(cells).rstrip())


def print_scores(found: list[Scores]) -> None:
    """A line for each tracker, the best first."""
    from pgnet.evaluation.scoring import TITLES

    timed = any(scores.fps for scores in found)
    head = ["TRACKER", *(TITLES[name].upper() for name in found[0].values), "SEQUENCES"]
    rows = [head + ["FRAMES/S"] * timed]
    for scores in found:
        speed = [f"{scores.fps:.1f}" if scores.fps else "-"] * timed
        numbers = [number(name, value) for name, value in scores.values.items()]
        rows.append([scores.tracker, *numbers, f"{len(scores.sequences)}/{scores.total}", *speed])
    print(f"{found[0].dataset}, {found[0].convention} convention")
    print_table(rows)


def number(name: str, value: float) -> str:
    """A score with the digits that it has: fractions to 1e-5, percentages to 1e-4, counts to 0.1."""
    if name in ("lost", "failures"):
        return f"{value:.1f}"
    return f"{value:.4f}" if name in ("coverage", "success", "precision", "normalized_precision") else f"{value:.5f}"


def print_problems(found: list[Scores]) -> None:
    """What should be known, and what was left out, on stderr after the tables."""
    for scores in found:
        for note in scores.notes:
            print(f"Note: {scores.tracker}: {note}.", file=sys.stderr)
    several = len(found) > 1
    shared = [p for p in found[0].problems if several and all(p in scores.problems for scores in found)]
    for scores in found:
        if own := [problem for problem in scores.problems if problem not in shared]:
            count = f"{len(scores.sequences)} of {scores.total} sequences count"
            print(f"WARNING: {scores.tracker} is not scored on all of {scores.dataset} ({count}):", file=sys.stderr)
            for problem in own:
                print(f"  {problem.rstrip('.')}.", file=sys.stderr)
    if shared:
        print(f"WARNING: no tracker is scored on all of {found[0].dataset}:", file=sys.stderr)
        for problem in shared:
            print(f"  {problem.rstrip('.')}.", file=sys.stderr)


def _print_parts(found: list[Scores], what: str, parts: Any) -> None:
    from pgnet.evaluation.scoring import TITLES

    names = list(dict.fromkeys(name for scores in found for name in parts(scores)))
    if not names:
        print(f"\nNo {what} is annotated.")
        return
    measures = list(next(iter(parts(found[0]).values())))
    if len(found) == 1:
        print(f"\n{found[0].tracker} by {what}")
        rows = [[what.upper(), *(TITLES[measure].upper() for measure in measures)]]
        rows += [[name, *(number(m, value) for m, value in parts(found[0])[name].items())] for name in names]
    else:
        print(f"\n{TITLES[measures[0]]} by {what}")
        rows = [[what.upper(), *(scores.tracker for scores in found)]]
        for name in names:
            values = [parts(scores).get(name, {}).get(measures[0]) for scores in found]
            rows.append([name, *("-" if value is None else number(measures[0], value) for value in values)])
    print_table(rows)


def _print_statistics(found: list[Scores]) -> None:
    from pgnet.evaluation.scoring import TITLES
    from pgnet.evaluation.statistics import bootstrap, compare

    best = found[0]
    measure = next(iter(next(iter(best.sequences.values()))))
    print(f"\n{TITLES[measure]}: mean over the sequences, with its 95% interval")
    rows = [["TRACKER", "MEAN", "LOW", "HIGH", f"LESS THAN {best.tracker}", "P", "BETTER", "WORSE"]]
    for scores in found:
        interval = bootstrap([values[measure] for values in scores.sequences.values()])
        row = [scores.tracker, *(f"{value:.4f}" for value in interval)]
        if scores is best:
            rows.append([*row, "", "", "", ""])
            continue
        names = [name for name in best.sequences if name in scores.sequences]
        first, second = ([s.sequences[name][measure] for name in names] for s in (best, scores))
        result = compare(first, second)
        rows.append([*row, f"{result.difference.mean:.4f}", f"{result.p:.4f}", str(result.worse), str(result.better)])
    print_table(rows)


def _write_json(path: Path, found: list[Scores]) -> None:
    import json

    from pgnet.files import atomic

    record = {
        "dataset": found[0].dataset,
        "convention": found[0].convention,
        "trackers": {
            scores.tracker: {
                **scores.values,
                "sequences_scored": len(scores.sequences),
                "sequences_total": scores.total,
                "fps": scores.fps,
                "problems": scores.problems,
                "notes": scores.notes,
                "attributes": scores.attributes,
                "sequences": scores.sequences,
                "curves": {name: [curve.x.tolist(), curve.y.tolist()] for name, curve in scores.curves.items()},
            }
            for scores in found
        },
    }
    with atomic(path) as temporary:
        temporary.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"Wrote {path}.")
