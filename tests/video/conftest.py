from pathlib import Path

import pytest

from .clips import write_clips


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One clip in several containers and codecs."""
    path = tmp_path_factory.mktemp("clips")
    write_clips(path)
    return path
