"""Processes with limits, for work on files that may be damaged or hostile: they may die, the server does not.

A process runs one function of `pgnet.server.work` at a time, which is given what to do and a `Line` to report and to
listen on. It has a limit on memory, and whoever calls it one on time.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from pgnet.errors import PgnetError

RESULT, ERROR, REPORT = "result", "error", "report"


class Line:
    """What work in a process sends while it runs, and how it hears that it should stop.

    Attributes:
        kept: what work leaves for the next in the same process, such as an open file.
    """

    def __init__(self, pipe: Connection, kept: dict[str, Any]) -> None:
        self._pipe, self.kept = pipe, kept
        self._lock = threading.Lock()

    def report(self, value: Any) -> None:
        """Sends something to whoever waits for the result."""
        with self._lock:
            self._pipe.send((REPORT, value))

    @property
    def stopped(self) -> bool:
        """Whether the caller wants no more: the work should return soon."""
        return self._pipe.poll()


Work = Callable[..., Any]
"""A function of a module: (line, *arguments) -> result; all of which can be pickled."""


@dataclass(frozen=True)
class Report:
    """Something that work sent on its way."""

    value: Any


@dataclass(frozen=True)
class Result:
    """What work returned."""

    value: Any


class Process:
    """A process for one piece of work after the other; started when needed, and again when it has died.

    Its methods may be called by several threads; the pieces of work wait for each other.
    """

    def __init__(self, name: str, memory: int) -> None:
        """Args: name: for error messages, such as "The decoder"; memory: bytes that it may allocate (Linux)."""
        self._name, self._memory = name, memory
        self._lock = threading.Lock()
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None

    def call(self, work: Work, *arguments: Any, seconds: float) -> Any:
        """The result of the work; what it reports is passed over.

        Raises:
            PgnetError: the work raised it, failed, took longer than `seconds`, or its process died.
        """
        end = time.monotonic() + seconds
        for said in self.run(work, *arguments, seconds=seconds):
            if isinstance(said, Result):
                return said.value
            if time.monotonic() > end:
                break
        self.stop()
        raise PgnetError(f"{self._name} was stopped after {seconds:g} s; is the file damaged?")

    def run(
        self, work: Work, *arguments: Any, seconds: float, stop: threading.Event | None = None
    ) -> Iterator[Report | Result]:
        """What the work reports, one after the other, and at last its result.

        Args:
            work, arguments: what to do.
            seconds: longest silence.
            stop: set it, and the work is told to come to its end.

        Raises:
            PgnetError: the work raised it, failed, said nothing for `seconds`, or its process died.
        """
        with self._lock:
            process, pipe = self._started()
            finished = False
            try:
                pipe.send((work, arguments))
                told, heard = False, time.monotonic()
                while not finished:
                    if stop is not None and stop.is_set() and not told:
                        pipe.send(None)
                        told = True
                    if not pipe.poll(0.05 if stop is not None else seconds):
                        if time.monotonic() - heard >= seconds:
                            raise PgnetError(f"{self._name} said nothing for {seconds:g} s and was stopped.")
                        continue
                    kind, value = pipe.recv()
                    heard = time.monotonic()
                    finished = kind != REPORT
                    if kind == ERROR:
                        raise PgnetError(value)
                    yield Result(value) if finished else Report(value)
            except (EOFError, OSError) as error:
                process.join(5)
                code = process.exitcode
                raise PgnetError(
                    f"{self._name}'s process died (exit code {code}); is the file damaged, or memory short?"
                ) from error
            finally:
                if not finished:
                    self.stop()

    def warm(self) -> None:
        """Start the process, to have it ready."""
        with self._lock:
            self._started()

    def _started(self) -> tuple[BaseProcess, Connection]:
        if self._process is None or not self._process.is_alive() or self._pipe is None:
            self.stop()
            context = get_context("spawn")  # a fork would share threads, locks and open files
            self._pipe, theirs = context.Pipe()
            self._process = context.Process(target=_serve, args=(theirs, self._memory), daemon=True)
            self._process.start()
            theirs.close()
        return self._process, self._pipe

    def stop(self) -> None:
        """End the process, whatever it does and whoever waits for it; the next work starts another."""
        process, self._process = self._process, None
        pipe, self._pipe = self._pipe, None
        if process is not None:
            process.kill()
            process.join()
        if pipe is not None:
            pipe.close()


def _limit(memory: int) -> None:
    if sys.platform == "linux":
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (memory, hard))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _follow_parent() -> None:
    """End this process when its parent has ended, even if that was killed."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _serve(pipe: Connection, memory: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process; the parent stops this one
    threading.Thread(target=_follow_parent, daemon=True).start()
    _limit(memory)
    kept: dict[str, Any] = {}
    with suppress(EOFError, OSError):  # the parent is gone
        while True:
            order = pipe.recv()
            if order is None:  # a "stop" that came after the work had ended
                continue
            work, arguments = order
            try:
                answer = (RESULT, work(Line(pipe, kept), *arguments))
            except PgnetError as error:
                answer = (ERROR, str(error))
            except (EOFError, ConnectionError):
                raise
            except MemoryError:
                answer = (ERROR, "The file needs more memory than a process may use here.")
            except Exception as error:  # noqa: BLE001 - libraries raise anything on hostile files; the server goes on
                last = traceback.extract_tb(error.__traceback__)[-1]
                place = f"{Path(last.filename).name}, line {last.lineno}"
                answer = (ERROR, f"{type(error).__name__}: {error} ({place}).")
            pipe.send(answer)
