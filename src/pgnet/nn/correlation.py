"""PG-Corr, pixel to global matching: every search pixel against every template pixel, then against all of them."""

from __future__ import annotations

from torch import Tensor


def pg_corr(template: Tensor, search: Tensor) -> Tensor:
    """Match each search pixel with the global template; the search resolution is kept.

    With Z the template feature as C x n_z: similarity S = Z^T X (n_z x HW), result P = Z S (C x HW). No softmax and
    no scaling.

    >>> pg_corr(torch.zeros(2, 256, 5, 5), torch.zeros(2, 256, 29, 29)).shape
    torch.Size([2, 256, 29, 29])

    Args:
        template: (B, C, h, w); the matching area of an output pixel does not depend on h and w.
        search: (B, C, H, W).

    Returns:
        (B, C, H, W).

    Source: spec B, "PG-Corr"; steps 1 and 2 are the products of this order.
    """
    z, x = template.flatten(2), search.flatten(2)
    similarity = z.transpose(1, 2) @ x
    return (z @ similarity).unflatten(2, search.shape[2:])
