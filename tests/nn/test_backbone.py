"""Blocks at stride 16 are brought back to stride 8."""

import torch

from pgnet.nn.backbone import Basic, Block, ResNet, double


def test_doubling_is_the_inverse_of_sampling() -> None:
    column, row = torch.meshgrid(torch.arange(31.0), torch.arange(31.0), indexing="xy")
    ramp = (3 * column - 2 * row)[None, None]
    sampled = ramp[:, :, 1::2, 1::2]  # the centres of 3x3 windows at stride 2 without padding
    back = double(sampled)
    assert back.shape == ramp.shape
    torch.testing.assert_close(back[:, :, 1:-1, 1:-1], ramp[:, :, 1:-1, 1:-1])  # the border repeats


def test_a_coarse_block_gives_features_at_stride_8() -> None:
    backbone = ResNet(
        (Block(4, 1), Block(8, 1, stride=2), Block(8, 1, stride=2)), Basic, levels=(2, 3), stem_channels=4
    )
    for size, expected in ((255, 31), (127, 15)):
        features = backbone.eval()(torch.zeros(1, 3, size, size))
        assert [f.shape[1:] for f in features] == [(8, expected, expected)] * 2
