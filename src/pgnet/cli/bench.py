"""`pgnet bench DATASET --root DIR`: run a tracker over a data set and keep its raw results."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from pgnet.cli.arguments import DEFAULT_MODEL, Model, Ray, Threads, Workers
from pgnet.errors import PgnetError


def bench(
    dataset: Annotated[
        str, typer.Argument(metavar="DATASET", help="Such as otb100, uav123, lasot, got10k-test, trackingnet, vot2018.")
    ],
    root: Annotated[Path, typer.Option(help="Folder of the data set.")],
    model: Model = DEFAULT_MODEL,
    tracker: Annotated[
        str | None, typer.Option(help="Another tracker instead: csrt, kcf, mil, or package.module:Class.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for results, one folder for each tracker; by default pgnet-bench/DATASET."),
    ] = None,
    sequences: Annotated[str | None, typer.Option(metavar="A,B", help="Only these sequences.")] = None,
    repetitions: Annotated[
        int | None,
        typer.Option(min=1, help="Runs of each sequence; by default 3 for GOT-10k, up to 15 for VOT, else 1."),
    ] = None,
    workers: Workers = 1,
    ray: Ray = None,
    threads: Threads = None,
) -> None:
    """Run a tracker over a data set; writes the raw results that its toolkit or server takes.

    The same command goes on where an earlier run was stopped.
    """
    from pgnet.cli.progress import progress_bar
    from pgnet.datasets import dataset_reader
    from pgnet.evaluation.bench import Benchmark, TrackerChoice

    chosen = dataset_reader(dataset)(root, sequences.split(",") if sequences else None)
    # One thread per process where there are several: the processes share the cores.
    choice = TrackerChoice.of(tracker or model, threads or (1 if workers > 1 or ray else None))
    folder = (out or Path("pgnet-bench") / dataset.lower()) / choice.name
    benchmark = Benchmark(dataset.lower(), chosen, choice, folder, repetitions)
    try:
        with progress_bar("Tracking", benchmark.remaining()) as update:
            benchmark.run(workers=workers, ray=ray, progress=update)
    except KeyboardInterrupt:
        print(f"Interrupted: {folder} keeps what is done; the same command goes on from there.", file=sys.stderr)
        raise typer.Exit(130) from None
    if benchmark.failures:
        for name, reason in benchmark.failures.items():
            print(f"{name}: {reason}", file=sys.stderr)
        failed = ", ".join(benchmark.failures)
        raise PgnetError(
            f"{len(benchmark.failures)} of {len(chosen)} sequences failed ({failed}); the others are done."
        )
    print(f"Wrote the raw results of {len(chosen)} sequences to {folder}.")
    if archive := benchmark.write_zip():
        print(f"Wrote {archive} for the data set's server.")
