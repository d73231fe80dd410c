"""How many threads compute."""

from __future__ import annotations

import os
from pathlib import Path

from pgnet.errors import PgnetError


def available_cores() -> int:
    """Physical cores this process may use (its affinity, hyper-threads counted once); logical ones where unknown."""
    if not hasattr(os, "sched_getaffinity"):
        return os.cpu_count() or 1
    cpus = os.sched_getaffinity(0)
    try:
        topology = "/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list"
        return len({Path(topology.format(cpu)).read_text() for cpu in cpus})
    except OSError:
        return len(cpus)


def thread_count(wanted: int | None) -> int:
    """The number wanted, or that of the available cores.

    Raises:
        PgnetError: it is not positive.
    """
    if wanted is not None and wanted < 1:
        raise PgnetError(f"{wanted} threads cannot compute; give 1 or more.")
    return wanted or available_cores()
