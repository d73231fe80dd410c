"""A tracker for the experiments of the GOT-10k toolkit (https://github.com/got-10k/toolkit, pip install got10k)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from pgnet.boxes import Boxes
from pgnet.errors import PgnetError
from pgnet.models import ModelFile
from pgnet.tracking import Tracker


def got10k_tracker(
    model: str | Path | ModelFile | Tracker = "pgnet-lite",
    *,
    name: str = "",
    threads: int | None = None,
    origin: int = 1,
) -> Any:
    """A `got10k.trackers.Tracker` for `got10k.experiments`: ``ExperimentOTB(root).run(got10k_tracker())``.

    Args:
        model: see `pgnet.Tracker.load`, or a loaded tracker.
        name: of the folder with its results; "PGNet" if not given.
        threads: for the network.
        origin: number that the data set gives the first pixel, as the toolkit hands its boxes on as they are: 1 in
            OTB, LaSOT, UAV123, TColor128; 0 in GOT-10k, VOT, TrackingNet, NfS.

    Raises:
        PgnetError: the toolkit is not installed, or an unknown or damaged model.
    """
    try:
        from got10k.trackers import Tracker as Base
    except ImportError as error:
        raise PgnetError(
            f"The GOT-10k toolkit cannot be imported ({error}); install it with pip install got10k six."
        ) from error

    shift = np.array([origin, origin, 0, 0], np.float64)

    class PGNet(Base):  # type: ignore[misc]  # the toolkit has no types
        def __init__(self) -> None:
            super().__init__(name=name or "PGNet", is_deterministic=True)
            self.tracker = model if isinstance(model, Tracker) else Tracker.load(model, threads=threads)

        def init(self, image: Any, box: Boxes) -> None:
            self.tracker.init(np.asarray(image), box - shift)

        def update(self, image: Any) -> Boxes:
            return self.tracker.update(np.asarray(image)).box + shift

    return PGNet()
