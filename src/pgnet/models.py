"""Model files: one safetensors file holds the weights and, in its header, everything a tracker must know about them.

A model is ``NAME.safetensors`` with the graphs ``NAME.embed.onnx`` and ``NAME.search.onnx`` beside it. The graphs are
kilobytes: their initialisers are ONNX external data that point into the safetensors file by offset, so both read the
same bytes. For that the header is padded with spaces (the safetensors format allows it) up to a multiple of 64 KiB:
the metadata can change without moving a tensor.

The header's ``__metadata__`` has one key, ``pgnet``: a JSON object with ``format`` (1), ``name``, ``architecture``,
``template_size``, ``search_size``, ``stride``, ``anchors``, ``tracking`` (see `pgnet.tracking.TrackingOptions`),
``licence``, ``data``, ``initialisation``, ``score``, ``recipe`` and ``created``.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import struct
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from pgnet.errors import PgnetError
from pgnet.files import atomic

FORMAT = 1
DATA_ALIGNMENT = 1 << 16
"""The tensors start at a multiple of this many bytes (pages of every common system divide it)."""
PACKAGED = Path(__file__).parent / "weights"
DTYPES = {
    np.dtype(np.float32): "F32",
    np.dtype(np.float16): "F16",
    np.dtype(np.int32): "I32",  # these three of quantised models
    np.dtype(np.int8): "I8",
    np.dtype(np.uint8): "U8",
}


@dataclass(frozen=True)
class ModelFile:
    """A model on disk, its header checked; the tensors are not read."""

    path: Path
    metadata: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The file's name without its suffix; the graphs beside it share it."""
        return self.path.stem

    @cached_property
    def sha256(self) -> str:
        """Hexadecimal SHA-256 of the safetensors file."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    @property
    def score(self) -> str:
        """What the file says of its score, on one line: "success AUC 0.647 on OTB-100"; "" if nothing."""
        said = self.metadata.get("score") or ""
        if not isinstance(said, Mapping):
            return str(said)
        values = ", ".join(
            f"{name} {value:.3f}" if isinstance(value, float) else f"{name} {value}"
            for name, value in said.items()
            if name != "data"
        )
        return f"{values} on {said['data']}" if "data" in said else values

    def graph(self, part: Literal["embed", "search"]) -> Path:
        """Path of one of the two ONNX graphs.

        Raises:
            PgnetError: the graph is not beside the weights.
        """
        path = self.path.with_name(f"{self.name}.{part}.onnx")
        if not path.is_file():
            raise PgnetError(f"The graph {path} is missing; keep {self.path.name} and its two .onnx files together.")
        return path

    def with_tracking(self, **options: float) -> ModelFile:
        """Store tracking options in the file, those not given unchanged -> the model as it now is."""
        return update_metadata(self.path, tracking={**self.metadata.get("tracking", {}), **options})


def cache_dir() -> Path:
    """Where models outside the package are looked for: $PGNET_CACHE, or the user's cache directory."""
    if chosen := os.environ.get("PGNET_CACHE"):
        return Path(chosen)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "pgnet"


def available() -> list[ModelFile]:
    """The package's own models, then those of the cache, by name.

    Raises:
        PgnetError: one of the files is no model; the message names it.
    """
    return [read_model_file(path) for path in _known().values()]


def resolve(model: str | Path) -> ModelFile:
    """A model by its name, or by the path of its .safetensors file.

    Raises:
        PgnetError: no such model (the message lists the known ones) or the file is not a pgnet model.
    """
    path = Path(model).expanduser()
    if path.suffix == ".safetensors":
        if not path.is_file():
            raise PgnetError(f"The model file {path} does not exist.")
        return read_model_file(path)
    known = _known()
    if str(model) not in known:
        names = ", ".join(known) or "none is installed"
        raise PgnetError(f"There is no model {str(model)!r}; give the path of a .safetensors file or one of: {names}.")
    return read_model_file(known[str(model)])


