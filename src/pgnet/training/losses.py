"""Losses on every level's outputs and on the enhanced output ("multiple losses for training")."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from pgnet.errors import PgnetError
from pgnet.nn.network import Output
from pgnet.training.parallel import mean_over_processes

Features = tuple[Tensor, Tensor]
"""Of a template and a search crop."""

POSITIVES, TOTAL = 16, 64
"""Anchors sampled in one search crop (SiamRPN)."""


@dataclass(frozen=True)
class LossOptions:
    """What is asked of the outputs; the defaults are SiamRPN++'s.

    Args:
        classification: "cross-entropy"; "focal" (Lin et al., ICCV 2017, gamma 2); "quality": cross-entropy against the
            IoU that the anchor's own regressed box has, so that the best placed box gets the best score.
        regression: "smooth-l1" of the offsets; "giou" (Rezatofighi et al., CVPR 2019) of the boxes.
        regression_weight: of the regression against the classification; smooth-L1 is a sum of four terms.
        level_weight: of the mean of the levels' losses against the enhanced output's.
        hard_negatives: share of the sampled negatives that are the hardest ones.
        distillation_weight: of the distance to the teacher's output, where the recipe names a teacher.
        similarity_weight: of the distance to what the teacher's features find alike, likewise.
    """

    classification: str = "cross-entropy"
    regression: str = "smooth-l1"
    regression_weight: float = 1.2
    level_weight: float = 1.0
    hard_negatives: float = 0.5
    distillation_weight: float = 1.0
    similarity_weight: float = 0.0

    def __post_init__(self) -> None:
        for name, known in (("classification", CLASSIFICATION), ("regression", REGRESSION)):
            if getattr(self, name) not in known:
                raise PgnetError(f"Unknown {name} loss {getattr(self, name)!r}; known are {', '.join(known)}.")


def sample_anchors(label: Tensor, logit: Tensor, hard: float, noise: Tensor) -> Tensor:
    """Choose at most 16 positives and as many negatives as make 64 in every crop.

    Args:
        label: (B, N) 1, 0 or -1.
        logit: (B, N) margin of the target class, to find hard negatives.
        hard: share of the negatives that are the hardest ones; the others are random, as all positives are.
        noise: (B, N) random numbers that decide these.

    Returns:
        (B, N) bool.
    """
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


def generalised_iou(reg: Tensor, offsets: Tensor) -> tuple[Tensor, Tensor]:
    """IoU and generalised IoU of two boxes given as offsets of the same anchors.

    Both are invariant to stretching either axis, so boxes are compared in units of their anchor.

    Args:
        reg: (B, 4, N) dx, dy, dw, dh.
        offsets: likewise.

    Returns:
        (B, N) IoU, 0 to 1; (B, N) generalised IoU, -1 to 1.
    """

    def corners(o: Tensor) -> tuple[Tensor, Tensor]:
        half = o[:, 2:].clamp(-4, 4).exp() / 2
        return o[:, :2] - half, o[:, :2] + half

    (low_a, high_a), (low_b, high_b) = corners(reg), corners(offsets)
    shared = (torch.minimum(high_a, high_b) - torch.maximum(low_a, low_b)).clamp(min=0).prod(1)
    union = (high_a - low_a).prod(1) + (high_b - low_b).prod(1) - shared
    hull = (torch.maximum(high_a, high_b) - torch.minimum(low_a, low_b)).prod(1)
    iou = shared / union
    return iou, iou - (hull - union) / hull


def cross_entropy(margin: Tensor, wanted: Tensor) -> Tensor:
    """Of (B, N) logits against probabilities."""
    return functional.binary_cross_entropy_with_logits(margin, wanted, reduction="none")


def _focal(margin: Tensor, wanted: Tensor) -> Tensor:
    return cross_entropy(margin, wanted) * (margin.sigmoid() - wanted).abs() ** 2


def _smooth_l1(reg: Tensor, offsets: Tensor) -> Tensor:
    return functional.smooth_l1_loss(reg, offsets, reduction="none", beta=0.1).sum(1)


def _giou(reg: Tensor, offsets: Tensor) -> Tensor:
    return 1 - generalised_iou(reg, offsets)[1]


CLASSIFICATION: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "cross-entropy": cross_entropy,
    "focal": _focal,
    "quality": cross_entropy,
}
REGRESSION: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"smooth-l1": _smooth_l1, "giou": _giou}


def detection_loss(
    cls: Tensor,
    reg: Tensor,
    label: Tensor,
    offsets: Tensor,
    options: LossOptions | None = None,
    noise: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Classification (mean of the positives' and the negatives' halves) and regression of the sampled anchors.

    Args:
        cls: (B, 2A, 25, 25).
        reg: (B, 4A, 25, 25).
        label: (B, A, 25, 25) 1, 0 or -1.
        offsets: (B, 4, A, 25, 25).
        noise: (B, 25 * 25 * A) for `sample_anchors`; new random numbers if not given.

    Returns:
        Two scalars: classification, regression. Averaged over processes they are those of all pairs together.
    """
    options = options or LossOptions()
    labels, wanted_boxes = label.flatten(1), offsets.flatten(2)
    background, target = cls.float().flatten(1).chunk(2, 1)
    margin, boxes = target - background, reg.float().unflatten(1, (4, -1)).flatten(2)
    noise = torch.rand(labels.shape) if noise is None else noise
    chosen = sample_anchors(labels, margin, options.hard_negatives, noise.to(labels.device))
    positive, negative = chosen & (labels == 1), chosen & (labels == 0)
    positives, negatives = (mean_over_processes(mask.sum()).clamp(min=1) for mask in (positive, negative))
    wanted = positive.float()
    if options.classification == "quality":
        wanted = wanted * generalised_iou(boxes.detach(), wanted_boxes)[0]
    error = CLASSIFICATION[options.classification](margin, wanted)
    cls_loss = 0.5 * ((error * positive).sum() / positives + (error * negative).sum() / negatives)
    return cls_loss, (REGRESSION[options.regression](boxes, wanted_boxes) * positive).sum() / positives


