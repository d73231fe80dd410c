"""A recipe: everything that decides a training run, as a small TOML file with a telling header."""

from __future__ import annotations

import dataclasses
import math
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pgnet.errors import PgnetError
from pgnet.training.losses import LossOptions
from pgnet.training.pairs import PairOptions
from pgnet.training.sources import DataSet, Sources, read_sources

DECAYS = ("cosine", "exponential")
LEAST = {"steps": 1, "batch": 1, "validate_every": 1} | dict.fromkeys(
    ("validation_pairs", "workers", "unfreeze", "warmup", "weight_decay", "adjust_rate", "checkpoint_minutes"), 0
)
"""Of values that have a lower limit."""
PRECISIONS = ("32-true", "16-mixed", "bf16-mixed", "16-true", "bf16-true", "64-true")
"""Of Lightning Fabric; those that need no library besides."""


@dataclass(frozen=True)
class Recipe:
    """One training run.

    Args:
        model: a name of `pgnet.nn.MODELS`.
        data: root of the training data, relative to the current directory; or tables [[data]], see
            `pgnet.training.sources.DataSet`.
        part: of the data's pictures and videos that are trained on, 0 to 1: what would more of them bring?
        backbone: ImageNet state dict for the backbone, see `pgnet.nn.weights.load_imagenet`.
        init: weights of the whole network to start from: a name of `pgnet models`, a model file, whose tracking
            options are kept, or a run's average.safetensors.
        teacher: a model, by name or path, whose outputs for the same pairs are learned, too (distillation); its
            anchors are the same.
        seed: of the pairs and of the network's random weights.
        steps: optimizer steps.
        batch: pairs of a step, all processes together.
        learning_rate: peak rate of everything but the backbone.
        backbone_rate: peak rate of the trained backbone blocks, as a factor; or a factor for each of `train_blocks`: a
            block without pretrained weights needs a higher one than those that only adapt.
        adjust_rate: rate of the adjusted layers, as a factor. Tied at the start, they match pretrained features of
            the two sides from the first step; at the full rate that is destroyed before it is of use.
        train_blocks: numbers of the backbone's blocks that are trained, once unfrozen.
        unfreeze: step from which they are.
        warmup: steps of linear warm-up; a decay to 1 % follows.
        decay: its form, "cosine" or "exponential" (SiamRPN++'s).
        weight_decay: of AdamW.
        clip: of the gradients' norm.
        keep: share of `init`'s weights in the model that is written at the end (WiSE-FT, CVPR 2022): part of what the
            run changed is taken back.
        ema: decay of the weights' moving average, which is what is validated and shipped.
        precision: of Lightning Fabric, such as 32-true or bf16-mixed.
        compiled: compile the network with torch.compile; needs a C++ compiler, and a minute at the start and when
            blocks are unfrozen.
        workers: processes that make pairs.
        validate_every: steps between validations.
        validation_pairs: number of fixed pairs of the validation split; with 0, all data is trained on.
        checkpoint_minutes: between checkpoints.
        pairs: see `PairOptions`.
        loss: see `pgnet.training.losses.LossOptions`.
        card: texts for the model file's description: licence, data, initialisation, ...
    """

    model: str
    data: Path | tuple[DataSet, ...]
    part: float = 1.0
    backbone: Path | None = None
    init: Path | None = None
    teacher: Path | None = None
    seed: int = 0
    steps: int = 10_000
    batch: int = 32
    learning_rate: float = 1e-3
    backbone_rate: float | tuple[float, ...] = 0.1
    adjust_rate: float = 0.1
    train_blocks: tuple[int, ...] = ()
    unfreeze: int = 0
    warmup: int = 200
    decay: str = "cosine"
    weight_decay: float = 1e-4
    clip: float = 10.0
    keep: float = 0.0
    ema: float = 0.998
    precision: str = "32-true"
    compiled: bool = False
    workers: int = 1
    validate_every: int = 500
    validation_pairs: int = 192
    checkpoint_minutes: float = 5.0
    pairs: PairOptions = field(default_factory=PairOptions)
    loss: LossOptions = field(default_factory=LossOptions)
    card: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, least in LEAST.items():
            if not least <= getattr(self, name) < math.inf:
                raise PgnetError(f"The recipe's {name} must be at least {least}, not {getattr(self, name)}.")
        for name in ("learning_rate", "clip"):
            if not 0 < getattr(self, name) < math.inf:
                raise PgnetError(f"The recipe's {name} must be above 0, not {getattr(self, name)}.")
        if not 0 <= self.ema < 1:
            raise PgnetError(f"The recipe's ema must be 0 or more and below 1, not {self.ema}.")
        if self.precision not in PRECISIONS:
            raise PgnetError(f"Unknown precision {self.precision!r}; known are {', '.join(PRECISIONS)}.")
        if not all(isinstance(number, int) and number > 0 for number in self.train_blocks):
            raise PgnetError(f"The recipe's train_blocks are numbers from 1 on, not {list(self.train_blocks)}.")
        rates = self.backbone_rate if isinstance(self.backbone_rate, tuple) else (self.backbone_rate,)
        if not all(0 <= rate < math.inf for rate in rates):
            raise PgnetError(f"The recipe's backbone_rate must be 0 or more, not {self.backbone_rate}.")
        if isinstance(self.backbone_rate, tuple) and len(self.backbone_rate) != len(self.train_blocks):
            raise PgnetError(
                f"The recipe's backbone_rate has {len(self.backbone_rate)} values, its train_blocks "
                f"{len(self.train_blocks)}; give one for each, or a single number."
            )
        if self.decay not in DECAYS:
            raise PgnetError(f"Unknown decay {self.decay!r}; known are {', '.join(DECAYS)}.")
        if not 0 <= self.keep < 1 or (self.keep and self.init is None):
            raise PgnetError(f"The recipe's keep must be 0, or with an init above 0 and below 1, not {self.keep}.")
        if not 0 < self.part <= 1:
            raise PgnetError(f"The recipe's part must be above 0 and at most 1, not {self.part}.")

    def block_rate(self, block: int) -> float:
        """The factor of a backbone block's peak rate, by its number; of one that is not trained it is of no concern."""
        if not isinstance(self.backbone_rate, tuple):
            return self.backbone_rate
        return self.backbone_rate[self.train_blocks.index(block)] if block in self.train_blocks else 0.0

    def data_sets(self) -> tuple[DataSet, ...]:
        """The data as tables, also where it is one folder."""
        return (DataSet(self.data),) if isinstance(self.data, Path) else self.data

    def sources(self) -> tuple[list[Sources], list[Sources]]:
        """What to train and what to validate on, see `pgnet.training.sources.read_sources`."""
        return read_sources(self.data_sets(), hold_out=self.validation_pairs > 0, part=self.part)


