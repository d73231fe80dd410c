"""Follow one object: `Tracker.init` on the first frame, `Tracker.update` on each that follows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pgnet import anchors
from pgnet.boxes import Boxes, check_target_box, clip, cxcywh_to_xywh, xywh_to_cxcywh
from pgnet.crop import mean_colour, search_side, square_crop, template_side
from pgnet.engine import Engine, Features, load_engine
from pgnet.errors import PgnetError
from pgnet.models import ModelFile, resolve
from pgnet.tracking.frames import to_rgb
from pgnet.tracking.postprocess import Candidate, TrackingOptions, best_candidate, size_stretch, smooth_size
from pgnet.tracking.presence import LOST, PRESENT, Evidence, Presence, gather, next_state

CALIBRATION_ZOOMS = (1.15, 1.0, 1 / 1.15)


@dataclass(frozen=True, eq=False)
class Prediction:
    """Where the target is in one frame."""

    box: Boxes
    """(4,) x, y, w, h in 0-based frame pixels, inside the frame."""
    score: float
    """Probability the network gives to the box being the target, 0 to 1."""
    presence: float = 1.0
    """Estimated probability that the box overlaps the target by 0.5 or more."""
    state: str = PRESENT
    """"present", "uncertain" or "lost"."""
    evidence: Evidence | None = None
    """What the probability was made of."""


@dataclass(frozen=True, eq=False)
class _Target:
    """All that a tracker remembers from frame to frame; replaced, never changed."""

    features: Features
    centre: NDArray[np.float64]  # (2,) x, y in frame pixels
    size: NDArray[np.float64]  # (2,) w, h in frame pixels
    stretch: NDArray[np.float64]  # (2,) factors on the network's widths and heights
    smallest: NDArray[np.float64]  # (2,) lower limit of the size
    frame: tuple[int, int]  # height, width
    reference: float  # logit of the target's own score on the first frame
    recent: float  # mean logit of the last frames
    state: str
    doubts: int  # frames in a row that speak for a loss
    tile: int  # next place to look at while lost, see `_places`
    fill: tuple[float, ...]  # colour of what lies outside the frame: the first frame's mean, as SiamRPN trackers do


class _Found(NamedTuple):
    """What a look at a search crop gave."""

    candidate: Candidate  # in crop pixels
    centre: NDArray[np.float64]  # (2,) x, y in frame pixels
    size: NDArray[np.float64]  # (2,) w, h in frame pixels
    evidence: Evidence
    probability: float


class Tracker:
    """Follows one object through the frames of a video; two trackers share nothing that changes.

    >>> tracker = Tracker.load("pgnet-lite")  # doctest: +SKIP
    >>> tracker.init(first_frame, (x, y, width, height))  # doctest: +SKIP
    >>> prediction = tracker.update(next_frame)  # doctest: +SKIP
    """

    def __init__(
        self,
        engine: Engine,
        options: TrackingOptions | None = None,
        grid: NDArray[np.float64] | None = None,
        presence: Presence | None = None,
    ) -> None:
        """Track with any engine.

        Args:
            engine: computes the network.
            options: post-processing; the defaults of `TrackingOptions` if not given.
            grid: (A, G, G, 4) anchors of the network; `pgnet.anchors.grid()` if not given.
            presence: the model of presence; the default weights of `Presence` if not given.
        """
        self.engine = engine
        self.options = options or TrackingOptions()
        self.presence = presence or Presence()
        self._grid = anchors.grid() if grid is None else grid
        self._target: _Target | None = None

    @classmethod
    def load(
        cls,
        model: str | Path | ModelFile = "pgnet-lite",
        *,
        engine: str = "onnxruntime",
        device: str = "auto",
        threads: int | None = None,
        half: bool = False,
        options: TrackingOptions | None = None,
    ) -> Tracker:
        """A tracker with a model, by name or path, and the options tuned for it.

        Args:
            model: a name of `pgnet.models.available`, or the path of a .safetensors file.
            engine, device, threads, half: what computes the network and how, see `pgnet.engine.load_engine`.
            options: instead of the model's own.

        Raises:
            PgnetError: unknown, damaged or incomplete model, or one whose crops or options this version cannot use; an
                engine that is not installed or cannot do what is asked for.
        """
        file = model if isinstance(model, ModelFile) else resolve(model)
        metadata = file.metadata
        sizes = (metadata.get("template_size"), metadata.get("search_size"))
        if sizes != (anchors.TEMPLATE_SIZE, anchors.SEARCH_SIZE):
            raise PgnetError(f"{file.path} is made for crops of {sizes} pixels, which this version does not support.")
        try:
            options = options or TrackingOptions(**metadata.get("tracking", {}))
            presence = Presence(**metadata["presence"]) if "presence" in metadata else None
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
        return cls(load_engine(file, engine, device, threads, half=half), options, grid, presence)

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
            reference=0.0,
            recent=0.0,
            state=PRESENT,
            doubts=0,
            tile=0,
            fill=fill,
        )
        self._target = self._calibrate(image, self._target)

    def _look(
        self, image: NDArray[np.uint8], target: _Target, zoom: float = 1.0, options: TrackingOptions | None = None
    ) -> _Found:
        """The best candidate in the search crop around the target's last position."""
        side = search_side(target.size[0], target.size[1], self.options.context) / zoom
        scale = anchors.SEARCH_SIZE / side
        crop = square_crop(image, target.centre[0], target.centre[1], side, anchors.SEARCH_SIZE, target.fill)
        cls, reg = self.engine.search(target.features, crop[None])
        width, height = target.size * scale
        best = best_candidate(cls[0], reg[0], self._grid, (width, height), options or self.options, target.stretch)
        shift = best.box[:2] - anchors.SEARCH_SIZE / 2
        evidence = gather(best, (width, height), float(np.hypot(*shift)), target.recent, target.reference)
        return _Found(
            best, target.centre + shift / scale, best.box[2:] / scale, evidence, self.presence.probability(evidence)
        )

    def _look_around(self, image: NDArray[np.uint8], target: _Target, here: _Found) -> tuple[_Found, _Target]:
        """While lost: also look at one more place of the frame, and go there if that is far better evidence."""
        places = _places(target)
        there = replace(target, centre=places[target.tile % len(places)])
        found = self._look(image, there, options=replace(self.options, window_influence=0.0))
        target = replace(target, tile=target.tile + 1)
        if found.probability >= self.presence.sure and found.probability > here.probability:
            return found, replace(target, tile=0)
        return here, target

    def _calibrate(self, image: NDArray[np.uint8], target: _Target) -> _Target:
        """Look at the first frame itself, in three sizes: how sure is the network, and what size does it see?"""
        found, sure = [], []
        for zoom in CALIBRATION_ZOOMS:
            look = self._look(image, target, zoom)
            found.append(look.size)
            sure.append(look.evidence.logit)
        stretch = size_stretch(target.size, np.array(found), self.options.calibration)
        reference = float(np.mean(sure))
        return replace(target, stretch=stretch, reference=reference, recent=reference)

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
        found = self._look(image, target)
        if target.state == LOST and self.options.redetect:
            found, target = self._look_around(image, target, found)
        limit = np.array([width, height], np.float64)
        size = smooth_size(target.size, found.size, found.candidate, self.options.size_lr)
        state, doubts = next_state(target.state, target.doubts, found.probability, self.presence)
        self._target = replace(
            target,
            centre=np.clip(found.centre, 0, limit),
            size=np.clip(size, target.smallest, limit),
            recent=found.evidence.recent,
            state=state,
            doubts=doubts,
        )
        box = cxcywh_to_xywh(np.concatenate([self._target.centre, self._target.size]))
        return Prediction(clip(box, width, height), found.candidate.score, found.probability, state, found.evidence)


def _places(target: _Target) -> list[NDArray[np.float64]]:
    """Centres of search crops that cover the frame and overlap by half, those near the last position first."""
    height, width = target.frame
    step = search_side(target.size[0], target.size[1]) / 2
    columns, rows = (
        np.linspace(0, extent, max(2, int(np.ceil(extent / step)) + 1))[1:-1] if extent > 2 * step else [extent / 2]
        for extent in (width, height)
    )
    places = [np.array([x, y], np.float64) for y in rows for x in columns]
    return sorted(places, key=lambda place: float(np.hypot(*(place - target.centre))))
