"""What happens, told to every page that is open."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from pydantic import BaseModel

WAITING = 500
"""Events that may wait for a page; a slower one is told to load everything again."""


class Event(NamedTuple):
    """One event."""

    kind: str
    data: str
    """JSON."""
    video: int | None = None
    """Only for pages that show this video."""


RELOAD = Event("reload", "{}")


@dataclass(eq=False)
class Listener:
    """A page that is open."""

    loop: asyncio.AbstractEventLoop
    video: int | None
    queue: asyncio.Queue[Event | None] = field(default_factory=lambda: asyncio.Queue(WAITING))

    def offer(self, event: Event | None) -> None:
        """Called in the loop's thread."""
        if self.queue.full():
            while not self.queue.empty():
                self.queue.get_nowait()
            event = event and RELOAD
        self.queue.put_nowait(event)


class Events:
    """May be used by several threads; events reach every listener in the order of `tell`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: set[Listener] = set()

    @contextmanager
    def listen(self, video: int | None) -> Iterator[Listener]:
        """Within, a queue of the events for a page: of everything, and of the rows of one video; None ends it."""
        listener = Listener(asyncio.get_running_loop(), video)
        with self._lock:
            self._listeners.add(listener)
        try:
            yield listener
        finally:
            with self._lock:
                self._listeners.discard(listener)

    def tell(self, kind: str, data: BaseModel | str, video: int | None = None) -> None:
        """Tell all, or those that show a video, if one is given."""
        text = data if isinstance(data, str) else data.model_dump_json(by_alias=True)
        self._send(Event(kind, text, video))

    def close(self) -> None:
        """End all listening."""
        self._send(None)

    def _send(self, event: Event | None) -> None:
        with self._lock:
            for listener in self._listeners:
                if event is None or event.video in (None, listener.video):
                    listener.loop.call_soon_threadsafe(listener.offer, event)
