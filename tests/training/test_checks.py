import json
import shutil
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest

from pgnet.training.adapters import read_layout
from pgnet.training.annotations import Annotations, Frames, Target, Video
from pgnet.training.checks import KINDS, check, read_any
from pgnet.training.sources import is_validation

from .conftest import texture

TRAINING = [name for name in (f"{i}.png" for i in range(100, 200)) if not is_validation(name)]
HELD_OUT = [name for name in (f"{i}.png" for i in range(100, 400)) if is_validation(name)]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A clean set of stills, photographs and videos."""
    root = tmp_path / "data"
    images = root / "stills/shapes/images"
    images.mkdir(parents=True)
    names = TRAINING[:5] + HELD_OUT[:2]
    for i, name in enumerate(names):
        cv2.imwrite(str(images / name), texture(i))
    content = {
        "images": [{"id": i, "file_name": name, "width": 120, "height": 90} for i, name in enumerate(names)],
        "annotations": [{"image_id": i, "bbox": [30, 20, 50, 50]} for i in range(len(names))],
    }
    (root / "stills/shapes/instances.json").write_text(json.dumps(content))
    (root / "photos/any").mkdir(parents=True)
    cv2.imwrite(str(root / "photos/any/photo.png"), texture(50))
    for number in range(2):
        folder = root / f"videos/clip_{number}"
        folder.mkdir(parents=True)
        for t in range(3):
            cv2.imwrite(str(folder / f"{t + 1:08d}.png"), texture(100 + 10 * number + t // 2))
        (folder / "groundtruth.txt").write_text("20,20,40,30\n" * 3)
    return root


def edit(root: Path, **changes: object) -> None:
    """Changes the annotation of the first still."""
    file = root / "stills/shapes/instances.json"
    content = json.loads(file.read_text())
    content["annotations"][0] |= changes
    file.write_text(json.dumps(content))


def kinds(root: Path, against: Annotations | None = None, every: int = 1) -> dict[str, int]:
    problems = check(read_layout(root), against, every)
    assert all(problem.kind in KINDS for problem in problems)
    return Counter(problem.kind for problem in problems)


def test_a_clean_set_has_no_problems(root: Path) -> None:
    """The two equal frames of one video are none."""
    assert kinds(root) == {}


def test_pictures_that_are_missing_damaged_or_cut_off(root: Path) -> None:
    images = root / "stills/shapes/images"
    (images / TRAINING[0]).unlink()
    (images / TRAINING[1]).write_bytes(b"no picture")
    frame = root / "videos/clip_0/00000002.png"
    frame.write_bytes(frame.read_bytes()[:300])
    assert kinds(root) == {"missing picture": 1, "unreadable picture": 2}
    assert kinds(root, every=2) == {"missing picture": 1, "unreadable picture": 1}


def test_damaged_annotations_are_listed_and_the_rest_is_checked(root: Path) -> None:
    (root / "videos/clip_0/groundtruth.txt").write_text("20,20,40,30\n")
    (root / "videos/clip_1/00000001.png").unlink()
    assert kinds(root) == {"damaged annotation": 2}


@pytest.mark.parametrize(
    ("box", "kind"),
    [
        ([30, 20, 0, 50], "empty box"),
        ([30, 20, 10, -5], "empty box"),
        ([-3, 20, 50, 50], "box outside"),
        ([80, 20, 43, 50], "box outside"),
        ([500, 20, 50, 50], "box outside"),
        ([-1.5, 41, 50, 50], None),
    ],
)
def test_boxes(root: Path, box: list[float], kind: str | None) -> None:
    edit(root, bbox=box)
    assert kinds(root) == ({kind: 1} if kind else {})


def test_a_picture_of_another_size_than_annotated(root: Path) -> None:
    cv2.imwrite(str(root / f"stills/shapes/images/{TRAINING[0]}"), cv2.resize(texture(0), (60, 45)))
    edit(root, bbox=[5, 5, 20, 20])
    assert kinds(root) == {"size differs": 1}


def copy(source: Path, to: Path) -> None:
    """A smaller JPEG of the picture, whatever the suffix says."""
    _, data = cv2.imencode(".jpg", cv2.resize(cv2.imread(str(source)), (100, 75)), [cv2.IMWRITE_JPEG_QUALITY, 70])
    to.write_bytes(data.tobytes())


def test_duplicates_and_leaks_between_the_sides_of_the_split(root: Path) -> None:
    images = root / "stills/shapes/images"
    copy(images / TRAINING[0], root / "photos/any" / TRAINING[90])
    assert kinds(root) == {"duplicate": 1}
    copy(images / TRAINING[1], root / "photos/any" / HELD_OUT[5])
    (problem,) = [p for p in check(read_layout(root)) if p.kind == "split leak"]
    assert problem.where.endswith(f"photos/any/{HELD_OUT[5]}") and TRAINING[1] in problem.text


def test_a_picture_held_out_is_the_one_that_is_named(root: Path) -> None:
    """Also where it comes first."""
    copy(root / f"stills/shapes/images/{HELD_OUT[0]}", root / "photos/any" / TRAINING[91])
    (problem,) = check(read_layout(root))
    assert problem.kind == "split leak" and problem.where.endswith(HELD_OUT[0])


def benchmark(root: Path, name: str, *pictures: Path) -> Annotations:
    """A benchmark in OTB's layout."""
    (root / name / "img").mkdir(parents=True)
    for i, picture in enumerate(pictures, start=1):
        shutil.copy(picture, root / name / f"img/{i:04d}.png")
    (root / name / "groundtruth_rect.txt").write_text("10,10,30,30\n" * len(pictures))
    return read_any(root)


def test_leaks_into_a_benchmark_by_picture_and_by_name(root: Path, tmp_path: Path) -> None:
    other = [tmp_path / f"other{i}.png" for i in range(2)]
    for i, path in enumerate(other):
        cv2.imwrite(str(path), texture(900 + i))
    assert kinds(root, benchmark(tmp_path / "a", "Other", *other)) == {}
    assert kinds(root, benchmark(tmp_path / "b", "Clip_0", *other)) == {"test leak": 1}
    frame = root / "videos/clip_1/00000003.png"
    (problem,) = check(read_layout(root), benchmark(tmp_path / "c", "Other", other[0], frame))
    assert problem.kind == "test leak" and problem.where.endswith("videos/clip_1")
    assert "00000003.png looks like" in problem.text and "Other/img/0002.png" in problem.text


def test_two_videos_or_pictures_of_one_name(tmp_path: Path) -> None:
    box = np.array([[1.0, 1, 30, 30]])
    found = Annotations()
    for i, folder in enumerate(("a", "b")):
        (tmp_path / folder).mkdir()
        for j, name in enumerate(("0.png", f"{'xX'[i]}.png")):
            cv2.imwrite(str(tmp_path / folder / name), texture(10 * i + j))
        frames = Frames(tmp_path / folder, ["0.png"])
        found.videos.setdefault("set", []).append(Video("clip", frames, box, np.arange(1)))
        found.stills.setdefault("set", []).append(Target(tmp_path / folder / f"{'xX'[i]}.png", box[0]))
    problems = check(found)
    assert [problem.kind for problem in problems] == ["same name"] * 2
    assert [Path(problem.where).name for problem in problems] == ["X.png", "b"]
