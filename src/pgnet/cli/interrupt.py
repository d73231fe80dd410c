"""Ctrl-C as a wish to come to an end, so that nothing is cut in half."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def first_interrupt(*signals: signal.Signals) -> Iterator[threading.Event]:
    """Within, the first Ctrl-C (SIGINT, or one of `signals`) only sets the event; the next one interrupts as ever."""
    event = threading.Event()

    def handle(number: int, stack: FrameType | None) -> None:
        event.set()
        signal.signal(number, previous[number])

    previous = {int(number): signal.signal(number, handle) for number in (signal.SIGINT, *signals)}
    try:
        yield event
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
