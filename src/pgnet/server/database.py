"""What is kept of projects, in one SQLite file; migrations bring the file of an older version up to date."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import JSON, Engine, ForeignKey, String, create_engine, event
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from pgnet.errors import PgnetError

MIGRATIONS = Path(__file__).with_name("migrations")

PERSON, TRACKER, IMPORTED = 0, 1, 2
"""Who set a row."""
STATES = ("present", "uncertain", "lost", "absent")
"""Of a row; absent: a person said that the target cannot be seen."""


def now() -> str:
    """UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Base(DeclarativeBase):
    """Of all tables."""

    type_annotation_map = {dict[str, Any]: JSON, list[int]: JSON, list[str]: JSON}  # noqa: RUF012 - SQLAlchemy's way


NEVER_AGAIN = {"sqlite_autoincrement": True}
"""The id of something that was deleted is not given to something else."""


class Project(Base):
    """Videos that belong together."""

    __tablename__ = "project"
    __table_args__ = NEVER_AGAIN
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    created: Mapped[str] = mapped_column(default=now)
    updated: Mapped[str] = mapped_column(default=now)


class Video(Base):
    """A video; what is not known before it has been checked is None."""

    __tablename__ = "video"
    __table_args__ = NEVER_AGAIN
    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]  # what the user calls it
    file: Mapped[str]  # its generated name in the server's folder
    library: Mapped[str | None]  # instead: its path in the library, as the server listed it
    kind: Mapped[str] = mapped_column(default="video")  # or images
    state: Mapped[str] = mapped_column(default="checking")  # ready, failed
    error: Mapped[str | None]
    bytes: Mapped[int]
    width: Mapped[int | None]
    height: Mapped[int | None]
    fps: Mapped[float | None]
    frame_count: Mapped[int | None]
    duration: Mapped[float | None]
    warnings: Mapped[list[str]] = mapped_column(default=list)
    created: Mapped[str] = mapped_column(default=now)


class Target(Base):
    """Something to follow in a video; a deleted one stays, so that it can be brought back."""

    __tablename__ = "target"
    __table_args__ = NEVER_AGAIN
    id: Mapped[int] = mapped_column(primary_key=True)
    video_id: Mapped[int] = mapped_column(ForeignKey("video.id", ondelete="CASCADE"), index=True)
    number: Mapped[int]  # in its video, from 1
    name: Mapped[str]
    colour: Mapped[str]
    deleted: Mapped[bool] = mapped_column(default=False)


class _RowColumns:
    """Where a target is in a frame, and who says so."""

    x: Mapped[float]
    y: Mapped[float]
    w: Mapped[float]
    h: Mapped[float]
    score: Mapped[float]
    presence: Mapped[float]
    state: Mapped[int]  # number in STATES
    occluded: Mapped[bool]
    by: Mapped[int]
    job_id: Mapped[int | None]  # of the tracker
    span: Mapped[int]  # of the tracker: tells what it was tracked from
    passes: Mapped[int]  # of the tracker: over the span


class Row(_RowColumns, Base):
    """A frame without row says nothing of the target."""

    __tablename__ = "row"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - SQLAlchemy's way
    target_id: Mapped[int] = mapped_column(ForeignKey("target.id", ondelete="CASCADE"), primary_key=True)
    frame: Mapped[int] = mapped_column(primary_key=True)


class Edit(Base):
    """Something a person did that can be undone; undone ones can be done again."""

    __tablename__ = "edit"
    __table_args__ = NEVER_AGAIN
    id: Mapped[int] = mapped_column(primary_key=True)
    video_id: Mapped[int] = mapped_column(ForeignKey("video.id", ondelete="CASCADE"), index=True)
    label: Mapped[str]
    undone: Mapped[bool] = mapped_column(default=False)
    created: Mapped[str] = mapped_column(default=now)


class OtherTarget(Base):
    """What a target is on the other side of an edit: before it, or after it where it is undone."""

    __tablename__ = "other_target"
    edit_id: Mapped[int] = mapped_column(ForeignKey("edit.id", ondelete="CASCADE"), primary_key=True)
    target_id: Mapped[int] = mapped_column(ForeignKey("target.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str]
    colour: Mapped[str]
    deleted: Mapped[bool]


class OtherRow(_RowColumns, Base):
    """A row on the other side of an edit; `state` is -1 where there is none."""

    __tablename__ = "other_row"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - SQLAlchemy's way
    edit_id: Mapped[int] = mapped_column(ForeignKey("edit.id", ondelete="CASCADE"), primary_key=True)
    target_id: Mapped[int] = mapped_column(ForeignKey("target.id", ondelete="CASCADE"), primary_key=True)
    frame: Mapped[int] = mapped_column(primary_key=True)


class Job(Base):
    """Work for a process: tracking, or making a video."""

    __tablename__ = "job"
    __table_args__ = NEVER_AGAIN
    id: Mapped[int] = mapped_column(primary_key=True)
    video_id: Mapped[int] = mapped_column(ForeignKey("video.id", ondelete="CASCADE"), index=True)
    edit_id: Mapped[int | None] = mapped_column(ForeignKey("edit.id", ondelete="SET NULL"))
    kind: Mapped[str]  # track, render
    state: Mapped[str] = mapped_column(default="queued")  # running, paused, done, stopped, failed
    error: Mapped[str | None]
    targets: Mapped[list[int]]
    model: Mapped[str | None]
    engine: Mapped[str | None]
    device: Mapped[str | None]
    half: Mapped[bool] = mapped_column(default=False)
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    frame: Mapped[int | None]
    file: Mapped[str | None] = mapped_column(String)  # that was made: its generated name
    file_name: Mapped[str | None]  # and the one to give it outside
    created: Mapped[str] = mapped_column(default=now)
    started: Mapped[str | None]
    finished: Mapped[str | None]


def open_database(path: Path) -> Engine:
    """The database in a file, made or brought up to date.

    Raises:
        PgnetError: the file is damaged, or of a later version.
    """
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 30})

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, record: Any) -> None:
        cursor = connection.cursor()
        # What was committed survives a crash of the machine, too; readers do not wait for the writer.
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except CommandError as error:
        raise PgnetError(f"{path} was made by a later version of pgnet ({error}); update pgnet.") from error
    except DatabaseError as error:
        raise PgnetError(f"{path} is no database that can be read ({error.orig}); move it away.") from error
    return engine
