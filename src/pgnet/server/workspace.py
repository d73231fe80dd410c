"""All that the page can do, each as one transaction, after which everybody is told.

Errors that a user can put right are `PgnetError`; `Missing`, `Conflict` and `Full` are those with an HTTP status of
their own.
"""

from __future__ import annotations

import hashlib
import secrets
import shutil
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import delete, func, insert, select, union, update
from sqlalchemy.orm import Session

from pgnet.boxes import check_target_box
from pgnet.engine import ENGINES
from pgnet.engine.choice import Choice, remembered
from pgnet.errors import PgnetError
from pgnet.models import available, resolve
from pgnet.results import ModelInfo, SourceInfo, Track
from pgnet.results.review import review as find_moments
from pgnet.server import database, history, schemas, work
from pgnet.server.database import PERSON, STATES, TRACKER
from pgnet.server.events import Events
from pgnet.server.rows import (
    PlainRow,
    imported_values,
    only_tracked,
    orders_size,
    read_keyframes,
    read_rows,
    span_mark,
    span_orders,
    target_track,
    to_schema,
    tracked_values,
)
from pgnet.server.settings import Settings
from pgnet.tracking.spans import Box, Span, affected, spans
from pgnet.video import FrameIndex
from pgnet.video.reader import IMAGE_SUFFIXES

DEFAULT_MODEL = "pgnet-lite"
COLOURS = (
    "#e6194b", "#3cb44b", "#4363d8", "#f58231", "#911eb4", "#42d4f4", "#f032e6", "#bfef45", "#469990", "#9a6324",
    "#800000", "#808000",
)  # fmt: skip
"""Of new targets, one after the other: easy to tell apart."""
VIDEO_SUFFIXES = frozenset(
    f".{name}"
    for name in (
        *("3gp", "asf", "avi", "dv", "flv", "gif", "m2ts", "m4v", "mkv", "mov", "mp4", "mpeg", "mpg", "mts", "mxf"),
        *("ogv", "ts", "webm", "wmv", "y4m"),
    )
)
"""Of the library's files that are listed."""
EXPORT, IMPORT = "export-", "import-"
"""Begin the names of folders that are there for one request."""
ACTIVE = ("queued", "running", "paused")
FINISHED_SHOWN = 20

VIDEO_COLUMNS = schemas.Video.model_fields.keys() & database.Video.__table__.columns.keys()
JOB_COLUMNS = (schemas.Job.model_fields.keys() & set(database.Job.__table__.columns.keys())) - {"file"}
"""What is sent as it is kept."""

Found = TypeVar("Found", bound=database.Base)


class Missing(PgnetError):
    """There is no such thing."""


class Conflict(PgnetError):
    """It cannot be done in the present state."""


class Full(PgnetError):
    """Too much is waiting."""


@dataclass
class Progress:
    """Of a job that runs; not kept."""

    reports: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=40))
    """Seconds and predictions made, of the last ones."""
    preview: int | None = None
    """Frame whose picture is in memory."""

    def note(self, now: float, done: int) -> None:
        """A report."""
        self.reports.append((now, done))

    @property
    def rate(self) -> float | None:
        """Predictions per second; None before that can be told."""
        if len(self.reports) < 2:
            return None
        (begin, first), (now, done) = self.reports[0], self.reports[-1]
        return (done - first) / max(now - begin, 1e-3) or None


@dataclass
class _Change:
    """A transaction, and what to tell when it has been committed."""

    session: Session
    videos: set[int] = field(default_factory=set)
    jobs: set[int] = field(default_factory=set)
    projects: set[int] = field(default_factory=set)
    rows: list[tuple[int, int, int, int]] = field(default_factory=list)
    """Video, target, first frame and last frame of rows that changed."""
    deleted: list[tuple[str, int]] = field(default_factory=list)


