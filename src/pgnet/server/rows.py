"""The rows of targets in the database: read, brought into other forms, and what is still to be tracked of them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Delete, Update, select
from sqlalchemy.orm import Session

from pgnet.results.track import TargetTrack
from pgnet.server import database, schemas, work
from pgnet.server.database import IMPORTED, PERSON, STATES, TRACKER
from pgnet.tracking.spans import Box, Span, spans

LETTERS = "pula"
"""Of STATES, in `schemas.Rows`."""


class PlainRow(NamedTuple):
    """A row as it is read: ten times as fast as an object that SQLAlchemy keeps watch over."""

    target_id: int
    frame: int
    x: float
    y: float
    w: float
    h: float
    score: float
    presence: float
    state: int
    occluded: bool
    by: int
    job_id: int | None
    span: int
    passes: int


ROW_COLUMNS = [database.Row.__table__.columns[name] for name in PlainRow._fields]


def read_rows(session: Session, target_id: int, first: int = 0, end: int | None = None) -> list[PlainRow]:
    """A target's rows in frames first <= n < end, in order."""
    row = database.Row
    rows = select(*ROW_COLUMNS).where(row.target_id == target_id, row.frame >= first)
    if end is not None:
        rows = rows.where(row.frame < end)
    return [PlainRow._make(found) for found in session.execute(rows.order_by(row.frame))]


Statement = TypeVar("Statement", Update, Delete)


def only_tracked(statement: Statement, target_id: int, first: int, last: int) -> Statement:
    """Only those of the tracker in frames first <= n <= last."""
    row = database.Row
    return statement.where(row.target_id == target_id, row.by == TRACKER, row.frame >= first, row.frame <= last)


def read_keyframes(session: Session, target_id: int) -> dict[int, Box | None]:
    """What a person said: frame -> box, None where the target is absent."""
    row = database.Row
    rows = select(row.frame, row.state, row.x, row.y, row.w, row.h).where(row.target_id == target_id, row.by == PERSON)
    absent = STATES.index("absent")
    found = session.execute(rows.order_by(row.frame))
    return {frame: None if state == absent else (x, y, w, h) for frame, state, x, y, w, h in found}


def span_orders(
    session: Session, video: database.Video, target_id: int, first: int | None, end: int | None
) -> list[work.SpanOrder]:
    """The spans of a target in frames first <= n < end that have not been tracked to their end.

    The whole of a span between two keyframes is tracked or nothing of it; an open end goes as far as `first` and `end`
    say, by default from the first keyframe to the last frame.
    """
    keyframes = read_keyframes(session, target_id)
    if not keyframes:
        return []
    count = video.frame_count or 0
    begin = min(keyframes) if first is None else min(first, *keyframes)
    last = max(min(end or count, count) - 1, *keyframes)
    orders = []
    for span in spans(keyframes, last, begin):
        if span.passes and span.last >= (first or 0) and span.first < (end or count):
            mark = span_mark(span)
            rows = {
                row.frame: work.Row(
                    target_id,
                    row.frame,
                    (row.x, row.y, row.w, row.h),
                    row.score,
                    row.presence,
                    STATES[row.state],
                    row.span,
                    row.passes,
                )
                for row in read_rows(session, target_id, span.first, span.last + 1)
                if row.by == TRACKER and row.span == mark
            }
            if sum(row.passes for row in rows.values()) < len(span.frames) * len(span.passes):
                orders.append(work.SpanOrder(target_id, mark, span, rows))
    return orders


def span_mark(span: Span) -> int:
    """Tells what a span is tracked from: its keyframes. Where an open end is cut does not matter."""
    digest = hashlib.sha256(repr((span.before, span.after)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1  # SQLite's numbers are signed


def orders_size(orders: Sequence[work.SpanOrder]) -> tuple[int, int]:
    """Predictions that spans take in all, and those made already."""
    total = sum(len(order.span.frames) * len(order.span.passes) for order in orders)
    return total, sum(row.passes for order in orders for row in order.rows.values())


def tracked_values(row: work.Row, job_id: int) -> dict[str, Any]:
    """The columns of a row that was tracked."""
    x, y, w, h = row.box
    return {
        "target_id": row.target, "frame": row.frame, "x": x, "y": y, "w": w, "h": h, "score": row.score,
        "presence": row.presence, "state": STATES.index(row.state), "occluded": False, "by": TRACKER, "job_id": job_id,
        "span": row.span, "passes": row.passes,
    }  # fmt: skip


def imported_values(target_id: int, found: TargetTrack, count: int) -> list[dict[str, Any]]:
    """The columns of the rows of a file of boxes, in frames up to `count`."""
    columns = found.frames, found.boxes, found.scores, found.presence, found.states, found.absent, found.occluded
    rows = []
    for frame, (x, y, w, h), score, presence, state, absent, occluded, keyframe in zip(
        *columns, found.keyframes, strict=True
    ):
        if frame < count:
            rows.append({
                "target_id": target_id, "frame": int(frame), "x": x, "y": y, "w": w, "h": h,
                "score": float(np.clip(score, 0, 1)), "presence": 0.0 if absent else float(presence),
                "state": STATES.index("absent" if absent else state), "occluded": bool(occluded),
                "by": PERSON if keyframe else IMPORTED, "job_id": None, "span": 0, "passes": 0,
            })  # fmt: skip
    return rows


def target_track(target: database.Target, rows: Sequence[PlainRow], times: NDArray[np.float64]) -> TargetTrack:
    """A target as exports want it."""
    track = TargetTrack(target.number, target.name)
    absent = STATES.index("absent")
    for row in rows:
        track.append(
            row.frame,
            float(times[row.frame]),
            (row.x, row.y, row.w, row.h),
            row.score,
            absent=row.state == absent,
            occluded=row.occluded,
            keyframe=row.by == PERSON,
            presence=row.presence,
            state=STATES[0 if row.state == absent else row.state],
        )
    return track


def to_schema(target: int, rows: Sequence[PlainRow]) -> schemas.Rows:
    """Rows, in order, as the page takes them."""
    runs: list[tuple[int, int]] = []
    for row in rows:
        if runs and row.frame == sum(runs[-1]):
            runs[-1] = runs[-1][0], runs[-1][1] + 1
        else:
            runs.append((row.frame, 1))
    return schemas.Rows(
        target=target,
        runs=runs,
        boxes=[round(value, 2) for row in rows for value in (row.x, row.y, row.w, row.h)],
        presence=[round(row.presence, 3) for row in rows],
        states="".join(LETTERS[row.state] for row in rows),
        by="".join("kti"[row.by] for row in rows),
    )
