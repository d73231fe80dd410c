"""Pairs: the target is where the box says, and pair i is always the same."""

from pathlib import Path

import numpy as np
import pytest
import torch

from pgnet import anchors
from pgnet.errors import PgnetError
from pgnet.training.annotations import Frames, Target, Video
from pgnet.training.pairs import Pair, PairDataset, PairOptions, _View
from pgnet.training.sources import DataSet, Sources, read_sources

KINDS = ("video", "still", "composed", "region")


def only(kind: str, **options: float) -> PairOptions:
    return PairOptions(**{**dict.fromkeys(KINDS, 0.0), kind: 1.0, **options})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def sources(training_root: Path) -> list[Sources]:
    return read_sources([DataSet(training_root)])[0]


@pytest.mark.parametrize("kind", KINDS)
def test_shapes_and_labels(sources: list[Sources], kind: str) -> None:
    dataset = PairDataset(sources, only(kind, negative=0))
    pairs = [dataset[i] for i in range(8)]
    for pair in pairs:
        assert pair.template.shape == (3, 127, 127) and pair.template.dtype == torch.uint8
        assert pair.search.shape == (3, 255, 255)
        assert pair.label.shape == (5, 25, 25) and set(pair.label.unique().tolist()) <= {-1, 0, 1}
        assert pair.offsets.shape == (4, 5, 25, 25)
        assert pair.box.isfinite().all() and (pair.box[2:] > 0).all()
    assert sum((pair.label == 1).any().item() for pair in pairs) >= 6


@pytest.mark.parametrize("kind", KINDS)
def test_offsets_of_positive_anchors_decode_to_the_box(sources: list[Sources], kind: str) -> None:
    dataset = PairDataset(sources, only(kind, negative=0))
    pair = next(p for p in (dataset[i] for i in range(20)) if (p.label == 1).any())
    decoded = anchors.decode(anchors.grid(), np.moveaxis(pair.offsets.double().numpy(), 0, -1))
    np.testing.assert_allclose(
        decoded[pair.label.numpy() == 1], np.broadcast_to(pair.box, (int((pair.label == 1).sum()), 4)), atol=1e-3
    )


def same(a: Pair, b: Pair) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a[:4], b[:4], strict=True))


def test_a_pair_depends_on_seed_and_number_alone(sources: list[Sources]) -> None:
    first, again = PairDataset(sources, seed=1), PairDataset(sources, seed=1)
    again[7]
    assert same(first[3], again[3])
    assert not same(first[3], first[4])
    assert not same(first[3], PairDataset(sources, seed=2)[3])


def test_negative_pairs_have_no_target(sources: list[Sources]) -> None:
    pair = PairDataset(sources, PairOptions(negative=1))[0]
    assert (pair.label == 0).all() and pair.box.isnan().all()


def test_the_other_object_of_a_negative_pair_can_be_of_the_same_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = np.array([1.0, 1, 20, 20])
    sets = {name: [Target(tmp_path / f"{name}{i}.png", box) for i in range(3)] for name in "ab"}
    dataset = PairDataset([Sources(stills=sets)], only("still"))
    shown: list[Target] = []

    def cut(target: Target, rng: object, search: bool, fill: str = "mean") -> _View:
        shown.append(target)
        return _View(np.zeros((8, 8, 3), np.uint8), np.array([4.0, 4, 2, 2]))

    monkeypatch.setattr(dataset, "_cut", cut)
    rng = np.random.default_rng(0)
    rivals = [dataset._still(rng).rival for _ in range(100)]
    targets = shown[::2]
    assert all(rival is None or rival.path != target.path for rival, target in zip(rivals, targets, strict=True))
    assert all(rival is None or rival.path.name[0] == t.path.name[0] for rival, t in zip(rivals, targets, strict=True))
    assert 50 < sum(rival is not None for rival in rivals) < 80


def test_a_smaller_search_crop_has_a_smaller_grid(sources: list[Sources]) -> None:
    pair = PairDataset(sources, PairOptions(search_size=191, shift=20))[0]
    assert pair.search.shape == (3, 191, 191) and pair.label.shape == (5, 17, 17)


