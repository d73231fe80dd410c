"""PG-Corr against a literal loop over kernels and against two convolutions."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from pgnet.nn import pg_corr


def literal(template: Tensor, search: Tensor) -> Tensor:
    """Kernel by kernel, as the spec words it."""
    batches = []
    for z, x in zip(template, search, strict=True):
        channels, height, width = z.shape
        position_kernels = [z[:, i, j] for i in range(height) for j in range(width)]
        similarity = torch.stack([sum(k[c] * x[c] for c in range(channels)) for k in position_kernels])
        channel_kernels = [z[c].reshape(-1) for c in range(channels)]
        batches.append(torch.stack([sum(k[n] * similarity[n] for n in range(len(k))) for k in channel_kernels]))
    return torch.stack(batches)


def two_convolutions(template: Tensor, search: Tensor) -> Tensor:
    """1x1 convolutions whose kernels are the template's positions, then its channels."""
    batches = []
    for z, x in zip(template, search, strict=True):
        flat = z.flatten(1)
        similarity = functional.conv2d(x[None], flat.T[:, :, None, None])
        batches.append(functional.conv2d(similarity, flat[:, :, None, None])[0])
    return torch.stack(batches)


@pytest.mark.parametrize("reference", [literal, two_convolutions])
@pytest.mark.parametrize(
    ("batch", "template_shape", "search_shape"), [(1, (5, 5), (9, 9)), (3, (5, 5), (4, 7)), (2, (3, 6), (5, 5))]
)
def test_equals_reference_with_gradients(reference, batch, template_shape, search_shape) -> None:
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(batch, 6, *template_shape, generator=generator, dtype=torch.float64, requires_grad=True)
    x = torch.randn(batch, 6, *search_shape, generator=generator, dtype=torch.float64, requires_grad=True)
    out, expected = pg_corr(z, x), reference(z, x)
    assert out.shape == x.shape
    torch.testing.assert_close(out, expected)
    weight = torch.randn(out.shape, generator=generator, dtype=torch.float64)
    ours = torch.autograd.grad((out * weight).sum(), (z, x))
    theirs = torch.autograd.grad((expected * weight).sum(), (z, x))
    torch.testing.assert_close(ours, theirs)


def test_matches_one_search_pixel_at_a_time() -> None:
    """A change of one search pixel changes that output pixel alone: no background enters from its neighbours."""
    z, x = torch.rand(1, 4, 5, 5), torch.rand(1, 4, 8, 8)
    changed = x.clone()
    changed[..., 3, 5] += 1
    different = (pg_corr(z, x) != pg_corr(z, changed)).any(1)[0]
    assert different.nonzero().tolist() == [[3, 5]]
