"""`pgnet doctor`: what works on this machine, what is missing and what to do."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

import typer

from pgnet import __version__
from pgnet.cli.arguments import DEFAULT_MODEL, Threads
from pgnet.errors import PgnetError

LIBRARIES = ("numpy", "opencv-contrib-python-headless", "av", "onnxruntime", "safetensors", "typer")
TRAIN_LIBRARIES = ("torch", "lightning-fabric", "tensorboard", "onnx", "onnxscript")


def doctor(
    speed: Annotated[
        bool, typer.Option("--speed", help="Measure all engines and devices that this machine has, and nothing else.")
    ] = False,
    remember: Annotated[
        bool, typer.Option("--remember", help="With --speed: let `pgnet track` use the fastest in full precision.")
    ] = False,
    model: Annotated[str, typer.Option(help="With --speed: the model to measure.")] = DEFAULT_MODEL,
    threads: Threads = None,
) -> None:
    """Report versions, engine, codecs, models, speed and display, and what to do about what is missing.

    The exit code is 1 if something that tracking needs is missing.
    """
    if speed:
        _compare(model, threads, remember)
        return
    if remember:
        raise PgnetError("--remember goes with --speed.")
    print(f"pgnet {__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}")
    checks: list[tuple[str, Callable[[], str], bool]] = [
        ("libraries", _libraries, True),
        ("engine", _engine, True),
        ("video", _codecs, True),
        ("models", _models, True),
        ("speed", _speed, True),
        ("display", _display, False),
        ("training", _training, False),
    ]
    broken = False
    for name, check, needed in checks:
        try:
            mark, text = "ok", check()
        # A doctor goes on whatever it finds: a broken library can raise anything when it loads.
        except Exception as error:  # noqa: BLE001
            mark, text = ("MISSING" if needed else "without"), " ".join(str(error).split()) or type(error).__name__
            broken |= needed
        print(f"{mark:>8}  {name:<10} {text}")
    print("Something that tracking needs is MISSING, see above." if broken else "Tracking works on this machine.")
    if broken:
        raise typer.Exit(1)


def _compare(model: str, threads: int | None, keep: bool) -> None:
    from pgnet.engine.choice import here, milliseconds, remember
    from pgnet.models import resolve

    file = resolve(model)
    print(f"One search of {file.name} with")
    fastest = None
    for choice in here():
        try:
            taken = milliseconds(file, choice, threads)
        except PgnetError as error:
            if not choice.half:
                print(f"{choice!s:>32}  {error}")
            continue
        print(f"{choice!s:>32} {taken:8.1f} ms")
        if not choice.half and (fastest is None or taken < fastest[0]):
            fastest = taken, choice
    if fastest is None:
        raise PgnetError("No engine works; see pgnet doctor.")
    if keep:
        print(f"{remember(fastest[1])} says from now on: {fastest[1]}.")
    else:
        print(f"In full precision, the fastest is {fastest[1]}; --remember keeps that.")


def _versions(names: tuple[str, ...], cure: str) -> str:
    found, missing = [], []
    for name in names:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    if missing:
        raise PgnetError(f"not installed: {', '.join(missing)}; {cure}")
    return ", ".join(found)


def _libraries() -> str:
    return _versions(LIBRARIES, "install again with pip install pgnet")


def _training() -> str:
    return _versions(TRAIN_LIBRARIES, "only training needs it: pip install 'pgnet[train]'")


def _engine() -> str:
    from pgnet.engine import available_cores
    from pgnet.engine.choice import here, remembered

    others = ", ".join(str(choice) for choice in here() if not choice.half)
    return f"{remembered()}, {available_cores()} threads by default (here: {others})"


def _codecs() -> str:
    import av

    try:
        decoder, encoder = av.Codec("h264", "r"), av.Codec("h264", "w")
    except ValueError as error:
        raise PgnetError("this PyAV has no H.264 to read or to write; install it from its wheel with pip") from error
    return f"H.264: reads with {decoder.name}, writes with {encoder.name}; FFmpeg {av.ffmpeg_version_info}"


def _models() -> str:
    from pgnet.models import available

    names = [model.name for model in available()]
    if not names:
        raise PgnetError("the package has no models; install it again, or give --model a path")
    return ", ".join(names)


def _speed() -> str:
    import numpy as np

    from pgnet.tracking import Tracker

    image = np.random.default_rng(0).integers(0, 255, (720, 1280, 3), np.uint8)
    tracker = Tracker.load(DEFAULT_MODEL)
    tracker.init(image, (600, 300, 80, 80))
    times: list[float] = []
    while len(times) < 3 or (sum(times) < 1.0 and len(times) < 30):
        begin = time.perf_counter()
        tracker.update(image)
        times.append(time.perf_counter() - begin)
    seconds = float(np.median(times))
    return (
        f"{DEFAULT_MODEL}: {1000 * seconds:.0f} ms a frame ({1 / seconds:.0f} per second) on 1280 x 720, without video"
    )


def _display() -> str:
    try:
        from pgnet.cli.window import open_window

        open_window("pgnet").destroy()
    except PgnetError as error:
        raise PgnetError(f"{error}: tracking needs --box, and --show does not work") from error
    return "windows open: --show works, and the box can be drawn"
