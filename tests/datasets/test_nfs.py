import pytest

from pgnet.datasets import read_nfs
from pgnet.datasets.nfs import NAMES
from pgnet.errors import PgnetError


def rows(count):
    return "".join(f'0 {10 + i} 20 {40 + i} 60 {i} {int(i == 8)} 0 0 "ball"\n' for i in range(count))


@pytest.mark.parametrize(
    ("fps", "images", "lines", "length", "second"),
    [
        (240, 16, 16, 16, 11),
        (30, 2, 16, 2, 18),  # a row for each frame of 240 fps
        (30, 3, 3, 3, 11),
        (30, 12, 13, 12, 11),  # ends a frame late
        (30, 13, 12, 12, 11),
        (30, 3, 17, 3, 18),  # 17 rows, every eighth
    ],
)
def test_rates_and_lengths(put, frames, tmp_path, fps, images, lines, length, second):
    frames(f"ball/{fps}/ball", "{:05d}.jpg", range(1, images + 1))
    put(f"ball/{fps}/ball.txt", rows(lines))
    (sequence,) = read_nfs(tmp_path, fps=fps)
    assert len(sequence) == length
    assert sequence.boxes[0].tolist() == [10, 20, 30, 40]
    assert sequence.boxes[1].tolist() == [second, 20, 30, 40]
    assert sequence.frames[0].name == "00001.jpg"
    assert sequence.absent.tolist() == [x == 18 for x in sequence.boxes[:, 0]]


def test_damaged(put, frames, tmp_path):
    frames("ball/30/ball", "{:05d}.jpg", range(1, 5))
    put("ball/30/ball.txt", "0 1 2 3\n")
    with pytest.raises(PgnetError, match="ten values per line"):
        read_nfs(tmp_path)
    put("ball/30/ball.txt", rows(7))
    with pytest.raises(PgnetError, match="4 frames and boxes"):
        read_nfs(tmp_path)


def test_official_sequences():
    assert len(set(NAMES)) == 100
