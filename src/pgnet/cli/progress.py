"""The progress bar of long commands."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


@contextmanager
def progress_bar(text: str, total: int | None, *, hidden: bool = False) -> Iterator[Callable[[int], None]]:
    """A bar with the time left on stderr, where that is a terminal; call what it yields with how much is done."""
    console = Console(stderr=True)
    columns = (TextColumn(text), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=hidden or not console.is_terminal) as bar:
        task = bar.add_task("", total=total)
        yield lambda done: bar.update(task, completed=done)


@contextmanager
def progress(text: str, total: int | None, *, hidden: bool = False) -> Iterator[Callable[[], None]]:
    """The same, where one more is done whenever what it yields is called."""
    counted = itertools.count(1)
    with progress_bar(text, total, hidden=hidden) as update:
        yield lambda: update(next(counted))
