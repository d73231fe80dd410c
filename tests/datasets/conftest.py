import tarfile
from pathlib import Path

import pytest


@pytest.fixture
def put(tmp_path):
    """Writes a text file below tmp_path, with its folders."""

    def write(path: str, text: str = "") -> Path:
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    return write


@pytest.fixture
def frames(put):
    """Empty files of a folder, by pattern and number: readers look only at the names."""

    def make(folder: str, pattern: str, numbers: range) -> None:
        for number in numbers:
            put(f"{folder}/{pattern.format(number)}")

    return make


@pytest.fixture(scope="session")
def uav_annotations(tmp_path_factory) -> Path:
    """The annotations of UAV123 and UAV20L in one folder."""
    archive = Path(__file__).parents[2] / "../shared/data/parity/uav123.tar.xz"
    if not archive.is_file():
        pytest.skip("the annotations in ../shared are absent")
    folder = tmp_path_factory.mktemp("uav")
    with tarfile.open(archive) as tar:
        tar.extractall(folder, [m for m in tar.getmembers() if "/annotations/" in m.name], filter="data")
    return folder / "uav123" / "annotations"
