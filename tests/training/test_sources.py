"""What recipes draw pairs from, and the validation split."""

import hashlib
import itertools
import shutil
from pathlib import Path

import numpy as np
import pytest

from pgnet.errors import PgnetError
from pgnet.training.sources import DataSet, ImageCache, Sources, is_validation, read_image, read_sources

SHARED = Path(__file__).parents[2] / "../shared/data/train"


def split(root: Path) -> tuple[Sources, Sources]:
    (training,), (validation,) = read_sources([DataSet(root)])
    return training, validation


def paths(sources: Sources) -> set[Path]:
    stills = {t.path for targets in sources.stills.values() for t in targets}
    photos = {p for group in sources.photos.values() for p in group}
    return stills | photos | {t.path for group in sources.videos.values() for video in group for t in video}


def test_the_split_is_fixed_disjoint_and_complete(training_root: Path) -> None:
    train, held_out = map(paths, split(training_root))
    assert train and held_out and not train & held_out
    assert len(train | held_out) == 60 + 60 + 30 * 3  # the frame without the target is left out
    assert [i for i in range(100) if is_validation(str(i))] == [6, 37, 40, 82, 94]


def test_frames_of_a_video_are_never_on_both_sides(training_root: Path) -> None:
    folders = [{p.parent for p in paths(side) if "clip" in str(p)} for side in split(training_root)]
    assert folders[0] and folders[1] and not folders[0] & folders[1]


def test_everything_is_trained_on_if_nothing_is_held_out(training_root: Path) -> None:
    (training,), (validation,) = read_sources([DataSet(training_root)], hold_out=False)
    assert len(paths(training)) == 60 + 60 + 30 * 3 and not paths(validation)


def test_boxes_and_outlines_are_read(training_root: Path) -> None:
    target = split(training_root)[0].masked["shapes"][0]
    assert target.box.tolist() == [30, 20, 50, 50]
    assert target.polygons[0].tolist() == [[30, 20], [70, 20], [80, 60], [40, 70]]


def test_small_and_large_targets_are_left_out(training_root: Path) -> None:
    assert "whole" not in split(training_root)[0].stills


def test_stills_serve_as_photographs_where_there_are_none(training_root: Path, tmp_path: Path) -> None:
    shutil.copytree(training_root / "stills/shapes", tmp_path / "stills/shapes")
    (training,), _ = read_sources([DataSet(tmp_path)])
    assert training.photos["shapes"] == [target.path for target in training.stills["shapes"]]


def test_several_sets_keep_their_share_and_gap(training_root: Path) -> None:
    tables = [DataSet(training_root, share=2.0), DataSet(training_root, layout="mixed", max_gap=3)]
    training, validation = read_sources(tables)
    assert [(s.share, s.max_gap) for s in training] == [(2.0, None), (1.0, 3)]
    assert len(validation) == 2


def test_nothing_to_train_on_is_said(tmp_path: Path) -> None:
    with pytest.raises(PgnetError, match="none of the layouts"):
        read_sources([DataSet(tmp_path)])
    with pytest.raises(PgnetError, match="does not exist"):
        read_sources([DataSet(tmp_path / "nowhere")])
    with pytest.raises(PgnetError, match="no layout 'otto'"):
        read_sources([DataSet(tmp_path, layout="otto")])
    (tmp_path / "a.png").write_bytes(b"nothing")
    with pytest.raises(PgnetError, match=r"a\.png cannot be read"):
        read_image(tmp_path / "a.png")


def test_a_set_too_small_to_hold_out_from_is_said(training_root: Path, tmp_path: Path) -> None:
    shutil.copytree(training_root / "videos/clip_1", tmp_path / "videos/clip_1")
    with pytest.raises(PgnetError, match=r"nothing to validate on .* validation_pairs = 0"):
        read_sources([DataSet(tmp_path)])
    assert read_sources([DataSet(tmp_path)], hold_out=False)


def test_missing_pictures_are_said_before_training(training_root: Path, tmp_path: Path) -> None:
    shutil.copytree(training_root / "stills", tmp_path / "stills")
    for name in ("3.png", "4.png"):
        (tmp_path / "stills/shapes/images" / name).unlink()
    with pytest.raises(PgnetError, match=r"3\.png is missing\. There are 2 such problems; pgnet data verify"):
        read_sources([DataSet(tmp_path)])


@pytest.mark.parametrize("values", [{"share": 0}, {"share": -1.0}, {"max_gap": 0}])
def test_shares_and_gaps_are_positive(values: dict[str, int]) -> None:
    with pytest.raises(PgnetError, match=next(iter(values))):
        DataSet(Path("data"), **values)  # type: ignore[arg-type]


@pytest.mark.skipif(not SHARED.is_dir(), reason="the training data in ../shared is absent")
def test_the_shared_data_gives_what_it_always_gave() -> None:
    """The same targets in the same order: a run that was interrupted goes on with the pairs it would have had."""
    digest = hashlib.sha256()
    for (sources,) in read_sources([DataSet(SHARED)]):
        for kind in ("stills", "masked", "photos", "videos"):
            for name, items in getattr(sources, kind).items():
                digest.update(name.encode())
                for item in itertools.chain.from_iterable(items) if kind == "videos" else items:
                    path = item if kind == "photos" else item.path
                    digest.update(path.relative_to(SHARED).as_posix().encode())
                    if kind != "photos":
                        digest.update(np.concatenate([item.box, *map(np.ravel, item.polygons)]).tobytes())
    assert digest.hexdigest()[:16] == "166f485831ab5e5b"


def test_the_cache_keeps_within_its_limit(training_root: Path) -> None:
    cache = ImageCache(limit=3 * 120 * 90 * 3)
    for i in range(10):
        cache(training_root / f"photos/any/p{i}.png")
    assert len(cache._images) == 3
    assert cache(training_root / "photos/any/p9.png") is cache(training_root / "photos/any/p9.png")


def test_a_part_of_the_data_holds_the_smaller_parts_and_leaves_validation_alone(training_root: Path) -> None:
    def names(part: float) -> tuple[set[Path], set[Path]]:
        training, validation = read_sources([DataSet(training_root)], part=part)
        paths = [
            {t.path for s in sources for targets in s.stills.values() for t in targets}
            for sources in (training, validation)
        ]
        return paths[0], paths[1]

    half, most, whole = names(0.5), names(0.8), names(1)
    assert half[0] < most[0] < whole[0]
    assert half[1] == most[1] == whole[1]
