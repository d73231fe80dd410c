"""The HTTP API and the page: what `docs/serve-api.md` describes. Each path is a call of the `Workspace`."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import quote

from anyio import to_thread
from fastapi import FastAPI, HTTPException, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from fastapi.staticfiles import StaticFiles
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException as AnyHTTPException
from starlette.requests import ClientDisconnect

from pgnet import __version__
from pgnet.engine.choice import Choice, remembered
from pgnet.errors import PgnetError
from pgnet.files import atomic
from pgnet.models import available
from pgnet.results import SourceInfo
from pgnet.results.formats import FORMATS, file_name, write
from pgnet.results.formats.writing import stem
from pgnet.server import schemas
from pgnet.server.jobs import LEAST_FREE, Pictures, Staff
from pgnet.server.safety import Guard
from pgnet.server.schemas import FrameNumber, Id
from pgnet.server.settings import Settings
from pgnet.server.workspace import DEFAULT_MODEL, EXPORT, IMPORT, Conflict, Full, Missing, Workspace

STATIC = Path(__file__).with_name("static")
ONE_TARGET = ("got10k", "lasot", "otb", "vot")
"""Formats that hold one."""
CHUNK = 1 << 20
STATUS: dict[type[PgnetError], int] = {Missing: 404, Conflict: 409, Full: 503}

Title = Annotated[schemas.Name, Query(description="What it is called.")]
Format = Literal["pgnet", "csv", "cvat", "labelstudio", "coco", "mot", "yolo", "got10k", "lasot", "otb", "vot"]
Answer = TypeVar("Answer")
FILE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


def create_app(settings: Settings) -> FastAPI:
    """The application; its data folder is opened when it starts.

    Raises:
        PgnetError: when it starts: the data folder cannot be used.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        workspace = Workspace(settings)
        pictures = Pictures(workspace)
        staff = Staff(workspace, pictures)
        app.state.workspace, app.state.pictures, app.state.staff = workspace, pictures, staff
        # Requests that wait for a picture or a measurement must not keep the others from their turn.
        to_thread.current_default_thread_limiter().total_tokens = 80
        try:
            yield
        finally:
            workspace.events.close()
            await to_thread.run_sync(staff.close)
            pictures.close()
            workspace.close()

    app = FastAPI(
        title="pgnet",
        version=__version__,
        description="Follow objects in videos: draw, track, correct, export.",
        lifespan=lifespan,
        openapi_url="/api/openapi.json",
        docs_url=None,  # FastAPI's pages load scripts from another host
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
        responses={status: {"model": schemas.Problem, "description": "What is wrong."} for status in (400, 422)},
    )
    _answer_errors(app)
    _add_routes(app, settings)
    app.add_middleware(Guard, settings=settings)
    app.mount("/static", StaticFiles(directory=STATIC, check_dir=False), "static")
    return app


def _answer_errors(app: FastAPI) -> None:
    """Every error is JSON with one sentence, `detail`."""

    def problem(status: int, sentence: str, headers: Any = None) -> JSONResponse:
        return JSONResponse({"detail": sentence}, status, headers)

    @app.exception_handler(PgnetError)
    def _pgnet_error(request: Request, error: PgnetError) -> JSONResponse:
        return problem(STATUS.get(type(error), 400), str(error))

    @app.exception_handler(AnyHTTPException)
    def _http_error(request: Request, error: AnyHTTPException) -> JSONResponse:
        sentence = error.detail if error.detail.endswith(".") else f"{error.detail}."
        return problem(error.status_code, sentence, error.headers)

    @app.exception_handler(RequestValidationError)
    def _malformed(request: Request, error: RequestValidationError) -> JSONResponse:
        parts = []
        for found in error.errors():
            place = ".".join(str(part) for part in found["loc"][1:]) or "the request"
            parts.append(f"{place}: {found['msg'].removeprefix('Value error, ')}")
        return problem(422, f"The request cannot be understood ({'; '.join(parts)}).")

    @app.exception_handler(Exception)
    def _unexpected(request: Request, error: Exception) -> JSONResponse:
        return problem(500, f"Something went wrong in the server ({type(error).__name__}); its console says more.")


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: {"model": schemas.Problem, "description": "What is wrong."} for status in statuses}


def _file(kind: str) -> dict[int | str, dict[str, Any]]:
    """The description of an answer that is a file."""
    return {200: {"content": {kind: {"schema": {"type": "string", "format": "binary"}}}, "description": "The file."}}


