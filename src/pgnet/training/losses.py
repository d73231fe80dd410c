"""Losses on every level's outputs and on the enhanced output ("multiple losses for training")."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from pgnet.nn.network import Output

REGRESSION_WEIGHT = 1.2
"""Of the smooth-L1 loss against the cross-entropy (SiamRPN++)."""
POSITIVES, TOTAL = 16, 64
"""Anchors sampled in one search crop (SiamRPN)."""


def sample_anchors(label: Tensor, logit: Tensor, hard: float, generator: torch.Generator | None) -> Tensor:
    """Choose at most 16 positives and as many negatives as make 64 in every crop.

    Args:
        label: (B, N) 1, 0 or -1.
        logit: (B, N) margin of the target class, to find hard negatives.
        hard: share of the negatives that are the hardest ones; the others are random, as all positives are.

    Returns:
        (B, N) bool.
    """
    noise = torch.rand(label.shape, generator=generator).to(label.device)
    chosen = torch.zeros_like(label, dtype=torch.bool)
    positive, negative = label == 1, label == 0
    positives = positive.sum(1).clamp(max=POSITIVES)
    negatives = TOTAL - positives
    hardest = (negatives * hard).long()
    difficulty = logit.detach().masked_fill(~negative, -torch.inf)
    for mask, score, count in (
        (positive, noise, positives),
        (negative, difficulty, hardest),
        (negative, noise, negatives - hardest),
    ):
        order = torch.where(mask & ~chosen, score, -torch.inf).argsort(1, descending=True)
        rank = torch.empty_like(order).scatter_(
            1, order, torch.arange(label.shape[1], device=label.device).expand_as(order)
        )
        chosen |= (rank < count[:, None]) & mask
    return chosen


def detection_loss(
    cls: Tensor,
    reg: Tensor,
    label: Tensor,
    offsets: Tensor,
    hard: float = 0.5,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, Tensor]:
    """Cross-entropy (mean of the positives' and the negatives' halves) and smooth-L1 of the sampled anchors.

    Args:
        cls: (B, 2A, 25, 25).
        reg: (B, 4A, 25, 25).
        label: (B, A, 25, 25) 1, 0 or -1.
        offsets: (B, 4, A, 25, 25).

    Returns:
        Two scalars: classification, regression.
    """
    labels = label.flatten(1)
    log_p = cls.float().unflatten(1, (2, -1)).flatten(2).log_softmax(1)
    chosen = sample_anchors(labels, log_p[:, 1] - log_p[:, 0], hard, generator)
    positive, negative = chosen & (labels == 1), chosen & (labels == 0)
    count = positive.sum().clamp(min=1)
    cls_loss = -0.5 * (
        (log_p[:, 1] * positive).sum() / count + (log_p[:, 0] * negative).sum() / negative.sum().clamp(min=1)
    )
    error = functional.smooth_l1_loss(
        reg.float().unflatten(1, (4, -1)).flatten(2), offsets.flatten(2), reduction="none", beta=0.1
    )
    return cls_loss, (error.sum(1) * positive).sum() / count


def total_loss(
    output: Output, label: Tensor, offsets: Tensor, hard: float = 0.5, generator: torch.Generator | None = None
) -> tuple[Tensor, dict[str, float]]:
    """The mean over levels, plus the enhanced output's loss; and the enhanced parts as numbers for the log."""
    losses = [
        detection_loss(cls, reg, label, offsets, hard, generator)
        for cls, reg in zip((*output.level_cls, output.cls), (*output.level_reg, output.reg), strict=True)
    ]
    combined = torch.stack([cls + REGRESSION_WEIGHT * reg for cls, reg in losses])
    return combined[:-1].mean() + combined[-1], {"cls": losses[-1][0].item(), "reg": losses[-1][1].item()}
