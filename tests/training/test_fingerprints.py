from pathlib import Path

import cv2
import numpy as np
import pytest

from pgnet.errors import PgnetError
from pgnet.training.fingerprints import DISTANCE, difference_hash, likeness, near_pairs, read_grey

from .conftest import texture


def written(path: Path, image: np.ndarray, *options: int) -> Path:
    cv2.imwrite(str(path), image, options)
    return path


def distance(a: int | None, b: int | None) -> int:
    assert a is not None and b is not None
    return (a ^ b).bit_count()


def test_a_copy_is_near_and_another_picture_is_far(tmp_path: Path) -> None:
    image = cv2.resize(texture(1), (400, 300))
    original = written(tmp_path / "a.png", image)
    worse = written(tmp_path / "b.jpg", cv2.resize(image, (210, 160)), cv2.IMWRITE_JPEG_QUALITY, 40)
    darker = written(tmp_path / "c.png", (image * 0.8).astype(np.uint8))
    other = written(tmp_path / "d.png", cv2.resize(texture(2), (400, 300)))
    first, *others = (difference_hash(read_grey(path)) for path in (original, worse, darker, other))
    assert [distance(first, value) <= DISTANCE for value in others] == [True, True, False]
    assert likeness(original, worse) > 0.98 and likeness(original, other) < 0.9


def test_plain_pictures_have_no_hash() -> None:
    sky = np.tile(np.linspace(100, 110, 64), (48, 1)).astype(np.uint8)
    assert difference_hash(sky) is None


def test_pairs_are_those_of_brute_force() -> None:
    rng = np.random.default_rng(0)
    centres = rng.integers(0, 2**63, 40, np.uint64)
    flips = np.array(
        [sum(1 << int(bit) for bit in rng.choice(64, rng.integers(0, 9), replace=False)) for _ in range(400)]
    )
    hashes = centres[rng.integers(0, 40, 400)] ^ flips.astype(np.uint64)
    groups = rng.integers(0, 150, 400)
    expected: dict[tuple[int, int], int] = {}
    for i in range(400):
        for j in range(400):
            bits = int(hashes[i] ^ hashes[j]).bit_count()
            if groups[i] < groups[j] and bits <= DISTANCE:
                key = (int(groups[i]), int(groups[j]))
                expected[key] = min(bits, expected.get(key, 64))
    found = near_pairs(hashes, groups)
    assert expected
    assert {(groups[i], groups[j]): int(hashes[i] ^ hashes[j]).bit_count() for i, j in found} == expected
    assert near_pairs(np.zeros(0, np.uint64), np.zeros(0, np.int64)) == []


@pytest.mark.parametrize(
    ("name", "keep", "message"),
    [("a.jpg", 0.5, "is cut off|cannot be decoded"), ("a.png", 0.5, "cannot be decoded"), ("a.jpg", 0, "cannot be")],
)
def test_a_damaged_picture_is_said(tmp_path: Path, name: str, keep: float, message: str) -> None:
    path = written(tmp_path / name, texture(3, 1200, 900))
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])
    with pytest.raises(PgnetError, match=message):
        read_grey(path)
    with pytest.raises(PgnetError, match=r"b\.jpg cannot be read"):
        read_grey(tmp_path / "b.jpg")