class Workspace:
    """The projects in a data folder. May be used by several threads."""

    def __init__(self, settings: Settings) -> None:
        """Open, or make, the data folder.

        Raises:
            PgnetError: it cannot be written or is of a later version.
        """
        try:
            for folder in (settings.data, settings.files, settings.renders):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise PgnetError(f"Cannot make the data folder {settings.data} ({error.strerror}).") from error
        self.settings = settings
        self.events = Events()
        self.progress: dict[int, Progress] = {}
        self.stopping: dict[int, threading.Event] = {}
        """Of the jobs that run: set it, and the process comes to an end."""
        self.work_waits = threading.Condition()
        self._engine = database.open_database(settings.data / "pgnet.sqlite")
        self._lock = threading.RLock()
        with self._change() as change:  # of a server that was killed
            change.session.execute(update(database.Job).where(database.Job.state == "running").values(state="queued"))
        self._remove_leftovers()

    def _remove_leftovers(self) -> None:
        """Files that nothing refers to: of what was cut off when a server was killed."""
        with self._look() as session:
            videos = {Path(name).stem for name in session.scalars(select(database.Video.file))}
            renders = set(session.scalars(select(database.Job.file)))
        unknown = [path for path in self.settings.files.iterdir() if path.stem not in videos]
        unknown += [path for path in self.settings.renders.iterdir() if path.name not in renders]
        for path in unknown:
            path.unlink(missing_ok=True)
        for prefix in (EXPORT, IMPORT):
            for folder in self.settings.data.glob(f"{prefix}*"):
                shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        """End."""
        self.events.close()
        self._engine.dispose()

    @contextmanager
    def _change(self) -> Iterator[_Change]:
        with self._lock:
            with Session(self._engine, expire_on_commit=False) as session, session.begin():
                change = _Change(session)
                yield change
            self._tell(change)

    @contextmanager
    def _look(self) -> Iterator[Session]:
        with Session(self._engine) as session:
            yield session

    def _tell(self, change: _Change) -> None:
        with self._look() as session:
            for kind, id in change.deleted:
                self.events.tell("deleted", f'{{"kind": "{kind}", "id": {id}}}')
            for video_id, target, first, last in change.rows:
                data = f'{{"video": {video_id}, "target": {target}, "from": {first}, "to": {last + 1}}}'
                self.events.tell("changed", data, video_id)
            for id in change.projects:
                self.events.tell("project", self._project(session, session.get_one(database.Project, id)))
            for id in change.videos:
                self.events.tell("video", self._video(session, session.get_one(database.Video, id)))
            for job in self._with_queue(session, change.jobs):
                self.events.tell("job", self._job(session, job))
        if change.jobs:
            with self.work_waits:
                self.work_waits.notify_all()

    def _with_queue(self, session: Session, ids: set[int]) -> list[database.Job]:
        """These jobs, and those waiting, whose place may have changed."""
        if not ids:
            return []
        return list(
            session.scalars(select(database.Job).where(database.Job.id.in_(ids) | (database.Job.state == "queued")))
        )

    # --- projects -----------------------------------------------------------------------------------------------------

    def projects(self) -> list[schemas.ProjectSummary]:
        """All projects, the one worked on last first."""
        with self._look() as session:
            count = select(func.count()).where(database.Video.project_id == database.Project.id).scalar_subquery()
            found = session.execute(select(database.Project, count).order_by(database.Project.updated.desc()))
            return [
                schemas.ProjectSummary(id=p.id, name=p.name, created=p.created, updated=p.updated, videos=videos)
                for p, videos in found
            ]

    def project(self, id: int) -> schemas.Project:
        """One project, with its videos. Raises: Missing."""
        with self._look() as session:
            return self._project(session, _get(session, database.Project, id))

    def create_project(self, name: str) -> schemas.Project:
        """A new project."""
        with self._change() as change:
            project = database.Project(name=name)
            change.session.add(project)
            change.session.flush()
            change.projects.add(project.id)
            return self._project(change.session, project)

    def rename_project(self, id: int, name: str) -> schemas.Project:
        """Raises: Missing."""
        with self._change() as change:
            project = _get(change.session, database.Project, id)
            project.name, project.updated = name, database.now()
            change.projects.add(id)
            return self._project(change.session, project)

    def delete_project(self, id: int) -> None:
        """With all that belongs to it. Raises: Missing."""
        with self._change() as change:
            project = _get(change.session, database.Project, id)
            for video in change.session.scalars(select(database.Video).where(database.Video.project_id == id)).all():
                self._delete_video(change, video)
            change.session.flush()
            change.session.delete(project)
            change.deleted.append(("project", id))

    def _project(self, session: Session, project: database.Project) -> schemas.Project:
        videos = session.scalars(
            select(database.Video).where(database.Video.project_id == project.id).order_by(database.Video.id)
        )
        return schemas.Project(
            id=project.id,
            name=project.name,
            created=project.created,
            updated=project.updated,
            videos=[self._video(session, video) for video in videos],
        )

    # --- videos -------------------------------------------------------------------------------------------------------

    def new_file(self, project_id: int) -> Path:
        """A path for a video that will be uploaded to a project. Raises: Missing."""
        with self._look() as session:
            _get(session, database.Project, project_id)
        return self.settings.files / f"{secrets.token_hex(16)}.video"

    def add_video(self, project_id: int, name: str, file: Path, size: int, library: str | None = None) -> schemas.Video:
        """A video whose file is in its place; it has to be checked before it can be used. Raises: Missing."""
        with self._change() as change:
            project = _get(change.session, database.Project, project_id)
            video = database.Video(project_id=project_id, name=name, file=file.name, bytes=size, library=library)
            change.session.add(video)
            self._touch(change, project)
            change.session.flush()
            change.videos.add(video.id)
            change.projects.add(project_id)
            return self._video(change.session, video)

    def add_from_library(self, project_id: int, entry: str) -> schemas.Video:
        """A video of the library. Raises: Missing."""
        found = self._library().get(entry)
        if found is None:
            raise Missing("The library has no such video; look at the list again.")
        listed, _ = found
        return self.add_video(project_id, listed.name, self.new_file(project_id), listed.bytes, listed.name)

    def library(self) -> list[schemas.LibraryVideo]:
        """The videos and folders of images in the library's folder and those in it."""
        return [listed for listed, _ in self._library().values()]

    def _library(self) -> dict[str, tuple[schemas.LibraryVideo, Path]]:
        root = self.settings.library
        if root is None:
            return {}
        found: dict[str, tuple[schemas.LibraryVideo, Path]] = {}
        for path in sorted(root.rglob("*")):
            name = path.relative_to(root).as_posix()
            if any(part.startswith(".") for part in Path(name).parts) or path.is_symlink():
                continue
            images = path.is_dir() and any(child.suffix.lower() in IMAGE_SUFFIXES for child in path.iterdir())
            if not images and not (path.is_file() and path.suffix.lower() in VIDEO_SUFFIXES):
                continue
            size = sum(child.stat().st_size for child in (path.iterdir() if images else [path]) if child.is_file())
            entry = hashlib.sha256(name.encode(errors="surrogateescape")).hexdigest()[:32]
            listed = schemas.LibraryVideo(entry=entry, name=name, bytes=size, kind="images" if images else "video")
            found[entry] = listed, path
        return found

    def video(self, id: int) -> schemas.Video:
        """Raises: Missing."""
        with self._look() as session:
            return self._video(session, _get(session, database.Video, id))

    def rename_video(self, id: int, name: str) -> schemas.Video:
        """Raises: Missing."""
        with self._change() as change:
            video = _get(change.session, database.Video, id)
            video.name = name
            change.videos.add(id)
            return self._video(change.session, video)

    def delete_video(self, id: int) -> None:
        """With all that belongs to it; a file of the library stays. Raises: Missing."""
        with self._change() as change:
            video = _get(change.session, database.Video, id)
            change.projects.add(video.project_id)
            self._delete_video(change, video)

    def _delete_video(self, change: _Change, video: database.Video) -> None:
        for job in change.session.scalars(select(database.Job).where(database.Job.video_id == video.id)).all():
            self._end_job(job.id)
            if job.file:
                (self.settings.renders / job.file).unlink(missing_ok=True)
        file = self._file(video)
        file.index.unlink(missing_ok=True)
        if video.library is None:
            file.path.unlink(missing_ok=True)
        change.session.delete(video)
        change.deleted.append(("video", video.id))
        change.videos.discard(video.id)

    def file(self, video_id: int, frame: int = 0) -> work.VideoFile:
        """Where a video that has been checked, and has such a frame, is. Raises: Missing, Conflict."""
        with self._look() as session:
            video = _ready(session, video_id)
            if frame >= (video.frame_count or 0):
                raise Missing(f"There is no frame {frame}; the video has {video.frame_count}.")
            return self._file(video)

    def _file(self, video: database.Video) -> work.VideoFile:
        path = self.settings.files / video.file
        if video.library is not None and self.settings.library is not None:
            return work.VideoFile(self.settings.library / video.library, path.with_suffix(".npz"))
        return work.VideoFile(path, path.with_suffix(".npz"))

    def unchecked(self) -> list[tuple[int, work.VideoFile]]:
        """The videos that have to be checked."""
        with self._look() as session:
            found = session.scalars(
                select(database.Video).where(database.Video.state == "checking").order_by(database.Video.id)
            )
            return [(video.id, self._file(video)) for video in found]

    def checked(self, id: int, facts: work.Facts | str) -> None:
        """What came of checking a video: what is known of it, or what is wrong with it."""
        with self._change() as change:
            video = change.session.get(database.Video, id)
            if video is None:  # deleted in between
                return
            if isinstance(facts, str):
                video.state, video.error = "failed", facts
            else:
                video.state = "ready"
                for name in ("kind", "width", "height", "fps", "frame_count", "duration", "warnings"):
                    setattr(video, name, getattr(facts, name))
            change.videos.add(id)
            change.projects.add(video.project_id)

    def times(self, id: int) -> schemas.Times:
        """Raises: Missing, Conflict."""
        return schemas.Times(times=FrameIndex.load(self.file(id).index).times.tolist())

    def _video(self, session: Session, video: database.Video) -> schemas.Video:
        jobs = select(database.Job).where(database.Job.video_id == video.id).order_by(database.Job.id.desc())
        active = session.scalars(jobs.where(database.Job.state.in_(ACTIVE))).all()
        others = session.scalars(jobs.where(database.Job.state.not_in(ACTIVE)).limit(FINISHED_SHOWN)).all()
        return schemas.Video(
            **{name: getattr(video, name) for name in VIDEO_COLUMNS},
            targets=[self._target(session, target) for target in _targets(session, video.id)],
            history=_history(session, video.id),
            jobs=[self._job(session, job) for job in (*active, *others)],
        )

    @staticmethod
    def _touch(change: _Change, project: database.Project) -> None:
        project.updated = database.now()

    # --- targets ------------------------------------------------------------------------------------------------------

    def create_target(self, video_id: int, new: schemas.NewTarget) -> schemas.Target:
        """A target, perhaps with its box in a frame. Raises: Missing, Conflict, PgnetError."""
        with self._change() as change:
            video = _ready(change.session, video_id)
            target = self._new_target(change, video, new.name, new.colour)
            edit = history.begin(change.session, video_id, f"Add {target.name}")
            history.keep_target(change.session, edit.id, target, new=True)
            if new.frame is not None:
                self._set_keyframe(change, edit, video, target, new.frame, new.box)
            return self._target(change.session, target)

    def _new_target(
        self, change: _Change, video: database.Video, name: str | None = None, colour: str | None = None
    ) -> database.Target:
        known = _targets(change.session, video.id)
        if len(known) >= self.settings.targets:
            raise Conflict(f"A video can have {self.settings.targets} targets; delete one first.")
        numbers = select(func.max(database.Target.number)).where(database.Target.video_id == video.id)
        number = (change.session.scalar(numbers) or 0) + 1
        used = {target.colour for target in known}
        free = next((c for c in COLOURS if c not in used), COLOURS[number % len(COLOURS)])
        target = database.Target(
            video_id=video.id, number=number, name=name or f"target {number}", colour=colour or free
        )
        change.session.add(target)
        change.session.flush()
        change.videos.add(video.id)
        return target

    def change_target(self, id: int, new: schemas.TargetChange) -> schemas.Target:
        """Another name or colour. Raises: Missing."""
        with self._change() as change:
            target = _there(change.session, id)
            if (new.name or target.name, new.colour or target.colour) != (target.name, target.colour):
                label = f"Rename {target.name}" if new.name else f"Colour {target.name}"
                edit = history.begin(change.session, target.video_id, label)
                history.keep_target(change.session, edit.id, target)
                target.name, target.colour = new.name or target.name, new.colour or target.colour
            change.videos.add(target.video_id)
            return self._target(change.session, target)

    def delete_target(self, id: int) -> None:
        """Raises: Missing."""
        with self._change() as change:
            target = _there(change.session, id)
            edit = history.begin(change.session, target.video_id, f"Delete {target.name}")
            history.keep_target(change.session, edit.id, target)
            self._stop_jobs_of(change, [target.id])
            target.deleted = True
            change.videos.add(target.video_id)

    def _target(self, session: Session, target: database.Target) -> schemas.Target:
        rows = select(func.count()).where(database.Row.target_id == target.id)
        last = select(database.Row.job_id).where(database.Row.target_id == target.id, database.Row.by == TRACKER)
        job = session.get(database.Job, session.scalar(last.order_by(database.Row.job_id.desc()).limit(1)) or 0)
        return schemas.Target(
            id=target.id,
            video_id=target.video_id,
            number=target.number,
            name=target.name,
            colour=target.colour,
            rows=session.scalar(rows) or 0,
            keyframes=list(read_keyframes(session, target.id)),
            model=job.model if job else None,
        )

    # --- what a person says about a frame -----------------------------------------------------------------------------

    def set_keyframe(self, target_id: int, frame: int, new: schemas.NewKeyframe) -> schemas.Change:
        """A box, or that the target is absent; what that changes is tracked again. Raises: Missing, PgnetError."""
        with self._change() as change:
            target = _there(change.session, target_id)
            video = _ready(change.session, target.video_id)
            old = read_keyframes(change.session, target_id)
            verb = "Move box of" if new.box else "Mark absent:"
            edit = history.begin(change.session, video.id, f"{verb} {target.name} in frame {frame}")
            self._set_keyframe(change, edit, video, target, frame, new.box)
            return self._changed(change, edit, video, target, old, new, new.track)

    def delete_keyframe(self, target_id: int, frame: int, track: bool) -> schemas.Change:
        """Take back what a person said about a frame. Raises: Missing."""
        with self._change() as change:
            target = _there(change.session, target_id)
            video = _ready(change.session, target.video_id)
            old = read_keyframes(change.session, target_id)
            if frame not in old:
                raise Missing(f"Frame {frame} has no box of {target.name} that a person set.")
            edit = history.begin(change.session, video.id, f"Take back frame {frame} of {target.name}")
            history.keep_rows(change.session, edit.id, target_id, [frame])
            change.session.execute(
                delete(database.Row).where(database.Row.target_id == target_id, database.Row.frame == frame)
            )
            change.rows.append((video.id, target_id, frame, frame))
            return self._changed(change, edit, video, target, old, schemas.Compute(), track)

    def _set_keyframe(
        self,
        change: _Change,
        edit: database.Edit,
        video: database.Video,
        target: database.Target,
        frame: int,
        box: Sequence[float] | None,
    ) -> None:
        if frame >= (video.frame_count or 0):
            raise Missing(f"There is no frame {frame}; the video has {video.frame_count}.")
        x, y, w, h = [0.0] * 4 if box is None else check_target_box(box, video.width or 0, video.height or 0).tolist()
        history.keep_rows(change.session, edit.id, target.id, [frame])
        change.session.merge(
            database.Row(
                target_id=target.id,
                frame=frame,
                x=x,
                y=y,
                w=w,
                h=h,
                score=1.0,
                presence=float(box is not None),
                state=STATES.index("absent" if box is None else "present"),
                occluded=False,
                by=PERSON,
                job_id=None,
                span=0,
                passes=0,
            )
        )
        change.session.flush()
        change.videos.add(video.id)
        change.rows.append((video.id, target.id, frame, frame))

    def _changed(
        self,
        change: _Change,
        edit: database.Edit,
        video: database.Video,
        target: database.Target,
        old: Mapping[int, Box | None],
        wanted: schemas.Compute,
        track: bool,
    ) -> schemas.Change:
        """What has to be done after the keyframes of a target have changed."""
        session = change.session
        change.videos.add(video.id)
        stopped = self._stop_jobs_of(change, [target.id])
        tracked = session.execute(
            select(func.min(database.Row.frame), func.max(database.Row.frame)).where(
                database.Row.target_id == target.id, database.Row.by == TRACKER
            )
        ).one()
        new = read_keyframes(session, target.id)
        known = [*old, *new, *(frame for frame in tracked if frame is not None)]
        again = affected(old, new, max(known), min(known)) if new else []
        for span in again:
            if not span.passes:  # between frames in which it is absent
                self._forget(change, edit, video, [target.id], span.first, span.last + 1)
        self._keep_known(session, edit, target.id, old, new, again)
        job = None
        if track and (tracked[0] is not None or stopped):
            ranges = [(span.first, span.last + 1) for span in again]
            ranges += [(was.options["from"] or 0, was.options["to"] or video.frame_count or 0) for was in stopped]
            if ranges:
                ids = sorted({target.id, *(id for was in stopped for id in was.targets)})
                compute = self._compute(session, video.id, wanted)
                begin, end = min(a for a, _ in ranges), max(b for _, b in ranges)
                job = self._queue(change, edit, video, ids, compute, begin, end)
        return schemas.Change(
            target=self._target(change.session, target),
            job=self._job(change.session, job) if job else None,
            history=_history(change.session, video.id),
        )

    # --- undo ---------------------------------------------------------------------------------------------------------

    def undo(self, video_id: int) -> schemas.Undone:
        """Raises: Missing, Conflict."""
        return self._exchange(video_id, undo=True)

    def redo(self, video_id: int) -> schemas.Undone:
        """Raises: Missing, Conflict."""
        return self._exchange(video_id, undo=False)

    def _exchange(self, video_id: int, *, undo: bool) -> schemas.Undone:
        with self._change() as change:
            session = change.session
            video = _get(session, database.Video, video_id)
            edit = history.last_done(session, video_id) if undo else history.first_undone(session, video_id)
            if edit is None:
                raise Conflict("There is nothing to undo." if undo else "There is nothing to do again.")
            touched = union(
                select(database.OtherTarget.target_id).where(database.OtherTarget.edit_id == edit.id),
                select(database.OtherRow.target_id).where(database.OtherRow.edit_id == edit.id),
            )
            self._stop_jobs_of(change, session.scalars(touched).all())
            for target, (first, last) in history.exchange(session, edit).items():
                change.rows.append((video_id, target, first, last))
            change.videos.add(video_id)
            return schemas.Undone(label=edit.label, video=self._video(session, video))

    # --- rows ---------------------------------------------------------------------------------------------------------

    def rows(
        self, video_id: int, first: int = 0, end: int | None = None, target: int | None = None
    ) -> schemas.VideoRows:
        """Where the targets are in frames first <= n < end. Raises: Missing."""
        with self._look() as session:
            _get(session, database.Video, video_id)
            ids = [t.id for t in _targets(session, video_id) if target in (None, t.id)]
            return schemas.VideoRows(targets=[to_schema(id, read_rows(session, id, first, end)) for id in ids])

    def review(self, video_id: int) -> list[schemas.Moment]:
        """The frames to look at, worst first; see `pgnet.results.review`. Raises: Missing, PgnetError."""
        with self._look() as session:
            ids = {target.number: target.id for target in _targets(session, _get(session, database.Video, video_id).id)}
        try:
            moments = find_moments(self.track(video_id))
        except Conflict:  # no boxes yet
            return []
        return [
            schemas.Moment(
                target=ids[moment.target],
                kind=moment.kind,  # type: ignore[arg-type]  # one of the three
                frame=moment.frame,
                from_frame=moment.first,
                to_frame=moment.last + 1,
                presence=round(moment.presence, 3),
                affects=moment.affects,
                cost=round(moment.cost, 2),
            )
            for moment in moments
        ]

    def track(self, video_id: int, target: int | None = None) -> Track:
        """The record of all targets, or of one, for exports. Raises: Missing, Conflict."""
        with self._look() as session:
            video = _ready(session, video_id)
            times = FrameIndex.load(self._file(video).index).times
            source = SourceInfo(video.name, video.kind, video.width, video.height, video.fps, video.frame_count)
            track = Track(source, targets=[])
            jobs: set[int] = set()
            for found in _targets(session, video_id):
                if target in (None, found.id):
                    rows = read_rows(session, found.id)
                    jobs |= {row.job_id for row in rows if row.job_id}
                    if rows:
                        track.targets.append(target_track(found, rows, times))
            if target is not None:
                _there(session, target)
            if not track.targets:
                raise Conflict("There are no boxes yet; draw one, or track first.")
            last = session.get(database.Job, max(jobs, default=0))
            if last is not None and last.model:
                file = resolve(last.model)
                track.model = ModelInfo(file.name, file.sha256)
            return track

    def import_track(self, video_id: int, track: Track) -> schemas.Imported:
        """The targets of a file of boxes, as new ones. Raises: Missing, Conflict."""
        with self._change() as change:
            video = _ready(change.session, video_id)
            count = video.frame_count or 0
            edit = history.begin(change.session, video_id, "Import boxes")
            targets = []
            for found in track.targets:
                inside = found.frames < count
                if not inside.any():
                    continue
                target = self._new_target(change, video, found.label or None)
                history.keep_target(change.session, edit.id, target, new=True)
                rows = imported_values(target.id, found, count)
                history.keep_rows(change.session, edit.id, target.id, [row["frame"] for row in rows])
                change.session.execute(insert(database.Row), rows)
                change.rows.append((video_id, target.id, rows[0]["frame"], rows[-1]["frame"]))
                targets.append(target)
            if not targets:
                raise PgnetError(f"All its boxes are for frames after the last one ({count - 1}); is it of this video?")
            return schemas.Imported(
                targets=[self._target(change.session, target) for target in targets],
                notes=track.warnings,
                history=_history(change.session, video_id),
            )

    # --- jobs ---------------------------------------------------------------------------------------------------------

    def start_job(self, video_id: int, new: schemas.NewJob) -> schemas.Job:
        """Track what has not been tracked. Raises: Missing, Conflict, Full, PgnetError."""
        with self._change() as change:
            session = change.session
            video = _ready(session, video_id)
            there = [target.id for target in _targets(session, video_id)]
            ids = there if new.targets is None else list(dict.fromkeys(new.targets))
            if missing := set(ids) - set(there):
                raise Missing(f"The video has no target {min(missing)}.")
            ids = [id for id in ids if any(box for box in read_keyframes(session, id).values())]
            if not ids:
                raise Conflict("There is nothing to track; draw a box first.")
            self._stop_jobs_of(change, ids)
            names = ", ".join(session.get_one(database.Target, id).name for id in ids[:3])
            edit = history.begin(session, video_id, f"Track {names}{', ...' if len(ids) > 3 else ''}")
            if new.again:
                self._forget(change, edit, video, ids, new.from_frame or 0, new.to_frame)
            job = self._queue(
                change, edit, video, ids, self._compute(session, video_id, new), new.from_frame, new.to_frame
            )
            if job is None:
                raise Conflict("All of it has been tracked already.")
            change.videos.add(video_id)
            return self._job(session, job)

    def _forget(
        self, change: _Change, edit: database.Edit, video: database.Video, ids: list[int], first: int, end: int | None
    ) -> None:
        """Take what was tracked in frames first <= n < end away."""
        last = (end or video.frame_count or 0) - 1
        for id in ids:
            history.keep_range(change.session, edit.id, id, first, last)
            change.session.execute(only_tracked(delete(database.Row), id, first, last))
            change.rows.append((video.id, id, first, last))

    def _keep_known(
        self,
        session: Session,
        edit: database.Edit,
        target_id: int,
        old: Mapping[int, Box | None],
        new: Mapping[int, Box | None],
        again: Sequence[Span],
    ) -> None:
        """What was tracked forwards from the keyframe before a span and may stay need not be tracked again.

        Not where a keyframe that the way back came from was moved or taken away.
        """
        known = [*old, *new, *(span.last for span in again)]
        before = spans(old, max(known), min(known)) if old else []
        for span in again:
            for was in before:
                end = was.after
                stands = end is None or end.box is None or new.get(end.frame) == end.box
                if span.before is not None and was.before == span.before and stands:
                    history.keep_range(session, edit.id, target_id, span.first, span.last)
                    rows = only_tracked(update(database.Row), target_id, span.first, span.last)
                    rows = rows.where(database.Row.span == span_mark(was))
                    session.execute(rows.values(span=span_mark(span), passes=1))

    def _compute(self, session: Session, video_id: int, wanted: schemas.Compute) -> dict[str, Any]:
        """Model and engine: those asked for, of the last job, or the usual ones. Raises: PgnetError."""
        jobs = select(database.Job).where(
            database.Job.video_id == video_id, database.Job.kind == "track", database.Job.state != "failed"
        )
        last = session.scalar(jobs.order_by(database.Job.id.desc()).limit(1))
        usual = remembered()
        if last is not None:
            usual = Choice(last.engine or usual.engine, last.device or usual.device, last.half)
        model = wanted.model or (last.model if last else None) or DEFAULT_MODEL
        if model not in self.models():
            raise PgnetError(f"There is no model {model}; there are {', '.join(self.models())}.")
        if wanted.engine and wanted.engine not in ENGINES:
            raise PgnetError(f"There is no engine {wanted.engine}; there are {', '.join(ENGINES)}.")
        return {
            "model": model,
            "engine": wanted.engine or usual.engine,
            "device": wanted.device or (usual.device if wanted.engine in (None, usual.engine) else "auto"),
            "half": usual.half if wanted.half is None else wanted.half,
        }

    @staticmethod
    def models() -> list[str]:
        """Names of the models that may be used: no path that a client gives is ever opened."""
        return [file.name for file in available()]

    def _queue(
        self,
        change: _Change,
        edit: database.Edit,
        video: database.Video,
        ids: list[int],
        compute: dict[str, Any],
        first: int | None,
        end: int | None,
    ) -> database.Job | None:
        """A job for what is not finished of targets; None where there is nothing. Raises: Full."""
        orders = [order for id in ids for order in span_orders(change.session, video, id, first, end)]
        if not orders:
            return None
        total, done = orders_size(orders)
        self._check_room(change.session)
        job = database.Job(
            video_id=video.id, edit_id=edit.id, kind="track", targets=ids, total=total, done=done, **compute,
            options={"from": first, "to": end},
        )  # fmt: skip
        change.session.add(job)
        change.session.flush()
        change.jobs.add(job.id)
        return job

    def _check_room(self, session: Session) -> None:
        """Raises: Full."""
        waiting = session.scalar(select(func.count()).where(database.Job.state == "queued")) or 0
        if waiting >= self.settings.queue:
            raise Full(f"{waiting} jobs are waiting already; try again later.")

    def jobs(self) -> list[schemas.Job]:
        """Those that are not finished, then the last others."""
        with self._look() as session:
            jobs = select(database.Job)
            active = session.scalars(jobs.where(database.Job.state.in_(ACTIVE)).order_by(database.Job.id)).all()
            others = session.scalars(
                jobs.where(database.Job.state.not_in(ACTIVE)).order_by(database.Job.id.desc()).limit(FINISHED_SHOWN)
            ).all()
            return [self._job(session, job) for job in (*active, *others)]

    def job(self, id: int) -> schemas.Job:
        """Raises: Missing."""
        with self._look() as session:
            return self._job(session, _get(session, database.Job, id))

    def start_render(self, video_id: int, new: schemas.NewRender) -> schemas.Job:
        """Make a video. Raises: Missing, Conflict, Full."""
        track = self.track(video_id, new.target)
        if new.kind == "follow-crop" and len(track.targets) > 1:
            raise Conflict("A crop follows one target; say which.")
        with self._change() as change:
            video = _ready(change.session, video_id)
            self._check_room(change.session)
            job = database.Job(
                video_id=video_id,
                kind="render",
                targets=[new.target] if new.target else [],
                total=video.frame_count,
                options=new.model_dump(),
            )
            change.session.add(job)
            change.session.flush()
            change.jobs.add(job.id)
            change.videos.add(video_id)
            return self._job(change.session, job)

    def render_order(self, job: database.Job) -> work.RenderOrder:
        """What a job has to make. Raises: Missing, Conflict."""
        options = job.options
        track = self.track(job.video_id, options["target"])
        with self._look() as session:
            targets = _targets(session, job.video_id)
        return work.RenderOrder(
            self.file(job.video_id),
            self.settings.renders / f"{secrets.token_hex(16)}.mp4",
            track,
            options["kind"],
            (options["width"], options["height"]),
            {t.number: (*bytes.fromhex(t.colour[1:]),) for t in targets},
        )

    def job_file(self, id: int) -> tuple[Path, str]:
        """The file that a job made, and a name for it. Raises: Missing."""
        with self._look() as session:
            job = _get(session, database.Job, id)
            if job.file is None or not (self.settings.renders / job.file).is_file():
                raise Missing("The job has made no file.")
            return self.settings.renders / job.file, job.file_name or job.file

    def move_job(self, id: int, action: str) -> schemas.Job:
        """Pause, resume or stop. Raises: Missing, Conflict."""
        allowed = {"pause": ("queued", "running"), "resume": ("paused", "stopped", "failed"), "stop": ACTIVE}[action]
        with self._change() as change:
            job = _get(change.session, database.Job, id)
            if job.state not in allowed:
                raise Conflict(f"The job is {job.state}; there is nothing to {action}.")
            job.state = {"pause": "paused", "resume": "queued", "stop": "stopped"}[action]
            if action == "resume" and job.kind == "track":
                last = history.last_done(change.session, job.video_id)
                if last is None or last.id != job.edit_id:  # what it changes now comes after what was done meanwhile
                    job.edit_id = history.begin(change.session, job.video_id, "Go on tracking").id
            job.error = None
            job.finished = database.now() if action == "stop" else None
            self._end_job(id)
            change.jobs.add(id)
            change.videos.add(job.video_id)
            return self._job(change.session, job)

    def _stop_jobs_of(self, change: _Change, targets: Sequence[int]) -> list[database.Job]:
        """Stop the tracking of targets -> the jobs that were active."""
        active = select(database.Job).where(database.Job.state.in_(ACTIVE), database.Job.kind == "track")
        jobs = [job for job in change.session.scalars(active) if set(job.targets) & set(targets)]
        for job in jobs:
            job.state, job.finished = "stopped", database.now()
            self._end_job(job.id)
            change.jobs.add(job.id)
        return jobs

    def _end_job(self, id: int) -> None:
        if id in self.stopping:
            self.stopping[id].set()

    # --- for those who work on jobs (`pgnet.server.jobs`) -------------------------------------------------------------

    def take_job(self) -> database.Job | None:
        """The next job, which now runs."""
        with self._change() as change:
            queued = select(database.Job).where(database.Job.state == "queued")
            # One that was paused and goes on may not yet have come to its end.
            queued = queued.where(database.Job.id.not_in(self.stopping)).order_by(database.Job.id)
            job = change.session.scalar(queued.limit(1))
            if job is not None:
                job.state, job.started, job.finished = "running", job.started or database.now(), None
                self.stopping[job.id] = threading.Event()
                change.jobs.add(job.id)
                change.videos.add(job.video_id)
            return job

    def leave_job(self, id: int) -> None:
        """Nobody works on a job any more."""
        with self._lock:
            self.progress.pop(id, None)
            self.stopping.pop(id, None)

    def order(self, job: database.Job, threads: int) -> work.FollowOrder:
        """What a job has to track. Raises: Missing, Conflict."""
        with self._look() as session:
            video = _ready(session, job.video_id)
            options = job.options
            orders = [
                order for id in job.targets for order in span_orders(session, video, id, options["from"], options["to"])
            ]
            choice = Choice(job.engine or "onnxruntime", job.device or "auto", job.half)
            before = job.total - orders_size(orders)[0]
            return work.FollowOrder(self._file(video), job.model or DEFAULT_MODEL, choice, threads, orders, before)

    def save_rows(self, job: database.Job, found: work.Rows) -> None:
        """Keep what a job has tracked, unless it was stopped; what a person set stays."""
        values: dict[int, list[dict[str, Any]]] = {}
        with self._change() as change:
            session = change.session
            now = session.get(database.Job, job.id)
            if now is None or now.state != "running":
                return
            for target in {row.target for row in found.rows}:
                rows = [row for row in found.rows if row.target == target]
                fixed = read_keyframes(session, target)
                new = values[target] = [tracked_values(row, job.id) for row in rows if row.frame not in fixed]
                if now.edit_id is not None:
                    history.keep_rows(session, now.edit_id, target, [value["frame"] for value in new])
                if new:
                    session.execute(insert(database.Row).prefix_with("OR REPLACE"), new)
            now.done, now.frame = found.done, found.frame
            session.flush()
        for target, new in values.items():
            in_order = sorted((PlainRow(**value) for value in new), key=lambda row: row.frame)
            self.events.tell("rows", to_schema(target, in_order), job.video_id)
        with self._look() as session:
            self.events.tell("job", self._job(session, session.get_one(database.Job, job.id)))

    def finish_job(self, id: int, state: str, error: str | None = None, **values: Any) -> None:
        """A job has come to an end of itself; nothing where it was paused, stopped or deleted meanwhile."""
        with self._change() as change:
            job = change.session.get(database.Job, id)
            if job is None:
                return
            if job.state == "running":
                job.state, job.error, job.finished = state, error, database.now()
                for name, value in values.items():
                    setattr(job, name, value)
            change.jobs.add(id)
            change.videos.add(job.video_id)

    def _job(self, session: Session, job: database.Job) -> schemas.Job:
        progress = self.progress.get(job.id) if job.state == "running" else None
        rate = progress.rate if progress is not None else None
        ahead = select(func.count()).where(database.Job.state == "queued", database.Job.id < job.id)
        file, path = None, self.settings.renders / job.file if job.file else None
        if path is not None and path.is_file():
            url = f"/api/jobs/{job.id}/file"
            file = schemas.JobFile(name=job.file_name or path.name, bytes=path.stat().st_size, url=url)
        return schemas.Job(
            **{name: getattr(job, name) for name in JOB_COLUMNS},
            fps=round(rate / max(1, len(job.targets)), 2) if rate else None,
            seconds_left=round((job.total - job.done) / rate, 1) if rate else None,
            position=1 + (session.scalar(ahead) or 0) if job.state == "queued" else 0,
            preview=progress.preview if progress else None,
            file=file,
        )

    def to_track(self, video_id: int) -> int:
        """Predictions that tracking all targets would take. Raises: Missing, Conflict."""
        with self._look() as session:
            video = _ready(session, video_id)
            orders = [o for t in _targets(session, video_id) for o in span_orders(session, video, t.id, None, None)]
            total, done = orders_size(orders)
            return total - done


def _get(session: Session, table: type[Found], id: int) -> Found:
    """Raises: Missing."""
    found = session.get(table, id)
    if found is None:
        raise Missing(f"There is no {table.__tablename__} {id}; it may have been deleted.")
    return found


def _ready(session: Session, id: int) -> database.Video:
    """A video that has been checked. Raises: Missing, Conflict."""
    video = _get(session, database.Video, id)
    if video.state != "ready":
        raise Conflict(
            "The video is still being checked; wait a moment." if video.state == "checking" else f"{video.error}"
        )
    return video


def _there(session: Session, id: int) -> database.Target:
    """A target that is not deleted. Raises: Missing."""
    target = _get(session, database.Target, id)
    if target.deleted:
        raise Missing(f"Target {target.name} was deleted; undo that first.")
    return target


def _targets(session: Session, video_id: int) -> list[database.Target]:
    found = select(database.Target).where(database.Target.video_id == video_id, ~database.Target.deleted)
    return list(session.scalars(found.order_by(database.Target.number)))


def _history(session: Session, video_id: int) -> schemas.History:
    undo, redo = history.last_done(session, video_id), history.first_undone(session, video_id)
    return schemas.History(undo=undo.label if undo else None, redo=redo.label if redo else None)
