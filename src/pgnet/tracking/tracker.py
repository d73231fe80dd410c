"""Follow one object: `Tracker.init` on the first frame, `Tracker.update` on each that follows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pgnet import anchors
from pgnet.boxes import Boxes, check_target_box, clip, cxcywh_to_xywh, xywh_to_cxcywh
from pgnet.crop import mean_colour, search_side, square_crop, template_side
from pgnet.engine import Engine, Features, OnnxEngine
from pgnet.errors import PgnetError
from pgnet.models import ModelFile, resolve
from pgnet.tracking.frames import to_rgb
from pgnet.tracking.postprocess import Candidate, TrackingOptions, best_candidate, size_stretch, smooth_size

CALIBRATION_ZOOMS = (1.15, 1.0, 1 / 1.15)


@dataclass(frozen=True, eq=False)
class Prediction:
    """Where the target is in one frame."""

    box: Boxes
    """(4,) x, y, w, h in 0-based frame pixels, inside the frame."""
    score: float
    """Probability the network gives to the box being the target, 0 to 1."""


@dataclass(frozen=True, eq=False)
class _Target:
    """All that a tracker remembers from frame to frame; replaced, never changed."""

    features: Features
    centre: NDArray[np.float64]  # (2,) x, y in frame pixels
    size: NDArray[np.float64]  # (2,) w, h in frame pixels
    stretch: NDArray[np.float64]  # (2,) factors on the network's widths and heights
    smallest: NDArray[np.float64]  # (2,) lower limit of the size
    frame: tuple[int, int]  # height, width
    fill: tuple[float, ...]  # colour of what lies outside the frame: the first frame's mean, as SiamRPN trackers do


class Tracker:
    """Follows one object through the frames of a video; two trackers share nothing that changes.

    >>> tracker = Tracker.load("pgnet-lite")  # doctest: +SKIP
    >>> tracker.init(first_frame, (x, y, width, height))  # doctest: +SKIP
    >>> prediction = tracker.update(next_frame)  # doctest: +SKIP
    """

    def __init__(
        self, engine: Engine, options: TrackingOptions | None = None, grid: NDArray[np.float64] | None = None
    ) -> None:
        """Track with any engine.

        Args:
            engine: computes the network.
            options: post-processing; the defaults of `TrackingOptions` if not given.
            grid: (A, G, G, 4) anchors of the network; `pgnet.anchors.grid()` if not given.
        """
        self.engine = engine
        self.options = options or TrackingOptions()
        self._grid = anchors.grid() if grid is None else grid
        self._target: _Target | None = None

    @classmethod
    def load(
        cls,
        model: str | Path | ModelFile = "pgnet-lite",
        *,
        threads: int | None = None,
        options: TrackingOptions | None = None,
    ) -> Tracker:
        """A tracker with a model, by name or path, and the options tuned for it.

        Args:
            model: a name of `pgnet.models.available`, or the path of a .safetensors file.
            threads: for the network; by default as many as there are physical cores.
            options: instead of the model's own.

        Raises:
            PgnetError: unknown, damaged or incomplete model, or one whose crops or options this version cannot use.
        """
        file = model if isinstance(model, ModelFile) else resolve(model)
        metadata = file.metadata
        sizes = (metadata.get("template_size"), metadata.get("search_size"))
        if sizes != (anchors.TEMPLATE_SIZE, anchors.SEARCH_SIZE):
            raise PgnetError(f"{file.path} is made for crops of {sizes} pixels, which this version does not support.")
        try:
            options = options or TrackingOptions(**metadata.get("tracking", {}))
            described = metadata.get("anchors", {})
            grid = anchors.grid(
                stride=metadata.get("stride", anchors.STRIDE),
                scale=described.get("scale", anchors.SCALE),
                ratios=tuple(described.get("ratios", anchors.RATIOS)),
            )
        except (TypeError, AttributeError) as error:
            raise PgnetError(
                f"{file.path} asks for what this version does not know ({error}); update pgnet."
            ) from error
        return cls(OnnxEngine(file, threads), options, grid)

    def init(self, frame: NDArray[Any], box: ArrayLike, *, bgr: bool = False) -> None:
        """Start (or start again) with the target in a frame.

        Args:
            frame: the image, see `pgnet.tracking.frames.to_rgb`.
            box: the target's x, y, w, h in 0-based pixels.
            bgr: the frame's channels are in OpenCV's order.

        Raises:
            PgnetError: a frame or a box that cannot be used.
        """
        image = to_rgb(frame, bgr=bgr)
        height, width = image.shape[:2]
        centre, size = np.split(xywh_to_cxcywh(check_target_box(box, width, height)), 2)
        fill = mean_colour(image)
        side = template_side(size[0], size[1], self.options.context)
        crop = square_crop(image, centre[0], centre[1], side, anchors.TEMPLATE_SIZE, fill)
        self._target = _Target(
            features=self.engine.embed(crop[None]),
            centre=centre,
            size=size,
            stretch=np.ones(2),
            smallest=np.minimum(size, self.options.min_size),
            frame=(height, width),
            fill=fill,
        )
        if self.options.calibration:
            self._target = replace(self._target, stretch=self._calibrate(image, self._target))

    def _look(self, image: NDArray[np.uint8], target: _Target, zoom: float = 1.0) -> tuple[Candidate, float]:
        """The best candidate, and the search crop's pixels per pixel of the frame."""
        side = search_side(target.size[0], target.size[1], self.options.context) / zoom
        scale = anchors.SEARCH_SIZE / side
        crop = square_crop(image, target.centre[0], target.centre[1], side, anchors.SEARCH_SIZE, target.fill)
        cls, reg = self.engine.search(target.features, crop[None])
        width, height = target.size * scale
        return best_candidate(cls[0], reg[0], self._grid, (width, height), self.options, target.stretch), scale

    def _calibrate(self, image: NDArray[np.uint8], target: _Target) -> NDArray[np.float64]:
        """Look at the first frame itself, in three sizes, and compare with the box that was given."""
        found = []
        for zoom in CALIBRATION_ZOOMS:
            best, scale = self._look(image, target, zoom)
            found.append(best.box[2:] / scale)
        return size_stretch(target.size, np.array(found), self.options.calibration)

    def update(self, frame: NDArray[Any], *, bgr: bool = False) -> Prediction:
        """Find the target in the next frame.

        Args:
            frame: an image of the first one's size.
            bgr: the frame's channels are in OpenCV's order.

        Raises:
            PgnetError: `init` was not called, or a frame that cannot be used.
        """
        target = self._target
        if target is None:
            raise PgnetError("The tracker has no target yet; call init(frame, box) before update(frame).")
        image = to_rgb(frame, bgr=bgr)
        height, width = target.frame
        if image.shape[:2] != target.frame:
            raise PgnetError(
                f"The frame size changed from {width} x {height} to {image.shape[1]} x {image.shape[0]}; "
                "start again with init(frame, box)."
            )
        best, scale = self._look(image, target)
        limit = np.array([width, height], np.float64)
        centre = target.centre + (best.box[:2] - anchors.SEARCH_SIZE / 2) / scale
        size = smooth_size(target.size, best.box[2:] / scale, best, self.options.size_lr)
        self._target = replace(target, centre=np.clip(centre, 0, limit), size=np.clip(size, target.smallest, limit))
        box = cxcywh_to_xywh(np.concatenate([self._target.centre, self._target.size]))
        return Prediction(clip(box, width, height), best.score)
