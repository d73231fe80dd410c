"""The one record of a run: where the targets were, on what, with what. `docs/track-format.md` describes the files.

What other tools annotated is read into the same record (`pgnet.results.formats`).
"""

from __future__ import annotations

import csv
import json
import math
import unicodedata
from array import array
from bisect import bisect_left
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pgnet.errors import PgnetError
from pgnet.files import atomic
from pgnet.tracking.presence import LOST, PRESENT, STATES

SCHEMA, VERSION = "pgnet.track", 2
"""Version 1 had one target, no flags and no unknown values; it is still read, and written where it is enough."""
STATUSES = ("complete", "interrupted")
COLUMNS = ("frame", "time", "x", "y", "w", "h", "score")
WIDTH = len(COLUMNS) + 1
"""Numbers of a row in memory: these columns and the presence."""
FLAGS = ("absent", "occluded", "keyframe")
BELIEF = ("presence", "state")
"""What a tracker says of its own box."""

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


def _version() -> str:
    try:
        return metadata.version("pgnet")
    except metadata.PackageNotFoundError:
        return "unknown"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _known(time: float) -> float | None:
    return None if math.isnan(time) else time


def is_one_line(text: str) -> bool:
    """Whether every format can hold it: no control characters, line separators or halves of characters."""
    return not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") or c in "\ufffe\uffff" for c in text)


def name_of(id: int, label: str) -> str:
    """What messages call a target: "2", or "2 (dog)" where it has a label."""
    return f"{id} ({label})" if label else str(id)


@dataclass(frozen=True)
class SourceInfo:
    """What was tracked: name as given, kind of `pgnet.video.Source`, size in pixels, rate, count; None: unknown."""

    name: str
    kind: str
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    frame_count: int | None = None


@dataclass(frozen=True)
class ModelInfo:
    """What tracked: name of the model and the SHA-256 of its weights file."""

    name: str
    sha256: str


class Event(NamedTuple):
    """A target was lost, is absent, or is back."""

    frame: int
    """The first frame of which that is so."""
    time: float
    """Of this frame in seconds; NaN if unknown."""
    target: int
    """Id."""
    event: str
    """"lost": the tracker does not see it. "absent": it is known not to be seen. "back": it has a box again."""


class Row(NamedTuple):
    """A box of one target in one frame."""

    frame: int
    box: list[float]
    score: float = 1.0
    absent: bool = False
    occluded: bool = False
    keyframe: bool = False
    time: float | None = None
    presence: float = 1.0
    state: str = PRESENT


