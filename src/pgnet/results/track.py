"""The one record of a run: where the target was, on what, with what. `docs/track-format.md` describes the files."""

from __future__ import annotations

import csv
import json
import math
from array import array
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pgnet.errors import PgnetError
from pgnet.files import atomic

SCHEMA, VERSION = "pgnet.track", 1
STATUSES = ("complete", "interrupted")
COLUMNS = ("frame", "time", "x", "y", "w", "h", "score")

Array = NDArray[np.float64]


def _version() -> str:
    try:
        return metadata.version("pgnet")
    except metadata.PackageNotFoundError:
        return "unknown"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass(frozen=True)
class SourceInfo:
    """What was tracked: name as given, kind of `pgnet.video.Source`, size in pixels, rate and count if known."""

    name: str
    kind: str
    width: int
    height: int
    fps: float | None = None
    frame_count: int | None = None


@dataclass(frozen=True)
class ModelInfo:
    """What tracked: name of the model and the SHA-256 of its weights file."""

    name: str
    sha256: str


@dataclass
class Track:
    """One target over the frames of one source; frames are appended in order, 56 bytes each.

    Attributes:
        options: how it was run (initial box, start, end, tracking options): values that JSON knows.
        status: "complete", or "interrupted" when the user stopped it.
        warnings: what was wrong but did not stop the run.
        pgnet: version of this package that wrote it.
        created: UTC, ISO 8601.
    """

    source: SourceInfo
    model: ModelInfo
    options: dict[str, Any] = field(default_factory=dict)
    status: str = "complete"
    warnings: list[str] = field(default_factory=list)
    pgnet: str = field(default_factory=_version)
    created: str = field(default_factory=_now)
    _rows: array[float] = field(default_factory=lambda: array("d"), repr=False)

    def append(self, frame: int, time: float, box: ArrayLike, score: float) -> None:
        """Adds one frame: its 0-based index in the source, seconds, x, y, w, h in 0-based pixels, score 0..1.

        Raises:
            ValueError: a value is not finite, or the frame is not after the last one.
        """
        row = [float(frame), float(time), *np.asarray(box, np.float64).reshape(4).tolist(), float(score)]
        if not all(map(math.isfinite, row)):
            raise ValueError(f"frame {frame}: every value must be finite, not {row}")
        if len(self) and frame <= self._rows[-len(COLUMNS)]:
            raise ValueError(f"frame {frame} does not come after frame {self._rows[-len(COLUMNS)]:.0f}")
        self._rows.extend(row)

    def __len__(self) -> int:
        return len(self._rows) // len(COLUMNS)

    def _table(self) -> Array:
        return np.array(self._rows, np.float64).reshape(-1, len(COLUMNS))

    @property
    def frames(self) -> NDArray[np.int64]:
        """(N,) indices of the frames in the source."""
        return self._table()[:, 0].astype(np.int64)

    @property
    def times(self) -> Array:
        """(N,) seconds."""
        return self._table()[:, 1]

    @property
    def boxes(self) -> Array:
        """(N, 4) x, y, w, h in 0-based pixels."""
        return self._table()[:, 2:6]

    @property
    def scores(self) -> Array:
        """(N,) scores, 0..1."""
        return self._table()[:, 6]

    def _rounded(self) -> list[tuple[int, float, list[float], float]]:
        """What the files hold: exact times, boxes to a thousandth of a pixel, scores to six digits."""
        return [
            (int(frame), time, [round(value, 3) for value in box], round(score, 6))
            for frame, time, *box, score in self._table().tolist()
        ]

    def write_json(self, path: str | Path) -> None:
        """Writes the whole record, one line per frame. Raises: PgnetError where the file cannot be written."""
        head = {
            "schema": SCHEMA,
            "version": VERSION,
            "pgnet": self.pgnet,
            "created": self.created,
            "status": self.status,
            "warnings": self.warnings,
            "source": asdict(self.source),
            "model": asdict(self.model),
            "options": self.options,
        }
        rows = [
            json.dumps({"frame": frame, "time": time, "box": box, "score": score})
            for frame, time, box, score in self._rounded()
        ]
        text = json.dumps(head, indent=2, ensure_ascii=False, allow_nan=False).removesuffix("\n}")
        frames = "[\n    " + ",\n    ".join(rows) + "\n  ]" if rows else "[]"
        with atomic(path) as temporary:
            temporary.write_text(f'{text},\n  "frames": {frames}\n}}\n', encoding="utf-8")

    def write_csv(self, path: str | Path) -> None:
        """Writes the frames alone: frame, time, x, y, w, h, score. Raises: PgnetError where it cannot be written."""
        with atomic(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            writer.writerows((frame, time, *box, score) for frame, time, box, score in self._rounded())

    @classmethod
    def read_json(cls, path: str | Path) -> Track:
        """Reads what `write_json` wrote; members it does not know are passed over.

        Raises:
            PgnetError: unreadable, not a track, made by a later format, or a value is missing or wrong (it is named).
        """
        try:
            data = json.loads(Path(path).read_text(encoding="utf-8"))
        except OSError as error:
            raise PgnetError(f"The track {path} cannot be read ({error.strerror}).") from error
        except ValueError as error:  # not JSON, or not UTF-8
            raise PgnetError(f"{path} is no track file: it is not JSON ({error}).") from error
        if not isinstance(data, dict) or data.get("schema") != SCHEMA:
            raise PgnetError(f'{path} is no track file: it has no "schema": "{SCHEMA}".')
        if data.get("version") != VERSION:
            raise PgnetError(
                f"{path} has version {data.get('version')!r} of the track format and this pgnet reads {VERSION}; "
                "update pgnet."
            )
        try:
            return cls._from_data(data)
        except _Wrong as error:
            raise PgnetError(f"The track {path} is damaged: {error}.") from error

    @classmethod
    def _from_data(cls, data: dict[str, Any]) -> Track:
        top = _Object(data)
        source, model = _Object(top.get("source", dict), "source."), _Object(top.get("model", dict), "model.")
        track = cls(
            source=SourceInfo(
                name=source.get("name", str),
                kind=source.get("kind", str),
                width=source.get("width", int),
                height=source.get("height", int),
                fps=source.get("fps", float, type(None)),
                frame_count=source.get("frame_count", int, type(None)),
            ),
            model=ModelInfo(name=model.get("name", str), sha256=model.get("sha256", str)),
            options=top.get("options", dict),
            status=top.get("status", str),
            warnings=top.get("warnings", list),
            pgnet=top.get("pgnet", str),
            created=top.get("created", str),
        )
        if track.status not in STATUSES:
            raise _Wrong(f"status is {track.status!r}, not one of {', '.join(STATUSES)}")
        for number, item in enumerate(top.get("frames", list)):
            where = f"frames[{number}]"
            if not isinstance(item, dict):
                raise _Wrong(f"{where} is no object")
            row = _Object(item, where + ".")
            box = row.get("box", list)
            if len(box) != 4 or not all(isinstance(v, int | float) and not isinstance(v, bool) for v in box):
                raise _Wrong(f"{where}.box is {box!r}, not four numbers")
            try:
                track.append(row.get("frame", int), row.get("time", float), box, row.get("score", float))
            except (ValueError, OverflowError) as error:
                raise _Wrong(f"{where}: {error}") from error
        return track


class _Wrong(Exception):
    pass


@dataclass
class _Object:
    """A JSON object whose members are fetched with a check of their type."""

    data: dict[str, Any]
    prefix: str = ""

    def get(self, name: str, *types: type) -> Any:
        if name not in self.data:
            raise _Wrong(f"{self.prefix}{name} is missing")
        value = self.data[name]
        allowed = (*types, int) if float in types else types
        if not isinstance(value, allowed) or isinstance(value, bool):
            raise _Wrong(f"{self.prefix}{name} is {value!r:.60}, not {types[0].__name__}")
        return value
