"""The same work for many items: in this process, in several on this machine, or on a Ray cluster.

An item that fails, or whose process dies, becomes a `Failure` and never stops the others.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing import connection, get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar

from pgnet.errors import PgnetError

ATTEMPTS = 2
"""Times that an item is begun before a process that dies of it counts as its failure."""
GRACE_SECONDS = 10
"""For a process that is stopped to take away what it has half written."""
TICK_SECONDS = 0.5
"""Least time between two reports of a process on its item."""

Item = TypeVar("Item")
Result = TypeVar("Result")
Tick = Callable[[int], None]
"""Called with how much of an item is done."""
Work = Callable[[Item, Tick], Result]
"""Works on an item. For more than one process: a function of a module, with items and results that can be pickled."""


@dataclass(frozen=True)
class Failure:
    """Why there is no result: one sentence."""

    message: str


def run_all(
    work: Work[Item, Result],
    items: Sequence[Item],
    *,
    workers: int = 1,
    ray: str | None = None,
    progress: Callable[[int, int], None] = lambda index, done: None,
) -> Generator[tuple[int, Result | Failure]]:
    """Work on all items; their indices and outcomes as they get ready.

    Args:
        work: what to do.
        items: begun in this order.
        workers: processes on this machine; 1 stays in this one.
        ray: address of a Ray cluster to use instead: ``auto``, ``ray://HOST:PORT``, or ``local`` for one made here.
        progress: called with an item's index and how much of it is done (not over Ray).

    Raises:
        PgnetError: Ray is not installed or the cluster cannot be reached.
    """
    if ray is not None:
        yield from _over_ray(work, items, ray)
    elif workers > 1 and len(items) > 1:
        yield from _over_processes(work, items, min(workers, len(items)), progress)
    else:
        for index, item in enumerate(items):
            yield index, _attempt(work, item, partial(progress, index))


def _attempt(work: Work[Item, Result], item: Item, tick: Tick) -> Result | Failure:
    try:
        return work(item, tick)
    except PgnetError as error:
        return Failure(str(error))
    except Exception as error:  # noqa: BLE001 - a tracker may raise anything; the other items go on
        last = traceback.extract_tb(error.__traceback__)[-1]
        return Failure(f"{type(error).__name__}: {error} ({Path(last.filename).name}, line {last.lineno}).")


# --- processes on this machine ----------------------------------------------------------------------------------------


def _over_processes(
    work: Work[Item, Result], items: Sequence[Item], count: int, progress: Callable[[int, int], None]
) -> Generator[tuple[int, Result | Failure]]:
    attempts = [0] * len(items)
    waiting = deque(range(len(items)))
    workers = [_Worker(work) for _ in range(count)]
    try:
        while waiting or any(worker.index is not None for worker in workers):
            for worker in workers:
                if waiting and worker.index is None:
                    index = waiting.popleft()
                    attempts[index] += 1
                    worker.begin(index, items[index])
            busy = {worker.pipe: worker for worker in workers if worker.index is not None}
            for pipe in connection.wait(list(busy)):
                worker = busy[pipe]  # type: ignore[index]  # wait gives back what it was given
                index = worker.index  # type: ignore[assignment]
                try:
                    finished, value = worker.pipe.recv()
                except (EOFError, OSError):
                    code = worker.restart()
                    if attempts[index] < ATTEMPTS:
                        waiting.append(index)
                    else:
                        memory = "; is there enough memory?" if code == -9 else "."
                        yield index, Failure(f"Its process died twice (exit code {code}){memory}")
                    continue
                if finished:
                    worker.index = None
                    yield index, value
                else:
                    progress(index, value)
    finally:
        for worker in workers:  # all at once, as each may have something to take away
            worker.process.terminate()
        for worker in workers:
            worker.end()


class _Worker:
    """A process that works on one item after the other."""

    def __init__(self, work: Work[Any, Any]) -> None:
        self._work = work
        self._start()

    def _start(self) -> None:
        context = get_context("spawn")  # a fork would share the network runtime's threads
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(self._work, theirs), daemon=True)
        self.process.start()
        theirs.close()
        self.index: int | None = None
        """Of the item it is at."""

    def begin(self, index: int, item: Any) -> None:
        self.index = index
        with suppress(OSError):  # it may have died while it was idle; reading its answer will tell
            self.pipe.send(item)

    def restart(self) -> int | None:
        """Put a new process in the place of one that died, and give that one's exit code."""
        self.process.join()
        code = self.process.exitcode
        self.pipe.close()
        self._start()
        return code

    def end(self) -> None:
        """Wait for a process that was told to stop, but not for ever."""
        self.process.join(GRACE_SECONDS)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self.pipe.close()


def _serve(work: Work[Any, Any], pipe: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process; the parent stops this one
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that it takes away what it has half written
    last = 0.0

    def tick(done: int) -> None:
        nonlocal last
        if time.monotonic() - last >= TICK_SECONDS:
            last = time.monotonic()
            pipe.send((False, done))

    with suppress(EOFError, OSError):  # the parent is gone
        while True:
            pipe.send((True, _attempt(work, pipe.recv(), tick)))


# --- Ray --------------------------------------------------------------------------------------------------------------


def _over_ray(work: Work[Item, Result], items: Sequence[Item], address: str) -> Generator[tuple[int, Result | Failure]]:
    try:
        import ray
    except ModuleNotFoundError as error:
        raise PgnetError("--ray needs Ray: install the extra with pip install 'pgnet[ray]'.") from error
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # a cluster made here reports to nobody
    try:
        dashboard = False if address == "local" else None
        ray.init(address, log_to_driver=False, logging_level=logging.ERROR, include_dashboard=dashboard)
    except Exception as error:  # Ray raises whatever came up, down to Exception itself
        reason = str(error).strip().partition("\n")[0].rstrip(".")
        raise PgnetError(f"The Ray cluster {address} cannot be used ({reason}); check the address.") from error
    try:
        task: Any = ray.remote(num_cpus=1, max_retries=ATTEMPTS - 1)(_attempt)
        pending = {task.remote(work, item, _ignore): index for index, item in enumerate(items)}
        while pending:
            (ready,), _ = ray.wait(list(pending), num_returns=1)
            index = pending.pop(ready)
            try:
                yield index, ray.get(ready)
            except ray.exceptions.RayError as error:
                reason = str(error).strip().partition("\n")[0].rstrip(".")
                yield index, Failure(f"{type(error).__name__} of Ray: {reason}.")
    finally:
        ray.shutdown()


def _ignore(done: int) -> None:
    """Ray workers report nothing on the way."""
