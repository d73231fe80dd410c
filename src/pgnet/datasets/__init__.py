"""Readers of data sets, one file each; all give `Sequence`."""

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Protocol

from pgnet.datasets import got10k, lasot, nfs, otb, tc128, trackingnet, uav
from pgnet.datasets.got10k import read_got10k
from pgnet.datasets.lasot import read_lasot
from pgnet.datasets.nfs import read_nfs
from pgnet.datasets.otb import read_otb
from pgnet.datasets.sequence import NumberedFrames, Sequence
from pgnet.datasets.tc128 import read_tc128
from pgnet.datasets.trackingnet import read_trackingnet
from pgnet.datasets.uav import read_uav
from pgnet.datasets.vot import read_vot
from pgnet.errors import PgnetError

__all__ = [
    "DATASETS",
    "OFFICIAL",
    "NumberedFrames",
    "Reader",
    "Sequence",
    "dataset_reader",
    "read_got10k",
    "read_lasot",
    "read_nfs",
    "read_otb",
    "read_tc128",
    "read_trackingnet",
    "read_uav",
    "read_vot",
]


class Reader(Protocol):
    """Gives the sequences below a folder, or those with some names; see any of the readers."""

    def __call__(
        self, root: Path, names: Iterable[str] | None = None, *, problems: dict[str, str] | None = None
    ) -> list[Sequence]: ...


DATASETS: dict[str, Reader] = {
    "otb2013": partial(read_otb, version="otb2013"),
    "otb50": partial(read_otb, version="otb50"),
    "otb100": partial(read_otb, version="otb100"),
    "uav123": partial(read_uav, version="UAV123"),
    "uav20l": partial(read_uav, version="UAV20L"),
    "nfs30": partial(read_nfs, fps=30),
    "nfs240": partial(read_nfs, fps=240),
    "tc128": read_tc128,
    "vot2016": read_vot,
    "vot2017": read_vot,
    "vot2018": read_vot,
    "vot2019": read_vot,
    "lasot": partial(read_lasot, split="test"),
    "lasot-train": partial(read_lasot, split="train"),
    "lasot-ext": partial(read_lasot, split="extension"),
    "got10k-train": partial(read_got10k, split="train"),
    "got10k-val": partial(read_got10k, split="val"),
    "got10k-test": partial(read_got10k, split="test"),
    "trackingnet": read_trackingnet,
    "trackingnet-train": partial(read_trackingnet, splits=trackingnet.TRAIN),
}
"""The readers by the names that the command line uses; `lasot` and `trackingnet` are the test sets."""


OFFICIAL: dict[str, tuple[str, ...]] = {
    **otb.VERSIONS,
    "uav123": uav.VERSIONS["UAV123"],
    "uav20l": uav.VERSIONS["UAV20L"],
    "nfs30": nfs.NAMES,
    "nfs240": nfs.NAMES,
    "tc128": tc128.NAMES,
    "lasot": lasot.TEST,
    "lasot-ext": lasot.EXTENSION,
    **{f"got10k-{split}": got10k.official_names(split) for split in got10k.LENGTHS},
}
"""The sequences that a data set should have, where the names are fixed; VOT has them in its list.txt."""


def dataset_reader(name: str) -> Reader:
    """The reader of a data set by its name, in any case.

    Raises:
        PgnetError: unknown name.
    """
    if name.lower() not in DATASETS:
        raise PgnetError(f"There is no data set {name!r}; the known ones are {', '.join(DATASETS)}.")
    return DATASETS[name.lower()]
