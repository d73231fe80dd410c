"""What the README shows exists."""

import re
import shlex
from pathlib import Path

import pytest

from pgnet.cli import main
from pgnet.demo import write_demo_clip
from pgnet.models import available

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
COMMANDS = [
    shlex.split(line, comments=True)
    for language, text in BLOCKS
    if language == "sh"
    for line in text.splitlines()
    if line.startswith("pgnet ")
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_command_and_options_exist(command, capsys):
    assert main([command[1], "--help"]) == 0
    shown = capsys.readouterr().out
    for option in (word for word in command if word.startswith("--")):
        assert option in shown


def test_every_command_is_shown(capsys):
    main(["--help"])
    offered = re.findall(r"^│ (\w+) ", capsys.readouterr().out, re.MULTILINE)
    assert set(offered) - {"demo"} <= {command[1] for command in COMMANDS}
    assert "pgnet demo" in README


def test_setup_commands_stand_first():
    assert [language for language, _ in BLOCKS[:2]] == ["bash", "bash"]
    assert "pgnet demo --out demo" in BLOCKS[0][1]
    assert "pytest" in BLOCKS[1][1]


def test_python_example(tmp_path, monkeypatch, capsys):
    if "pgnet-lite" not in [model.name for model in available()]:
        pytest.skip("pgnet-lite is not installed")
    monkeypatch.chdir(tmp_path)
    write_demo_clip("video.mp4", 8)
    (example,) = [text for language, text in BLOCKS if language == "python"]
    exec(compile(example, "README.md", "exec"), {})
    assert len(capsys.readouterr().out.splitlines()) == 7
