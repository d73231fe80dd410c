"""`pgnet render TRACK`: videos of a track that is there already."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pgnet.cli.arguments import Blur, CropFollow, Overwrite, Pixelate, Video, check_outputs, output_folder


def render(
    track: Annotated[Path, typer.Argument(metavar="TRACK", help="track.json of a run.")],
    crop_follow: CropFollow = None,
    blur: Blur = False,
    pixelate: Pixelate = False,
    target: Annotated[int | None, typer.Option(metavar="ID", help="Only this target.")] = None,
    video: Video = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the videos; by default that of TRACK.")] = None,
    overwrite: Overwrite = False,
) -> None:
    """Write videos of a track: with the boxes, or else what the options say.

    --blur and --pixelate hide a target as far as the track knows it: look at the result before you show it.
    """
    from pgnet.cli.extras import Extras, draw
    from pgnet.cli.run import VIDEO
    from pgnet.cli.source import choose_target, find_video, open_frames
    from pgnet.results import Track
    from pgnet.results.video import Annotated as WithBoxes
    from pgnet.results.video import Picture

    run = choose_target(Track.read_json(track), track, target)
    extras, folder = Extras(crop_follow, blur, pixelate), out or track.parent
    names = extras.names([one.id for one in run.targets]) or [VIDEO]
    check_outputs(folder, names, overwrite)
    source = find_video(track, run, video)
    with open_frames(source, run) as frames:
        size = (frames.source.width, frames.source.height)
    pictures: dict[str, Picture] = extras.pictures(run, size) or {VIDEO: WithBoxes(run, size)}
    with output_folder(folder):
        draw(run, source, folder, pictures)
    print(f"Wrote {', '.join(str(folder / name) for name in names)}.")
