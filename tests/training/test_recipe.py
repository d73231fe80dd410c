"""Recipe files and their errors."""

from pathlib import Path

import pytest

from pgnet.errors import PgnetError
from pgnet.training.recipe import load_recipe

RECIPES = sorted((Path(__file__).parents[2] / "recipes").glob("*.toml"))


@pytest.mark.parametrize("path", RECIPES, ids=lambda p: p.stem)
def test_shipped_recipes_load_and_have_a_header(path: Path) -> None:
    recipe = load_recipe(path)
    assert path.stem.startswith(recipe.model)
    header = [line for line in path.read_text().splitlines() if line.startswith("#")]
    for word in ("Data:", "Hardware:", "Time:", "Score:", "pgnet train"):
        assert any(word in line for line in header), f"{word} is missing in the header"


def test_overrides(tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    path.write_text('model = "pgnet-lite"\ndata = "data"\n[pairs]\nvideo = 0.5\n')
    recipe = load_recipe(path, ["steps=7", "pairs.video=0.25", "train_blocks=[2, 3]", "data=elsewhere"])
    assert (recipe.steps, recipe.pairs.video, recipe.train_blocks, recipe.data) == (7, 0.25, (2, 3), Path("elsewhere"))


@pytest.mark.parametrize(
    ("content", "overrides", "message"),
    [
        ('model = "a"', [], "Missing in .*: data"),
        ('model = "a"\ndata = "b"\nstep = 3', [], "Unknown in .*: step;"),
        ('model = "a"\ndata = "b"\nsteps = "many"', [], "'many' of steps .* type int"),
        ('model = "a"\ndata = "b"\nsteps = 0', [], "steps must be at least 1"),
        ("model = ", [], "not valid TOML"),
        ('model = "a"\ndata = "b"', ["steps"], "key=value"),
        ('model = "a"\ndata = "b"', ["steps=abc"], "does not fit"),
        ('model = "a"\ndata = "b"\n[pairs]\nvideos = 1', [], "Unknown in .*pairs.*: videos"),
    ],
)
def test_errors_say_what_is_wrong(tmp_path: Path, content: str, overrides: list[str], message: str) -> None:
    path = tmp_path / "r.toml"
    path.write_text(content)
    with pytest.raises(PgnetError, match=message):
        load_recipe(path, overrides)
