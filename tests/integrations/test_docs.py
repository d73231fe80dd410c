"""The Python examples of docs/integrations.md run where their libraries are installed."""

import re
from pathlib import Path

import pytest

from pgnet.demo import write_demo_clip
from pgnet.models import available

DOCUMENT = (Path(__file__).parents[2] / "docs" / "integrations.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)


@pytest.mark.skipif("pgnet-lite" not in [m.name for m in available()], reason="pgnet-lite is not installed")
@pytest.mark.parametrize("library", ["cv2", "supervision"])
def test_example(library, tmp_path, monkeypatch, capsys):
    pytest.importorskip(library, reason=f"{library} is not installed")
    (example,) = [text for text in EXAMPLES if f"import {library}" in text]
    monkeypatch.chdir(tmp_path)
    write_demo_clip("demo.mp4", 21)
    exec(compile(example, "integrations.md", "exec"), {})
    assert capsys.readouterr().out


def test_the_rest_needs_data_sets():
    assert len(EXAMPLES) == 3
    for example in EXAMPLES:
        compile(example, "integrations.md", "exec")