@dataclass(eq=False)
class TargetTrack:
    """One target over the frames of a video; rows are appended in order, 65 bytes each.

    A frame without a row says nothing about the target; an absent one says that it cannot be seen.

    Attributes:
        id: tells the targets of a video apart.
        label: what it is, such as "dog", on one line; "" if nobody said.

    Raises:
        ValueError: the label has control characters.
    """

    id: int = 1
    label: str = ""
    _rows: array[float] = field(default_factory=lambda: array("d"), repr=False)
    _flags: bytearray = field(default_factory=bytearray, repr=False)

    def __post_init__(self) -> None:
        if not is_one_line(self.label):
            raise ValueError(f"the label {self.label!r:.60} is not a text on one line")

    def append(
        self,
        frame: int,
        time: float,
        box: ArrayLike,
        score: float = 1.0,
        *,
        absent: bool = False,
        occluded: bool = False,
        keyframe: bool = False,
        presence: float = 1.0,
        state: str = PRESENT,
    ) -> None:
        """Adds one frame.

        Args:
            frame: 0-based index in the source.
            time: seconds; NaN if unknown.
            box: x, y, w, h in 0-based pixels; of an absent target the last known one, or zeros.
            score: 0..1.
            absent: the target cannot be seen: it left the picture or is hidden.
            occluded: something covers it, in part or in whole.
            keyframe: a person set this box, rather than a tracker or an interpolation.
            presence: the tracker's probability that the box overlaps the target by 0.5 or more.
            state: "present", "uncertain" or "lost", as the tracker said. What a person set is present, for certain.

        Raises:
            ValueError: a value is not finite or no probability, an unknown state, or the frame is not after the last.
        """
        presence, state = (1.0, PRESENT) if keyframe else (float(presence), state)
        if state not in STATES:
            raise ValueError(f"frame {frame}: the state is {state!r:.60}, not one of {', '.join(STATES)}")
        if not 0 <= presence <= 1:
            raise ValueError(f"frame {frame}: the presence is {presence}, not a probability")
        row = [float(frame), float(time), *np.asarray(box, np.float64).reshape(4).tolist(), float(score), presence]
        if not all(map(math.isfinite, row[:1] + row[2:])) or math.isinf(row[1]):
            raise ValueError(f"frame {frame}: every value must be finite, not {row}")
        if len(self) and frame <= self._rows[-WIDTH]:
            raise ValueError(f"frame {frame} does not come after frame {self._rows[-WIDTH]:.0f}")
        self._rows.extend(row)
        self._flags.append(absent | occluded << 1 | keyframe << 2 | STATES.index(state) << len(FLAGS))

    def __str__(self) -> str:
        return f"target {name_of(self.id, self.label)}"

    def __len__(self) -> int:
        return len(self._flags)

    def add(self, row: Row) -> None:
        """`append` a row as a whole."""
        self.append(**row._asdict() | {"time": math.nan if row.time is None else row.time})

    def row(self, frame: int) -> Row | None:
        """What the track says of a frame, if anything."""
        at = bisect_left(range(len(self)), frame, key=lambda i: int(self._rows[i * WIDTH]))
        if at == len(self) or self._rows[at * WIDTH] != frame:
            return None
        _, time, *box, score, presence = self._rows[at * WIDTH : (at + 1) * WIDTH]
        flags = {name: bool(self._flags[at] >> bit & 1) for bit, name in enumerate(FLAGS)}
        state = STATES[self._flags[at] >> len(FLAGS)]
        return Row(frame, box, score, time=None if math.isnan(time) else time, presence=presence, state=state, **flags)

    def _table(self) -> Array:
        return np.array(self._rows, np.float64).reshape(-1, WIDTH)

    def _flag(self, name: str) -> Flags:
        return (np.array(self._flags, np.uint8) >> FLAGS.index(name) & 1).astype(bool)

    @property
    def frames(self) -> NDArray[np.int64]:
        """(N,) indices of the frames in the source."""
        return self._table()[:, 0].astype(np.int64)

    @property
    def times(self) -> Array:
        """(N,) seconds; NaN where unknown."""
        return self._table()[:, 1]

    @property
    def boxes(self) -> Array:
        """(N, 4) x, y, w, h in 0-based pixels; means little where `absent`."""
        return self._table()[:, 2:6]

    @property
    def scores(self) -> Array:
        """(N,) scores, 0..1."""
        return self._table()[:, 6]

    @property
    def absent(self) -> Flags:
        """(N,) whether the target cannot be seen."""
        return self._flag("absent")

    @property
    def occluded(self) -> Flags:
        """(N,) whether something covers the target."""
        return self._flag("occluded")

    @property
    def keyframes(self) -> Flags:
        """(N,) whether a person set the box."""
        return self._flag("keyframe")

    @property
    def presence(self) -> Array:
        """(N,) the tracker's probabilities of an overlap of 0.5 or more with the target; 1 where a person set it."""
        return self._table()[:, 7]

    @property
    def states(self) -> list[str]:
        """N times "present", "uncertain" or "lost"."""
        return [STATES[flags >> len(FLAGS)] for flags in self._flags]

    @property
    def missing(self) -> Flags:
        """(N,) whether there is no box to show: the target cannot be seen, or the tracker has lost it."""
        return self.absent | (np.array(self._flags, np.uint8) >> len(FLAGS) == STATES.index(LOST))

    @property
    def events(self) -> list[Event]:
        """When the target was lost or absent and when it was back, in order."""
        kinds = np.where(self.absent, "absent", np.where(self.missing, "lost", "back")).tolist()
        rows = zip(self.frames.tolist(), self.times.tolist(), kinds, ["back", *kinds], strict=False)
        return [Event(frame, time, self.id, kind) for frame, time, kind, before in rows if kind != before]

    def _rounded(self) -> list[dict[str, Any]]:
        """What the files hold: exact times, boxes to a thousandth of a pixel, scores to six digits, set flags."""
        return [
            {
                "frame": int(frame),
                "time": _known(time),
                "target": self.id,
                "box": [round(value, 3) for value in box],
                "score": round(score, 6),
                **({} if (presence, state) == (1, PRESENT) else {"presence": round(presence, 4), "state": state}),
                **{name: True for bit, name in enumerate(FLAGS) if flags >> bit & 1},
            }
            for (frame, time, *box, score, presence), state, flags in zip(
                self._table().tolist(), self.states, self._flags, strict=True
            )
        ]


