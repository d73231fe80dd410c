"""Raw results of trackers on disk, in the layouts that the data sets' toolkits and servers take.

`docs/benchmarks.md` describes them. Each file appears whole, and the times last: a sequence that has them is done.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pgnet.boxes import Boxes
from pgnet.errors import PgnetError
from pgnet.files import atomic

TRACKED = -1
"""A frame with a box, among the codes of `pgnet.evaluation.vot`, which stand in the files in place of a box."""


class Run(NamedTuple):
    """What a tracker did on one sequence."""

    boxes: Boxes
    """(N, 4) x, y, w, h in 0-based pixels; the first is the ground truth it was given. NaN where there is a code."""
    seconds: NDArray[np.float64]
    """(N,) time in `init` or `update` alone; reading the image does not count. NaN where the frame was skipped."""
    codes: NDArray[np.int8] | None = None
    """(N,) what happened: `TRACKED`, or a code of `pgnet.evaluation.vot`; None for one pass without resets."""


@dataclass(frozen=True)
class Layout:
    """How the toolkit or server of a data set takes raw results."""

    boxes: str = "{name}.txt"
    """Path of one repetition's boxes below the tracker's folder."""
    times: str = "{name}_time.txt"
    """Path of the times, a column for each repetition."""
    origin: int = 0
    """Coordinates of the first pixel."""
    repetitions: int = 1
    """Runs of each sequence that its evaluation asks for."""
    resets: bool = False
    """The tracker is started again after it lost the target (VOT)."""
    server: int = 0
    """Sequences that a server takes in one zip; 0 where there is no server."""
    zipped_times: bool = True
    """Whether the times go into that zip too."""


_ONE_PASS, _ONE_PASS_FROM_1 = Layout(), Layout(origin=1)
_GOT10K = Layout("{name}/{name}_{repetition:03d}.txt", "{name}/{name}_time.txt", repetitions=3)
_VOT = Layout(
    "baseline/{name}/{name}_{repetition:03d}.txt", "baseline/{name}/{name}_time.txt", repetitions=15, resets=True
)
LAYOUTS: dict[str, Layout] = {
    **dict.fromkeys(("otb2013", "otb50", "otb100", "uav123", "uav20l", "tc128"), _ONE_PASS_FROM_1),
    **dict.fromkeys(("lasot", "lasot-train", "lasot-ext"), _ONE_PASS_FROM_1),
    **dict.fromkeys(("nfs30", "nfs240", "trackingnet-train"), _ONE_PASS),
    **dict.fromkeys(("vot2016", "vot2017", "vot2018", "vot2019"), _VOT),
    **dict.fromkeys(("got10k-train", "got10k-val"), _GOT10K),
    "got10k-test": replace(_GOT10K, server=180),
    "trackingnet": Layout(server=511, zipped_times=False),
}
"""By the names of `pgnet.datasets.DATASETS`."""


@dataclass(frozen=True)
class RawResults:
    """The raw results of one tracker."""

    folder: Path
    layout: Layout

    def boxes_path(self, name: str, repetition: int = 1) -> Path:
        return self.folder / self.layout.boxes.format(name=name, repetition=repetition)

    def times_path(self, name: str) -> Path:
        return self.folder / self.layout.times.format(name=name)

    def write(self, name: str, run: Run, repetition: int = 1) -> None:
        """Store one repetition; those before it must be there.

        Raises:
            PgnetError: a file cannot be written.
        """
        boxes = run.boxes + [self.layout.origin, self.layout.origin, 0, 0]
        codes = np.full(len(boxes), TRACKED) if run.codes is None else run.codes
        lines = [
            ",".join(f"{value:.4f}" for value in box) if code == TRACKED else str(code)
            for box, code in zip(boxes.tolist(), codes.tolist(), strict=True)
        ]
        seconds = run.seconds[:, None]
        if repetition > 1:
            seconds = np.concatenate([self._times(name)[:, : repetition - 1], seconds], axis=1)
        path, times = self.boxes_path(name, repetition), self.times_path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic(path) as temporary:
            temporary.write_text("\n".join(lines) + "\n", encoding="ascii")
        with atomic(times) as temporary:
            np.savetxt(temporary, seconds, fmt="%.6f", delimiter=",")

    def read(self, name: str, repetition: int = 1) -> Run:
        """What `write` stored.

        Raises:
            PgnetError: a file is missing or damaged.
        """
        path = self.boxes_path(name, repetition)
        try:
            rows = [line.split(",") for line in path.read_text(encoding="ascii").split()]
            codes = np.array([int(row[0]) if len(row) == 1 else TRACKED for row in rows], np.int8)
            boxes = np.array([[float(v) for v in row] if len(row) > 1 else [np.nan] * 4 for row in rows])
            boxes -= [self.layout.origin, self.layout.origin, 0, 0]
        except (OSError, ValueError) as error:
            raise PgnetError(f"The boxes in {path} cannot be read: {error}.") from error
        seconds = self._times(name)
        if seconds.shape[0] != len(boxes) or seconds.shape[1] < repetition:
            raise PgnetError(f"The times in {self.times_path(name)} do not belong to {path}; remove both.")
        return Run(boxes, seconds[:, repetition - 1], None if (codes == TRACKED).all() else codes)

    def repetitions(self, name: str, frames: int) -> int:
        """How many repetitions of a sequence with so many frames are complete."""
        if not self.times_path(name).is_file():
            return 0
        times = self._times(name)
        done = 0
        while len(times) == frames and done < times.shape[1] and self._has(name, done + 1, frames):
            done += 1
        return done

    def _has(self, name: str, repetition: int, frames: int) -> bool:
        path = self.boxes_path(name, repetition)
        return path.is_file() and path.read_bytes().count(b"\n") == frames

    def _times(self, name: str) -> NDArray[np.float64]:
        """(N, R) seconds."""
        path = self.times_path(name)
        try:
            return np.loadtxt(path, delimiter=",", ndmin=2)
        except (OSError, ValueError) as error:
            raise PgnetError(f"The times in {path} cannot be read: {error}.") from error

    def same(self, name: str, repetitions: int) -> bool:
        """Whether the first so many repetitions of a sequence are equal to the last digit."""
        return len({self.boxes_path(name, number + 1).read_bytes() for number in range(repetitions)}) == 1

    def write_zip(self, path: Path, names: Iterable[str]) -> None:
        """Pack what the server takes of these sequences; the same results give the same bytes.

        Raises:
            PgnetError: the file cannot be written.
        """
        with atomic(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as file:
            for name in names:
                boxes = (self.boxes_path(name, number + 1) for number in range(self.layout.repetitions))
                paths = [path for path in boxes if path.is_file()]
                paths += [self.times_path(name)] if self.layout.zipped_times else []
                for source in paths:
                    entry = zipfile.ZipInfo(source.relative_to(self.folder).as_posix())  # of 1980, whatever the clock
                    file.writestr(entry, source.read_bytes(), zipfile.ZIP_DEFLATED)
