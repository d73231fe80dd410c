"""`pgnet export MODEL --to FORMAT`: a model for other software, or in integers (needs the extra [train])."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pgnet.cli.arguments import Overwrite, check_outputs, output_folder, train_extra
from pgnet.cli.progress import progress_bar
from pgnet.errors import PgnetError

if TYPE_CHECKING:
    from pgnet.engine import Engine
    from pgnet.tracking import Tracker


class Format(StrEnum):
    """What can be written."""

    onnx = "onnx"
    openvino = "openvino"
    torchscript = "torchscript"


FILES = {
    Format.onnx: ("{}.safetensors", "{}.embed.onnx", "{}.search.onnx"),
    Format.openvino: ("{}.embed.xml", "{}.embed.bin", "{}.search.xml", "{}.search.bin"),
    Format.torchscript: ("{}.embed.pt", "{}.search.pt"),
}
"""What each format consists of; {} is the name."""


def export(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A name from `pgnet models`, or a model file.")],
    to: Annotated[Format, typer.Option("--to", help="The format; onnx is for pgnet itself, too.")] = Format.onnx,
    out: Annotated[Path, typer.Option(help="Folder for the files.")] = Path("."),
    int8: Annotated[bool, typer.Option("--int8", help="Integer arithmetic: faster, less exact.")] = False,
    calibrate: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Pictures or videos like those to come; for --int8.")
    ] = None,
    crops: Annotated[int, typer.Option(min=1, help="How many pieces of these to calibrate on.")] = 256,
    full_range: Annotated[
        bool,
        typer.Option(
            "--full-range", help="With --int8: 8-bit weights, for processors with VNNI or of Arm; else 7 bits."
        ),
    ] = False,
    verify: Annotated[
        Path | None,
        typer.Option(
            metavar="CLIPS",
            help="Track these with the model and with its export and say how far apart they come: "
            "a list or a folder, as `pgnet track --list` takes them.",
        ),
    ] = None,
    bound: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Least mean overlap with --verify; by default 0.99, with --int8 0.8."),
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Write a model in another format: the graphs `embed` and `search`, batch norms folded, for any number of targets.

    With --int8 --calibrate FOLDER it becomes a faster model for --model. With --verify the exit code is 1 if the export
    comes too far from the model.
    """
    if int8 and (to is Format.torchscript or calibrate is None):
        raise PgnetError("--int8 takes --to onnx or openvino, and --calibrate FOLDER with pictures or videos.")
    with train_extra("pgnet export"):
        from pgnet.nn import export as formats
        from pgnet.nn.inference import fold
        from pgnet.nn.quantise import pictures, quantise_model
        from pgnet.nn.weights import load_model
    from pgnet.engine import load_engine
    from pgnet.models import resolve
    from pgnet.tracking import Tracker

    file = resolve(model)
    name = f"{file.name}-int8" if int8 else file.name
    if out.resolve() == file.path.parent and to is Format.onnx and not int8:
        raise PgnetError(f"{out} holds the model itself; give another --out.")
    names = [pattern.format(name) for pattern in FILES[to]]
    check_outputs(out, names, overwrite)
    if calibrate is not None and int8:
        next(pictures(calibrate, 1))  # said at once, not after a minute
    net = load_model(file.path)
    folded = fold(net)
    engine: Engine
    with output_folder(out):
        if to is Format.torchscript:
            engine = formats.write_torchscript(folded, out, name)
        else:
            protos = formats.graphs(folded)
            if calibrate is not None and int8:
                with progress_bar("Calibrating", 2 * crops) as update:
                    protos = quantise_model(protos, file, calibrate, crops, reduce_range=not full_range, tick=update)
            if to is Format.openvino:
                engine = formats.write_openvino(protos, out, name)
            else:
                description = {**file.metadata, "exported": {"model": file.name, "sha256": file.sha256}}
                if int8:
                    description.pop("score", None)  # it was not measured with this one
                written = formats.write_standalone(protos, out / f"{name}.safetensors", description)
                engine = load_engine(written)
    print(f"Wrote {', '.join(str(out / name) for name in names)}.")
    if to is Format.onnx:
        print(f"Track with it: --model {out / names[0]}")
    if verify is not None:
        reference = Tracker.load(file)
        other = Tracker(engine, reference.options, presence=reference.presence)
        _verify(reference, other, verify, bound if bound is not None else (0.8 if int8 else 0.99))


def _verify(reference: Tracker, export: Tracker, clips: Path, bound: float) -> None:
    import numpy as np

    from pgnet.cli.many import read_list
    from pgnet.evaluation.drift import drift
    from pgnet.video import open_source

    found = []
    print(f"{'CLIP':<32} FRAMES  IOU MIN  IOU MEAN  SCORE CHANGE")
    for clip in read_list(clips):
        with open_source(clip.source) as source:
            found.append(drift(reference, export, (frame.image for frame in source), clip.box))
        d = found[-1]
        if len(d.iou):
            change = np.abs(d.score_change).mean()
            print(f"{clip.source:<32} {len(d.iou):6d}  {d.iou.min():7.4f}  {d.iou.mean():8.4f}  {change:12.4f}")
    overlaps = np.concatenate([d.iou for d in found])
    if not len(overlaps):
        raise PgnetError(f"The clips of {clips} have one frame each; give some with more.")
    mean = float(overlaps.mean())
    verdict = "within" if mean >= bound else "BELOW"
    print(f"Mean overlap {mean:.4f}, {verdict} the bound of {bound:g}.")
    if mean < bound:
        raise typer.Exit(1)
