"""The training loop, from top to bottom: data, network, optimizer, steps, validation, checkpoint, export."""

from __future__ import annotations

import copy
import dataclasses
import json
import math
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from lightning_fabric import Fabric
from safetensors.torch import save
from torch import Tensor, nn
from torch.utils.data import DataLoader, Sampler, default_collate

from pgnet import anchors, boxes
from pgnet.errors import PgnetError
from pgnet.files import atomic
from pgnet.models import ModelFile, resolve
from pgnet.nn.backbone import Bottleneck, silence
from pgnet.nn.export import write_model
from pgnet.nn.network import MODELS, PGNet
from pgnet.nn.weights import load_imagenet, load_model, load_weights, settle_batch_norm
from pgnet.training.log import RunLog
from pgnet.training.losses import Features, LossOptions, distillation_loss, similarity_loss, total_loss
from pgnet.training.pairs import Pair, PairDataset
from pgnet.training.parallel import make_fabric, mean_over_processes, synchronise
from pgnet.training.recipe import Recipe
from pgnet.training.sources import Sources


class StepSampler(Sampler[int]):
    """Pair numbers for one process: step s of all processes together uses s * batch ... (s + 1) * batch."""

    def __init__(self, first: int, last: int, batch: int, rank: int = 0, world: int = 1) -> None:
        self.first, self.last, self.batch, self.rank, self.world = first, last, batch, rank, world

    def __iter__(self) -> Iterator[int]:
        for step in range(self.first, self.last):
            yield from self.of_step(step)

    def of_step(self, step: int) -> range:
        """This process's pairs of a step."""
        share = self.batch // self.world
        start = step * self.batch + self.rank * share
        return range(start, start + share)

    def __len__(self) -> int:
        return (self.last - self.first) * (self.batch // self.world)


def build(recipe: Recipe, training: list[Sources] | None = None) -> PGNet:
    """The recipe's network with its initial weights; `training` is the recipe's data where it is read already."""
    if recipe.model not in MODELS:
        raise PgnetError(f"Unknown model {recipe.model}; known are {', '.join(MODELS)}.")
    torch.manual_seed(recipe.seed)
    net = MODELS[recipe.model]()
    for level in net.each_level():  # similar pixels of the two sides then match from the start
        level.adjust.template.load_state_dict(level.adjust.search.state_dict())
    if recipe.backbone is not None and (fresh := load_imagenet(net.backbone, recipe.backbone, partial=True)):
        units = [net.backbone.get_submodule(name) for name in fresh]
        for unit in units:  # zero-initialised residual branches: a fresh unit starts as its shortcut
            last: Any = unit.get_submodule("bn3" if isinstance(unit, Bottleneck) else "bn2")
            nn.init.zeros_(last.weight)
        pictures = PairDataset(training or recipe.sources()[0], recipe.pairs, recipe.seed)
        crops = [torch.stack([pictures[i].search for i in range(k, k + 8)]) for k in range(0, 32, 8)]
        settle_batch_norm(net, units, crops)
    if recipe.init is not None:
        model = initial_model(recipe.init)
        load_weights(net, model.path if model else recipe.init)
    return net


def initial_model(init: Path) -> ModelFile | None:
    """The model that a recipe's `init` names, by its name or path; None where it is another file of weights.

    Raises:
        PgnetError: there is no such model, and no such file.
    """
    try:
        return resolve(init)
    except PgnetError:
        if init.is_file():
            return None
        raise


def freeze(net: PGNet, trained: tuple[int, ...]) -> None:
    """Train only these blocks of the backbone (numbers from 1); its batch norms always keep their statistics."""
    net.train()
    net.backbone.eval()
    net.backbone.requires_grad_(False)
    for number in trained:
        net.backbone.blocks[number - 1].requires_grad_(True)
    silence(net.backbone)


def watch(net: PGNet) -> list[Features]:
    """A list that always holds the adjusted features of the pairs that were last shown to a network, level by level."""
    seen: list[Any] = [[None, None] for _ in net.each_level()]
    for level, sides in zip(net.each_level(), seen, strict=True):
        for side, layer in enumerate((level.adjust.template, level.adjust.search)):
            layer.register_forward_hook(lambda _, __, output, sides=sides, side=side: sides.__setitem__(side, output))
    return seen


def rate(recipe: Recipe, step: int) -> float:
    """The learning rate's factor at a step: linear warm-up, then the recipe's decay to 1 %."""
    if step < recipe.warmup:
        return (step + 1) / recipe.warmup
    done = (step - recipe.warmup) / max(1, recipe.steps - recipe.warmup)
    return 0.01**done if recipe.decay == "exponential" else 0.01 + 0.99 * (1 + math.cos(math.pi * done)) / 2


def make_optimizer(net: PGNet, recipe: Recipe) -> torch.optim.Optimizer:
    """AdamW; no weight decay on vectors (batch norm, biases, level weights)."""

    def factor(name: str) -> float:
        if name.startswith("backbone.blocks."):
            return recipe.block_rate(1 + int(name.split(".")[2]))
        return recipe.adjust_rate if ".adjust." in name else 1.0

    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in net.named_parameters():
        decay = recipe.weight_decay if parameter.ndim > 1 else 0.0
        groups.setdefault((factor(name), decay), []).append(parameter)
    return torch.optim.AdamW(
        [{"params": p, "factor": factor, "weight_decay": decay} for (factor, decay), p in groups.items()],
        lr=recipe.learning_rate,
    )


@torch.no_grad()
def update_average(average: nn.Module, net: nn.Module, decay: float) -> None:
    """Exponential moving average of weights and batch norm statistics; integers are copied."""
    for mean, value in zip(average.state_dict().values(), net.state_dict().values(), strict=True):
        if mean.is_floating_point():
            mean.lerp_(value, 1 - decay)
        else:
            mean.copy_(value)


def pair_noise(numbers: range, label: Tensor, seed: int = 0) -> Tensor:
    """(B, A * G * G) random numbers that belong to the pairs' numbers, whatever process they come to.

    Args:
        numbers: of the B pairs.
        label: (B, A, G, G), for the shape.
    """
    generators = [torch.Generator().manual_seed(seed * 1_000_003 + number) for number in numbers]
    return torch.stack([torch.rand(label[0].numel(), generator=generator) for generator in generators])


@torch.no_grad()
def validate(net: PGNet, pairs: list[Pair], options: LossOptions | None = None, batch: int = 16) -> dict[str, float]:
    """How well a network does on fixed pairs; of a positive one, its box with the best score counts (no window, no
    penalty).

    Returns:
        loss; iou, the mean overlap; hit, the share of overlaps above 0.5; size, how much of a change of the target's
        size its box shows (slope of the logarithms' regression): 1 is all, 0 a box that has one size for everything.
    """
    net.eval()
    options = dataclasses.replace(options or LossOptions(), hard_negatives=0.0)
    device = next(net.parameters()).device
    losses, places = [], []
    for i in range(0, len(pairs), batch):
        chunk = Pair(*(t.to(device) for t in default_collate(pairs[i : i + batch])))
        out = net(channels_last(chunk.template), channels_last(chunk.search))
        noise = pair_noise(range(i, i + len(chunk.box)), chunk.label)
        loss, _ = total_loss(out, chunk.label, chunk.offsets, options, noise)
        losses.append(loss.item() * len(chunk.box))
        score = out.cls.unflatten(1, (2, -1)).softmax(1)[:, 1].flatten(1).argmax(1).cpu()
        offsets = out.reg.unflatten(1, (4, -1)).flatten(2).cpu()
        picked = offsets[torch.arange(len(score)), :, score].double().numpy()
        grid = anchors.grid(out.cls.shape[-1], chunk.search.shape[-1]).reshape(-1, 4)[score.numpy()]
        truth = chunk.box.cpu().double().numpy()
        places.append(np.stack([anchors.decode(grid, picked), truth], 1)[~np.isnan(truth[:, 0])])
    found, wanted = np.concatenate(places).swapaxes(0, 1)
    overlaps = boxes.iou(boxes.cxcywh_to_xywh(found), boxes.cxcywh_to_xywh(wanted))
    sizes = np.log([b[overlaps > 0, 2:].prod(1) for b in (found, wanted)])
    spread = np.cov(sizes) if sizes.shape[1] > 2 else np.eye(2)
    return {
        "loss": sum(losses) / len(pairs),
        "iou": float(overlaps.mean()),
        "hit": float((overlaps > 0.5).mean()),
        "size": float(spread[0, 1] / spread[1, 1]),
    }


def train(
    recipe: Recipe,
    out: Path,
    *,
    resume: bool = False,
    minutes: float | None = None,
    stop: threading.Event | None = None,
    fabric: Fabric | None = None,
) -> dict[str, float]:
    """Run a recipe; `out` gets recipe.json, last.ckpt, log.jsonl, a TensorBoard log and, at the end, the model's files.

    At each validation, average.safetensors there gets the averaged weights (`keep` concerns the model alone).

    Args:
        recipe: see `Recipe`.
        out: a folder; made if absent.
        resume: continue from `out`/last.ckpt where it exists: the same losses follow as without the interruption.
        minutes: end after so long, with a validation and a checkpoint to continue from, but no model yet.
        stop: set it, and the run ends at once, after the step that it is at, with a checkpoint.
        fabric: decides devices and processes; by default what torchrun or the machine gives.

    Returns:
        The last validation's numbers.

    Raises:
        PgnetError: data, weights or checkpoint do not fit; `out` has a run and `resume` was not given.
    """
    fabric = fabric or make_fabric(recipe.precision)
    fabric.launch()
    checkpoint = out / "last.ckpt"
    if checkpoint.exists() and not resume:
        raise PgnetError(f"{out} already holds a run; continue it with --resume or choose another folder.")
    if recipe.batch % fabric.world_size:
        raise PgnetError(f"A batch of {recipe.batch} cannot be shared evenly by {fabric.world_size} processes.")
    training, held_out = recipe.sources()
    dataset = PairDataset(training, recipe.pairs, recipe.seed)
    validation: list[Pair] = []
    if recipe.validation_pairs:
        validating = PairDataset(held_out, seed=1)  # the same pairs at full size, whatever the training ones are
        validation = [validating[i] for i in range(recipe.validation_pairs)]
    net = build(recipe, training).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if any(number > len(net.backbone.blocks) for number in recipe.train_blocks):
        raise PgnetError(f"The backbone of {recipe.model} has {len(net.backbone.blocks)} blocks; mend train_blocks.")
    average = copy.deepcopy(net).requires_grad_(False).to(fabric.device)
    synchronise(net)
    teacher = load_model(recipe.teacher).to(fabric.device).requires_grad_(False) if recipe.teacher else None
    out.mkdir(parents=True, exist_ok=True)
    seen: list[list[Features]] = []
    if teacher:
        silence(teacher.backbone)
        if recipe.loss.similarity_weight:
            seen = [watch(net), watch(teacher)]
    if recipe.compiled:
        net.compile()
    # Every parameter is given to the optimizer and to DDP, so that blocks can be unfrozen on the way.
    model, optimizer = fabric.setup(net, make_optimizer(net, recipe))
    state: dict[str, Any] = {"model": model, "optimizer": optimizer, "average": average, "step": 0}
    if resume and checkpoint.exists():
        fabric.load(checkpoint, state)
        fabric.print(f"continuing from step {state['step']}")

    sampler = StepSampler(state["step"], recipe.steps, recipe.batch, fabric.global_rank, fabric.world_size)
    loader = DataLoader(
        dataset,
        batch_size=recipe.batch // fabric.world_size,
        sampler=sampler,
        num_workers=recipe.workers,
        prefetch_factor=4 if recipe.workers else None,
        worker_init_fn=_begin_worker,
        multiprocessing_context="spawn" if recipe.workers else None,
    )
    batches = fabric.setup_dataloaders(loader, use_distributed_sampler=False)
    started = saved = time.monotonic()
    scores: dict[str, float] = {}
    trained: tuple[int, ...] | None = None
    if fabric.is_global_zero:
        with atomic(out / "recipe.json") as temporary:
            temporary.write_text(json.dumps(dataclasses.asdict(recipe), indent=1, default=str) + "\n")
    with ExitStack() as stack:
        log = stack.enter_context(RunLog(out, state["step"], recipe.steps)) if fabric.is_global_zero else None
        for step, pair in enumerate(batches, start=state["step"]):
            now = recipe.train_blocks if step >= recipe.unfreeze else ()
            if now != trained:
                freeze(net, now)
                freeze(average, now)
                average.requires_grad_(False)
                trained = now
            for group in optimizer.param_groups:
                group["lr"] = recipe.learning_rate * group["factor"] * rate(recipe, step)
            crops = channels_last(pair.template), channels_last(pair.search)
            output, noise = model(*crops), pair_noise(sampler.of_step(step), pair.label, recipe.seed)
            loss, parts = total_loss(output, pair.label, pair.offsets, recipe.loss, noise)
            if teacher:
                with torch.no_grad(), fabric.autocast():
                    wanted = teacher(*crops)
                distance = distillation_loss(output, wanted)
                parts["distance"] = distance.item()
                loss = loss + recipe.loss.distillation_weight * distance
                if seen:
                    unlike = similarity_loss(*seen)
                    parts["unlike"] = unlike.item()
                    loss = loss + recipe.loss.similarity_weight * unlike
            fabric.backward(loss)
            fabric.clip_gradients(model, optimizer, max_norm=recipe.clip)
            optimizer.step()
            optimizer.zero_grad()
            # A young average follows quickly, so that the random start is forgotten.
            update_average(average, net, min(recipe.ema, (1 + step) / (10 + step)))
            done = state["step"] = step + 1
            total = mean_over_processes(loss.detach()).item()
            if log:
                speed = recipe.batch * (done - sampler.first) / (time.monotonic() - started)
                log.step(done, {"loss": total, **parts, "rate": rate(recipe, step), "pairs_per_s": speed})
            # All processes end after the same step, or none.
            elapsed = torch.tensor((time.monotonic() - started) / 60)
            late = minutes is not None and mean_over_processes(elapsed).item() > minutes
            asked = stop is not None and mean_over_processes(torch.tensor(float(stop.is_set()))).item() > 0
            if done == recipe.steps or (not asked and (done % recipe.validate_every == 0 or late)):
                scores = validate(average, validation, recipe.loss) if validation else {}
                if log:
                    if scores:
                        log.validation(done, scores)
                    save_weights(average, out / "average.safetensors")
            ending = late or asked or done == recipe.steps
            if ending or time.monotonic() - saved > 60 * recipe.checkpoint_minutes:
                _save(fabric, checkpoint, state)
                saved = time.monotonic()
            if ending:
                break
    if fabric.is_global_zero and state["step"] >= recipe.steps:
        model_file = initial_model(recipe.init) if recipe.init else None
        average = average.cpu()
        if recipe.keep:
            update_average(average, build(recipe, training), 1 - recipe.keep)
        description = {
            "architecture": {"model": recipe.model},
            "tracking": dict(model_file.metadata.get("tracking", {})) if model_file else {},
            "data": ", ".join(str(data_set.root) for data_set in recipe.data_sets()),
            "initialisation": str(recipe.init or recipe.backbone or "random"),
            "created": date.today().isoformat(),
            **recipe.card,
        }
        write_model(average, out / f"{recipe.model}.safetensors", description)
    return scores


def save_weights(net: nn.Module, path: Path) -> None:
    """The weights as safetensors, written whole or not at all."""
    tensors = {k: v.contiguous() for k, v in net.state_dict().items() if v.is_floating_point()}
    with atomic(path) as temporary:
        temporary.write_bytes(save(tensors))


def _save(fabric: Fabric, path: Path, state: dict[str, Any]) -> None:
    """Write the checkpoint beside and rename it: a run killed here keeps its previous one."""
    temporary = path.with_suffix(".partial")
    fabric.save(temporary, state)
    if fabric.is_global_zero:
        temporary.replace(path)
    fabric.barrier()


def channels_last(images: Tensor) -> Tensor:
    """The memory format that convolutions are fastest in: 1.7x on CPUs."""
    return images.contiguous(memory_format=torch.channels_last)


def _begin_worker(_: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process; the loop ends this one
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
