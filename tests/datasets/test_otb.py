from pathlib import Path

import pytest

from pgnet.datasets import read_otb
from pgnet.datasets.otb import VERSIONS
from pgnet.errors import PgnetError

DEVBENCH = Path(__file__).parents[2] / "../shared/data/devbench/OTB100"


@pytest.fixture
def make(tmp_path):
    def sequence(name, frames, files, digits=4):
        (tmp_path / name / "img").mkdir(parents=True)
        for number in frames:
            (tmp_path / name / "img" / f"{number:0{digits}d}.jpg").touch()
        for file, text in files.items():
            (tmp_path / name / file).write_text(text)
        return tmp_path

    return sequence


@pytest.mark.parametrize("line", ["11,21,30,40", "11\t21\t30\t40", "11 21 30 40", "11, 21, 30, 40 "])
def test_boxes_become_0_based_whatever_the_separator(make, line):
    (sequence,) = read_otb(make("Dog", range(1, 4), {"groundtruth_rect.txt": f"{line}\n{line}\n{line}"}))
    assert sequence.name == "Dog"
    assert len(sequence) == 3
    assert sequence.boxes.tolist() == [[10, 20, 30, 40]] * 3
    assert sequence.frames[0].name == "0001.jpg"


def test_frames_are_in_numeric_order(make):
    text = "1,1,2,2\n" * 12
    (sequence,) = read_otb(make("Dog", range(1, 13), {"groundtruth_rect.txt": text}, digits=1))
    assert [path.stem for path in sequence.frames] == [str(i) for i in range(1, 13)]


def test_targets_of_one_sequence_are_sequences(make):
    root = make("Jogging", [1], {"groundtruth_rect.1.txt": "1,1,9,9", "groundtruth_rect.2.txt": "5,5,9,9"})
    assert [sequence.name for sequence in read_otb(root)] == ["Jogging-1", "Jogging-2"]
    (second,) = read_otb(root, ["jogging-2"])
    assert second.boxes[0].tolist() == [4, 4, 9, 9]


@pytest.mark.parametrize(
    ("name", "frames", "rows", "first", "last"),
    [
        ("David", range(1, 771), 471, 300, 770),  # annotated from image 300
        ("BlurCar1", range(247, 260), 13, 247, 259),  # numbered as annotated
        ("Football1", range(1, 82), 74, 1, 74),  # more images than rows
        ("Tiger1", range(1, 21), 20, 6, 20),  # the benchmark starts at frame 6
    ],
)
def test_frames_belong_to_their_rows(make, name, frames, rows, first, last):
    text = "\n".join(f"{i + 1},1,5,5" for i in range(rows))
    (sequence,) = read_otb(make(name, frames, {"groundtruth_rect.txt": text}))
    assert (int(sequence.frames[0].stem), int(sequence.frames[-1].stem)) == (first, last)
    assert sequence.boxes[-1, 0] == rows - 1
    assert len(sequence.boxes) == len(sequence.frames)


def test_too_few_frames(make):
    with pytest.raises(PgnetError, match="2 frames and boxes of shape"):
        read_otb(make("Dog", [1, 2], {"groundtruth_rect.txt": "1,1,2,2\n" * 3}))


@pytest.mark.parametrize("text", ["1,2,3\n", "a,b,c,d\n", "", "1,2,3,4\n1,2,3\n"])
def test_damaged_annotation(make, text):
    with pytest.raises(PgnetError, match="groundtruth_rect"):
        read_otb(make("Dog", [1], {"groundtruth_rect.txt": text}))


def test_unknown_sequence_or_folder(make, tmp_path):
    root = make("Dog", [1], {"groundtruth_rect.txt": "1,1,2,2"})
    with pytest.raises(PgnetError, match=r"no sequence cat in .* has Dog"):
        read_otb(root, ["cat"])
    with pytest.raises(PgnetError, match="does not exist"):
        read_otb(tmp_path / "nowhere")
    with pytest.raises(PgnetError, match="does not hold OTB's folders"):
        read_otb(root / "Dog")


def test_an_empty_annotation_is_no_target(make):
    root = make("Human4", [1], {"groundtruth_rect.1.txt": "", "groundtruth_rect.2.txt": "5,5,9,9"})
    (sequence,) = read_otb(root, version="otb100")
    assert sequence.name == "Human4-2"
    assert sequence.attributes == ("IV", "SV", "OCC", "DEF")


def test_other_names_of_files(make):
    text = {"groundtruth_rect.txt": "1,1,2,2\n" * 2}
    make("Board", [1, 2], text, digits=5)
    root = make("Dog", [1, 2], text)
    (root / "Dog" / "img" / "0001.jpg").rename(root / "Dog" / "img" / "0001.png")
    (root / "Dog" / "img" / "Thumbs.db").touch()
    board, dog = read_otb(root)
    assert [path.name for path in board.frames] == ["00001.jpg", "00002.jpg"]
    assert [path.name for path in dog.frames] == ["0001.png", "0002.jpg"]


def test_versions(make):
    for name in ("Dog", "Deer", "Mine"):
        root = make(name, [1], {"groundtruth_rect.txt": "1,1,2,2"})
    assert [sequence.name for sequence in read_otb(root)] == ["Deer", "Dog", "Mine"]
    assert [sequence.name for sequence in read_otb(root, version="otb100")] == ["Deer", "Dog"]
    assert [sequence.name for sequence in read_otb(root, version="otb2013")] == ["Deer"]
    assert [len(VERSIONS[version]) for version in ("otb2013", "otb50", "otb100")] == [51, 50, 100]
    assert set(VERSIONS["otb2013"]) | set(VERSIONS["otb50"]) <= set(VERSIONS["otb100"])


@pytest.mark.skipif(not DEVBENCH.is_dir(), reason="the OTB sequences in ../shared are absent")
def test_real_sequences():
    sequences = {sequence.name: sequence for sequence in read_otb(DEVBENCH)}
    assert len(sequences) == 13
    assert len(sequences["Football1"]) == 74
    assert len(sequences["Jogging-1"]) == len(sequences["Jogging-2"]) == 307
    assert sequences["Bird2"].boxes[0].tolist() == [81, 217, 69, 73]
    assert sequences["Bird2"].image(0).shape[2] == 3
