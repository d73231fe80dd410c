"""`pgnet train RECIPE`: train a network (needs the extra [train])."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pgnet.cli.arguments import train_extra


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
    """Train a network as a recipe says."""
    with train_extra("pgnet train"):
        from pgnet.training.loop import train as run
        from pgnet.training.recipe import load_recipe
    run(load_recipe(recipe, override), out or Path("runs") / recipe.stem, resume=resume, minutes=minutes)
