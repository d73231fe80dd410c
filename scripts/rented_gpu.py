"""Train on a machine that is rented by the minute, has no network, and may go away.

    here   python scripts/rented_gpu.py pack data/train weights/resnet50.safetensors --out parcels --limit 60
           ... send the parcels and this checkout; unpack each there with `tar xf` ...
    there  python scripts/rented_gpu.py chunk recipes/pgnet-r50-sizes.toml --set init=pgnet-r50
               --run /tmp/run --minutes 8 --out "$OUT" --limit 15
           ... fetch OUT, again and again: every chunk continues the one before ...
    here   python scripts/rented_gpu.py join OUT --out runs/pgnet-r50

A chunk hands back the averaged weights as fp16 in pieces of bounded size, recipe, log and validation score, so that
whatever happens to the machine, what the last chunk knew is here. With --checkpoint the whole state comes as well, to
be continued elsewhere (join restores it).
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tarfile
from pathlib import Path
from typing import Annotated

import typer

from pgnet.cli import run_script
from pgnet.errors import PgnetError
from pgnet.files import atomic

app = typer.Typer(help="Train on a machine that is rented by the minute.", no_args_is_help=True)
Limit = Annotated[int, typer.Option(min=1, help="MiB of a parcel or piece at most.")]


@app.command()
def pack(
    inputs: Annotated[list[Path], typer.Argument(help="Files and folders, relative to the current one.")],
    out: Annotated[Path, typer.Option(help="Folder for parcel-000.tar, ...")],
    limit: Limit = 60,
) -> None:
    """Put files into archives of bounded size."""
    if missing := [str(i) for i in inputs if not i.exists()]:
        raise PgnetError(f"There is no {', '.join(missing)}.")
    out.mkdir(parents=True, exist_ok=True)
    files = [f for i in inputs for f in (sorted(p for p in i.rglob("*") if p.is_file()) if i.is_dir() else [i])]
    parcels: list[list[Path]] = [[]]
    size = 0
    for file in files:
        # A file's header and padding take up to 2 KiB of an archive.
        needed = file.stat().st_size + 2048
        if needed > limit << 20:
            raise PgnetError(f"{file} alone is larger than {limit} MiB; raise --limit or split it with `split`.")
        if size + needed > limit << 20:
            parcels.append([])
            size = 0
        parcels[-1].append(file)
        size += needed
    for number, parcel in enumerate(parcels):
        with atomic(out / f"parcel-{number:03d}.tar") as temporary, tarfile.open(temporary, "w") as archive:
            for file in parcel:
                archive.add(file)
    print(f"{len(files)} files in {len(parcels)} parcels in {out}")


@app.command()
def chunk(
    recipe: Annotated[Path, typer.Argument(help="A recipe of pgnet train.")],
    run: Annotated[Path, typer.Option(help="The run's folder on this machine; a run that is there goes on.")],
    minutes: Annotated[float, typer.Option(min=0, help="Train for so long.")],
    out: Annotated[Path, typer.Option(help="Folder for what goes back.")],
    override: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE")] = None,
    checkpoint: Annotated[bool, typer.Option("--checkpoint", help="Hand the whole state back, too.")] = False,
    limit: Limit = 15,
) -> None:
    """Train for some minutes and leave score, log and fp16 weights in pieces of bounded size."""
    import torch
    from safetensors.torch import load_file, save

    from pgnet.training.loop import train
    from pgnet.training.recipe import load_recipe

    scores = train(load_recipe(recipe, override), run, resume=True, minutes=minutes)
    out.mkdir(parents=True, exist_ok=True)
    weights = load_file(run / "average.safetensors")
    # Batch norm stays exact, as in a model file.
    small = {k: v.half() if v.ndim > 1 and v.dtype == torch.float32 else v for k, v in weights.items()}
    kept = ["recipe.json", "log.jsonl", *(["last.ckpt"] if checkpoint else [])]
    parcels = {"average.safetensors": save(small)} | {name: (run / name).read_bytes() for name in kept}
    index = {name: _split(name, content, out, limit << 20) for name, content in parcels.items()}
    with atomic(out / "index.json") as temporary:
        temporary.write_text(json.dumps({"scores": scores, "files": index}, indent=2))
    print(json.dumps(scores))


def _split(name: str, content: bytes, out: Path, limit: int) -> dict[str, object]:
    pieces = [content[i : i + limit] for i in range(0, len(content), limit)]
    names = [f"{name}.{number:03d}" for number in range(len(pieces))]
    for piece_name, piece in zip(names, pieces, strict=True):
        with atomic(out / piece_name) as temporary:
            temporary.write_bytes(piece)
    return {"pieces": names, "sha256": hashlib.sha256(content).hexdigest()}


@app.command()
def join(
    pieces: Annotated[Path, typer.Argument(help="Folder with what a chunk left.")],
    out: Annotated[Path, typer.Option(help="The run's folder here.")],
) -> None:
    """Put what a chunk left together again, checked; the folder can be a recipe's `init` or be resumed."""
    try:
        content = json.loads((pieces / "index.json").read_text())
    except (OSError, ValueError) as error:
        raise PgnetError(f"{pieces} has no index.json of a chunk: {error}.") from error
    out.mkdir(parents=True, exist_ok=True)
    for name, entry in content["files"].items():
        missing = [piece for piece in entry["pieces"] if not (pieces / piece).is_file()]
        if missing:
            raise PgnetError(f"{pieces} lacks {', '.join(missing)}; fetch them again.")
        with atomic(out / name) as temporary:
            with temporary.open("wb") as target:
                for piece in entry["pieces"]:
                    with (pieces / piece).open("rb") as source:
                        shutil.copyfileobj(source, target)
            if hashlib.sha256(temporary.read_bytes()).hexdigest() != entry["sha256"]:
                raise PgnetError(f"{name} does not have its checksum; fetch its pieces again.")
    print(f"{', '.join(content['files'])} in {out}; validation: {json.dumps(content['scores'])}")


if __name__ == "__main__":
    run_script(app)
