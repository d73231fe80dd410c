"""A benchmark: one tracker over the sequences of a data set, its raw results kept and continued."""

from __future__ import annotations

import json
import math
import os
import platform
from collections.abc import Callable
from collections.abc import Sequence as List
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from pgnet import __version__
from pgnet.datasets import Sequence
from pgnet.errors import PgnetError
from pgnet.evaluation.layouts import LAYOUTS, RawResults, Run
from pgnet.evaluation.runner import OPENCV, BoxTracker, run_sequence, run_with_resets, tracker_factory
from pgnet.files import atomic
from pgnet.models import resolve
from pgnet.pool import Failure, Tick, run_all

MANIFEST = "run.json"
SETTLED = 3
"""Equal repetitions after which the VOT toolkit takes a tracker for deterministic and leaves out the others."""


@dataclass(frozen=True)
class TrackerChoice:
    """A tracker that can be made again in another process or on another machine."""

    spec: str
    """See `pgnet.evaluation.runner.tracker_factory`."""
    threads: int | None = None
    sha256: str | None = None
    """Of the model's weights; another machine must have the same."""

    @classmethod
    def of(cls, spec: str, threads: int | None = None) -> TrackerChoice:
        """The choice, checked.

        Raises:
            PgnetError: unknown, or not installed.
        """
        if spec in OPENCV or (":" in spec and not spec.endswith(".safetensors")):
            tracker_factory(spec)
            return cls(spec, threads)
        file = resolve(spec)
        file.graph("embed"), file.graph("search")  # say here, not in a process, that one is missing
        return cls(str(file.path.resolve()) if spec.endswith(".safetensors") else spec, threads, file.sha256)

    @property
    def name(self) -> str:
        """What its folder of results is called."""
        return Path(self.spec).stem if self.sha256 else self.spec.rpartition(":")[2]

    def tracking(self) -> dict[str, Any]:
        """The tracking options of a model."""
        return dict(resolve(self.spec).metadata.get("tracking", {})) if self.sha256 else {}


@cache
def _loaded(choice: TrackerChoice) -> Callable[[], BoxTracker]:
    """The tracker of this process."""
    if choice.threads:
        cv2.setNumThreads(choice.threads)
    if choice.sha256 and resolve(choice.spec).sha256 != choice.sha256:
        raise PgnetError(f"The model {choice.spec} on {platform.node()} is another one; install the same everywhere.")
    return tracker_factory(choice.spec, choice.threads)


@dataclass(frozen=True)
class _Task:
    tracker: TrackerChoice
    sequence: Sequence
    resets: bool


def _track(task: _Task, tick: Tick) -> Run:
    run = run_with_resets if task.resets else run_sequence
    return run(_loaded(task.tracker), task.sequence, tick)