@dataclass
class Track:
    """The targets of one source, and the run that followed them.

    Most runs follow one target: `append`, `frames`, `times`, `boxes` and `scores` are those of the only one.

    Attributes:
        source: the video.
        model: what tracked; None if no tracker did.
        options: how it was run (initial box, start, end, tracking options): values that JSON knows.
        status: "complete", or "interrupted" when the user stopped it.
        warnings: what was wrong or left out but did not stop the run, one sentence each.
        pgnet: version of this package that wrote it.
        created: UTC, ISO 8601.
        targets: at least one, with different ids.
    """

    source: SourceInfo
    model: ModelInfo | None = None
    options: dict[str, Any] = field(default_factory=dict)
    status: str = "complete"
    warnings: list[str] = field(default_factory=list)
    pgnet: str = field(default_factory=_version)
    created: str = field(default_factory=_now)
    targets: list[TargetTrack] = field(default_factory=lambda: [TargetTrack()])

    @property
    def target(self) -> TargetTrack:
        """The only target. Raises: ValueError where there are several."""
        if len(self.targets) != 1:
            raise ValueError(f"the track has {len(self.targets)} targets; choose one of its .targets")
        return self.targets[0]

    def append(
        self, frame: int, time: float, box: ArrayLike, score: float, *, presence: float = 1.0, state: str = PRESENT
    ) -> None:
        """`TargetTrack.append` for the only target."""
        self.target.append(frame, time, box, score, presence=presence, state=state)

    def __len__(self) -> int:
        """Rows of all targets together."""
        return sum(map(len, self.targets))

    @property
    def frames(self) -> NDArray[np.int64]:
        """(N,) indices of the only target's frames in the source."""
        return self.target.frames

    @property
    def times(self) -> Array:
        """(N,) seconds, of the only target's rows."""
        return self.target.times

    @property
    def boxes(self) -> Array:
        """(N, 4) x, y, w, h of the only target in 0-based pixels."""
        return self.target.boxes

    @property
    def scores(self) -> Array:
        """(N,) scores of the only target, 0..1."""
        return self.target.scores

    @property
    def events(self) -> list[Event]:
        """Those of all targets by frame."""
        return sorted(event for target in self.targets for event in target.events)

    def _rounded(self) -> list[dict[str, Any]]:
        """The rows of all targets by frame."""
        return sorted((row for target in self.targets for row in target._rounded()), key=lambda row: row["frame"])

    def _version_needed(self, rows: list[dict[str, Any]]) -> int:
        """The lowest version whose readers understand the file."""
        known = None not in (self.model, self.source.width, self.source.height, *(row["time"] for row in rows))
        flagged = any(row.get("absent") or row.get("occluded") for row in rows)
        return 1 if known and not flagged and len(self.targets) == 1 else VERSION

    def write_json(self, path: str | Path) -> None:
        """Writes the whole record, one line per frame. Raises: PgnetError where the file cannot be written."""
        rows = self._rounded()
        head = {
            "schema": SCHEMA,
            "version": self._version_needed(rows),
            "pgnet": self.pgnet,
            "created": self.created,
            "status": self.status,
            "warnings": self.warnings,
            "source": asdict(self.source),
            "model": None if self.model is None else asdict(self.model),
            "options": self.options,
            "targets": [{"id": target.id, "label": target.label} for target in self.targets],
            "events": [event._asdict() | {"time": _known(event.time)} for event in self.events],
        }
        text = json.dumps(head, indent=2, ensure_ascii=False, allow_nan=False).removesuffix("\n}")
        frames = "[\n    " + ",\n    ".join(map(json.dumps, rows)) + "\n  ]" if rows else "[]"
        with atomic(path) as temporary:
            # A file name may hold bytes that are no text.
            temporary.write_text(f'{text},\n  "frames": {frames}\n}}\n', encoding="utf-8", errors="replace")

    def write_csv(self, path: str | Path) -> None:
        """Writes the rows alone: frame, time, x, y, w, h, score, and after them the columns that say something.

        These are target (its id), label, presence, state, absent, occluded and keyframe (0 or 1).
        Raises: PgnetError where it cannot be written.
        """
        labels = {target.id: target.label for target in self.targets}
        rows = self._rounded()
        more = ["target"] if list(labels) != [1] else []
        more += ["label"] if any(labels.values()) else []
        more += [name for name in (*BELIEF, *FLAGS) if any(name in row for row in rows)]
        with atomic(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow((*COLUMNS, *more))
            for row in rows:
                values = {"target": row["target"], "label": labels[row["target"]]}
                values |= {"presence": row.get("presence", 1.0), "state": row.get("state", PRESENT)}
                values |= {name: int(name in row) for name in FLAGS}
                writer.writerow(
                    (row["frame"], row["time"], *row["box"], row["score"], *(values[name] for name in more))
                )

    @classmethod
    def read_json(cls, path: str | Path) -> Track:
        """Reads what `write_json` wrote, of this version or an earlier one; members it does not know are passed over.

        Raises:
            PgnetError: unreadable, not a track, made by a later format, or a value is missing or wrong (it is named).
        """
        try:
            data = json.loads(Path(path).read_text(encoding="utf-8"))
        except OSError as error:
            raise PgnetError(f"The track {path} cannot be read ({error.strerror}).") from error
        except (ValueError, RecursionError) as error:  # not JSON, or not UTF-8
            raise PgnetError(f"{path} is no track file: it is not JSON ({error}).") from error
        if not isinstance(data, dict) or data.get("schema") != SCHEMA:
            raise PgnetError(f'{path} is no track file: it has no "schema": "{SCHEMA}".')
        if data.get("version") not in range(1, VERSION + 1):
            raise PgnetError(
                f"{path} has version {data.get('version')!r} of the track format and this pgnet reads up to {VERSION}; "
                "update pgnet."
            )
        try:
            return cls._from_data(data)
        except _Wrong as error:
            raise PgnetError(f"The track {path} is damaged: {error}.") from error

    @classmethod
    def _from_data(cls, data: dict[str, Any]) -> Track:
        top = _Object(data)
        source = _Object(top.get("source", dict), "source.")
        model = top.get("model", dict, type(None))
        member = _Object(model or {}, "model.")
        track = cls(
            source=SourceInfo(
                name=source.get("name", str),
                kind=source.get("kind", str),
                width=source.get("width", int, type(None)),
                height=source.get("height", int, type(None)),
                fps=source.get("fps", float, type(None)),
                frame_count=source.get("frame_count", int, type(None)),
            ),
            model=None if model is None else ModelInfo(name=member.get("name", str), sha256=member.get("sha256", str)),
            options=top.get("options", dict),
            status=top.get("status", str),
            warnings=top.get("warnings", list),
            pgnet=top.get("pgnet", str),
            created=top.get("created", str),
        )
        if track.status not in STATUSES:
            raise _Wrong(f"status is {track.status!r}, not one of {', '.join(STATUSES)}")
        if not all(isinstance(warning, str) for warning in track.warnings):
            raise _Wrong("warnings has something else than sentences")
        try:
            json.dumps(track.options, allow_nan=False)
        except ValueError as error:
            raise _Wrong("options has a number that is not finite") from error
        if data["version"] > 1 or "targets" in data:
            track.targets = _targets(top.get("targets", list))
        by_id = {target.id: target for target in track.targets}
        for number, item in enumerate(top.get("frames", list)):
            row = _Object.of(item, f"frames[{number}]")
            target = row.get("target", int) if "targets" in data else track.targets[0].id
            if target not in by_id:
                raise _Wrong(f"frames[{number}].target is {target}, which targets does not have")
            box = row.get("box", list)
            if len(box) != 4 or not all(isinstance(v, int | float) and not isinstance(v, bool) for v in box):
                raise _Wrong(f"frames[{number}].box is {box!r}, not four numbers")
            time = row.get("time", float, type(None))
            said = {name: row.get(name, bool) for name in FLAGS if name in row.data}
            said |= {
                name: row.get(name, kind) for name, kind in zip(BELIEF, (float, str), strict=True) if name in row.data
            }
            try:
                by_id[target].append(
                    row.get("frame", int), math.nan if time is None else time, box, row.get("score", float), **said
                )
            except (ValueError, OverflowError) as error:
                raise _Wrong(f"frames[{number}]: {error}") from error
        return track


def _targets(items: list[Any]) -> list[TargetTrack]:
    rows = [_Object.of(item, f"targets[{number}]") for number, item in enumerate(items)]
    try:
        targets = [TargetTrack(row.get("id", int), row.get("label", str)) for row in rows]
    except ValueError as error:
        raise _Wrong(f"targets: {error}") from error
    if not targets or len({target.id for target in targets}) < len(targets):
        raise _Wrong("targets is empty or has an id twice")
    return targets


class _Wrong(Exception):
    pass


@dataclass
class _Object:
    """A JSON object whose members are fetched with a check of their type."""

    data: dict[str, Any]
    prefix: str = ""

    @classmethod
    def of(cls, item: Any, where: str) -> _Object:
        if not isinstance(item, dict):
            raise _Wrong(f"{where} is no object")
        return cls(item, where + ".")

    def get(self, name: str, *types: type) -> Any:
        if name not in self.data:
            raise _Wrong(f"{self.prefix}{name} is missing")
        value = self.data[name]
        allowed = (*types, int) if float in types else types
        if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in types):
            raise _Wrong(f"{self.prefix}{name} is {value!r:.60}, not {types[0].__name__}")
        return value
