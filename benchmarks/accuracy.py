"""Score trackers on sequences in OTB's layout: one-pass evaluation, success AUC and precision at 20 pixels.

    python benchmarks/accuracy.py --root OTB100 --trackers pgnet-r50,pgnet-lite,csrt,kcf --out results

prints a table in Markdown. With --out the raw boxes of each sequence are kept, and a run that was interrupted goes on
where it stopped; take a new folder for a new model.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import cv2
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pgnet.cli import run_script
from pgnet.datasets import Sequence, read_otb
from pgnet.errors import PgnetError
from pgnet.evaluation import Curves, Run, mean_curves, otb_curves, run_sequence, tracker_factory
from pgnet.evaluation.layouts import LAYOUTS, RawResults
from pgnet.evaluation.runner import OPENCV
from pgnet.files import atomic
from pgnet.models import resolve, update_metadata


def evaluate(name: str, sequences: list[Sequence], threads: int | None, out: Path | None) -> list[Run]:
    """Runs of one tracker, those found below `out` taken from there."""
    results = RawResults(out / Path(name).stem, LAYOUTS["otb100"]) if out else None
    runs = []
    factory = None
    columns = (TextColumn("{task.description:<28}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(name, total=sum(map(len, sequences)))
        for sequence in sequences:
            progress.update(task, description=f"{name} {sequence.name}")
            if results and results.repetitions(sequence.name, len(sequence)):
                run = results.read(sequence.name)
            else:
                factory = factory or tracker_factory(name, threads)
                run = run_sequence(factory, sequence)
                if results:
                    results.write(sequence.name, run)
            progress.advance(task, len(sequence))
            runs.append(run)
    return runs


def table(head: list[str], rows: list[list[str]]) -> str:
    """Markdown."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main(
    root: Annotated[Path, typer.Option(help="Folder of the sequences.")],
    trackers: Annotated[str, typer.Option(help="Models, by name or path, and csrt, kcf, mil; comma-separated.")],
    sequences: Annotated[str | None, typer.Option(help="Only these, comma-separated.")] = None,
    every: Annotated[int, typer.Option(min=1, help="Take each n-th frame only, for a quick look.")] = 1,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads; by default all physical cores.")] = None,
    per_sequence: Annotated[bool, typer.Option("--per-sequence", help="Print the AUC of each sequence too.")] = False,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the scores to this file.")] = None,
    out: Annotated[Path | None, typer.Option(help="Keep raw results in this folder and resume from it.")] = None,
    write: Annotated[str | None, typer.Option(help="Name of the data: keep the scores in the model files.")] = None,
) -> None:
    """Score trackers on sequences in OTB's layout."""
    if write and (sequences or every > 1):
        raise PgnetError("--write keeps the scores of the whole data; leave --sequences and --every out.")
    if threads:
        cv2.setNumThreads(threads)
    chosen = [sequence.every(every) for sequence in read_otb(root, sequences.split(",") if sequences else None)]
    scores: dict[str, list[Curves]] = {}
    fps: dict[str, float] = {}
    for name in trackers.split(","):
        runs = evaluate(name, chosen, threads, out)
        scores[name] = [otb_curves(run.boxes, seq.boxes) for run, seq in zip(runs, chosen, strict=True)]
        fps[name] = sum(len(run.seconds) for run in runs) / sum(run.seconds.sum() for run in runs)
    means = {name: mean_curves(curves) for name, curves in scores.items()}
    rows = [[name, f"{m.auc:.3f}", f"{m.precision20:.3f}", f"{fps[name]:.1f}"] for name, m in means.items()]
    print(table(["tracker", "success AUC", "precision@20", "frames/s"], rows))
    if per_sequence:
        lines = [[seq.name, *(f"{scores[name][i].auc:.3f}" for name in scores)] for i, seq in enumerate(chosen)]
        print("\n" + table(["success AUC", *scores], lines))
    for name, mean in means.items():
        if write and name not in OPENCV:
            score = {"data": write, "success AUC": round(mean.auc, 3), "precision": round(mean.precision20, 3)}
            update_metadata(resolve(name).path, score=score)
    if json_file:
        record = {
            name: {
                "success_auc": mean.auc,
                "precision20": mean.precision20,
                "fps": fps[name],
                "frames": sum(map(len, chosen)),
                "every": every,
                "sequences": {
                    seq.name: {"success_auc": curves.auc, "precision20": curves.precision20}
                    for seq, curves in zip(chosen, scores[name], strict=True)
                },
            }
            for name, mean in means.items()
        }
        with atomic(json_file) as temporary:
            temporary.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    run_script(main)
