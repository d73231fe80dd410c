import cv2
import numpy as np
import pytest

pytest.importorskip("matplotlib")

from pgnet.datasets import Sequence
from pgnet.errors import PgnetError
from pgnet.evaluation.figure import (
    PAPER_SEQUENCES,
    Compared,
    comparison_figure,
    key_frames,
    read_compared,
    write_figure,
)

LENGTH = 80
TRUTH = np.array([[10.0, 10, 20, 20]] * LENGTH)


@pytest.fixture
def sequence(tmp_path):
    frames = []
    for i in range(LENGTH):
        frames.append(tmp_path / f"{i}.png")
        if i in (0, 10, 79):
            cv2.imwrite(str(frames[-1]), np.full((60, 80, 3), 100, np.uint8))
    return Sequence("dog-1", frames, TRUTH, absent=np.arange(LENGTH) >= 70)


def moved(**frames):
    boxes = TRUTH.copy()
    for name, shift in frames.items():
        boxes[int(name[1:]), 0] += shift
    return boxes


def test_key_frames_are_where_trackers_differ(sequence):
    compared = Compared(sequence, {"a": TRUTH, "b": moved(f5=3, f12=15, f33=9, f34=5, f55=12, f65=2, f72=30)})
    assert key_frames(compared, 4) == [12, 33, 55, 65]  # at 72 the target is absent


def test_key_frames_keep_apart(sequence):
    """The best frames of two neighbouring parts lie side by side."""
    compared = Compared(sequence, {"a": TRUTH, "b": moved(f39=10, f41=10, f62=3)})
    assert key_frames(compared, 2) == [39, 62]


def test_key_frames_of_one_tracker_and_of_a_short_sequence(sequence):
    assert key_frames(Compared(sequence, {"a": moved(f30=9, f60=9)}), 2) == [30, 60]
    short = Sequence("s", sequence.frames[:3], TRUTH[:3])
    assert key_frames(Compared(short, {"a": TRUTH[:3]}), 4) == [0, 1, 2]


def test_results_are_1_based_and_missing_ones_are_named(sequence, tmp_path):
    for name, sequence_name in (("A", "dog-1"), ("B", "cat-1")):
        (tmp_path / name).mkdir()
        np.savetxt(tmp_path / name / f"{sequence_name}.txt", TRUTH + [1, 1, 0, 0], delimiter=",")
    compared, problems = read_compared(sequence, [tmp_path / "A", tmp_path / "B"], ["A", "B"])
    assert compared.boxes["A"].tolist() == TRUTH.tolist()
    assert list(compared.boxes) == ["A"]
    assert problems[0].startswith("B is not drawn on dog-1")


def colours(path):
    image = cv2.imread(str(path))[..., ::-1].reshape(-1, 3).astype(int)
    return lambda rgb: int((np.abs(image - rgb).max(axis=1) < 25).sum())


def test_every_tracker_is_drawn_in_its_colour(sequence, tmp_path):
    compared = Compared(sequence, {"a": TRUTH - [5, 5, 0, 0], "b": TRUTH + [10, 10, 5, 5]})
    figure = comparison_figure([compared, compared], [[0, 10], [10, 79]], ["a", "b"], width=6)
    write_figure(figure, tmp_path / "figure.png")
    count = colours(tmp_path / "figure.png")
    assert count((0xFF, 0x1E, 0x1E)) > 500
    assert count((0x00, 0xE5, 0xFF)) > 500
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert texts == ["#0001", "dog-1", "#0011", "#0011", "dog-1", "#0080"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a", "b", "Ground truth"]


def test_zoom_shows_the_boxes_in_the_frames_aspect(sequence):
    compared = Compared(sequence, {"a": TRUTH})
    figure = comparison_figure([compared], [[0]], ["a"], zoom=True)
    left, right = figure.axes[0].get_xlim()
    bottom, top = figure.axes[0].get_ylim()
    assert 0 <= left < 10
    assert 30 < right < 80
    assert (right - left) / (bottom - top) == pytest.approx(80 / 60)


def test_format_follows_the_name(sequence, tmp_path):
    figure = comparison_figure([Compared(sequence, {})], [[0]], ["a"])
    for suffix, magic in ((".pdf", b"%PDF"), (".svg", b"<?xml")):
        write_figure(figure, tmp_path / f"f{suffix}")
        assert (tmp_path / f"f{suffix}").read_bytes().startswith(magic)
    with pytest.raises(PgnetError, match=r"not 'f\.gif'"):
        write_figure(figure, tmp_path / "f.gif")


def test_the_papers_sequences_are_in_the_test_set():
    from pgnet.datasets.lasot import TEST

    assert len(PAPER_SEQUENCES) == 12
    assert set(PAPER_SEQUENCES) <= set(TEST)
