"""Work that tests give to a process, which imports it by name."""

import os
import time

from pgnet.errors import PgnetError


def add(line, a, b):
    line.kept["calls"] = line.kept.get("calls", 0) + 1
    return a + b, line.kept["calls"]


def fail(line, kind):
    if kind == "input":
        raise PgnetError("The file is damaged.")
    if kind == "bug":
        raise ZeroDivisionError("four")
    if kind == "missing":
        raise FileNotFoundError(2, "No such file")
    if kind == "memory":
        return bytearray(8 << 30)
    os._exit(3)


def sleep(line, seconds):
    time.sleep(seconds)


def count(line, limit):
    for i in range(limit):
        if line.stopped:
            return "stopped"
        line.report(i)
        time.sleep(0.01)
    return "whole"