class Benchmark:
    """One tracker on one data set; what is in its folder already is not done again."""

    def __init__(
        self,
        dataset: str,
        sequences: List[Sequence],
        tracker: TrackerChoice,
        folder: Path,
        repetitions: int | None = None,
    ) -> None:
        """Look at what is there.

        Args:
            dataset: of `pgnet.datasets.DATASETS`.
            sequences: of the data set.
            tracker: what tracks them.
            folder: for the tracker's raw results; made when there are some.
            repetitions: of each sequence; by default what the data set's evaluation asks for.

        Raises:
            PgnetError: the folder has something else in it.
        """
        self.results = RawResults(folder, LAYOUTS[dataset])
        self.repetitions = repetitions or self.results.layout.repetitions
        self.dataset, self.sequences, self.tracker = dataset, sequences, tracker
        self.failures: dict[str, str] = {}
        """What went wrong, by sequence."""
        self._identity = {
            "dataset": dataset,
            "tracker": tracker.name if tracker.sha256 else tracker.spec,
            "sha256": tracker.sha256,
            "tracking": tracker.tracking(),
            "pgnet": __version__,
        }
        self._check_folder()

    def _check_folder(self) -> None:
        folder, manifest = self.results.folder, self.results.folder / MANIFEST
        if manifest.is_file():
            try:
                stored = json.loads(manifest.read_text(encoding="utf-8"))
            except ValueError as error:
                raise PgnetError(f"{manifest} is damaged ({error}); give another --out.") from error
            different = [key for key, value in self._identity.items() if stored.get(key) != value]
            if different:
                raise PgnetError(
                    f"{folder} has results of another run: not the same {' and '.join(different)}; give another --out."
                )
        elif folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise PgnetError(f"{folder} exists and is no folder of a benchmark; give another --out.")

    def _done(self, sequence: Sequence) -> int:
        """Complete repetitions; all of them where the first ones show that more would be the same."""
        done = min(self.results.repetitions(sequence.name, len(sequence)), self.repetitions)
        settled = self.results.layout.resets and done >= SETTLED and self.results.same(sequence.name, SETTLED)
        return self.repetitions if settled else done

    def remaining(self) -> int:
        """Frames that are still to be tracked, at most."""
        return sum(len(sequence) * (self.repetitions - self._done(sequence)) for sequence in self.sequences)

    def run(
        self, *, workers: int = 1, ray: str | None = None, progress: Callable[[int], None] = lambda frames: None
    ) -> None:
        """Track what is not done, one repetition of all sequences after the other.

        Args:
            workers: see `pgnet.pool.run_all`.
            ray: likewise.
            progress: called with the frames tracked so far.

        Raises:
            PgnetError: results cannot be written, or Ray cannot be used.
        """
        self.results.folder.mkdir(parents=True, exist_ok=True)
        for leftover in self.results.folder.rglob(".*.part*"):
            leftover.unlink()  # of a run that was killed while it wrote
        options = {
            "repetitions": self.repetitions,
            "threads": self.tracker.threads,
            "workers": workers,
            "ray": bool(ray),
        }
        status = "interrupted"
        self._write_manifest("running", options)
        tally = _Tally(progress)
        try:
            for repetition in range(1, self.repetitions + 1):
                todo = [s for s in self.sequences if self._done(s) < repetition and s.name not in self.failures]
                todo.sort(key=len, reverse=True)  # the longest first keeps all processes busy to the end
                tasks = [_Task(self.tracker, sequence, self.results.layout.resets) for sequence in todo]
                with closing(run_all(_track, tasks, workers=workers, ray=ray, progress=tally.at)) as outcomes:
                    for index, outcome in outcomes:
                        sequence = todo[index]
                        if isinstance(outcome, Failure):
                            self.failures[sequence.name] = outcome.message
                        else:
                            self.results.write(sequence.name, outcome, repetition)
                        tally.finish(index, len(sequence))
            status = "incomplete" if self.failures else "complete"
        finally:
            self._write_manifest(status, options)

    def _write_manifest(self, status: str, options: dict[str, Any]) -> None:
        """What ran, on what, and how fast: frames per second in the tracker alone, after the first frame."""
        speeds, frames, seconds = {}, 0, 0.0
        for sequence in self.sequences:
            if times := self._times(sequence):
                speeds[sequence.name] = {
                    "frames": len(sequence),
                    "repetitions": self.results.repetitions(sequence.name, len(sequence)),
                    "fps": _rate(len(times), sum(times)),
                }
                frames, seconds = frames + len(times), seconds + sum(times)
        record = {
            **self._identity,
            "status": status,
            "written": datetime.now(UTC).isoformat(timespec="seconds"),
            "options": options,
            "machine": _machine(),
            "failures": self.failures,
            "fps": _rate(frames, seconds),
            "sequences": speeds,
        }
        with atomic(self.results.folder / MANIFEST) as temporary:
            temporary.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    def _times(self, sequence: Sequence) -> list[float]:
        """Seconds of the tracked frames of all complete repetitions, without the first frame."""
        count = self.results.repetitions(sequence.name, len(sequence))
        times = [self.results.read(sequence.name, number + 1).seconds[1:] for number in range(count)]
        return [second for column in times for second in column.tolist() if math.isfinite(second)]

    def write_zip(self) -> Path | None:
        """What the data set's server takes, beside the folder; None where there is no server or results are missing.

        Raises:
            PgnetError: the file cannot be written.
        """
        layout = self.results.layout
        complete = all(self.results.repetitions(s.name, len(s)) for s in self.sequences)
        if not layout.server or len(self.sequences) < layout.server or not complete:
            return None
        path = self.results.folder.with_name(f"{self.results.folder.name}.zip")
        self.results.write_zip(path, [sequence.name for sequence in self.sequences])
        return path


def _rate(frames: int, seconds: float) -> float:
    return round(frames / seconds, 2) if seconds else 0.0


def _machine() -> dict[str, Any]:
    cpuinfo = Path("/proc/cpuinfo")  # elsewhere platform knows
    lines = cpuinfo.read_text(errors="replace").splitlines() if cpuinfo.is_file() else []
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return {
        "system": platform.platform(),
        "processor": model or platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "onnxruntime": metadata.version("onnxruntime"),
        "opencv": cv2.__version__,
    }


class _Tally:
    """Adds up the frames of items that are done and of those under way."""

    def __init__(self, progress: Callable[[int], None]) -> None:
        self._progress, self._finished = progress, 0
        self._under_way: dict[int, int] = {}

    def at(self, index: int, frames: int) -> None:
        self._under_way[index] = frames
        self._progress(self._finished + sum(self._under_way.values()))

    def finish(self, index: int, frames: int) -> None:
        self._under_way.pop(index, None)
        self._finished += frames
        self._progress(self._finished + sum(self._under_way.values()))
