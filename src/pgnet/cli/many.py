"""`pgnet track --list`: many videos, each with its box, over processes or a Ray cluster."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import typer

from pgnet.cli.arguments import check_outputs, default_folder, output_folder
from pgnet.cli.progress import progress_bar
from pgnet.cli.run import CSV, JSON, VIDEO, follow
from pgnet.datasets.reading import read_rows
from pgnet.engine.choice import Choice
from pgnet.errors import PgnetError
from pgnet.files import atomic
from pgnet.models import ModelFile, resolve
from pgnet.pool import Failure, Tick, run_all
from pgnet.results import Track
from pgnet.results.formats import file_name
from pgnet.results.marks import Marks
from pgnet.tracking import MultiTracker
from pgnet.tracking.spans import Box
from pgnet.video import open_source

SUMMARY = "summary.csv"


@dataclass(frozen=True)
class Video:
    """One video to track."""

    source: str
    box: Box
    """x, y, w, h in 0-based pixels of its first frame."""


@dataclass(frozen=True)
class Settings:
    """How all of them are tracked."""

    model: str
    sha256: str
    """Of the model: other machines must have the same."""
    choice: Choice
    threads: int | None
    start: int | float | None
    end: int | float | None
    video: bool
    formats: tuple[str, ...]

    @classmethod
    def of(
        cls,
        model: str,
        choice: Choice,
        threads: int | None,
        start: int | float | None,
        end: int | float | None,
        *,
        video: bool,
        formats: Sequence[str] = (),
    ) -> Settings:
        """Raises: PgnetError where there is no such model or format."""
        file = resolve(model)
        for name in formats:
            file_name(name)  # say here, not for each video, that there is no such format
        if model.endswith(".safetensors"):
            model = str(file.path.resolve())
        return cls(model, file.sha256, choice, threads, start, end, video, tuple(formats))


def read_list(path: Path) -> list[Video]:
    """The videos of a list or of a folder.

    Args:
        path: a CSV file with source,x,y,w,h on each line (a heading and lines that begin with # are passed over;
            sources are relative to the file), or a folder in which clip.txt beside clip.mp4 holds x,y,w,h.

    Raises:
        PgnetError: the list cannot be read, is empty, or a line of it is wrong (its number is named).
    """
    if path.is_dir():
        pairs = ((file, file.with_suffix(".txt")) for file in sorted(path.iterdir()))
        videos = [
            Video(str(file), _box(next(iter(read_rows(sidecar)), []), str(sidecar)))
            for file, sidecar in pairs
            if sidecar.is_file() and sidecar != file
        ]
    else:
        videos = list(_read_csv(path))
    if not videos:
        raise PgnetError(f"{path} names no video; give source,x,y,w,h on each line, or clip.txt beside clip.mp4.")
    return videos


def _read_csv(path: Path) -> Iterator[Video]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            for number, row in enumerate(csv.reader(file, skipinitialspace=True), 1):
                if not row or row[0].startswith("#") or (number == 1 and row[0] == "source"):
                    continue
                source = row[0] if _is_device(row[0]) else str(path.parent / row[0])
                yield Video(source, _box(row[1:], f"{path}, line {number}"))
    except OSError as error:
        raise PgnetError(f"The list {path} cannot be read ({error.strerror}).") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise PgnetError(f"The list {path} is no CSV file ({error}).") from error


def _is_device(source: str) -> bool:
    """An address or a camera's number."""
    return "://" in source or source.isdecimal()


def _box(values: list[str], where: str) -> Box:
    try:
        x, y, w, h = map(float, values)
    except ValueError:
        text = ",".join(values)
        raise PgnetError(f"{where}: the box should be four numbers x,y,w,h in pixels, not {text!r}.") from None
    return x, y, w, h


def _folders(videos: list[Video], out: Path) -> list[Path]:
    """A folder for each, named after its source; a number behind names that come again."""
    folders: list[Path] = []
    for video in videos:
        name = default_folder(video.source).name.removeprefix("pgnet-")
        candidates = [name, *(f"{name}-{number}" for number in range(2, len(videos) + 1))]
        folders.append(next(out / candidate for candidate in candidates if out / candidate not in folders))
    return folders


