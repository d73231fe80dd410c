"""ImageNet initialisation."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from pgnet.errors import PgnetError
from pgnet.nn import Basic, Block, Bottleneck, PGNet, ResNet
from pgnet.nn.network import LITE
from pgnet.nn.weights import load_imagenet, read_state_dict, settle_batch_norm

SHARED = Path(__file__).parents[2] / "../shared/weights"
R50 = SHARED / "resnet50_imagenet_stem-to-block3.safetensors"
R18 = SHARED / "resnet18_imagenet_stem-to-layer3_bn-folded.safetensors"
needs_weights = pytest.mark.skipif(not SHARED.is_dir(), reason="the ImageNet weights are not here")
SMALL = (Block(4, 1), Block(8, 2, stride=2))


def torchvision_like(net: ResNet) -> dict[str, torch.Tensor]:
    """The state of a network under torchvision's names."""
    state = {}
    for key, value in net.state_dict().items():
        if key.startswith("blocks."):
            block, rest = int(key.split(".")[1]), key.split(".", 2)[2]
            key = f"layer{block + 1}.{rest.replace('shortcut', 'downsample')}"
        state[key] = torch.rand_like(value) if value.is_floating_point() else value
    return {**state, "fc.weight": torch.rand(10, 32)}


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_loads_torchvision_names_from_either_file(tmp_path: Path, suffix: str) -> None:
    net = ResNet(SMALL, Bottleneck, levels=(2,), stem_channels=4)
    state, path = torchvision_like(net), tmp_path / f"weights{suffix}"
    torch.save(state, path) if suffix == ".pth" else save_file(state, path)
    assert load_imagenet(net, path) == []
    assert torch.equal(net.conv1.weight, state["conv1.weight"])
    unit = net.blocks[1][0]
    assert torch.equal(unit.conv2.weight, state["layer2.0.conv2.weight"])
    assert torch.equal(unit.shortcut[0].weight, state["layer2.0.downsample.0.weight"])
    assert torch.equal(unit.shortcut[1].running_var, state["layer2.0.downsample.1.running_var"])


def test_a_1x1_shortcut_becomes_the_centre_of_a_3x3_one(tmp_path: Path) -> None:
    ours = ResNet(SMALL, Bottleneck, levels=(2,), stem_channels=4).eval()
    state = torchvision_like(ours)
    save_file(state, tmp_path / "w.safetensors")
    wide = ResNet(SMALL, Bottleneck, levels=(2,), stem_channels=4, shortcut="3x3").eval()
    load_imagenet(ours, tmp_path / "w.safetensors")
    x = torch.rand(1, 16, 31, 31)
    # Block 1's shortcut keeps the size, Block 2's halves it: the same pixels are sampled either way.
    load_imagenet(wide, tmp_path / "w.safetensors")
    torch.testing.assert_close(ours.blocks[1][0].shortcut(x), wide.blocks[1][0].shortcut(x))


def test_a_misfit_is_refused_with_a_list_and_changes_nothing(tmp_path: Path) -> None:
    net = ResNet(SMALL, Bottleneck, levels=(2,), stem_channels=4)
    state = torchvision_like(net)
    del state["layer1.0.conv2.weight"]
    state["layer2.1.conv1.weight"] = torch.rand(3, 3, 1, 1)
    save_file(state, tmp_path / "w.safetensors")
    before = net.conv1.weight.clone()
    with pytest.raises(PgnetError) as error:
        load_imagenet(net, tmp_path / "w.safetensors")
    assert "layer1.0.conv2.weight is missing" in str(error.value)
    assert "layer2.1.conv1.weight is (3, 3, 1, 1) instead of (8, 32, 1, 1)" in str(error.value)
    assert torch.equal(net.conv1.weight, before)


def test_a_file_without_the_last_block_needs_partial(tmp_path: Path) -> None:
    net = ResNet(SMALL, Bottleneck, levels=(2,), stem_channels=4)
    state = {k: v for k, v in torchvision_like(net).items() if not k.startswith("layer2.")}
    save_file(state, tmp_path / "w.safetensors")
    with pytest.raises(PgnetError, match="is missing"):
        load_imagenet(net, tmp_path / "w.safetensors")
    assert load_imagenet(net, tmp_path / "w.safetensors", partial=True) == ["blocks.1.0", "blocks.1.1"]


@pytest.mark.parametrize("content", [b"", b"not weights at all", b"\x80\x04garbage"])
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_unreadable_files_are_named(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"bad{suffix}"
    path.write_bytes(content)
    with pytest.raises(PgnetError, match="bad"):
        read_state_dict(path)
    with pytest.raises(PgnetError, match="no weights file"):
        read_state_dict(tmp_path / "absent.pth")


@needs_weights
def test_resnet50_parts_load_and_block_4_stays() -> None:
    net = ResNet()
    assert load_imagenet(net, R50, partial=True) == ["blocks.3.0", "blocks.3.1", "blocks.3.2"]
    assert torch.equal(
        net.blocks[1][0].shortcut[0].weight, read_state_dict(R50)["layer2.0.downsample.0.weight"].float()
    )


@needs_weights
@torch.no_grad()
def test_folded_resnet18_gives_what_its_bare_convolutions_give() -> None:
    net = ResNet(LITE, Basic, levels=(1, 3)).eval()
    load_imagenet(net, R18)
    state = {k: v.float() for k, v in read_state_dict(R18).items()}
    x = torch.rand(1, 64, 31, 31)
    y = torch.nn.functional.conv2d(x, state["layer1.0.conv1.weight"], state["layer1.0.conv1.bias"], padding=1).relu()
    y = torch.nn.functional.conv2d(y, state["layer1.0.conv2.weight"], state["layer1.0.conv2.bias"], padding=1)
    torch.testing.assert_close(net.blocks[0][0](x), (x + y).relu(), rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_settled_batch_norm_gives_normalised_outputs() -> None:
    net = PGNet(ResNet(SMALL, Bottleneck, levels=(2,), stem_channels=4), channels=8)
    crops = [torch.randint(0, 256, (4, 3, 127, 127)) for _ in range(3)]
    norm, outputs = net.backbone.blocks[1][0].shortcut[1], []
    settle_batch_norm(net, [net.backbone.blocks[1]], crops)
    assert net.training and net.backbone.bn1.running_mean.eq(0).all()  # others keep what they had
    norm.register_forward_hook(lambda _, __, output: outputs.append(output))
    net.eval().features(torch.cat(crops))
    assert outputs[0].mean((0, 2, 3)).abs().max() < 0.05
    assert (outputs[0].std((0, 2, 3)) - 1).abs().max() < 0.1