def _add_routes(app: FastAPI, settings: Settings) -> None:
    def space() -> Workspace:
        return app.state.workspace

    def staff() -> Staff:
        return app.state.staff

    @app.get("/", include_in_schema=False)
    def page() -> FileResponse:
        return FileResponse(STATIC / "index.html")

    # --- the server ---------------------------------------------------------------------------------------------------

    @app.get("/api/info")
    def info() -> schemas.Info:
        """What the server is and accepts."""
        usual = remembered()
        engines = list(dict.fromkeys([usual, *staff().engines()]))
        return schemas.Info(
            version=__version__,
            limits=schemas.Limits(
                upload_bytes=settings.upload_bytes,
                frames=settings.frames,
                pixels=settings.pixels,
                queue=settings.queue,
                targets=settings.targets,
            ),
            models=[
                schemas.ModelChoice(
                    name=file.name,
                    default=file.name == DEFAULT_MODEL,
                    megabytes=round(file.path.stat().st_size / 1e6, 1),
                    score=file.score or None,
                )
                for file in available()
            ],
            engines=[
                schemas.EngineChoice(
                    engine=choice.engine,
                    device=choice.device,
                    half=choice.half,
                    label=str(choice),
                    default=choice == usual,
                )
                for choice in engines
            ],
            formats=[
                schemas.FormatChoice(
                    name=name, title=form.title, file_name=file_name(name), one_target=name in ONE_TARGET
                )
                for name, form in FORMATS.items()
            ],
            library=settings.library is not None,
        )

    @app.get("/api/library")
    def library() -> list[schemas.LibraryVideo]:
        """Videos that can be opened without uploading them: those in the folder given to the server."""
        return space().library()

    @app.get("/api/events", response_class=EventSourceResponse)
    async def events(video: Id | None = None) -> AsyncIterator[ServerSentEvent]:
        """What happens, as it happens: everything, and the rows of one video."""
        with space().events.listen(video) as listener:
            yield ServerSentEvent(event="hello", raw_data=f'{{"server": "{secrets.token_hex(8)}"}}')
            while (event := await listener.queue.get()) is not None:
                yield ServerSentEvent(event=event.kind, raw_data=event.data)

    # --- projects -----------------------------------------------------------------------------------------------------

    @app.get("/api/projects")
    def list_projects() -> list[schemas.ProjectSummary]:
        """All projects."""
        return space().projects()

    @app.post("/api/projects", status_code=201)
    def create_project(new: schemas.Named) -> schemas.Project:
        """A new project."""
        return space().create_project(new.name)

    @app.get("/api/projects/{project_id}", responses=_problems(404))
    def get_project(project_id: Id) -> schemas.Project:
        """A project with its videos."""
        return space().project(project_id)

    @app.patch("/api/projects/{project_id}", responses=_problems(404))
    def rename_project(project_id: Id, new: schemas.Named) -> schemas.Project:
        """Another name."""
        return space().rename_project(project_id, new.name)

    @app.delete("/api/projects/{project_id}", status_code=204, responses=_problems(404))
    def delete_project(project_id: Id) -> None:
        """Delete a project and all that belongs to it, files included."""
        space().delete_project(project_id)

    # --- videos -------------------------------------------------------------------------------------------------------

    @app.post(
        "/api/projects/{project_id}/videos", status_code=201, responses=_problems(404, 413), openapi_extra=FILE_BODY
    )
    async def upload_video(project_id: Id, name: Title, request: Request) -> schemas.Video:
        """Upload a video: the body is the file. It is checked then, and ready a little later."""
        path = await to_thread.run_sync(space().new_file, project_id)
        size = await _receive(request, path, settings.upload_bytes)
        try:
            video = await to_thread.run_sync(space().add_video, project_id, name, path, size)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        staff().check_all()
        return video

    @app.post("/api/projects/{project_id}/videos/from-library", status_code=201, responses=_problems(404))
    def open_library_video(project_id: Id, new: schemas.LibraryEntry) -> schemas.Video:
        """Open a video of the library."""
        video = space().add_from_library(project_id, new.entry)
        staff().check_all()
        return video

    @app.get("/api/videos/{video_id}", responses=_problems(404))
    def get_video(video_id: Id) -> schemas.Video:
        """A video with its targets, its jobs and what can be undone."""
        return space().video(video_id)

    @app.patch("/api/videos/{video_id}", responses=_problems(404))
    def rename_video(video_id: Id, new: schemas.Named) -> schemas.Video:
        """Another name."""
        return space().rename_video(video_id, new.name)

    @app.delete("/api/videos/{video_id}", status_code=204, responses=_problems(404))
    def delete_video(video_id: Id) -> None:
        """Delete a video and all that belongs to it."""
        space().delete_video(video_id)

    @app.get("/api/videos/{video_id}/times", responses=_problems(404, 409))
    def get_times(video_id: Id) -> schemas.Times:
        """When each frame is shown."""
        return space().times(video_id)

    @app.get(
        "/api/videos/{video_id}/frames/{number}",
        response_class=Response,
        responses=_file("image/jpeg") | _problems(404, 409),
    )
    def get_frame(
        video_id: Id, number: FrameNumber, width: Annotated[int | None, Query(ge=16, le=8192)] = None
    ) -> Response:
        """The picture of a frame; made smaller if it is wider than `width`."""
        picture = app.state.pictures.get(video_id, number, width)
        # A video never changes, and the number of one that was deleted is not used again.
        return Response(
            picture, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=86400, immutable"}
        )

    # --- targets and what a person says -------------------------------------------------------------------------------

    @app.get("/api/videos/{video_id}/rows", responses=_problems(404))
    def get_rows(
        video_id: Id,
        first: Annotated[FrameNumber, Query(alias="from")] = 0,
        end: Annotated[FrameNumber | None, Query(alias="to", description="This frame is no longer included.")] = None,
        target: Id | None = None,
    ) -> schemas.VideoRows:
        """Where the targets are."""
        return space().rows(video_id, first, end, target)

    @app.get("/api/videos/{video_id}/review", responses=_problems(404))
    def review(video_id: Id) -> list[schemas.Moment]:
        """The frames that a person should look at, those first on which most depends."""
        return space().review(video_id)

    @app.post("/api/videos/{video_id}/targets", status_code=201, responses=_problems(404, 409))
    def create_target(video_id: Id, new: schemas.NewTarget) -> schemas.Target:
        """A new target, perhaps with its box in a frame."""
        return space().create_target(video_id, new)

    @app.patch("/api/targets/{target_id}", responses=_problems(404))
    def change_target(target_id: Id, new: schemas.TargetChange) -> schemas.Target:
        """Another name or colour."""
        return space().change_target(target_id, new)

    @app.delete("/api/targets/{target_id}", status_code=204, responses=_problems(404))
    def delete_target(target_id: Id) -> None:
        """Delete a target; this can be undone."""
        space().delete_target(target_id)

    @app.put("/api/targets/{target_id}/keyframes/{number}", responses=_problems(404, 409, 503))
    def set_keyframe(target_id: Id, number: FrameNumber, new: schemas.NewKeyframe) -> schemas.Change:
        """Say where a target is in a frame, or that it is absent; what this changes is tracked again."""
        return space().set_keyframe(target_id, number, new)

    @app.delete("/api/targets/{target_id}/keyframes/{number}", responses=_problems(404, 409, 503))
    def delete_keyframe(target_id: Id, number: FrameNumber, track: bool = True) -> schemas.Change:
        """Take back what was said about a frame."""
        return space().delete_keyframe(target_id, number, track)

    @app.post("/api/videos/{video_id}/undo", responses=_problems(404, 409))
    def undo(video_id: Id) -> schemas.Undone:
        """Undo the last change."""
        return space().undo(video_id)

    @app.post("/api/videos/{video_id}/redo", responses=_problems(404, 409))
    def redo(video_id: Id) -> schemas.Undone:
        """Do again what was undone last."""
        return space().redo(video_id)

    # --- jobs ---------------------------------------------------------------------------------------------------------

    @app.post("/api/videos/{video_id}/jobs", status_code=202, responses=_problems(404, 409, 503))
    def start_job(video_id: Id, new: schemas.NewJob) -> schemas.Job:
        """Track: all that has not been tracked since its keyframes changed."""
        return space().start_job(video_id, new)

    @app.get("/api/jobs")
    def list_jobs() -> list[schemas.Job]:
        """Those that are not finished, then the last others."""
        return space().jobs()

    @app.get("/api/jobs/{job_id}", responses=_problems(404))
    def get_job(job_id: Id) -> schemas.Job:
        """A job."""
        return space().job(job_id)

    @app.post("/api/jobs/{job_id}/{action}", responses=_problems(404, 409))
    def move_job(job_id: Id, action: Literal["pause", "resume", "stop"]) -> schemas.Job:
        """Pause a job, let it go on, or stop it; what was tracked stays."""
        return space().move_job(job_id, action)

    @app.get("/api/videos/{video_id}/estimate", responses=_problems(404, 409))
    def estimate(
        video_id: Id,
        model: schemas.Name = DEFAULT_MODEL,
        engine: schemas.Name | None = None,
        device: schemas.Name = "auto",
        half: bool = False,
    ) -> schemas.Estimate:
        """How long it would take to track all targets."""
        frames = space().to_track(video_id)
        if model not in space().models():
            raise Missing(f"There is no model {model}.")
        rate = staff().frames_per_second(model, Choice(engine, device, half) if engine else remembered())
        return schemas.Estimate(frames=frames, fps=rate, seconds=frames / rate if rate else None)

    @app.post("/api/videos/{video_id}/renders", status_code=202, responses=_problems(404, 409, 503))
    def start_render(video_id: Id, new: schemas.NewRender) -> schemas.Job:
        """Make a video: with the boxes, a crop that follows a target, or with the targets made unrecognisable."""
        return space().start_render(video_id, new)

    # --- files --------------------------------------------------------------------------------------------------------

    @app.get(
        "/api/videos/{video_id}/export/{format}",
        response_class=FileResponse,
        responses=_file("application/octet-stream") | _problems(404, 409),
    )
    def export(video_id: Id, format: Format, target: Id | None = None) -> FileResponse:
        """The boxes in a format; a folder comes as zip. What it has no place for is said in `X-Pgnet-Notes`."""
        track = space().track(video_id, target)
        folder = Path(tempfile.mkdtemp(prefix=EXPORT, dir=settings.data))
        try:
            path = folder / file_name(format)
            notes = write(track, path, format)
            if path.is_dir():
                path = Path(shutil.make_archive(str(path), "zip", path))
        except BaseException:
            shutil.rmtree(folder)
            raise
        return FileResponse(
            path,
            filename=f"{stem(track)}.{path.name.removeprefix('track.')}",
            media_type="application/octet-stream",
            headers={"X-Pgnet-Notes": quote(" ".join(notes))},
            background=BackgroundTask(shutil.rmtree, folder),
        )

    @app.post("/api/videos/{video_id}/import", responses=_problems(404, 409, 413), openapi_extra=FILE_BODY)
    async def import_boxes(
        video_id: Id, name: Title, request: Request, format: Format | None = None
    ) -> schemas.Imported:
        """Read a file of boxes (the body) into new targets; folders as zip. This can be undone."""
        video = await to_thread.run_sync(space().video, video_id)
        await to_thread.run_sync(space().file, video_id)  # it is ready
        folder = Path(tempfile.mkdtemp(prefix=IMPORT, dir=settings.data))
        try:
            # Some formats are told by the suffix.
            suffix = next((s for s in (".json", ".csv", ".xml", ".txt", ".zip") if name.lower().endswith(s)), ".txt")
            path = folder / f"boxes{suffix}"
            await _receive(request, path, settings.import_bytes)
            known = SourceInfo("", video.kind, video.width, video.height, video.fps, video.frame_count)
            track = await to_thread.run_sync(staff().read_boxes, path, format, known)
            return await to_thread.run_sync(space().import_track, video_id, track)
        finally:
            await to_thread.run_sync(partial(shutil.rmtree, folder, ignore_errors=True))

    @app.get("/api/jobs/{job_id}/file", response_class=FileResponse, responses=_file("video/mp4") | _problems(404))
    def get_job_file(job_id: Id) -> FileResponse:
        """The file that a job made."""
        path, name = space().job_file(job_id)
        return FileResponse(path, filename=name, media_type="video/mp4")


async def _receive(request: Request, path: Path, limit: int) -> int:
    """Write the body to a file, which appears whole or not at all -> its size.

    Raises:
        HTTPException: it is empty, or longer than the limit.
    """
    too_long = HTTPException(413, f"The file is larger than {limit / 2**20:.0f} MiB, the limit of this server.")
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and int(length) > limit:
        raise too_long
    free = shutil.disk_usage(path.parent).free - LEAST_FREE
    if length.isdecimal() and int(length) > free:
        raise HTTPException(413, "There is no room on the server's disk for this file.")
    size, waiting = 0, bytearray()
    try:
        with atomic(path) as temporary, temporary.open("wb") as file:
            async for chunk in request.stream():
                size += len(chunk)
                if size > min(limit, free):
                    raise too_long
                waiting += chunk
                if len(waiting) >= CHUNK:
                    await to_thread.run_sync(file.write, bytes(waiting))
                    waiting.clear()
            file.write(waiting)
            if not size:
                raise HTTPException(400, "The request has no body; send the file as its body.")
    except ClientDisconnect as error:
        raise HTTPException(400, "The upload broke off.") from error
    return size