def _convert(name: str, text: str, default: Any) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        if isinstance(default, (int, float, tuple)) and not isinstance(default, bool):
            raise PgnetError(f"The value {text!r} does not fit the recipe's {name}.") from None
        return text


def load_recipe(path: str | Path, overrides: list[str] | None = None) -> Recipe:
    """Read a recipe file; `overrides` are "key=value" or "pairs.key=value" in TOML's notation.

    Raises:
        PgnetError: missing or malformed file, unknown or missing key, value of the wrong kind.
    """
    path = Path(path)
    try:
        content = tomllib.loads(path.read_text())
    except OSError as error:
        raise PgnetError(f"The recipe {path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PgnetError(f"The recipe {path} is not valid TOML: {error}.") from error
    defaults = {f.name: f.default for f in dataclasses.fields(Recipe)}
    for override in overrides or []:
        key, equals, text = override.partition("=")
        if not equals:
            raise PgnetError(f"An override is key=value, not {override!r}.")
        group, _, name = key.rpartition(".")
        table = content.setdefault(group, {}) if group else content
        if not isinstance(table, dict):
            raise PgnetError(f"{group} is no group of values in {path}; {override!r} cannot change it.")
        table[name] = _convert(key, text, defaults.get(name))
    groups = {}
    for name, options in (("pairs", PairOptions), ("loss", LossOptions)):
        if not isinstance(group := content.pop(name, {}), dict):
            first = dataclasses.fields(options)[0].name
            raise PgnetError(f"{name} in {path} is a group of values, such as {name}.{first}, not {group!r}.")
        groups[name] = _build(options, group, f"{path}, [{name}]")
    if isinstance(tables := content.get("data"), list):
        if not tables or not all(isinstance(table, dict) for table in tables):
            raise PgnetError(f"The data in {path} is a folder, or tables [[data]] with a root, not {tables!r}.")
        groups["data"] = tuple(_build(DataSet, table, f"{path}, [[data]]") for table in tables)
    return _build(Recipe, {**content, **groups}, str(path))


def _build(cls: type[Any], content: dict[str, Any], where: str) -> Any:
    fields = {f.name: f for f in dataclasses.fields(cls)}
    unknown = sorted(set(content) - set(fields))
    if unknown:
        raise PgnetError(f"Unknown in {where}: {', '.join(unknown)}; known are {', '.join(fields)}.")
    missing = [
        n for n, f in fields.items() if f.default is f.default_factory is dataclasses.MISSING and n not in content
    ]
    if missing:
        raise PgnetError(f"Missing in {where}: {', '.join(missing)}.")
    values: dict[str, Any] = {}
    for name, value in content.items():
        kind = str(fields[name].type)
        if "Path" in kind:
            value = Path(value) if isinstance(value, str) else value
            # Tables of data are built already.
            fits = isinstance(value, (Path, tuple) if "tuple" in kind else Path)
        elif kind == "float | tuple[float, ...]":
            value = tuple(value) if isinstance(value, list) else value
            numbers = value if isinstance(value, tuple) else (value,)
            fits = bool(numbers) and all(isinstance(n, (int, float)) and not isinstance(n, bool) for n in numbers)
        elif kind.startswith("tuple"):
            fits = isinstance(value, (list, tuple))
            value = tuple(value) if fits else value
        elif (plain := kind.removesuffix(" | None")) in ("int", "float", "str"):
            kinds: dict[str, Any] = {"int": int, "float": (int, float), "str": str}
            fits = isinstance(value, kinds[plain]) and not isinstance(value, bool)
        else:
            fits = True
        if not fits:
            raise PgnetError(f"The value {value!r} of {name} in {where} should be of type {kind}.")
        values[name] = value
    return cls(**values)
