"""Recipe files and their errors."""

import re
from pathlib import Path

import pytest

from pgnet.errors import PgnetError
from pgnet.training.adapters import LAYOUTS
from pgnet.training.recipe import load_recipe
from pgnet.training.sources import DataSet

ROOT = Path(__file__).parents[2]
RECIPES = sorted((ROOT / "recipes").glob("*.toml"))
TABLES = re.findall(r"^```toml\n(.*?)^```$", (ROOT / "docs/training-data.md").read_text(), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("path", RECIPES, ids=lambda p: p.stem)
def test_shipped_recipes_load_and_have_a_header(path: Path) -> None:
    recipe = load_recipe(path)
    assert path.stem.startswith(recipe.model) or path.stem == "finetune"
    header = [line for line in path.read_text().splitlines() if line.startswith("#")]
    for word in ("Data:", "Hardware:", "Time:", "Score:", "pgnet train"):
        assert any(word in line for line in header), f"{word} is missing in the header"


def test_overrides(tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    path.write_text('model = "pgnet-lite"\ndata = "data"\n[pairs]\nvideo = 0.5\n')
    recipe = load_recipe(path, ["steps=7", "pairs.video=0.25", "train_blocks=[2, 3]", "data=elsewhere"])
    assert (recipe.steps, recipe.pairs.video, recipe.train_blocks, recipe.data) == (7, 0.25, (2, 3), Path("elsewhere"))


def test_a_block_may_have_a_rate_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    path.write_text('model = "pgnet-r50"\ndata = "data"\nbackbone_rate = [0.1, 1]\ntrain_blocks = [3, 4]\n')
    recipe = load_recipe(path)
    assert [recipe.block_rate(block) for block in (3, 4)] == [0.1, 1]
    assert load_recipe(path, ["backbone_rate=0.2"]).block_rate(4) == 0.2


def test_tables_of_data(tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    path.write_text('model = "pgnet-lite"\n[[data]]\nroot = "a"\nshare = 2\n[[data]]\nroot = "b"\nlayout = "coco"\n')
    recipe = load_recipe(path)
    assert recipe.data == (DataSet(Path("a"), share=2), DataSet(Path("b"), layout="coco"))
    assert load_recipe(path, ["data=c"]).data_sets() == (DataSet(Path("c")),)


@pytest.mark.parametrize("text", TABLES, ids=lambda text: f"{len(text)} characters")
def test_data_in_the_documentation_loads(tmp_path: Path, text: str) -> None:
    path = tmp_path / "r.toml"
    path.write_text(f'model = "pgnet-lite"\n{text}')
    assert all(data_set.layout in {None, *LAYOUTS} for data_set in load_recipe(path).data_sets())


@pytest.mark.parametrize(
    ("content", "overrides", "message"),
    [
        ('model = "a"', [], "Missing in .*: data"),
        ('model = "a"\ndata = "b"\nstep = 3', [], "Unknown in .*: step;"),
        ('model = "a"\ndata = "b"\nsteps = "many"', [], "'many' of steps .* type int"),
        ('model = "a"\ndata = "b"\nsteps = 0', [], "steps must be at least 1"),
        (
            'model = "a"\ndata = "b"\nbackbone_rate = [0.1]\ntrain_blocks = [2, 3]',
            [],
            "has 1 values, its train_blocks 2",
        ),
        ('model = "a"\ndata = "b"\nbackbone_rate = ["x"]', [], "should be of type float"),
        ('model = "a"\ndata = "b"\ndecay = "linear"', [], "Unknown decay 'linear'"),
        ('model = "a"\ndata = "b"\nkeep = 0.5', [], "keep must be 0, or with an init"),
        ("model = ", [], "not valid TOML"),
        ('model = "a"\ndata = "b"\nworkers = -1', [], "workers must be at least 0"),
        ('model = "a"\ndata = "b"\nlearning_rate = nan', [], "learning_rate must be above 0, not nan"),
        ('model = "a"\ndata = "b"\nema = 2', [], "ema must be 0 or more and below 1"),
        ('model = "a"\ndata = "b"\nprecision = "half"', [], "Unknown precision 'half'"),
        ('model = "a"\ndata = "b"\ntrain_blocks = ["a"]', [], "train_blocks are numbers"),
        ('model = "a"\ndata = "b"\nbackbone_rate = -1', [], "backbone_rate must be 0 or more"),
        ('model = "a"\ndata = "b"\npairs = 3', [], r"pairs in .* is a group of values, such as pairs.video, not 3"),
        ('model = "a"\ndata = "b"', ["pairs.negative=2"], "pairs.negative is a share from 0 to 1"),
        ('model = "a"\ndata = "b"', ["pairs.video=-1"], "pairs.video must be 0 or more"),
        ('model = "a"\ndata = "b"', ["pairs.max_gap=-1"], "pairs.max_gap must be at least 1"),
        ('model = "a"\ndata = "b"', ["pairs.search_size=200"], "multiple of 8 from 255, such as 191, not 200"),
        ('model = "a"\ndata = "b"', ["steps"], "key=value"),
        ('model = "a"\ndata = "b"', ["steps=abc"], "does not fit"),
        ('model = "a"\ndata = "b"\n[pairs]\nvideos = 1', [], "Unknown in .*pairs.*: videos"),
        ('model = "a"\ndata = "b"\nvalidation_pairs = -1', [], "validation_pairs must be at least 0"),
        ('model = "a"\n[[data]]\nlayout = "coco"', [], r"Missing in .*\[\[data\]\]: root"),
        ('model = "a"\n[[data]]\nroot = "b"\nweight = 2', [], r"Unknown in .*\[\[data\]\]: weight; known are root"),
        ('model = "a"\n[[data]]\nroot = "b"\nshare = "half"', [], "'half' of share .* type float"),
        ('model = "a"\n[[data]]\nroot = "b"\nmax_gap = 2.5', [], "2.5 of max_gap .* type int"),
        ('model = "a"\n[[data]]\nroot = "b"\nshare = 0', [], "share of the data in b must be positive"),
        ('model = "a"\ndata = ["b"]', [], "tables .*with a root"),
        ('model = "a"\ndata = "b"', ["data.root=c"], "data is no group"),
    ],
)
def test_errors_say_what_is_wrong(tmp_path: Path, content: str, overrides: list[str], message: str) -> None:
    path = tmp_path / "r.toml"
    path.write_text(content)
    with pytest.raises(PgnetError, match=message):
        load_recipe(path, overrides)
