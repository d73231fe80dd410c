import tarfile
from pathlib import Path

import pytest

PARITY = Path(__file__).parents[1] / "../shared/data/parity"


@pytest.fixture(scope="session")
def parity(tmp_path_factory):
    """Real raw results and annotations, by data set: unpacks on first use."""
    folders = {}

    def unpacked(name: str) -> Path:
        if name not in folders:
            archive = PARITY / f"{name}.tar.xz"
            if not archive.is_file():
                pytest.skip("the raw results in ../shared are absent")
            folder = tmp_path_factory.mktemp("parity")
            with tarfile.open(archive) as tar:
                tar.extractall(folder, filter="data")
            folders[name] = folder / name
        return folders[name]

    return unpacked
