"""From the network's outputs to one box: the inference of SiamRPN (CVPR 2018) and DaSiamRPN (ECCV 2018), in numpy.

Candidate boxes are decoded from the anchors, those that change size or shape much are penalised, a cosine window
prefers those near the last position, and the size of the best one is blended into the last size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pgnet.anchors import decode
from pgnet.boxes import Boxes, cxcywh_to_xywh, iou
from pgnet.errors import PgnetError

Array = NDArray[np.float64]

MAX_ERROR = math.log(1.8)
"""Of a size, as a logarithm, that calibration still believes."""


@dataclass(frozen=True)
class TrackingOptions:
    """How candidates are weighed; the defaults are SiamRPN++'s, a model file brings its own.

    Raises:
        PgnetError: a value is out of range.
    """

    penalty_k: float = 0.05
    """Strength of the penalty on changes of size and shape; 0 is none."""
    window_influence: float = 0.42
    """Share of the cosine window in the final score, 0 to 1."""
    size_lr: float = 0.38
    """How fast the size follows the best candidate, 0 (fixed size) to 1, before it is scaled by the score."""
    calibration: float = 0.0
    """Share of the size error seen on the first frame, where the size is known, that later sizes are freed of, 0 to 1.

    PG-Corr tells nothing of the template's extent (its result depends on Z Z^T alone), so without this the network
    gives the outline that such things usually have, not the one that was asked for."""
    vote_iou: float = 1.0
    """The box is the mean of the candidates that overlap the best one this much, weighed by their squared scores."""
    near: float = 0.0
    """A present target that moves less than this from frame to frame, in target sizes, is searched in a smaller crop.

    Needs a network whose search takes `pgnet.anchors.NEAR_SIZE`, too; 0 is never."""
    redetect: bool = True
    """While the target is lost or long uncertain, look for it in the rest of the frame, one place per frame."""
    context: float = 0.5
    """Context around the target as a share of width + height; as in training."""
    min_size: float = 10.0
    """Smallest width and height in pixels; a target that starts smaller may stay as small as it was."""

    def __post_init__(self) -> None:
        limits = dict.fromkeys(("window_influence", "size_lr", "calibration", "vote_iou"), 1.0)
        for field in fields(self):
            value, limit = getattr(self, field.name), limits.get(field.name, math.inf)
            if isinstance(field.default, bool) and isinstance(value, bool):
                continue
            if not (isinstance(value, int | float) and math.isfinite(value) and 0 <= value <= limit):
                allowed = "0 or more" if limit == math.inf else f"0 to {limit:g}"
                raise PgnetError(f"The tracking option {field.name} is {value!r}; it must be {allowed}.")


class Candidate(NamedTuple):
    """The chosen box, in search-crop pixels."""

    box: Boxes
    """(4,) centre x, centre y, w, h."""
    score: float
    """Probability that it is the target, 0 to 1."""
    penalty: float
    """What its change of size and shape left of the score, 0 to 1."""


def target_scores(cls: NDArray[np.float32]) -> Array:
    """Logits (2 * A, H, W), channel = class * A + anchor -> (A, H, W) softmax probabilities of class 1."""
    background, target = np.asarray(cls, np.float64).reshape(2, -1, *cls.shape[1:])
    return 0.5 * (1 + np.tanh((target - background) / 2))  # the sigmoid, without overflow


def candidate_boxes(anchors: Array, reg: NDArray[np.float32]) -> Boxes:
    """Offsets (4 * A, H, W), channel = coordinate * A + anchor, for (A, H, W, 4) anchors -> boxes of that shape."""
    return decode(anchors, np.moveaxis(np.asarray(reg, np.float64).reshape(4, *anchors.shape[:3]), 0, -1))


def change_penalty(boxes: Boxes, width: float, height: float, k: float) -> Array:
    """exp(-k (r s - 1)) of (..., 4) boxes against a size in the same pixels -> (...), 1 where nothing changes.

    s is the change of the padded size sqrt((w + p)(h + p)) with p = (w + h) / 2, r that of the ratio w / h, both as
    factors of at least 1.
    """

    def change(ratio: Array) -> Array:
        return np.maximum(ratio, 1 / ratio)

    # Sums and products along an axis of two cost numpy five times as much as the two columns.
    w, h = boxes[..., 2], boxes[..., 3]
    p, padding = (w + h) / 2, (width + height) / 2
    s = change(np.sqrt((w + p) * (h + p)) / math.sqrt((width + padding) * (height + padding)))
    r = change(w / h / (width / height))
    return np.exp(-k * (r * s - 1))


@cache
def cosine_window(size: int) -> Array:
    """(size, size) Hann window, 1 in the middle; not to be written to."""
    window = np.outer(np.hanning(size), np.hanning(size))
    window.flags.writeable = False  # everyone gets the same one
    return window


def best_candidate(
    cls: NDArray[np.float32],
    reg: NDArray[np.float32],
    anchors: Array,
    size: tuple[float, float],
    options: TrackingOptions,
    stretch: ArrayLike = 1.0,
) -> Candidate:
    """The candidate to follow, from one target's outputs.

    Args:
        cls: (2 * A, G, G) logits.
        reg: (4 * A, G, G) offsets.
        anchors: (A, G, G, 4) as `pgnet.anchors.grid` gives them.
        size: the target's width and height so far, in search-crop pixels.
        options: weights of penalty and window.
        stretch: factor or factors (of width, height) on the candidates' sizes, from `size_stretch`.
    """
    scores = target_scores(cls)
    candidates = candidate_boxes(anchors, reg)
    candidates[..., 2:] *= np.asarray(stretch, np.float64)
    penalty = change_penalty(candidates, *size, options.penalty_k)
    window = cosine_window(scores.shape[-1])
    weighed = penalty * scores * (1 - options.window_influence) + window * options.window_influence
    best = np.unravel_index(np.argmax(weighed), weighed.shape)
    box, score = candidates[best], scores[best]
    if options.vote_iou < 1:
        voting = iou(cxcywh_to_xywh(candidates), cxcywh_to_xywh(box)) >= options.vote_iou
        voting[best] = True  # also a box without extent
        voters = candidates[voting]
        voters[:, 2:] = np.log(voters[:, 2:])
        box = _mean(voters, np.maximum(penalty[voting] * scores[voting], 1e-9) ** 2)
        box[2:] = np.exp(box[2:])
    return Candidate(box, float(score), float(penalty[best]))


def _mean(values: Array, weights: Array) -> Array:
    """Weighted mean of (n, m) values over n; numpy's average takes ten times as long for such small ones."""
    return weights @ values / weights.sum()


def size_stretch(known: Array, found: Array, calibration: float) -> Array:
    """Factors that free later sizes of the error seen where the size was known.

    Args:
        known: (n, 2) true widths and heights, in any pixels.
        found: (n, 2) what the network gave, in the same pixels.
        calibration: share of the error to correct.

    Returns:
        (2,) factors of width and height, at most 1.8 either way: a greater error was no look at the target.
    """
    error = np.log(known / found).mean(0)
    return np.exp(calibration * np.clip(error, -MAX_ERROR, MAX_ERROR))


def smooth_size(old: Array, new: Array, candidate: Candidate, lr: float) -> Array:
    """Blend (2,) sizes: the surer the candidate and the smaller its change, the more of the new one."""
    rate = candidate.penalty * candidate.score * lr
    return old * (1 - rate) + new * rate
