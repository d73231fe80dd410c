import pytest

from pgnet.results import SourceInfo, TargetTrack, Track
from pgnet.results.formats import read, write


def test_a_table_of_somebody_else(tmp_path):
    """Columns in another order, some unknown, some empty, a byte order mark, lines of Windows."""
    path = tmp_path / "boxes.csv"
    path.write_bytes('\ufeffh,w,y,x,frame,comment,label\r\n4,3,2,1.5,7,"a, b",dog\r\n4,3,2,1.5,5,,dog\r\n'.encode())
    track = read(path, known=SourceInfo("", "video", fps=10))
    assert track.frames.tolist() == [5, 7]
    assert track.boxes[0].tolist() == [1.5, 2, 3, 4]
    assert (track.target.label, track.times.tolist(), track.scores.tolist()) == ("dog", [0.5, 0.7], [1, 1])


@pytest.mark.parametrize(
    ("targets", "columns"),
    [
        ([TargetTrack(1)], ""),
        ([TargetTrack(1, "dog")], ",label"),
        ([TargetTrack(3)], ",target"),
        ([TargetTrack(1), TargetTrack(2, "dog")], ",target,label"),
    ],
)
def test_columns_that_say_nothing_are_left_out(targets, columns, tmp_path):
    track = Track(SourceInfo("a.mp4", "video"), targets=targets)
    for target in targets:
        target.append(0, 0, (1, 2, 3, 4))
    write(track, tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text().splitlines()[0] == "frame,time,x,y,w,h,score" + columns
    assert [(t.id, t.label) for t in read(tmp_path / "a.csv").targets] == [(t.id, t.label) for t in targets]
