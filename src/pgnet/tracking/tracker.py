"""Follow objects: `Tracker` one, `MultiTracker` several, whose crops go through the network as one batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pgnet import anchors
from pgnet.boxes import Boxes, check_target_box, clip, cxcywh_to_xywh, xywh_to_cxcywh
from pgnet.crop import mean_colour, search_side, square_crop, template_side
from pgnet.engine import Engine, Features, load_engine
from pgnet.errors import PgnetError
from pgnet.models import ModelFile, resolve
from pgnet.tracking.colours import Colours, Histogram, colours_in
from pgnet.tracking.frames import to_rgb
from pgnet.tracking.postprocess import Candidate, TrackingOptions, best_candidate, size_stretch, smooth_size
from pgnet.tracking.presence import LOST, PRESENT, Belief, Evidence, Presence, gather, logit, next_belief

CALIBRATION_ZOOMS = (1.15, 1.0, 1 / 1.15)
CERTAIN = 0.8
"""Probability from which the colours in a box are taken for the target's, and from which it is followed elsewhere, if
its odds are so much better than here as they are better than even."""
VERY_CERTAIN = 0.9
"""Likewise, where it would be seen from its other side: two looks are more easily mistaken for something else."""
UNSURE = 5
"""Frames in a row without a sure one after which a target is looked for elsewhere, too."""
REACH = 0.7
"""Part of a search crop's side in which targets are found for certain: places to look at are so far from each other."""


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
    mirrored: Features  # of its mirror image
    centre: NDArray[np.float64]  # (2,) x, y in frame pixels
    size: NDArray[np.float64]  # (2,) w, h in frame pixels
    stretch: NDArray[np.float64]  # (2,) factors on the network's widths and heights
    smallest: NDArray[np.float64]  # (2,) lower limit of the size
    frame: tuple[int, int]  # height, width
    colours: Colours
    belief: Belief
    known: tuple[NDArray[np.float64], NDArray[np.float64]]  # centre and size when it was last present
    searched: int  # frames in which it has been looked for elsewhere since it was last present
    motion: float  # mean way from frame to frame in target sizes, the last frames weighed most
    fill: tuple[float, ...]  # colour of what lies outside the frame: the first frame's mean, as SiamRPN trackers do

    @property
    def searching(self) -> bool:
        """Whether it is to be looked for elsewhere, too: little speaks for where the box is."""
        belief = self.belief
        return belief.unsure >= UNSURE or (belief.state == LOST and not belief.proof)


State = _Target
"""What `MultiTracker` knows of a target in a frame; nothing to look into."""


class _Look(NamedTuple):
    """A search crop to be cut and searched."""

    target: _Target  # its centre is the crop's
    options: TrackingOptions
    zoom: float = 1.0  # the target appears this much larger than usual
    size: int = anchors.SEARCH_SIZE  # of the crop in its own pixels
    least: float = 0.0  # probability from which the target is followed there


class _Found(NamedTuple):
    """What a look at a search crop gave."""

    candidate: Candidate  # in crop pixels
    centre: NDArray[np.float64]  # (2,) x, y in frame pixels
    size: NDArray[np.float64]  # (2,) w, h in frame pixels
    colours: Histogram
    evidence: Evidence
    probability: float


