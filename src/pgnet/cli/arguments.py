"""What the commands share: values from text, and the folder that results go to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pgnet.errors import PgnetError

if TYPE_CHECKING:
    from pgnet.engine.choice import Choice

DEFAULT_MODEL = "pgnet-lite"

SOURCE_HELP = "A video file, a folder or pattern of images ('shots/*.png'), a camera number, or an RTSP / HTTP address."
Source = Annotated[str, typer.Argument(metavar="SOURCE", help=SOURCE_HELP)]
Model = Annotated[str, typer.Option(help="A name from `pgnet models`, or the path of a model file.")]
Threads = Annotated[
    int | None, typer.Option(min=1, help="Threads for the network; by default one for each physical core.")
]
Engine = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="What computes the network: onnxruntime, or openvino or torch (extras of these names)."
    ),
]
Device = Annotated[
    str | None, typer.Option(help="Where: auto, cpu, cuda, coreml (onnxruntime), gpu or npu (openvino).")
]
Half = Annotated[bool, typer.Option("--half", help="In half precision (openvino, torch): faster, less exact.")]
NoVideo = Annotated[bool, typer.Option("--no-video", help="Write no video, only the boxes.")]
Video = Annotated[str | None, typer.Option(metavar="FILE", help="The video, if it is no longer where TRACK says.")]
CropFollow = Annotated[
    str | None,
    typer.Option(metavar="RATIO", help="A video (crop.mp4) that follows each target: square, 9:16 or any ratio."),
]
Blur = Annotated[bool, typer.Option("--blur", help="A video (blurred.mp4) with the targets blurred.")]
Pixelate = Annotated[
    bool, typer.Option("--pixelate", help="A video (pixelated.mp4) with the targets in coarse blocks.")
]
Workers = Annotated[
    int, typer.Option(min=1, help="Processes on this machine, with one thread each unless --threads says more.")
]
Ray = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS", help="Use a Ray cluster instead: auto, ray://HOST:PORT, or local; needs the extra ray."
    ),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace results that are there already.")]


def parse_moment(text: str | None, option: str) -> int | float | None:
    """A frame index or a time: ``"120"`` -> 120, ``"2.5s"`` or ``"2.5"`` -> 2.5 (seconds), None -> None.

    Raises:
        PgnetError: neither, or negative.
    """
    if text is None:
        return None
    if re.fullmatch(r"\d+", text):
        return int(text)
    if re.fullmatch(r"(\d+(\.\d*)?|\.\d+)s?", text):
        return float(text.removesuffix("s"))
    raise PgnetError(f"{option} takes a frame number such as 120 or seconds such as 2.5s, not {text!r}.")


def compute_choice(engine: str | None, device: str | None, half: bool) -> Choice:
    """What the options --engine, --device and --half say, and where they say nothing, what `pgnet doctor` remembers.

    Raises:
        PgnetError: what is remembered cannot be read.
    """
    from pgnet.engine.choice import Choice, remembered

    if engine is None and device is None and not half:
        return remembered()
    return Choice(engine or "onnxruntime", device or "auto", half)


def default_folder(source_name: str) -> Path:
    """``pgnet-NAME`` in the working directory for the source NAME."""
    return Path("pgnet-" + (re.sub(r"[^\w.-]+", "-", Path(source_name).stem).strip("-.") or "track"))


def check_outputs(folder: Path, names: Sequence[str], overwrite: bool) -> None:
    """Refuse a folder that cannot take these files, before any work is done.

    Raises:
        PgnetError: the folder is a file, or one of the files exists and `overwrite` is off.
    """
    if folder.exists() and not folder.is_dir():
        raise PgnetError(f"The output {folder} is a file; give a folder.")
    existing = [name for name in names if (folder / name).exists()]
    if existing and not overwrite:
        raise PgnetError(f"{folder / existing[0]} exists already; give another --out or --overwrite.")


@contextmanager
def output_folder(folder: Path) -> Iterator[Path]:
    """Make the folder; on an error take away again what was made, as long as it is empty.

    Raises:
        PgnetError: the folder cannot be made or written to.
    """
    new = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".pgnet-probe"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise PgnetError(
            f"Cannot write to the output folder {folder} ({error.strerror}); give another --out."
        ) from error
    try:
        yield folder
    except BaseException:
        for path in new:
            if any(path.iterdir()):
                break
            path.rmdir()
        raise


TRAIN_LIBRARIES = ("torch", "lightning_fabric", "lightning_utilities", "tensorboard", "onnx", "onnxscript")
SERVE_LIBRARIES = ("fastapi", "uvicorn", "sqlalchemy", "alembic", "starlette", "pydantic", "anyio")
REPORT_LIBRARIES = ("matplotlib", "jinja2")


def train_extra(what: str) -> AbstractContextManager[None]:
    """Imports of the training part: a missing torch becomes a sentence. See `_extra`."""
    return _extra(what, "train", TRAIN_LIBRARIES)


def serve_extra(what: str) -> AbstractContextManager[None]:
    """Imports of the server: a missing fastapi becomes a sentence. See `_extra`."""
    return _extra(what, "serve", SERVE_LIBRARIES)


def report_extra(what: str) -> AbstractContextManager[None]:
    """Imports of what draws plots and pages: a missing matplotlib becomes a sentence. See `_extra`."""
    return _extra(what, "report", REPORT_LIBRARIES)


@contextmanager
def _extra(what: str, extra: str, libraries: Sequence[str]) -> Iterator[None]:
    """Imports of an optional part.

    Raises:
        PgnetError: one of the extra's libraries is missing.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        library = (error.name or "").partition(".")[0]
        if library not in libraries:
            raise
        raise PgnetError(f"{what} needs {library}: install the extra with pip install 'pgnet[{extra}]'.") from error
