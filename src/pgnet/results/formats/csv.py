"""A table with a header: frame, x, y, w, h, and as far as known time, score, target, label,
presence, state, absent, occluded, keyframe.

`pgnet.results.Track.write_csv` writes it; `docs/track-format.md` describes it.
"""

from __future__ import annotations

import csv
from pathlib import Path

from pgnet.results.formats.reading import Place, Row, Rows, read_text, settle
from pgnet.results.formats.writing import lost
from pgnet.results.track import FLAGS, SourceInfo, Track
from pgnet.tracking.presence import PRESENT, STATES

TITLE = "CSV"
NEEDED = ("frame", "x", "y", "w", "h")


def detect(path: Path, head: str) -> bool:
    """Whether a file, that begins with `head`, is of this format."""
    return set(NEEDED) <= set(head.split("\n", 1)[0].strip().split(","))


def read(path: Path, known: SourceInfo) -> list[Track]:
    """The boxes of a table; columns may stand in any order, and those it does not know are passed over.

    Raises:
        PgnetError: damaged, or without the columns frame, x, y, w, h.
    """
    reader = csv.reader(read_text(path).splitlines(), strict=True)
    collected = Rows()
    header: list[str] = []
    try:
        for values in reader:
            place = Place(path, f"line {reader.line_num}")
            if not header:
                header = [name.strip() for name in values]
                if missing := [name for name in NEEDED if name not in header]:
                    raise place.error(f"the header lacks {', '.join(missing)}; it needs {', '.join(NEEDED)}")
            elif values:
                if len(values) != len(header):
                    raise place.error(f"it has {len(values)} values, and the header {len(header)} names")
                _add(collected, place, dict(zip(header, values, strict=True)))
    except csv.Error as error:
        raise Place(path, f"line {reader.line_num}").error(f"this is no CSV ({error})") from error
    return [collected.track(Place(path), settle(known, name=path.stem))]


def _add(collected: Rows, place: Place, values: dict[str, str]) -> None:
    flags = {name: values.get(name, "0") for name in FLAGS}
    for name, value in flags.items():
        if value not in ("0", "1"):
            raise place.error(f"{name} is {value!r:.60}, not 0 or 1")
    row = Row(
        frame=place.whole(values["frame"], "frame"),
        box=place.box([values[name] for name in NEEDED[1:]]),
        score=place.number(values.get("score") or "1", "score"),
        time=place.number(values["time"], "time") if values.get("time") else None,
        presence=place.number(values.get("presence") or "1", "presence"),
        state=values.get("state") or PRESENT,
        **{name: value == "1" for name, value in flags.items()},
    )
    if row.state not in STATES:
        raise place.error(f"state is {row.state!r:.60}, not {', '.join(STATES)}")
    if not 0 <= row.presence <= 1:
        raise place.error(f"presence is {row.presence:g}, not a probability from 0 to 1")
    target = place.whole(values.get("target", "1"), "target", highest=2**53)
    collected.add(place, target, place.text(values.get("label", ""), "label"), row)


def write(track: Track, path: Path) -> list[str]:
    """Writes the table.

    Raises:
        PgnetError: it cannot be written.
    """
    track.write_csv(path)
    kept = ("labels", "scores", "presence", "absent", "ends", "occluded", "keyframes", "gaps", "start", "times", "fps")
    return lost(track, TITLE, *kept)
