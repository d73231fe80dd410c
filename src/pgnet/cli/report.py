"""`pgnet report RESULTS... --dataset D --annotations DIR --out FOLDER`: scores as a page with plots and tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pgnet.cli.arguments import Overwrite, check_outputs, report_extra
from pgnet.cli.score import AnnotationFolder, Convention, Dataset, Results, Strict, print_problems, print_scores


def report(
    results: Results,
    dataset: Dataset,
    annotations: AnnotationFolder,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Folder for the page and its parts.")] = Path("report"),
    convention: Convention = "official",
    strict: Strict = False,
    workers: Annotated[int, typer.Option(min=1, help="Processes that score trackers.")] = 1,
    overwrite: Overwrite = False,
) -> None:
    """Write one HTML page with plots and tables, and each of them as PNG, SVG, CSV and LaTeX."""
    with report_extra("pgnet report"):
        from pgnet.evaluation.report import write_report
    from pgnet.cli.progress import progress_bar
    from pgnet.evaluation.annotations import dataset_name, read_annotations
    from pgnet.evaluation.scoring import check_convention, score_trackers

    check_outputs(out, ["index.html"], overwrite)
    name = dataset_name(dataset)
    check_convention(convention, name)
    truth = read_annotations(name, annotations)
    with progress_bar("Scoring", len(results)) as update:
        found = score_trackers(results, truth, convention, strict, workers, update)
    with progress_bar("Drawing", None) as update:
        files = write_report(found, results, truth, out, update)
    print_scores(found)
    print(f"Wrote {out / 'index.html'} and {len(files) - 1} files beside it.")
    print_problems(found)
