"""What needs the extra [serve] is imported late: without it, the tests are skipped."""

import pytest


@pytest.fixture(scope="session")
def clip(tmp_path_factory):
    """A short video, see `helpers.write_clip`."""
    from .helpers import write_clip

    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4")


@pytest.fixture
def space(tmp_path, clip):
    """A workspace with one video, without processes."""
    from .helpers import Space

    made = Space(tmp_path / "data", clip)
    yield made
    made.workspace.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """A server that runs."""
    from .helpers import Server

    made = Server(tmp_path_factory.mktemp("server"))
    yield made
    assert made.stop() == 130