def _known() -> dict[str, Path]:
    """Names and paths, sorted; the package's own win over the cache's."""

    def paths() -> Iterator[Path]:
        for folder in (cache_dir(), PACKAGED):
            yield from folder.glob("[!.]*.safetensors")  # not one that is just being written

    return dict(sorted((path.stem, path) for path in paths()))


def read_model_file(path: Path) -> ModelFile:
    """Open a model file and check its header and length.

    Raises:
        PgnetError: unreadable, truncated, not safetensors, not made by pgnet, or of a newer format.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            text = (file.metadata() or {}).get("pgnet")
    except OSError as error:
        raise PgnetError(f"The model file {path} cannot be read: {error.strerror or error}.") from error
    except SafetensorError as error:
        raise PgnetError(f"{path} is not a safetensors file or is damaged ({error}); get it again.") from error
    if text is None:
        raise PgnetError(f"{path} holds weights, but not of a pgnet model; give one that pgnet has made.")
    try:
        metadata = json.loads(text)
        version = metadata["format"]
    except (ValueError, TypeError, KeyError) as error:
        raise PgnetError(f"The pgnet description in {path} is damaged; get the file again.") from error
    if version != FORMAT:
        raise PgnetError(f"{path} has model format {version}, this pgnet reads {FORMAT}; install a matching version.")
    return ModelFile(path, metadata)


def write_model_file(path: Path, tensors: Mapping[str, NDArray[Any]], metadata: Mapping[str, Any]) -> ModelFile:
    """Write tensors of the types in `DTYPES` and the description of a model; the file appears whole -> the model.

    Raises:
        PgnetError: a tensor is of another type, or the header does not fit.
    """
    for name, tensor in tensors.items():
        if tensor.dtype not in DTYPES:
            types = ", ".join(map(str, DTYPES))
            raise PgnetError(f"Tensor {name} is {tensor.dtype}; a model file holds {types} only.")
    # Larger types first keeps every tensor aligned to its item size, as the safetensors library does.
    names = sorted(tensors, key=lambda name: (-tensors[name].itemsize, name))
    header: dict[str, Any] = {"__metadata__": {"pgnet": json.dumps({"format": FORMAT, **metadata})}}
    end = 0
    for name in names:
        begin, end = end, end + tensors[name].nbytes
        header[name] = {
            "dtype": DTYPES[tensors[name].dtype],
            "shape": list(tensors[name].shape),
            "data_offsets": [begin, end],
        }
    # Half of the last 64 KiB stays free at least, for metadata that grows later.
    size = len(json.dumps(header)) + 8 + DATA_ALIGNMENT // 2
    length = -size // DATA_ALIGNMENT * -DATA_ALIGNMENT - 8
    with atomic(path) as temporary, temporary.open("wb") as file:
        file.write(_pack(header, length))
        for name in names:
            # The format is little-endian, whatever the machine.
            file.write(np.ascontiguousarray(tensors[name], tensors[name].dtype.newbyteorder("<")).tobytes())
    return read_model_file(path)


def update_metadata(path: Path, **changes: Any) -> ModelFile:
    """Replace entries of a model file's description; no tensor moves, the graphs beside it stay valid -> the model.

    Raises:
        PgnetError: not a model file, or the description has outgrown the space kept for it.
    """
    metadata = {**read_model_file(path).metadata, **changes}
    with atomic(path) as temporary, path.open("rb") as source, temporary.open("wb") as target:
        (length,) = struct.unpack("<Q", source.read(8))
        header = json.loads(source.read(length))
        header["__metadata__"]["pgnet"] = json.dumps(metadata)
        target.write(_pack(header, length))
        shutil.copyfileobj(source, target, 1 << 20)
    return read_model_file(path)


def _pack(header: Mapping[str, Any], length: int) -> bytes:
    """The first 8 + length bytes of a safetensors file."""
    text = json.dumps(header).encode()
    if len(text) > length:
        raise PgnetError(
            f"The description of the model is {len(text) - length} bytes too long for its file; shorten it."
        )
    return struct.pack("<Q", length) + text.ljust(length)
