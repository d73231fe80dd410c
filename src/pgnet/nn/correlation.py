"""PG-Corr, pixel to global matching: every search pixel against every template pixel, then against all of them."""

from __future__ import annotations

from torch import Tensor


def similarity(template: Tensor, search: Tensor) -> Tensor:
    """Step 1: S = Z^T X, every template pixel against every search pixel.

    Args:
        template: (B, C, h, w).
        search: (B, C, H, W).

    Returns:
        (B, h * w, H, W).
    """
    return (template.flatten(2).transpose(1, 2) @ search.flatten(2)).unflatten(2, search.shape[2:])


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
    return gather(template, similarity(template, search))


def gather(template: Tensor, similar: Tensor) -> Tensor:
    """Step 2: P = Z S, the template's pixels weighed by their similarities (B, h * w, H, W) -> (B, C, H, W)."""
    return (template.flatten(2) @ similar.flatten(2)).unflatten(2, similar.shape[2:])
