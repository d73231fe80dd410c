"""ImageNet initialisation of a backbone from state dicts with torchvision's key names."""

from __future__ import annotations

import pickle
from pathlib import Path

import torch
from torch import Tensor, nn

from pgnet.errors import PgnetError
from pgnet.models import resolve
from pgnet.nn.backbone import ResNet
from pgnet.nn.network import MODELS, PGNet


def read_state_dict(path: str | Path) -> dict[str, Tensor]:
    """Tensors of a .safetensors file, or of a PyTorch file (read without executing code from it).

    Raises:
        PgnetError: the file is missing, or not a state dict.
    """
    path = Path(path)
    if not path.is_file():
        raise PgnetError(f"There is no weights file {path}; give the path of a .safetensors or PyTorch state dict.")
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, ValueError, OSError, EOFError, pickle.UnpicklingError, ImportError) as error:
        raise PgnetError(f"{path} cannot be read as a state dict ({error}).") from error
    except Exception as error:  # safetensors has an error type of its own, derived from Exception
        if type(error).__name__ != "SafetensorError":
            raise
        raise PgnetError(f"{path} cannot be read as safetensors ({error}).") from error
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise PgnetError(f"{path} is not a state dict: it must map names to tensors.")
    return state


def load_model(model: str | Path) -> PGNet:
    """The network of a model file, in float32 and evaluation mode.

    Args:
        model: a name or path, see `pgnet.models.resolve`.

    Raises:
        PgnetError: no such model, or its tensors do not fit the architecture it names.
    """
    file = resolve(model)
    architecture = file.metadata.get("architecture", {}).get("model")
    if architecture not in MODELS:
        raise PgnetError(f"{file.path} names the unknown architecture {architecture!r}; known are {', '.join(MODELS)}.")
    net = MODELS[architecture]()
    load_weights(net, file.path)
    return net.eval()


def load_weights(net: PGNet, path: str | Path) -> None:
    """Load a whole network's weights, as a model file or a training run has them; fp16 becomes float32.

    Raises:
        PgnetError: the file is unreadable or of another network; the message lists what does not fit.
    """
    state, own = read_state_dict(path), net.state_dict()
    expected = {key for key in own if not key.endswith("num_batches_tracked")}
    problems = [f"{key} is missing" for key in sorted(expected - set(state))]
    problems += [f"{key} is unknown" for key in sorted(set(state) - set(own))]
    for key in sorted(expected & set(state)):
        if state[key].shape != own[key].shape:
            problems.append(f"{key} is {tuple(state[key].shape)} instead of {tuple(own[key].shape)}")
    if problems:
        more = f" and {len(problems) - 8} more" if len(problems) > 8 else ""
        raise PgnetError(f"{path} does not fit this network: {'; '.join(problems[:8])}{more}.")
    net.load_state_dict({key: state[key].float() for key in expected}, strict=False)


def load_imagenet(backbone: ResNet, path: str | Path, *, partial: bool = False) -> list[str]:
    """Load a torchvision ResNet's convolutions and batch norms into `backbone`, stage by stage.

    A block with fewer units than the file's stage takes the first of them.

    A 1x1 shortcut keeps its weights: as "1x1" it samples the centres of the 3x3 windows, as "3x3" it becomes the
    centre of the kernel (spec C.2). Where batch norm was folded into weight and bias (no `bn` keys), a fresh
    batch norm that changes nothing holds the bias. Unused entries of the file (fc, further blocks) are ignored.

    Args:
        backbone: changed in place, only if everything fits.
        path: see `read_state_dict`.
        partial: units that the file does not have at all stay as they are.

    Returns:
        Names of the backbone's units that stay as they were (always empty unless `partial`).

    Raises:
        PgnetError: the file does not fit; the message lists what is missing or has the wrong shape.
    """
    source = read_state_dict(path)
    folded = not any(".bn1." in key or key.startswith("bn1.") for key in source)
    own = backbone.state_dict()
    prefixes = {"": ""}  # ours -> theirs
    skipped: list[str] = []
    for b, block in enumerate(backbone.blocks):
        for u in range(len(block)):  # type: ignore[arg-type]
            unit = f"layer{b + 1}.{u}."
            if partial and not any(key.startswith(unit) for key in source):
                skipped.append(f"blocks.{b}.{u}")
            else:
                prefixes[f"blocks.{b}.{u}."] = unit
    loaded: dict[str, Tensor] = {}
    problems: list[str] = []
    for key, value in own.items():
        prefix = next((p for p in prefixes if p and key.startswith(p)), "")
        if (key.startswith("blocks.") and not prefix) or key.endswith("num_batches_tracked"):
            continue
        their = prefixes[prefix] + key[len(prefix) :].replace("shortcut.", "downsample.")
        tensor = _folded_entry(source, their, value) if folded and value.ndim == 1 else source.get(their)
        if tensor is None:
            problems.append(f"{their} is missing")
            continue
        if tensor.ndim == 4 and value.shape[2:] == (3, 3) and tensor.shape[2:] == (1, 1):
            tensor = nn.functional.pad(tensor, (1, 1, 1, 1))
        if tensor.shape != value.shape:
            problems.append(f"{their} is {tuple(tensor.shape)} instead of {tuple(value.shape)}")
            continue
        loaded[key] = tensor.to(value.dtype)
    if problems:
        raise PgnetError(f"{path} does not fit this backbone: " + "; ".join(problems) + ".")
    backbone.load_state_dict(loaded, strict=False)
    return skipped


def _folded_entry(source: dict[str, Tensor], key: str, like: Tensor) -> Tensor | None:
    """Entry `key` of a batch norm that does nothing but add the bias of the convolution it was folded into."""
    name, _, entry = key.rpartition(".")
    conv = name.replace("bn", "conv") if "downsample" not in name else name.replace("downsample.1", "downsample.0")
    bias = source.get(f"{conv}.bias")
    if bias is None:
        return None
    if entry == "bias":
        return bias
    if entry == "running_mean":
        return torch.zeros_like(bias)
    # Weight and variance cancel exactly: weight / sqrt(variance + eps) = 1.
    return torch.full_like(bias, 1 - 1e-5) if entry == "running_var" else torch.ones_like(bias)


@torch.no_grad()
def settle_batch_norm(net: PGNet, modules: list[nn.Module], crops: list[Tensor]) -> None:
    """Give the batch norms in `modules`, parts of the backbone, the mean and variance of their real inputs.

    For parts that start from random weights and then stay frozen, whose running statistics would be meaningless.

    Args:
        net: changed in place.
        modules: where the batch norms are.
        crops: batches (B, 3, S, S) of RGB 0..255.
    """
    norms = [m for module in modules for m in module.modules() if isinstance(m, nn.BatchNorm2d)]
    training, momenta = net.training, [m.momentum for m in norms]
    net.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # cumulative average
        norm.train()
    for crop in crops:
        net.features(crop)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    net.train(training)
