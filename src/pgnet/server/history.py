"""Undo and redo: an edit keeps, of everything it changed, what there was before; undoing exchanges the two.

Whoever changes a target or rows first calls `keep_target` or `keep_rows`: the first time that an edit touches
something, the way it is now is put aside. `exchange` swaps what is and what was put aside, so the same call undoes and
does again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.orm import Session

from pgnet.server.database import Edit, OtherRow, OtherTarget, Row, Target

COLUMNS = ", ".join(column.name for column in Row.__table__.columns if not column.primary_key)
_NOTHING = ", ".join("-1" if name == "state" else "0" for name in COLUMNS.split(", "))


def begin(session: Session, video_id: int, label: str) -> Edit:
    """A new edit; what was undone can no longer be done again."""
    session.execute(delete(Edit).where(Edit.video_id == video_id, Edit.undone))
    edit = Edit(video_id=video_id, label=label)
    session.add(edit)
    session.flush()
    return edit


def keep_target(session: Session, edit_id: int, target: Target, *, new: bool = False) -> None:
    """Put a target aside as it is; a new one was not there."""
    values = {"name": target.name, "colour": target.colour, "deleted": new or target.deleted}
    found = insert(OtherTarget).prefix_with("OR IGNORE")
    session.execute(found, {"edit_id": edit_id, "target_id": target.id, **values})


def keep_rows(session: Session, edit_id: int, target_id: int, frames: Collection[int]) -> None:
    """Put rows of a target aside as they are; where there are none, that."""
    if not frames:
        return
    first, last = min(frames), max(frames)
    keep_range(session, edit_id, target_id, first, last)
    row = Row.__table__.columns
    there = select(row.frame).where(row.target_id == target_id, row.frame >= first, row.frame <= last)
    values = [
        {"edit": edit_id, "target": target_id, "frame": frame}
        for frame in set(frames).difference(session.execute(there).scalars())
    ]
    if values:
        session.execute(
            text(
                f"INSERT OR IGNORE INTO other_row (edit_id, target_id, frame, {COLUMNS}) "
                f"VALUES (:edit, :target, :frame, {_NOTHING})"
            ),
            values,
        )


def keep_range(session: Session, edit_id: int, target_id: int, first: int, last: int) -> None:
    """Put all rows that a target has in frames first <= n <= last aside."""
    session.execute(
        text(
            f"INSERT OR IGNORE INTO other_row (edit_id, target_id, frame, {COLUMNS}) SELECT :edit, target_id, frame, "
            f"{COLUMNS} FROM row WHERE target_id = :target AND frame BETWEEN :first AND :last"
        ),
        {"edit": edit_id, "target": target_id, "first": first, "last": last},
    )


def exchange(session: Session, edit: Edit) -> dict[int, tuple[int, int]]:
    """Undo an edit, or do it again -> first and last frame with changed rows of each target."""
    session.flush()
    for other in session.scalars(select(OtherTarget).where(OtherTarget.edit_id == edit.id)):
        target = session.get_one(Target, other.target_id)
        for name in ("name", "colour", "deleted"):
            now = getattr(target, name)
            setattr(target, name, getattr(other, name))
            setattr(other, name, now)
    session.flush()
    kept = select(OtherRow.target_id, OtherRow.frame).where(OtherRow.edit_id == edit.id)
    places = session.execute(kept).all()
    values = {"edit": edit.id}
    for statement in (
        "CREATE TEMP TABLE aside AS SELECT * FROM other_row WHERE edit_id = :edit",
        "DELETE FROM other_row WHERE edit_id = :edit",
    ):
        session.execute(text(statement), values)
    frames: dict[int, list[int]] = defaultdict(list)
    for id, frame in places:
        frames[id].append(frame)
    for id, numbers in frames.items():
        keep_rows(session, edit.id, id, numbers)
    for statement in (
        "DELETE FROM row WHERE (target_id, frame) IN (SELECT target_id, frame FROM aside)",
        f"INSERT INTO row (target_id, frame, {COLUMNS}) SELECT target_id, frame, {COLUMNS} FROM aside WHERE state >= 0",
        "DROP TABLE aside",
    ):
        session.execute(text(statement))
    session.execute(update(Edit).where(Edit.id == edit.id).values(undone=not edit.undone))
    session.expire_all()
    return {id: (min(numbers), max(numbers)) for id, numbers in frames.items()}


def last_done(session: Session, video_id: int) -> Edit | None:
    """What would be undone."""
    return session.scalar(select(Edit).where(Edit.video_id == video_id, ~Edit.undone).order_by(Edit.id.desc()).limit(1))


def first_undone(session: Session, video_id: int) -> Edit | None:
    """What would be done again."""
    return session.scalar(select(Edit).where(Edit.video_id == video_id, Edit.undone).order_by(Edit.id).limit(1))
