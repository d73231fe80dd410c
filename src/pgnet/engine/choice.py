"""Which engine and device compute: what this machine has, how fast it is, and what the user decided for it."""

from __future__ import annotations

import os
import sys
import time
import tomllib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from pgnet import anchors
from pgnet.engine import ENGINES, load_engine
from pgnet.errors import PgnetError
from pgnet.files import atomic
from pgnet.models import ModelFile


@dataclass(frozen=True)
class Choice:
    """An engine, a device of it and its precision; see `pgnet.engine.load_engine`."""

    engine: str = "onnxruntime"
    device: str = "auto"
    half: bool = False

    def __str__(self) -> str:
        return f"{self.engine} on {self.device}{', half precision' if self.half else ''}"


def here() -> list[Choice]:
    """What is installed and has a device, each in full and in half precision, whether it can or not."""
    found = [(name, device) for name, engine in ENGINES.items() if find_spec(name) for device in engine.devices()]
    return [Choice(name, device, half) for name, device in found for half in (False, True)]


def milliseconds(model: ModelFile, choice: Choice, threads: int | None = None, seconds: float = 2.0) -> float:
    """Median time of one search, after a warm-up.

    Raises:
        PgnetError: it does not work.
    """
    engine = load_engine(model, choice.engine, choice.device, threads, half=choice.half)
    rng = np.random.default_rng(0)
    sides = (anchors.TEMPLATE_SIZE, anchors.SEARCH_SIZE)
    template, crop = (rng.integers(0, 256, (1, side, side, 3), np.uint8) for side in sides)
    features = engine.embed(template)
    times: list[float] = []
    for _ in range(2):
        engine.search(features, crop)
    while len(times) < 3 or (sum(times) < seconds and len(times) < 200):
        begin = time.perf_counter()
        engine.search(features, crop)
        times.append(time.perf_counter() - begin)
    return 1000 * float(np.median(times))


def config_file() -> Path:
    """Where the decision is kept: $PGNET_CONFIG, or pgnet/config.toml in the user's configuration directory."""
    if chosen := os.environ.get("PGNET_CONFIG"):
        return Path(chosen)
    if sys.platform == "win32":
        base = Path(os.environ.get("APPDATA", Path.home() / "AppData" / "Roaming"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return base / "pgnet" / "config.toml"


def remember(choice: Choice) -> Path:
    """Keep the decision -> the file it is in.

    Raises:
        PgnetError: the file cannot be written.
    """
    path = config_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PgnetError(f"Cannot make the folder {path.parent} ({error.strerror}).") from error
    with atomic(path) as temporary:
        temporary.write_text(
            "# What computes the network unless --engine or --device say otherwise. Delete this file to forget it.\n"
            f'engine = "{choice.engine}"\ndevice = "{choice.device}"\nhalf = {str(choice.half).lower()}\n'
        )
    return path


def remembered() -> Choice:
    """What was decided, or else ONNX Runtime's own choice of the device.

    Raises:
        PgnetError: the file is damaged.
    """
    path = config_file()
    if not path.is_file():
        return Choice()
    try:
        entries = tomllib.loads(path.read_text())
        return Choice(**entries)
    except (OSError, ValueError, TypeError) as error:
        raise PgnetError(f"{path} cannot be read ({error}); correct or delete it.") from error
