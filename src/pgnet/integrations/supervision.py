"""Predictions as detections of supervision (https://supervision.roboflow.com), to draw, count and filter with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pgnet.boxes import xywh_to_xyxy
from pgnet.errors import PgnetError
from pgnet.tracking import Prediction
from pgnet.tracking.presence import LOST


def to_detections(predictions: Prediction | Mapping[int, Prediction], class_id: int = 0) -> Any:
    """A `supervision.Detections` of the targets in one frame that are not lost.

    Args:
        predictions: of one target, or of several by their ids.
        class_id: of all of them.

    Returns:
        Boxes as left, top, right, bottom in 0-based pixels, scores as confidence, ids as tracker_id (1 for one target).

    Raises:
        PgnetError: supervision is not installed.
    """
    try:
        from supervision import Detections
    except ImportError as error:
        raise PgnetError(
            f"supervision cannot be imported ({error}); install it with pip install supervision."
        ) from error

    by_id = {1: predictions} if isinstance(predictions, Prediction) else predictions
    seen = {number: prediction for number, prediction in by_id.items() if prediction.state != LOST}
    return Detections(
        xyxy=xywh_to_xyxy([prediction.box for prediction in seen.values()] or np.empty((0, 4))),
        confidence=np.array([prediction.score for prediction in seen.values()], np.float64),
        class_id=np.full(len(seen), class_id),
        tracker_id=np.array(list(seen), np.int64),
    )
