"""Measure how fast a recipe trains on this machine: pairs made, pairs learned, and the share of the chip's rate.

    python benchmarks/training.py recipes/pgnet-r50.toml --precision bf16-mixed --batch 64 --workers 14

The loader alone, then the step alone (forward, losses, backward, clipping, optimizer, moving average) on pairs that are
in memory already: plain, and with each of compiled graph and fused optimizer. The step's floating-point operations are
counted as they happen (multiply and add are two); the chip's rate is that of a square matrix product in the same
precision.
"""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from torch.utils.data import DataLoader, default_collate
from torch.utils.flop_counter import FlopCounterMode

from pgnet.cli import run_script
from pgnet.files import atomic
from pgnet.training import loop
from pgnet.training.losses import total_loss
from pgnet.training.pairs import Pair, PairDataset
from pgnet.training.recipe import Recipe, load_recipe

WARM_UP = 3
"""Steps, or batches, before the clock starts."""


def loader_rate(recipe: Recipe, batches: int) -> float:
    """Pairs a second from `recipe.workers` processes."""
    dataset = PairDataset(recipe.sources()[0], recipe.pairs, recipe.seed)
    loader = DataLoader(
        dataset,
        recipe.batch,
        sampler=loop.StepSampler(0, batches + WARM_UP, recipe.batch),
        num_workers=recipe.workers,
        multiprocessing_context="spawn" if recipe.workers else None,
    )
    for number, _ in enumerate(loader):
        if number == WARM_UP - 1:
            begin = time.perf_counter()
    return batches * recipe.batch / (time.perf_counter() - begin)


def step_function(recipe: Recipe, device: torch.device, *, compiled: bool, fused: bool) -> Callable[[Pair], None]:
    """One training step on pairs that are on the device, as the loop takes it once all blocks are trained."""
    net = loop.build(replace(recipe, backbone=None, init=None)).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = copy.deepcopy(net).requires_grad_(False)
    loop.freeze(net, recipe.train_blocks)
    optimizer = loop.make_optimizer(net, recipe)
    if fused:
        for group in optimizer.param_groups:
            group["fused"] = True
    model: Any = torch.compile(net) if compiled else net
    reduced = recipe.precision.startswith(("bf16", "16"))
    kind = torch.bfloat16 if recipe.precision.startswith("bf16") else torch.float16

    def step(pair: Pair) -> None:
        with torch.autocast(device.type, kind) if reduced else nullcontext():
            output = model(pair.template, pair.search)
        loss, _ = total_loss(output, pair.label, pair.offsets, recipe.loss)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(net.parameters(), recipe.clip)
        optimizer.step()
        optimizer.zero_grad()
        loop.update_average(average, net, recipe.ema)

    return step


def seconds(run: Callable[[], Any], times: int, device: torch.device) -> float:
    """Of one call, the mean of `times` after some that are not counted."""

    def wait() -> None:
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    for _ in range(WARM_UP):
        run()
    wait()
    begin = time.perf_counter()
    for _ in range(times):
        run()
    wait()
    return (time.perf_counter() - begin) / times


def chip_rate(recipe: Recipe, device: torch.device) -> float:
    """Operations a second of a square matrix product in the recipe's precision."""
    size = 8192 if device.type == "cuda" else 2048
    kinds = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}
    a, b = (torch.randn(size, size, device=device, dtype=kinds.get(recipe.precision, torch.float32)) for _ in range(2))
    return 2 * size**3 / seconds(lambda: a @ b, 20 if device.type == "cuda" else 5, device)


def main(
    recipe: Annotated[Path, typer.Argument(help="A recipe of pgnet train.")],
    precision: Annotated[str | None, typer.Option(help="Instead of the recipe's: 32-true, bf16-mixed.")] = None,
    batch: Annotated[int | None, typer.Option(min=1, help="Instead of the recipe's.")] = None,
    workers: Annotated[
        int | None, typer.Option(min=0, help="Processes that make pairs, instead of the recipe's.")
    ] = None,
    steps: Annotated[int, typer.Option(min=1, help="Steps, or batches, that are timed.")] = 10,
    override: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE")] = None,
    compiled: Annotated[bool, typer.Option("--compile", help="Also with a compiled graph.")] = False,
    out: Annotated[Path | None, typer.Option("--json", help="Write the numbers here, too.")] = None,
) -> None:
    """Measure how fast a recipe trains on this machine."""
    given = load_recipe(recipe, override)
    changes = {"precision": precision, "batch": batch, "workers": workers}
    given = replace(given, **{name: value for name, value in changes.items() if value is not None})  # type: ignore[arg-type]
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    dataset = PairDataset(given.sources()[0], given.pairs, given.seed)
    pairs = Pair(*(tensor.to(device) for tensor in default_collate([dataset[i] for i in range(given.batch)])))
    pairs = pairs._replace(template=loop.channels_last(pairs.template), search=loop.channels_last(pairs.search))

    numbers: dict[str, Any] = {
        "model": given.model,
        "device": torch.cuda.get_device_name(device)
        if device.type == "cuda"
        else f"cpu, {torch.get_num_threads()} threads",
        "precision": given.precision,
        "batch": given.batch,
        "search_size": given.pairs.search_size,
        "train_blocks": list(given.train_blocks),
        "loader": {"workers": given.workers, "pairs_per_s": loader_rate(given, steps)},
        "chip_flops": chip_rate(given, device),
        "steps": [],
    }
    with FlopCounterMode(display=False) as counter:
        step_function(given, device, compiled=False, fused=False)(pairs)
    numbers["flops_per_pair"] = counter.get_total_flops() / given.batch
    print(f"{given.model}, batch {given.batch}, {given.precision}, {numbers['device']}")
    print(f"loader alone, {given.workers} processes: {numbers['loader']['pairs_per_s']:.1f} pairs/s")
    product = numbers["chip_flops"] / 1e12
    print(f"one pair: {numbers['flops_per_pair'] / 1e9:.1f} GFLOP; matrix product: {product:.2f} TFLOP/s\n")
    print("| step alone | pairs/s | share of the matrix product's rate |\n|---|---:|---:|")
    variants = {"plain": (False, False), "fused optimizer": (False, True)}
    if compiled:
        variants |= {"compiled": (True, False), "compiled, fused optimizer": (True, True)}
    for name, (with_compile, fused) in variants.items():
        step = step_function(given, device, compiled=with_compile, fused=fused)
        rate = given.batch / seconds(lambda step=step: step(pairs), steps, device)  # type: ignore[misc]
        share = rate * numbers["flops_per_pair"] / numbers["chip_flops"]
        numbers["steps"].append({"variant": name, "pairs_per_s": rate, "share": share})
        print(f"| {name} | {rate:.1f} | {share:.0%} |", flush=True)
    if out:
        with atomic(out) as temporary:
            temporary.write_text(json.dumps(numbers, indent=2))


if __name__ == "__main__":
    run_script(main)