def _done(video: Video, folder: Path, settings: Settings) -> int | Failure | None:
    """Frames of the track that an earlier run left in the folder, or in what that is another one; None where none is.

    Boxes may have been corrected since, so of those that a person set only a single one is compared.
    """
    if not all((folder / name).is_file() for name in (JSON, CSV)):
        return None
    try:
        track = Track.read_json(folder / JSON)
    except PgnetError as error:
        return Failure(str(error))
    given = [box for target in track.targets for box in target.boxes[target.keyframes]]
    wanted = [*[VIDEO] * settings.video, *map(file_name, settings.formats)]
    missing = [name for name in wanted if not (folder / name).exists()]
    model = track.model.name if track.model else "one that is not known"
    others = {
        f"is of {track.source.name}": not _same(track.source.name, video.source),
        "is of another box": len(given) == 1 and not np.allclose(given[0], video.box, atol=0.01),
        f"was tracked with another model ({model})": not track.model or track.model.sha256 != settings.sha256,
        "has another --start or --end": [track.options.get(name) for name in ("start", "end")]
        != [settings.start, settings.end],
        f"is without {', '.join(missing)}": bool(missing),
    }
    if other := next((what for what, is_so in others.items() if is_so), None):
        return Failure(f"The track in {folder} {other}; give another --out, or --overwrite to track it anew.")
    return len(track)


def _same(recorded: str, source: str) -> bool:
    """Whether two names are of one video; the first may be relative to a folder that is not known."""
    if recorded == source or _is_device(source):
        return recorded == source
    if Path(recorded).exists() and Path(source).exists():
        return Path(recorded).samefile(source)
    return Path(recorded).name == Path(source).name


def _absolute(video: Video) -> Video:
    return video if _is_device(video.source) else replace(video, source=str(Path(video.source).resolve()))


@cache
def _loaded(settings: Settings) -> tuple[MultiTracker, ModelFile]:
    """The tracker of this process."""
    if settings.threads:
        cv2.setNumThreads(settings.threads)
    file = resolve(settings.model)
    if file.sha256 != settings.sha256:
        raise PgnetError(f"The model {settings.model} is another one on this machine; install the same everywhere.")
    return MultiTracker.load(file, **asdict(settings.choice), threads=settings.threads), file


def _track(task: tuple[Video, Path, Settings], tick: Tick) -> int:
    """Track one video and write its results -> number of frames."""
    video, folder, settings = task
    tracker, file = _loaded(settings)
    options: dict[str, Any] = {"start": settings.start, "end": settings.end, **asdict(settings.choice)}
    with open_source(video.source, start=settings.start, end=settings.end) as frames:
        marks = [Marks(1, "", {frames.first: video.box})]
        track = follow(
            frames,
            tracker,
            file,
            marks,
            folder,
            video=settings.video,
            options=options,
            formats=settings.formats,
            quiet=True,
        )
    return len(track)


def track_many(
    videos: list[Video], out: Path, settings: Settings, *, workers: int = 1, ray: str | None = None, overwrite: bool
) -> None:
    """Track all, write each one's results into a folder of its own, and say at the end what failed.

    A video whose results are there is left out without `overwrite`: the same command goes on where it was stopped.
    Results of another video, or that were tracked in another way, are a failure.

    Raises:
        PgnetError: some failed, or the output cannot be written.
        typer.Exit: interrupted (code 130); what is done is kept.
    """
    check_outputs(out, (), overwrite)
    folders = _folders(videos, out)
    outcomes = [None if overwrite else _done(*one, settings) for one in zip(videos, folders, strict=True)]
    todo = [i for i, outcome in enumerate(outcomes) if outcome is None]
    try:
        with output_folder(out), progress_bar("Videos", len(todo)) as update:
            tasks = [(videos[i], folders[i], settings) for i in todo]
            if ray:  # its workers have another working directory
                tasks = [(_absolute(video), folder.resolve(), settings) for video, folder, settings in tasks]
            with closing(run_all(_track, tasks, workers=workers, ray=ray)) as found:
                for count, (index, outcome) in enumerate(found, 1):
                    outcomes[todo[index]] = outcome
                    update(count)
    except KeyboardInterrupt:
        kept = f"{out} keeps what is done" if out.exists() else "nothing was done yet"
        print(f"Interrupted: {kept}; the same command goes on from there.", file=sys.stderr)
        raise typer.Exit(130) from None
    failed = {i: outcome.message for i, outcome in enumerate(outcomes) if isinstance(outcome, Failure)}
    frames = {i: outcome for i, outcome in enumerate(outcomes) if isinstance(outcome, int)}
    new = [frames[i] for i in todo if i in frames]
    status = dict.fromkeys(range(len(videos)), "done before") | dict.fromkeys(todo, "done") | failed
    with atomic(out / SUMMARY) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("source", "folder", "frames", "status"))
        for i, (video, folder) in enumerate(zip(videos, folders, strict=True)):
            writer.writerow((video.source, folder.name, frames.get(i), status[i]))
    for i, message in failed.items():
        print(f"{videos[i].source}: {message}", file=sys.stderr)
    before = len(frames) - len(new)
    print(
        f"Tracked {len(new)} of {len(videos)} videos, {sum(new)} frames"
        + (f"; {before} were done before" if before else "")
        + f". Results and {SUMMARY} are in {out}."
    )
    if failed:
        raise PgnetError(
            f"{len(failed)} of {len(videos)} videos failed: {', '.join(videos[i].source for i in failed)}."
        )
