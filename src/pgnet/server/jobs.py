"""Those who work in the background: on jobs, on new videos, and on pictures of frames."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from pgnet.engine.choice import Choice
from pgnet.engine.threads import available_cores
from pgnet.errors import PgnetError
from pgnet.results.formats.writing import stem
from pgnet.server import database, work
from pgnet.server.processes import Process, Report
from pgnet.server.workspace import Conflict, Progress, Workspace

LOG = logging.getLogger(__name__)
PICTURES_BYTES = 96 << 20
"""Of JPEG pictures that are kept."""
DECODERS = 2
"""Processes that make pictures: one may be busy with a video that is slow to decode."""
LEAST_FREE = 200 << 20
"""Bytes on the disk under which nothing that takes much is begun."""


class Pictures:
    """Pictures of frames, made in processes of their own and kept for a while. For several threads."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        settings = workspace.settings
        self._decoders = [Process("The decoder", settings.memory) for _ in range(DECODERS)]
        self._kept: OrderedDict[tuple[int, int, int | None], bytes] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, video_id: int, number: int, width: int | None = None) -> bytes:
        """A frame as JPEG. Raises: Missing, Conflict, PgnetError."""
        key = video_id, number, width
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        file = self._workspace.file(video_id, number)
        decoder = self._decoders[video_id % len(self._decoders)]
        seconds = self._workspace.settings.frame_seconds
        picture: bytes = decoder.call(work.picture, file, number, width, seconds=seconds)
        self.keep(video_id, number, width, picture)
        return picture

    def keep(self, video_id: int, number: int, width: int | None, picture: bytes) -> None:
        """Keep a picture that was made elsewhere."""
        key = video_id, number, width
        with self._lock:
            self._bytes += len(picture) - len(self._kept.get(key, b""))
            self._kept[key] = picture
            self._kept.move_to_end(key)
            while self._bytes > PICTURES_BYTES:
                self._bytes -= len(self._kept.popitem(last=False)[1])

    def warm(self) -> None:
        """Start the processes, so that the first picture need not wait for that."""
        for decoder in self._decoders:
            decoder.warm()

    def close(self) -> None:
        """End the processes."""
        for decoder in self._decoders:
            decoder.stop()


