"""`pgnet summary MODEL`: the network, layer by layer (needs the extra [train])."""

from __future__ import annotations

from typing import Annotated

import typer

from pgnet.cli.arguments import train_extra


def summary(model: Annotated[str, typer.Argument(metavar="MODEL", help="A network: pgnet-r50 or pgnet-lite.")]) -> None:
    """Print the tables of the network: layers, sizes, parameters, multiply-adds."""
    with train_extra("pgnet summary"):
        from pgnet.nn.summary import summary_text
    print(summary_text(model))