def test_the_box_frames_the_target_in_the_crop(tmp_path: Path) -> None:
    """A white rectangle on black stays framed through scaling, shifting, mirroring and turning."""
    import cv2

    image = np.zeros((200, 260, 3), np.uint8)
    image[80:140, 100:150] = 255
    cv2.imwrite(str(tmp_path / "white.png"), image)
    outline = np.array([[100, 80], [150, 80], [150, 140], [100, 140]], np.float64)
    target = Target(tmp_path / "white.png", np.array([100.0, 80, 50, 60]), (outline,))
    dataset = PairDataset([Sources(stills={"white": [target]})], only("still", negative=0, occluder=0), seed=3)
    black = np.zeros((255, 255, 3), np.uint8)
    rng = np.random.default_rng(0)
    views = [dataset._cut(target, rng, True) for _ in range(5)]
    views += [
        dataset._paste(black, target, np.array([120.0, 130]), 1.0, np.array([1.1, 0.9]), angle)
        for angle in (0, 0.3, -0.5)
    ]
    for view in views:
        ys, xs = np.nonzero(view.image[..., 0] > 128)
        cx, cy, w, h = view.box
        found = [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]
        np.testing.assert_allclose(found, [cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], atol=2)


def test_each_source_is_drawn_from_as_its_share_says(tmp_path: Path) -> None:
    def still(name: str) -> dict[str, list[Target]]:
        return {name: [Target(tmp_path / name, np.array([1.0, 1, 20, 20]))]}

    often = Sources(stills=still("a"), share=3)
    rarely = Sources(stills=still("b"), videos={"v": []}, share=1)
    photos = Sources(photos={"p": [tmp_path / "p.png"]}, share=100)
    dataset = PairDataset([often, rarely, photos], only("still"))
    rng = np.random.default_rng(0)
    drawn = [dataset._source("stills", rng) for _ in range(2000)]
    assert 0.72 < sum(source is often for source in drawn) / 2000 < 0.78
    assert not any(source is photos for source in drawn)


def test_a_source_has_its_own_gap_between_frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frames = Frames(tmp_path, [f"{i}.png" for i in range(100)])
    video = Video("v", frames, np.tile([1.0, 1, 20, 20], (100, 1)), np.arange(100))
    dataset = PairDataset([Sources(videos={"v": [video]}, max_gap=3)], only("video", max_gap=50))
    monkeypatch.setattr(dataset, "_cut", lambda target, rng, search: int(target.path.stem))
    rng = np.random.default_rng(0)
    gaps = {abs(first - second) for first, second, _ in (dataset._video(rng) for _ in range(200))}
    assert gaps == {0, 1, 2, 3}


def test_videos_alone_are_enough(sources: list[Sources]) -> None:
    """Nothing else to fill borders or to occlude with."""
    dataset = PairDataset([Sources(videos=sources[0].videos)], PairOptions(occluder=1, negative=0))
    assert all(dataset[i].box.isfinite().all() for i in range(4))


def test_nothing_to_make_pairs_of_is_said(sources: list[Sources]) -> None:
    with pytest.raises(PgnetError, match="nothing for the kinds of pairs"):
        PairDataset([Sources(stills=sources[0].stills)], only("video"))


def test_a_bent_crop_keeps_the_box_on_the_object() -> None:
    outline = np.array([[x, y] for x in np.linspace(90, 150, 40) for y in (100.0, 140)])
    image = np.zeros((255, 255, 3), np.uint8)
    image[100:140, 90:150] = 255
    view = _View(image, np.array([120.0, 120, 60, 40]), outline)
    for seed in range(5):
        bent = PairDataset._bend(view, 0.1, np.random.default_rng(seed))
        rows, columns = np.nonzero(bent.image[..., 0] > 128)
        seen = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
        box = np.concatenate([bent.box[:2] - bent.box[2:] / 2, bent.box[:2] + bent.box[2:] / 2])
        assert np.abs(box - seen).max() < 4
        assert np.abs(bent.box - view.box).max() > 1
