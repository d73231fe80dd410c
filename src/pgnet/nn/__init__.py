"""The network in PyTorch: training and export need the extra [train]; tracking does not import this."""

from pgnet.nn.backbone import RESNET50, Basic, Block, Bottleneck, ResNet
from pgnet.nn.correlation import pg_corr
from pgnet.nn.network import MODELS, Output, PGNet, pgnet_lite, pgnet_r50

__all__ = [
    "MODELS",
    "RESNET50",
    "Basic",
    "Block",
    "Bottleneck",
    "Output",
    "PGNet",
    "ResNet",
    "pg_corr",
    "pgnet_lite",
    "pgnet_r50",
]
