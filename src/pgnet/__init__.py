"""PG-Net for people who have a video and an object in it.

`Tracker` follows one object: give it a frame and a box, then frame after frame. Names load on first use, so
`import pgnet` costs nothing; no part of the package but `pgnet.nn` and `pgnet.training` imports torch.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pgnet.errors import PgnetError
    from pgnet.results import Track
    from pgnet.tracking import Prediction, Tracker, TrackingOptions
    from pgnet.video import VideoWriter, open_source

__version__ = "0.1.0"

# Else ONNX Runtime (1.29 and later) tells its maker which models are loaded, and keeps an identifier in the home.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

_HOME = {
    "PgnetError": "pgnet.errors",
    "Prediction": "pgnet.tracking",
    "Track": "pgnet.results",
    "Tracker": "pgnet.tracking",
    "TrackingOptions": "pgnet.tracking",
    "VideoWriter": "pgnet.video",
    "open_source": "pgnet.video",
}

__all__ = [
    "PgnetError",
    "Prediction",
    "Track",
    "Tracker",
    "TrackingOptions",
    "VideoWriter",
    "__version__",
    "open_source",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
