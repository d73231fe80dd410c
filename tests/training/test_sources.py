"""Reading the training layouts and the validation split."""

from pathlib import Path

import pytest

from pgnet.errors import PgnetError
from pgnet.training.sources import ImageCache, Sources, is_validation, read_image, read_sources


def paths(sources: Sources) -> set[Path]:
    stills = {t.path for targets in sources.stills.values() for t in targets}
    photos = {p for group in sources.photos.values() for p in group}
    return stills | photos | {t.path for group in sources.videos.values() for video in group for t in video}


def test_the_split_is_fixed_disjoint_and_complete(training_root: Path) -> None:
    train, held_out = (paths(read_sources(training_root, validation=v)) for v in (False, True))
    assert train and held_out and not train & held_out
    assert len(train | held_out) == 60 + 60 + 30 * 3  # the frame without the target is left out
    assert [n for n in map(str, range(100)) if is_validation(n)] == [
        n for n in map(str, range(100)) if is_validation(n)
    ]


def test_frames_of_a_video_are_never_on_both_sides(training_root: Path) -> None:
    folders = [
        {p.parent for p in paths(read_sources(training_root, validation=v)) if "clip" in str(p)} for v in (False, True)
    ]
    assert folders[0] and folders[1] and not folders[0] & folders[1]


def test_boxes_and_outlines_are_read(training_root: Path) -> None:
    target = read_sources(training_root, validation=False).masked["shapes"][0]
    assert target.box.tolist() == [30, 20, 50, 50]
    assert target.polygons[0].tolist() == [[30, 20], [70, 20], [80, 60], [40, 70]]


def test_nothing_to_train_on_is_said(tmp_path: Path) -> None:
    with pytest.raises(PgnetError, match="no training data"):
        read_sources(tmp_path, validation=False)
    (tmp_path / "a.png").write_bytes(b"nothing")
    with pytest.raises(PgnetError, match=r"a\.png cannot be read"):
        read_image(tmp_path / "a.png")


def test_the_cache_keeps_within_its_limit(training_root: Path) -> None:
    cache = ImageCache(limit=3 * 120 * 90 * 3)
    for i in range(10):
        cache(training_root / f"photos/any/p{i}.png")
    assert len(cache._images) == 3
    assert cache(training_root / "photos/any/p9.png") is cache(training_root / "photos/any/p9.png")
