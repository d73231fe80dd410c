"""Train variants of a recipe for a short while and compare them on the validation split.

    python benchmarks/ablation.py benchmarks/ablation.toml --out runs/ablation

prints a table in Markdown. Every variant takes the same number of steps and differs from the base in the values that
its entry names. A finished variant is not trained again, an interrupted one goes on.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import torch
import typer

from pgnet.cli import run_script
from pgnet.errors import PgnetError
from pgnet.files import atomic
from pgnet.training.loop import train
from pgnet.training.recipe import load_recipe


@dataclass(frozen=True)
class Variant:
    """A row of the table: its name and the recipe's values that it changes, "key" or "group.key"."""

    name: str
    set: dict[str, Any] = field(default_factory=dict)


def read_plan(path: Path) -> tuple[Path, dict[str, Any], list[Variant]]:
    """The base recipe, values common to all, and the variants; the base itself is the first of them.

    Raises:
        PgnetError: the file is missing or malformed.
    """
    try:
        content = tomllib.loads(path.read_text())
        variants = [Variant("base"), *(Variant(**entry) for entry in content.get("variant", []))]
        return path.parent / content["base"], content.get("set", {}), variants
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise PgnetError(f"The plan {path} cannot be used: {error}.") from error


def run(base: Path, values: dict[str, Any], out: Path) -> dict[str, float]:
    """The last validation's numbers of one variant, trained if that was not done."""
    result = out / "result.json"
    if result.is_file():
        return json.loads(result.read_text())
    # A boolean, number, list or text looks the same in JSON and TOML.
    scores = train(load_recipe(base, [f"{k}={json.dumps(v)}" for k, v in values.items()]), out, resume=True)
    with atomic(result) as temporary:
        temporary.write_text(json.dumps(scores))
    return scores


def table(rows: list[tuple[Variant, dict[str, float]]]) -> str:
    """Markdown; differences are to the first row."""
    base = rows[0][1]
    lines = ["| variant | what changes | IoU | share of IoU > 0.5 |", "|---|---|---:|---:|"]
    for variant, scores in rows:
        changes = ", ".join(f"`{k} = {json.dumps(v)}`" for k, v in variant.set.items())
        cells = [f"{scores[k]:.3f}" + (f" ({scores[k] - base[k]:+.3f})" if variant.set else "") for k in ("iou", "hit")]
        lines.append(f"| {variant.name} | {changes} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main(
    plan: Annotated[Path, typer.Argument(help="A file such as benchmarks/ablation.toml.")],
    out: Annotated[Path, typer.Option(help="Folder for the runs.")],
    only: Annotated[str | None, typer.Option(help="Names of variants, comma-separated.")] = None,
    threads: Annotated[int | None, typer.Option(min=1)] = None,
) -> None:
    """Train variants of a recipe and compare them on the validation split."""
    if threads:
        torch.set_num_threads(threads)
    base, common, variants = read_plan(plan)
    names = {v.name for v in variants}
    wanted = set(only.split(",")) if only else names
    if unknown := sorted(wanted - names):
        raise PgnetError(f"Unknown variant {', '.join(unknown)}; the plan has {', '.join(sorted(names))}.")
    rows = [(v, run(base, {**common, **v.set}, out / v.name.replace(" ", "-"))) for v in variants if v.name in wanted]
    print(table(rows))


if __name__ == "__main__":
    run_script(main)
