"""docs/formats.md names every format, and the commands that it shows exist."""

import re
import shlex
from pathlib import Path

import pytest

from pgnet.cli import convert, main
from pgnet.results.formats import FORMATS

DOCUMENT = (Path(__file__).parents[3] / "docs" / "formats.md").read_text(encoding="utf-8")
COMMANDS = [
    shlex.split(line, comments=True)
    for block in re.findall(r"```sh\n(.*?)```", DOCUMENT, re.DOTALL)
    for line in block.splitlines()
]


def test_every_format_is_described():
    rows = re.findall(r"^\| `(\w+)` \|", DOCUMENT.partition("## Checked with")[0], re.MULTILINE)
    assert set(rows) == set(FORMATS) - {"pgnet"}
    assert convert.NAMES.split(", ") == list(FORMATS)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_options_exist(command, capsys):
    assert command[:2] == ["pgnet", "convert"]
    assert main(["convert", "--help"]) == 0
    shown = capsys.readouterr().out
    assert all(word in shown for word in command if word.startswith("--"))