class Staff:
    """The threads that wait for work, each with a process that does it."""

    def __init__(self, workspace: Workspace, pictures: Pictures) -> None:
        self._workspace, self._pictures = workspace, pictures
        settings = workspace.settings
        self._ended = threading.Event()
        self._trackers = [Process("The tracker", settings.memory) for _ in range(settings.workers)]
        self._reader = Process("The reader of files", settings.memory)
        self._engines: list[Choice] = []
        self._speeds: dict[tuple[str, Choice], float] = {}
        self._threads = settings.threads or max(1, available_cores() // settings.workers)
        self._checks = ThreadPoolExecutor(1, "pgnet-check")
        self._followers = [
            threading.Thread(target=self._follow_jobs, args=(tracker,), name="pgnet-jobs") for tracker in self._trackers
        ]
        self._asides = ThreadPoolExecutor(1, "pgnet-asides")
        self._asides.submit(self._warm)
        self._asides.submit(self._list_engines)
        self.check_all()
        for thread in self._followers:
            thread.start()

    def close(self) -> None:
        """End all: jobs that run go on when the server is started again."""
        self._ended.set()
        with self._workspace.work_waits:
            self._workspace.work_waits.notify_all()
        for process in (*self._trackers, self._reader):
            process.stop()
        for pool in (self._checks, self._asides):
            pool.shutdown(cancel_futures=True)
        for thread in self._followers:
            thread.join()

    # --- new videos ---------------------------------------------------------------------------------------------------

    def check_all(self) -> None:
        """Have the new videos checked, one after the other."""
        self._checks.submit(self._check_all)

    def _check_all(self) -> None:
        for video_id, file in self._workspace.unchecked():
            if not self._ended.is_set():
                self._check(video_id, file)

    def _check(self, video_id: int, file: work.VideoFile) -> None:
        settings = self._workspace.settings
        try:
            facts: work.Facts | str = self._reader.call(
                work.check_video, file, settings.pixels, settings.frames, seconds=settings.check_seconds
            )
        except PgnetError as error:
            facts = str(error).replace(str(file.path), "The file")
        if not self._ended.is_set():
            self._workspace.checked(video_id, facts)

    # --- files of boxes, engines and speed ----------------------------------------------------------------------------

    def read_boxes(self, path: Path, format: str | None, known: Any) -> Any:
        """The `Track` in a user's file. Raises: PgnetError."""
        settings = self._workspace.settings
        arguments = path, format, known, settings.import_bytes
        return self._reader.call(work.read_boxes, *arguments, seconds=settings.frame_seconds)

    def engines(self) -> list[Choice]:
        """What can compute here, as far as that is known yet."""
        return self._engines

    def _warm(self) -> None:
        for start in (self._pictures.warm, *(tracker.warm for tracker in self._trackers)):
            if not self._ended.is_set():
                start()

    def _list_engines(self) -> None:
        self._engines = self._aside(work.list_engines, default=[])
        self._workspace.events.tell("info", "{}")

    def _aside(self, function: Any, *arguments: Any, default: Any = None) -> Any:
        """The result of some work in a process for it alone, or the default where it fails."""
        process = Process("The measurement", self._workspace.settings.memory)
        try:
            return process.call(function, *arguments, seconds=60)
        except PgnetError:
            return default
        finally:
            process.stop()

    def frames_per_second(self, model: str, choice: Choice) -> float | None:
        """About how fast a model tracks one target here, measured once; None where it cannot be told."""
        if (model, choice) not in self._speeds:
            milliseconds = self._aside(work.measure, model, choice, self._threads)
            if milliseconds is None:
                return None
            self._speeds[model, choice] = 1000 / milliseconds
        return self._speeds[model, choice]

    # --- jobs ---------------------------------------------------------------------------------------------------------

    def _follow_jobs(self, tracker: Process) -> None:
        while not self._ended.is_set():
            job = self._workspace.take_job()
            if job is None:
                with self._workspace.work_waits:
                    if not self._ended.is_set():
                        self._workspace.work_waits.wait(5)
                continue
            try:
                self._do(job, tracker)
            except Exception as problem:
                if not isinstance(problem, PgnetError):
                    LOG.exception("job %d", job.id)
                if not self._ended.is_set():
                    self._workspace.finish_job(job.id, "failed", str(problem) or type(problem).__name__)
            finally:
                self._workspace.leave_job(job.id)

    def _do(self, job: database.Job, tracker: Process) -> None:
        """Work on a job until it is done or stopped. Raises: PgnetError."""
        workspace = self._workspace
        settings = workspace.settings
        if shutil.disk_usage(settings.data).free < LEAST_FREE:
            raise Conflict("The disk is nearly full; make room, then go on.")
        stop = workspace.stopping[job.id]
        progress = workspace.progress[job.id] = Progress()
        made: dict[str, str] = {}
        if job.kind == "render":
            order = workspace.render_order(job)
            made = {"file": order.path.name, "file_name": f"{stem(order.track)}.{order.kind}.mp4"}
            task: tuple[Any, ...] = (work.render, order)
        else:
            task = (work.follow, workspace.order(job, self._threads))
        for item in tracker.run(*task, seconds=settings.stall_seconds, stop=stop):
            if self._ended.is_set():
                return
            if isinstance(item, Report):
                self._hear(job, progress, item)
        workspace.finish_job(job.id, "done", **made)

    def _hear(self, job: database.Job, progress: Progress, said: Report) -> None:
        if isinstance(said.value, work.Picture):
            self._pictures.keep(job.video_id, said.value.frame, None, said.value.jpeg)
            progress.preview = said.value.frame
        else:
            progress.note(time.monotonic(), said.value.done)
            self._workspace.save_rows(job, said.value)
