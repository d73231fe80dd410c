"""What a training run says: a progress bar on a terminal, log.jsonl and TensorBoard in the run's folder."""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pgnet.errors import PgnetError
from pgnet.files import atomic


def read_log(folder: Path) -> list[dict[str, float]]:
    """The records of a run's log.jsonl.

    Raises:
        PgnetError: there is none.
    """
    try:
        return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    except (OSError, json.JSONDecodeError) as error:
        raise PgnetError(f"{folder} has no log of a training run: {error}.") from error


class RunLog:
    """A context manager; used by the first process of a run only.

    Args:
        out: the run's folder. Records after `step`, left by an interrupted run, are dropped.
        step: steps that are done.
        steps: of the whole run.
    """

    def __init__(self, out: Path, step: int, steps: int) -> None:
        from torch.utils.tensorboard import SummaryWriter  # reading a log does without torch

        self._path = out / "log.jsonl"
        if self._path.exists():
            kept = [line for line in self._path.read_text().splitlines() if json.loads(line)["step"] <= step]
            with atomic(self._path) as temporary:
                temporary.write_text("".join(f"{line}\n" for line in kept))
        self._writer = SummaryWriter(str(out / "tensorboard"), purge_step=step + 1)
        console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("Training"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[text]}"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task("", total=steps, completed=step, text="")

    def __enter__(self) -> RunLog:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()
        self._writer.close()

    def step(self, step: int, values: dict[str, float]) -> None:
        """Record the numbers of a finished step (from 1); `loss` and `pairs_per_s` are shown."""
        self._record(step, values)
        text = f"loss {values['loss']:.3f}  {values['pairs_per_s']:.1f} pairs/s"
        self._progress.update(self._task, completed=step, text=text)

    def validation(self, step: int, values: dict[str, float]) -> None:
        """Record and print the numbers of a validation."""
        self._record(step, {f"validation_{key}": value for key, value in values.items()})
        numbers = "  ".join(f"{key} {value:.4f}" for key, value in values.items())
        self._progress.console.print(f"step {step}  validation  {numbers}", highlight=False)

    def _record(self, step: int, values: dict[str, float]) -> None:
        with self._path.open("a") as file:
            file.write(json.dumps({"step": step, **{key: round(value, 6) for key, value in values.items()}}) + "\n")
        for key, value in values.items():
            self._writer.add_scalar(key, value, step)
