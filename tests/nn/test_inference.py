"""The folded network computes what the network computes, and no more than that."""

import pytest
import torch

from pgnet.nn.backbone import Block, Bottleneck, ResNet
from pgnet.nn.inference import Embed, Search, fold
from pgnet.nn.network import PGNet

BLOCKS = (Block(4, 1), Block(8, 2, stride=2), Block(8, 2, dilation=(1, 2)))


@pytest.fixture
def net() -> PGNet:
    torch.manual_seed(0)
    net = PGNet(ResNet(BLOCKS, levels=(2, 3), stem_channels=8), channels=16).eval()
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)  # type: ignore[union-attr,operator]
            module.running_var.uniform_(0.5, 2)  # type: ignore[union-attr,operator]
    return net


@pytest.mark.parametrize("zero", [False, True], ids=["all branches", "a block's branches are zero"])
def test_folding_changes_nothing(net: PGNet, zero: bool) -> None:
    units = [unit for unit in net.backbone.blocks[2].modules() if isinstance(unit, Bottleneck)]
    if zero:
        for unit in units:
            torch.nn.init.zeros_(unit.bn3.weight)
    folded = fold(net)
    assert [unit.silent for unit in folded.backbone.blocks[2]] == [zero] * 2  # type: ignore[union-attr]
    assert not any(unit.silent for unit in units), "the network itself stays as it is"
    template, crop = (torch.randint(0, 256, (2, side, side, 3), dtype=torch.uint8) for side in (127, 255))
    with torch.no_grad():
        cls, reg = Search(folded)(crop, *Embed(folded)(template))
        expected = net(template.permute(0, 3, 1, 2), crop.permute(0, 3, 1, 2))
    torch.testing.assert_close(cls, expected.cls, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(reg, expected.reg, rtol=1e-3, atol=1e-3)
