"""Readers of data sets, one file each; all give `Sequence`."""

from pgnet.datasets.otb import read_otb
from pgnet.datasets.sequence import Sequence

__all__ = ["Sequence", "read_otb"]