class _Method:
    """What `Tracker` and `MultiTracker` share: the network, how its outputs are read, and the targets."""

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
        whole = anchors.grid() if grid is None else grid
        self._targets: dict[int, _Target] = {}
        self._grids = {anchors.SEARCH_SIZE: whole, anchors.NEAR_SIZE: anchors.near(whole)}

    def __copy__(self) -> Self:
        """One with the same network that goes its own way from here on."""
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__, _targets=dict(self._targets))
        return other

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
    ) -> Self:
        """One with a model, by name or path, and the options tuned for it.

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

    def _begin(self, image: NDArray[np.uint8], box: ArrayLike) -> _Target:
        """The state of a target that a person has marked in an (H, W, 3) RGB frame.

        Raises:
            PgnetError: a box that cannot be used.
        """
        height, width = image.shape[:2]
        centre, size = np.split(xywh_to_cxcywh(check_target_box(box, width, height)), 2)
        fill = mean_colour(image)
        side = template_side(size[0], size[1], self.options.context)
        crop = square_crop(image, centre[0], centre[1], side, anchors.TEMPLATE_SIZE, fill)
        embedded = self.engine.embed(np.stack([crop, crop[:, ::-1]]))
        features, mirrored = ([level[i : i + 1] for level in embedded] for i in (0, 1))
        target = _Target(
            features=features,
            mirrored=mirrored,
            centre=centre,
            size=size,
            stretch=np.ones(2),
            smallest=np.minimum(size, self.options.min_size),
            frame=(height, width),
            colours=Colours.of(image, centre, size),
            belief=Belief(),
            known=(centre, size),
            searched=0,
            motion=1.0,
            fill=fill,
        )
        return self._calibrate(image, target)

    def _calibrate(self, image: NDArray[np.uint8], target: _Target) -> _Target:
        """Look at the first frame itself, in three zooms: what size does the network see?"""
        found = self._look(image, [_Look(target, self.options, zoom) for zoom in CALIBRATION_ZOOMS])
        stretch = size_stretch(target.size, np.array([look.size for look in found]), self.options.calibration)
        return replace(target, stretch=stretch)

    def _look(self, image: NDArray[np.uint8], looks: Sequence[_Look]) -> list[_Found]:
        """The best candidate in each search crop; all crops of one size are one batch."""
        found: dict[int, _Found] = {}
        for size in {look.size for look in looks}:
            batch = {i: look for i, look in enumerate(looks) if look.size == size}
            sides, crops = [], []
            for target, _, zoom, _, _ in batch.values():
                sides.append(search_side(target.size[0], target.size[1], self.options.context, size) / zoom)
                crops.append(square_crop(image, target.centre[0], target.centre[1], sides[-1], size, target.fill))
            levels = zip(*(look.target.features for look in batch.values()), strict=True)
            outputs = self.engine.search([np.concatenate(level) for level in levels], np.stack(crops))
            for (i, look), side, cls, reg in zip(batch.items(), sides, *outputs, strict=True):
                found[i] = self._found(image, look, size / side, cls, reg)
        return [found[i] for i in range(len(looks))]

    def _found(
        self,
        image: NDArray[np.uint8],
        look: _Look,
        scale: float,
        cls: NDArray[np.float32],
        reg: NDArray[np.float32],
    ) -> _Found:
        """The best candidate in a crop of that many pixels for each of the frame."""
        target = look.target
        width, height = target.size * scale
        best = best_candidate(cls, reg, self._grids[look.size], (width, height), look.options, target.stretch)
        centre = target.centre + (best.box[:2] - look.size / 2) / scale
        size = best.box[2:] / scale
        colours = colours_in(image, centre, size)
        evidence = gather(best, target.colours.likeness(colours))
        return _Found(best, centre, size, colours, evidence, self.presence.probability(evidence))

    def _advance(self, image: NDArray[np.uint8]) -> dict[int, Prediction]:
        """Find the targets in the next frame.

        Raises:
            PgnetError: the frame has another size than the one before.
        """
        targets = list(self._targets.values())
        _check_size(image, targets)
        # What is not seen well and is not just being found again is looked for elsewhere, too.
        looks = [
            [
                _Look(target, self.options, size=self._crop_size(target)),
                *(self._elsewhere(target) if target.searching and self.options.redetect else ()),
            ]
            for target in targets
        ]
        found = iter(self._look(image, [look for own in looks for look in own]))
        predictions: dict[int, Prediction] = {}
        for id, target, own in zip(self._targets, targets, looks, strict=True):
            predictions[id], self._targets[id] = self._follow(target, [(look, next(found)) for look in own])
        return predictions

    def _crop_size(self, target: _Target) -> int:
        still = target.belief.state == PRESENT and target.motion < self.options.near
        return anchors.NEAR_SIZE if still else anchors.SEARCH_SIZE

    def _elsewhere(self, target: _Target) -> tuple[_Look, _Look]:
        """Where else a target may be: in one more place; and its mirror image, here and in another place by turns."""
        places, anywhere = _places(target, self.options.context), replace(self.options, window_influence=0.0)
        turned = replace(target, features=target.mirrored, mirrored=target.features)

        def look(seen: _Target, number: int, least: float) -> _Look:
            there = replace(seen, centre=places[number % len(places)], size=target.known[1])
            return _Look(there, anywhere, least=least)

        here = _Look(turned, self.options, least=VERY_CERTAIN)
        number, moved = divmod(target.searched, 2)
        return look(target, target.searched, CERTAIN), look(turned, number, VERY_CERTAIN) if moved else here

    def _follow(self, target: _Target, seen: list[tuple[_Look, _Found]]) -> tuple[Prediction, _Target]:
        """What a target's look says, or one of the others' if it is there and not here."""
        (_, found), *others = seen
        if others:
            target = replace(target, searched=target.searched + 1)
        likely = [(look, other) for look, other in others if other.probability >= look.least]
        jumped = False
        if likely:
            look, best = max(likely, key=lambda pair: pair[1].probability)
            if logit(best.probability) - logit(found.probability) >= logit(CERTAIN):
                found, there = best, look.target
                jumped = there.centre is not target.centre
                target = replace(target, features=there.features, mirrored=there.mirrored, size=there.size)
        height, width = target.frame
        limit = np.array([width, height], np.float64)
        size = smooth_size(target.size, found.size, found.candidate, self.options.size_lr)
        centre, size = np.clip(found.centre, 0, limit), np.clip(size, target.smallest, limit)
        moved = float(np.hypot(*(centre - target.centre)) / np.sqrt(target.size.prod()))
        belief = next_belief(target.belief, found.probability, self.presence.proof(found.evidence), self.presence)
        if jumped:  # the look was taken because it is good, so it proves nothing
            belief = Belief(LOST)
        target = replace(target, centre=centre, size=size, belief=belief, motion=(target.motion + moved) / 2)
        if belief.state == PRESENT:
            colours = target.colours.followed(found.colours) if found.probability >= CERTAIN else target.colours
            target = replace(target, known=(centre, size), searched=0, colours=colours)
        prediction = Prediction(
            clip(cxcywh_to_xywh(np.concatenate([centre, size])), width, height),
            found.candidate.score,
            found.probability,
            belief.state,
            found.evidence,
        )
        return prediction, target


class Tracker(_Method):
    """Follows one object through the frames of a video; two trackers share nothing that changes.

    >>> tracker = Tracker.load("pgnet-lite")  # doctest: +SKIP
    >>> tracker.init(first_frame, (x, y, width, height))  # doctest: +SKIP
    >>> prediction = tracker.update(next_frame)  # doctest: +SKIP
    """

    def init(self, frame: NDArray[Any], box: ArrayLike, *, bgr: bool = False) -> None:
        """Start (or start again) with the target in a frame.

        Args:
            frame: the image, see `pgnet.tracking.frames.to_rgb`.
            box: the target's x, y, w, h in 0-based pixels.
            bgr: the frame's channels are in OpenCV's order.

        Raises:
            PgnetError: a frame or a box that cannot be used.
        """
        self._targets[1] = self._begin(to_rgb(frame, bgr=bgr), box)

    def update(self, frame: NDArray[Any], *, bgr: bool = False) -> Prediction:
        """Find the target in the next frame.

        Args:
            frame: an image of the first one's size.
            bgr: the frame's channels are in OpenCV's order.

        Raises:
            PgnetError: `init` was not called, or a frame that cannot be used.
        """
        if not self._targets:
            raise PgnetError("The tracker has no target yet; call init(frame, box) before update(frame).")
        return self._advance(to_rgb(frame, bgr=bgr))[1]


class MultiTracker(_Method):
    """Follows several objects, which may start and stop at different frames; their crops are one batch.

    >>> tracker = MultiTracker.load("pgnet-lite")  # doctest: +SKIP
    >>> tracker.start(1, first_frame, (x, y, width, height))  # doctest: +SKIP
    >>> tracker.start(2, first_frame, other_box)  # doctest: +SKIP
    >>> predictions = tracker.update(next_frame)  # doctest: +SKIP
    >>> predictions[2].box  # doctest: +SKIP

    Each gets the same boxes as from a `Tracker` of its own.
    """

    @property
    def ids(self) -> list[int]:
        """Of the targets that are followed, in the order of their start."""
        return list(self._targets)

    def start(self, id: int, frame: NDArray[Any], box: ArrayLike, *, bgr: bool = False) -> None:
        """Follow a target from this frame on; one with this id that is followed already starts again.

        Args:
            id: tells the targets apart.
            frame: the image, see `pgnet.tracking.frames.to_rgb`.
            box: the target's x, y, w, h in 0-based pixels.
            bgr: the frame's channels are in OpenCV's order.

        Raises:
            PgnetError: a frame or a box that cannot be used, or a frame of another size than the other targets'.
        """
        image = to_rgb(frame, bgr=bgr)
        _check_size(image, [target for other, target in self._targets.items() if other != id])
        self._targets[id] = self._begin(image, box)

    def move(self, id: int, box: ArrayLike, state: str = PRESENT) -> None:
        """Go on as if a target had just been found here: to continue where an earlier run ended.

        Args:
            id: of a target that is followed.
            box: x, y, w, h in 0-based pixels, from an earlier prediction.
            state: likewise.

        Raises:
            KeyError: no such target is followed.
        """
        centre, size = np.split(xywh_to_cxcywh(np.asarray(box, np.float64)), 2)
        target = self._targets[id]
        size = np.maximum(size, target.smallest)
        self._targets[id] = replace(target, centre=centre, size=size, known=(centre, size), belief=Belief(state))

    def stop(self, id: int) -> State:
        """Follow a target no longer -> what was known of it, for `resume`.

        Raises:
            KeyError: no such target is followed.
        """
        return self._targets.pop(id)

    def resume(self, id: int, state: State) -> None:
        """Follow a target on from where it was stopped; the next frame may be the one before or after."""
        self._targets[id] = state

    def update(self, frame: NDArray[Any], *, bgr: bool = False) -> dict[int, Prediction]:
        """Find the targets in the next frame -> a prediction for each id, none where no target is followed.

        Args:
            frame: an image of the size of the frames before.
            bgr: the frame's channels are in OpenCV's order.

        Raises:
            PgnetError: a frame that cannot be used.
        """
        return self._advance(to_rgb(frame, bgr=bgr))


def _check_size(image: NDArray[np.uint8], targets: Sequence[_Target]) -> None:
    """Raises: PgnetError where a target was followed in frames of another size."""
    for height, width in {target.frame for target in targets} - {image.shape[:2]}:
        raise PgnetError(
            f"The frame size changed from {width} x {height} to {image.shape[1]} x {image.shape[0]}; "
            "start again with a box in this frame."
        )


def _places(target: _Target, context: float) -> list[NDArray[np.float64]]:
    """Centres of search crops that cover the frame, those near where the target was last present first."""
    centre, size = target.known
    step = REACH * search_side(size[0], size[1], context)
    columns, rows = (
        (np.arange(count) + 0.5) * extent / count
        for extent, count in ((extent, int(np.ceil(extent / step))) for extent in target.frame[::-1])
    )
    places = [np.array([x, y], np.float64) for y in rows for x in columns]
    return sorted(places, key=lambda place: float(np.hypot(*(place - centre))))
