"""Work that need not be waited for, such as encoding: done in a second thread, in order."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Generic, Self, TypeVar

Item = TypeVar("Item")

WAITING = 4
"""Items that may wait; `put` waits when there are more, so memory does not depend on how many come."""


class Behind(Generic[Item]):
    """Calls a function with one item after the other in a second thread.

    As a context manager it finishes what waits at the end of the block, and drops it when the block raises. An error of
    the function is raised by the next `put`, or by `close`; what waits behind it is dropped.

        >>> lines = []
        >>> with Behind(lines.append) as work:
        ...     work.put("first")
        ...     work.put("second")
        >>> lines
        ['first', 'second']
    """

    def __init__(self, work: Callable[[Item], object]) -> None:
        self._work = work
        self._items: queue.Queue[tuple[Item] | None] = queue.Queue(WAITING)
        self._dropping = False
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="pgnet-behind", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while (item := self._items.get()) is not None:
            if self._dropping:
                continue
            try:
                self._work(*item)
            except Exception as error:  # noqa: BLE001 - handed over: raised again where the items come from
                self._dropping, self._error = True, error

    def put(self, item: Item) -> None:
        """Hand over an item; waits while too many wait.

        Raises:
            Exception: what the function raised on an earlier one.
        """
        self._raise()
        self._items.put((item,))

    def close(self) -> None:
        """Wait until all is done. May be called twice.

        Raises:
            Exception: what the function raised.
        """
        if self._thread.is_alive():
            self._items.put(None)
            self._thread.join()
        self._raise()

    def _raise(self) -> None:
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None:
            self._dropping, self._error = True, None
            self._items.put(None)
            self._thread.join()
        else:
            self.close()
