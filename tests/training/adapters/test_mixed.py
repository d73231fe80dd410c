import pytest

from pgnet.errors import PgnetError
from pgnet.training.adapters import mixed


@pytest.fixture
def root(tmp_path, picture):
    for name in ("bird_1", "bird_2", "car_1"):
        for i in range(1, 4):
            picture(tmp_path / f"videos/{name}/{i:08d}.webp")
        (tmp_path / f"videos/{name}/groundtruth.txt").write_text("1,2,20,20\n0,0,0,0\n3,2,20,20\n")
    picture(tmp_path / "photos/birds/a.webp")
    return tmp_path


def test_videos_are_grouped_by_the_first_part_of_their_names(root):
    found = mixed.read(root)
    assert {name: [v.name for v in videos] for name, videos in found.videos.items()} == {
        "bird": ["bird_1", "bird_2"],
        "car": ["car_1"],
    }
    assert found.videos["car"][0].rows.tolist() == [0, 2]
    assert [p.name for p in found.photos["birds"]] == ["a.webp"]


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("videos/bird_1/groundtruth.txt", "1,2,20,20\n", "has 3 frames, and 1 rows"),
        ("videos/bird_1/groundtruth.txt", "1,2,20\n", "four numbers"),
        ("stills/set/instances.json", "{", "not JSON"),
    ],
)
def test_damage_is_noted_and_the_rest_is_read(root, file, text, message):
    (root / file).parent.mkdir(parents=True, exist_ok=True)
    (root / file).write_text(text)
    found = mixed.read(root)
    assert len(found.damaged) == 1 and message in found.damaged[0]
    assert [v.name for v in found.videos["bird"]][-1] == "bird_2"


def test_there_are_no_splits(root):
    with pytest.raises(PgnetError, match="no splits"):
        mixed.read(root, "train")
