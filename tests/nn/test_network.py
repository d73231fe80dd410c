"""What callers of the network rely on."""

import pytest
import torch

from pgnet.nn import MODELS, Block, Bottleneck, PGNet, ResNet


@pytest.fixture(scope="module")
def lite() -> PGNet:
    torch.manual_seed(0)
    return MODELS["pgnet-lite"]().eval()


@pytest.fixture(scope="module")
def crops() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return (
        torch.randint(0, 256, (2, 3, 127, 127), generator=generator, dtype=torch.uint8),
        torch.randint(0, 256, (2, 3, 255, 255), generator=generator, dtype=torch.uint8),
    )


@torch.no_grad()
def test_forward_is_embed_then_search(lite: PGNet, crops: tuple[torch.Tensor, torch.Tensor]) -> None:
    template, search = crops
    whole, split = lite(template, search), lite.search(lite.embed(template), search)
    assert whole.cls.shape == (2, 10, 25, 25) and whole.reg.shape == (2, 20, 25, 25)
    assert [o.shape for o in whole.level_cls] == [(2, 10, 25, 25)] * 2
    assert [o.shape for o in whole.level_reg] == [(2, 20, 25, 25)] * 2
    assert torch.equal(whole.cls, split.cls) and torch.equal(whole.reg, split.reg)


@torch.no_grad()
def test_nothing_is_kept_between_calls(lite: PGNet, crops: tuple[torch.Tensor, torch.Tensor]) -> None:
    template, search = crops
    before = set(vars(lite)), {k: v.clone() for k, v in lite.state_dict().items()}
    first = lite(template, search).cls
    lite(search[..., :127, :127], search.flip(0))
    assert torch.equal(lite(template, search).cls, first)
    assert set(vars(lite)) == before[0]
    assert all(torch.equal(v, before[1][k]) for k, v in lite.state_dict().items())


@torch.no_grad()
def test_pairs_of_a_batch_are_independent(lite: PGNet, crops: tuple[torch.Tensor, torch.Tensor]) -> None:
    template, search = crops
    alone = lite(template[1:], search[1:])
    torch.testing.assert_close(lite(template, search).reg[1:], alone.reg, rtol=1e-3, atol=1e-3)


@torch.no_grad()
@pytest.mark.parametrize("pool_kernel", [2, 3])
@pytest.mark.parametrize("shortcut", ["1x1", "3x3"])
def test_variants_keep_the_sizes(pool_kernel, shortcut) -> None:
    blocks = (Block(4, 1), Block(8, 2, stride=2), Block(8, 2, dilation=(1, 2)), Block(8, 2, dilation=(2, 4)))
    backbone = ResNet(blocks, Bottleneck, levels=(2, 4), stem_channels=4, pool_kernel=pool_kernel, shortcut=shortcut)
    assert backbone.channels == [32, 32]
    assert [f.shape[-1] for f in backbone(torch.zeros(1, 3, 255, 255))] == [31, 31]
    net = PGNet(backbone, channels=8, anchors=3)
    out = net(torch.zeros(2, 3, 127, 127), torch.zeros(2, 3, 255, 255))
    assert out.cls.shape == (2, 6, 25, 25) and out.reg.shape == (2, 12, 25, 25)


def test_enhanced_output_starts_as_the_mean_of_the_levels(lite: PGNet) -> None:
    outputs = [torch.rand(1, 10, 25, 25), torch.rand(1, 10, 25, 25)]
    fresh = MODELS["pgnet-lite"]().enhanced_cls
    torch.testing.assert_close(fresh(outputs), (outputs[0] + outputs[1]) / 2)