def total_loss(
    output: Output,
    label: Tensor,
    offsets: Tensor,
    options: LossOptions | None = None,
    noise: Tensor | None = None,
) -> tuple[Tensor, dict[str, float]]:
    """The mean over levels, plus the enhanced output's loss; and the enhanced parts as numbers for the log."""
    options = options or LossOptions()
    noise = torch.rand(label.flatten(1).shape) if noise is None else noise
    losses = [
        detection_loss(cls, reg, label, offsets, options, noise)
        for cls, reg in zip((*output.level_cls, output.cls), (*output.level_reg, output.reg), strict=True)
    ]
    combined = torch.stack([cls + options.regression_weight * reg for cls, reg in losses])
    parts = {"cls": losses[-1][0].item(), "reg": losses[-1][1].item()}
    return options.level_weight * combined[:-1].mean() + combined[-1], parts


def distillation_loss(output: Output, teacher: Output) -> Tensor:
    """How far the enhanced output is from another network's for the same pairs.

    Cross-entropy of the scores above its least value, and smooth-L1 of the offsets; every anchor counts as much as the
    one of the two networks that believes in it more (scores), or as the teacher does (offsets), so that the many
    anchors on plain background do not drown the others.

    Args:
        output: the student's.
        teacher: of the same shapes; no gradients flow into it.

    Returns:
        A scalar.
    """

    def margin(cls: Tensor) -> Tensor:
        background, target = cls.float().flatten(1).chunk(2, 1)
        return target - background

    own, wanted = margin(output.cls), margin(teacher.cls.detach()).sigmoid()
    excess = cross_entropy(own, wanted) - functional.binary_cross_entropy(wanted, wanted, reduction="none")
    weight = torch.maximum(own.detach().sigmoid(), wanted)
    offsets, wanted_offsets = (
        reg.float().unflatten(1, (4, -1)).flatten(2) for reg in (output.reg, teacher.reg.detach())
    )
    cls_loss = (excess * weight).sum() / weight.sum().clamp(min=1)
    return cls_loss + (_smooth_l1(offsets, wanted_offsets) * wanted).sum() / wanted.sum().clamp(min=1)


def similarity_loss(own: list[Features], teacher: list[Features]) -> Tensor:
    """How much the places of the search crop that look like the template to the student differ from the teacher's.

    One minus the correlation (Huang et al., NeurIPS 2022) between the two networks' cosine similarities of a template
    cell to all places, the mean over cells, pairs and levels: the networks' channels need not be the same.

    Args:
        own: the student's adjusted features of both crops for each level, (B, C, h, w) and (B, C, H, W).
        teacher: of equal sizes, with as many levels or more, the last of which are left out; no gradients flow into it.

    Returns:
        A scalar from 0 to 2.
    """

    def profile(features: Features) -> Tensor:
        """(B, h * w, H * W) similarities, each cell's with mean 0 and length 1."""
        z, x = (functional.normalize(side.float().flatten(2), dim=1) for side in features)
        alike = z.transpose(1, 2) @ x
        return functional.normalize(alike - alike.mean(2, keepdim=True), dim=2)

    agreement = [(profile(a) * profile(b).detach()).sum(2).mean() for a, b in zip(own, teacher, strict=False)]
    return 1 - torch.stack(agreement).mean()
