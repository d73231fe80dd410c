"""Work that tests give to other processes, which import it by name."""

import os
import time

from pgnet.errors import PgnetError
from pgnet.files import atomic


def square(item, tick):
    tick(1)
    if item == 3:
        raise PgnetError("Three cannot be squared.")
    if item == 4:
        raise ZeroDivisionError("four")
    return item * item


def die(item, tick):
    """Ends its process as often as a file says; then gives the number of that process."""
    path, _ = item
    left = int(path.read_text()) if path.exists() else 0
    if left:
        path.write_text(str(left - 1))
        os._exit(9)
    return os.getpid()


def report_twice(item, tick):
    tick(1)
    time.sleep(0.6)
    tick(2)
    return item


def write_slowly(item, tick):
    """Has a file half written when it is stopped."""
    with atomic(item / "result.txt"):
        (item / "begun").touch()
        time.sleep(60)


def kill_one_worker(item, tick):
    """On a cluster: the first item takes down the worker that runs the second one's."""
    folder, index = item
    (folder / f"{index}.pid").write_text(str(os.getpid()))
    victim = folder / "1.pid"
    if index == 0:
        for _ in range(600):
            if victim.exists() and victim.read_text():
                os.kill(int(victim.read_text()), 9)
                break
            time.sleep(0.05)
        (folder / "killed").touch()
    elif index == 1:
        while not (folder / "killed").exists():
            time.sleep(0.05)
    if index == 2:
        raise PgnetError("Two cannot be done.")
    return index * 10
