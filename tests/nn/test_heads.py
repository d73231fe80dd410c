"""The parts of Table 2, and what may be added to them."""

import torch

from pgnet.nn.correlation import pg_corr
from pgnet.nn.heads import AdjustedLayer, Level


@torch.no_grad()
def test_normalised_templates_have_one_size() -> None:
    torch.manual_seed(0)
    feature = torch.rand(3, 8, 15, 15) * torch.tensor([1.0, 10, 100]).view(3, 1, 1, 1)
    plain, normalised = AdjustedLayer(8, 4).eval(), AdjustedLayer(8, 4, normalise=True).eval()
    normalised.load_state_dict(plain.state_dict())
    z = normalised.embed(feature)
    torch.testing.assert_close(z.square().mean((1, 2, 3)), torch.ones(3), rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(
        z, plain.embed(feature) / plain.embed(feature).square().mean((1, 2, 3), True).sqrt(), rtol=1e-3, atol=1e-4
    )


@torch.no_grad()
def test_only_the_layout_tells_how_the_template_is_arranged() -> None:
    torch.manual_seed(0)
    template, feature = torch.rand(1, 4, 5, 5), torch.rand(1, 8, 31, 31)
    turned = template.transpose(2, 3)
    for layout in (False, True):
        level = Level(8, 4, 5, layout=layout).eval()
        same = torch.allclose(level(template, feature)[1], level(turned, feature)[1], atol=1e-5)
        assert same is not layout
    torch.testing.assert_close(pg_corr(template, feature[:, :4]), pg_corr(turned, feature[:, :4]))
