"""`pgnet train RECIPE`: train a network (needs the extra [train])."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from pgnet.cli.arguments import train_extra
from pgnet.cli.interrupt import first_interrupt


def train(
    recipe: Annotated[Path, typer.Argument(metavar="RECIPE", help="A recipe file, such as recipes/pgnet-lite.toml.")],
    out: Annotated[Path | None, typer.Option(help="Folder for checkpoints and logs; by default runs/RECIPE.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint in the folder.")] = False,
    minutes: Annotated[
        float | None, typer.Option(min=0, help="Stop after so long, with a checkpoint to resume from.")
    ] = None,
    override: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a value of the recipe; may repeat.")
    ] = None,
) -> None:
    """Train a network as a recipe says.

    Ctrl-C (or SIGTERM) ends after the step that the run is at, with a checkpoint; --resume goes on from there.
    """
    with train_extra("pgnet train"):
        from pgnet.training.loop import train as run
        from pgnet.training.recipe import load_recipe
    out = out or Path("runs") / recipe.stem
    with first_interrupt(signal.SIGTERM) as stop:
        run(load_recipe(recipe, override), out, resume=resume, minutes=minutes, stop=stop)
    if stop.is_set():
        print(f"Interrupted; what was trained so far is in {out}, and --resume goes on from there.", file=sys.stderr)
        raise typer.Exit(130)
