"""The JSON of the HTTP API."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from pgnet.results.track import is_one_line

BIGGEST = 2**53 - 1
"""Numbers above are not whole in JavaScript."""

Id = Annotated[int, Field(ge=1, le=BIGGEST)]
FrameNumber = Annotated[int, Field(ge=0, le=BIGGEST)]


def _one_line(text: str) -> str:
    text = text.strip()
    if not text or not is_one_line(text):
        raise ValueError("it should be a text on one line")
    return text


Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_one_line)]
Colour = Annotated[str, Field(pattern="^#[0-9a-f]{6}$", examples=["#e6194b"])]
Box = Annotated[
    list[FiniteFloat], Field(min_length=4, max_length=4, description="x, y, width, height in 0-based pixels")
]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Problem(BaseModel):
    """Every error."""

    detail: str = Field(description="One sentence that says what is wrong and what to do.")


# --- what is sent to the server ---------------------------------------------------------------------------------------


class Named(_Request):
    """A name."""

    name: Name


class LibraryEntry(_Request):
    """A video of the library, as listed."""

    entry: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]


class NewTarget(_Request):
    """A target, with its box in a frame."""

    name: Name | None = None
    colour: Colour | None = None
    frame: FrameNumber | None = None
    box: Box | None = None

    @model_validator(mode="after")
    def _together(self) -> NewTarget:
        if (self.frame is None) != (self.box is None):
            raise ValueError("frame and box belong together")
        return self


class TargetChange(_Request):
    """What is to be changed of a target."""

    name: Name | None = None
    colour: Colour | None = None


class Compute(_Request):
    """Model and engine; by default those of the last job, or what `pgnet doctor` remembers."""

    model: Name | None = None
    engine: Name | None = None
    device: Name | None = None
    half: bool | None = None


class NewKeyframe(Compute):
    """What a person says about a target in a frame."""

    box: Box | None = None
    absent: bool = Field(False, description="The target cannot be seen in this frame.")
    track: bool = Field(True, description="Track the affected frames again, where the target has been tracked.")

    @model_validator(mode="after")
    def _one(self) -> NewKeyframe:
        if (self.box is None) != self.absent:
            raise ValueError("give either box, or absent: true")
        return self


class NewJob(Compute):
    """Tracking."""

    targets: Annotated[list[Id], Field(max_length=1000)] | None = Field(None, description="All if null.")
    from_frame: FrameNumber | None = Field(None, alias="from", description="Before its first box, too, if given.")
    to_frame: FrameNumber | None = Field(None, alias="to", description="The first frame that is not to be tracked.")
    again: bool = Field(False, description="Also what has been tracked already.")


class NewRender(_Request):
    """A video to be made."""

    kind: Literal["annotated", "follow-crop", "blur", "pixelate"]
    target: Id | None = Field(None, description="Whom to follow; of the other kinds, the only one that is shown.")
    width: Annotated[int, Field(ge=32, le=4096, description="Of a follow-crop.")] = 480
    height: Annotated[int, Field(ge=32, le=4096, description="Likewise.")] = 480


# --- what the server answers ------------------------------------------------------------------------------------------


class Target(BaseModel):
    """Something to follow."""

    id: int
    video_id: int
    number: int
    name: str
    colour: str
    rows: int
    keyframes: list[int]
    model: str | None = Field(description="The one that tracked last.")


class JobFile(BaseModel):
    """A file that a job made."""

    name: str
    bytes: int
    url: str


class Job(BaseModel):
    """Work for a process."""

    id: int
    video_id: int
    kind: Literal["track", "render"]
    state: Literal["queued", "running", "paused", "done", "stopped", "failed"]
    error: str | None
    targets: list[int]
    model: str | None
    engine: str | None
    device: str | None
    half: bool
    done: int = Field(description="Predictions made, of `total`.")
    total: int
    fps: float | None = Field(description="Frames per second, while running.")
    seconds_left: float | None
    position: int = Field(description="In the queue; 1 is next, 0 is not in the queue.")
    frame: int | None = Field(description="The last one worked on.")
    preview: int | None = Field(description="A frame whose picture is in memory.")
    file: JobFile | None
    created: str
    started: str | None
    finished: str | None


class History(BaseModel):
    """What can be undone and done again."""

    undo: str | None
    redo: str | None


class Video(BaseModel):
    """A video; width to duration are null until it has been checked."""

    id: int
    project_id: int
    name: str
    kind: Literal["video", "images"]
    state: Literal["checking", "ready", "failed"]
    error: str | None
    bytes: int
    width: int | None
    height: int | None
    fps: float | None
    frame_count: int | None
    duration: float | None
    warnings: list[str]
    created: str
    targets: list[Target]
    history: History
    jobs: list[Job]


class Project(BaseModel):
    """Videos that belong together."""

    id: int
    name: str
    created: str
    updated: str
    videos: list[Video]


class ProjectSummary(BaseModel):
    """A project in a list."""

    id: int
    name: str
    created: str
    updated: str
    videos: int


class Times(BaseModel):
    """When each frame is shown, in seconds."""

    times: list[float]


class Rows(BaseModel):
    """Rows of a target, in columns: a row is a frame in which something is known about it."""

    target: int
    runs: list[tuple[int, int]] = Field(description="First frame and number of rows of each unbroken run.")
    boxes: list[float] = Field(description="x, y, w, h of each row, one after the other.")
    presence: list[float] = Field(description="Probability that the box is on the target.")
    states: str = Field(description="A letter for each row: p present, u uncertain, l lost, a absent.")
    by: str = Field(description="Who set it: k a person, t the tracker, i imported.")


class VideoRows(BaseModel):
    """Where the targets are."""

    targets: list[Rows]


class Moment(BaseModel):
    """Frames that a person should look at."""

    target: int
    kind: Literal["uncertain", "lost", "back"] = Field(description="back: found again after a loss.")
    frame: int = Field(description="The one to look at.")
    from_frame: int = Field(serialization_alias="from")
    to_frame: int = Field(serialization_alias="to", description="The first frame after it.")
    presence: float
    affects: int = Field(description="Rows that hang on it.")
    cost: float = Field(description="Boxes that are expected to be wrong if nobody looks.")


class Change(BaseModel):
    """What became of a correction."""

    target: Target
    job: Job | None
    history: History


class Undone(BaseModel):
    """What was undone or done again."""

    label: str
    video: Video


class Imported(BaseModel):
    """What became of a file of boxes."""

    targets: list[Target]
    notes: list[str]
    history: History


class Estimate(BaseModel):
    """How long it would take to track all targets."""

    frames: int
    fps: float | None
    seconds: float | None


class Limits(BaseModel):
    """What the server accepts."""

    upload_bytes: int
    frames: int
    pixels: int
    queue: int
    targets: int


class ModelChoice(BaseModel):
    """A model."""

    name: str
    default: bool
    megabytes: float
    score: str | None


class EngineChoice(BaseModel):
    """What can compute."""

    engine: str
    device: str
    half: bool
    label: str
    default: bool


class FormatChoice(BaseModel):
    """A format of files of boxes."""

    name: str
    title: str
    file_name: str
    one_target: bool


class Info(BaseModel):
    """The server."""

    version: str
    limits: Limits
    models: list[ModelChoice]
    engines: list[EngineChoice]
    formats: list[FormatChoice]
    library: bool


class LibraryVideo(BaseModel):
    """A video that can be opened without uploading it."""

    entry: str
    name: str
    bytes: int
    kind: Literal["video", "images"]
