"""Anchor labels (IoU 0.6 / 0.3) and the sampled losses."""

import numpy as np
import pytest
import torch

from pgnet import anchors, boxes
from pgnet.nn import Output
from pgnet.training.losses import detection_loss, distillation_loss, sample_anchors, similarity_loss, total_loss
from pgnet.training.targets import anchor_targets


def test_labels_follow_the_overlap() -> None:
    grid, box = anchors.grid(), np.array([130.0, 120, 60, 70])
    label, offsets = anchor_targets(grid, box)
    overlap = boxes.iou(boxes.cxcywh_to_xywh(grid), boxes.cxcywh_to_xywh(box))
    assert ((label == 1) == (overlap >= 0.6)).all() and ((label == 0) == (overlap <= 0.3)).all()
    assert (label == 1).any() and offsets.dtype == np.float32
    assert (anchor_targets(grid, None).label == 0).all()


@pytest.mark.parametrize("factor", [0.4, 1.0, 2.5])
def test_any_size_is_learned_where_position_and_shape_fit(factor: float) -> None:
    grid, box = anchors.grid(), np.array([130.0, 120, 60, 70])
    resized = np.concatenate([box[:2], box[2:] * factor])
    label, offsets = anchor_targets(grid, resized, any_size=True)
    same_area = np.concatenate([box[:2], box[2:] * 64 / np.sqrt(60 * 70)])
    assert (label == anchor_targets(grid, same_area).label).all() and (label == 1).any()
    decoded = anchors.decode(grid[label == 1], np.moveaxis(offsets, 0, -1)[label == 1])
    np.testing.assert_allclose(decoded, np.broadcast_to(resized, decoded.shape), rtol=1e-5)
    assert factor == 1 or not (anchor_targets(grid, resized).label == 1).any()  # SiamRPN's rule


def test_sampling_takes_at_most_16_of_64() -> None:
    label = torch.zeros(2, 3125, dtype=torch.int8)
    label[0, :40] = 1
    label[1, :5] = 1
    label[:, 100:200] = -1
    logit = torch.arange(3125.0).expand(2, -1)
    chosen = sample_anchors(label, logit, 0.5, torch.rand(2, 3125, generator=torch.Generator().manual_seed(0)))
    assert (chosen & (label == 1)).sum(1).tolist() == [16, 5]
    assert (chosen & (label == 0)).sum(1).tolist() == [48, 59]
    assert not (chosen & (label == -1)).any()
    assert chosen[0, -24:].all()  # the hardest half


def perfect(label: torch.Tensor, offsets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    score = 20 * (label == 1).float() - 10
    return torch.cat([-score, score], 1), offsets.flatten(1, 2)


def example() -> tuple[torch.Tensor, torch.Tensor]:
    label, offsets = anchor_targets(anchors.grid(), np.array([130.0, 120, 60, 70]))
    return torch.from_numpy(label)[None], torch.from_numpy(offsets)[None]


def test_a_perfect_answer_costs_nothing_and_a_wrong_one_does() -> None:
    label, offsets = example()
    cls, reg = perfect(label, offsets)
    losses = detection_loss(cls, reg, label, offsets)
    assert all(loss < 1e-4 for loss in losses)
    wrong = detection_loss(-cls, reg + 1, label, offsets)
    assert wrong[0] > 5 and wrong[1] > 3


def test_every_level_and_the_enhanced_output_are_trained() -> None:
    label, offsets = example()
    tensors = [torch.zeros(1, n, 25, 25, requires_grad=True) for n in (10, 10, 10, 20, 20, 20)]
    loss, _ = total_loss(Output(tensors[0], tensors[3], tensors[1:3], tensors[4:]), label, offsets)
    loss.backward()
    assert all(t.grad is not None and t.grad.abs().sum() > 0 for t in tensors)


def test_a_student_is_as_far_from_its_teacher_as_it_differs() -> None:
    generator = torch.Generator().manual_seed(0)

    def output(shift: float) -> Output:
        cls = torch.randn(2, 10, 25, 25, generator=torch.Generator().manual_seed(1))
        reg = torch.randn(2, 20, 25, 25, generator=torch.Generator().manual_seed(2))
        noise = torch.randn(2, 10, 25, 25, generator=generator)
        return Output((cls + shift * noise).requires_grad_(), (reg + shift).requires_grad_(), [], [])

    teacher = output(0)
    same, near, far = output(0), output(0.3), output(1)
    assert distillation_loss(same, teacher).abs() < 1e-6
    assert 0 < distillation_loss(near, teacher) < distillation_loss(far, teacher)
    distillation_loss(far, teacher).backward()
    assert teacher.cls.grad is None and teacher.reg.grad is None
    assert far.cls.grad is not None and far.reg.grad is not None


def test_features_that_find_the_same_places_alike_agree() -> None:
    torch.manual_seed(0)
    z, x = torch.rand(2, 6, 5, 5), torch.rand(2, 6, 9, 9)
    more = [torch.cat([side, 2 * side], 1) for side in (z, x)]  # other channels, the same angles
    other = torch.rand(2, 6, 5, 5).requires_grad_(), torch.rand(2, 6, 9, 9).requires_grad_()
    assert similarity_loss([(z, x)], [(more[0], more[1]), other]) == pytest.approx(0, abs=1e-5)
    apart = similarity_loss([other], [(z, x)])
    assert 0.5 < apart.item() < 1.5
    apart.backward()
    assert all(side.grad is not None and side.grad.abs().sum() > 0 for side in other)
