import os
import stat
from pathlib import Path

import pytest

from pgnet.errors import PgnetError
from pgnet.files import atomic, atomic_folder


def test_appears_only_when_complete(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    path.write_text("old")
    with atomic(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".txt"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "out.txt"
    path.write_text("old")

    def write() -> None:
        with atomic(path) as temporary:
            temporary.write_text("half")
            raise error

    with pytest.raises(error):
        write()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_write_is_said(tmp_path: Path) -> None:
    with pytest.raises(PgnetError, match="No space left"), atomic(tmp_path / "out.txt"):
        raise OSError(28, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_mode_is_that_of_an_ordinary_file(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    with atomic(tmp_path / "made"):
        pass
    assert stat.S_IMODE((tmp_path / "made").stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path, reason in (
        (tmp_path / "no" / "x", "does not exist"),
        (tmp_path, "is a folder"),
        (tmp_path / "file/x", "does not exist"),
    ):
        with pytest.raises(PgnetError, match=reason), atomic(path):
            pytest.fail("the block must not run")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_protected_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(PgnetError, match="Permission"), atomic(tmp_path / "x"):
        pass


def test_a_folder_appears_whole(tmp_path):
    with atomic_folder(tmp_path / "new") as folder:
        (folder / "inner").mkdir()
        (folder / "inner" / "a.txt").write_text("a")
        assert not (tmp_path / "new").exists()
    assert (tmp_path / "new" / "inner" / "a.txt").read_text() == "a"
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_a_folder_that_exists_keeps_its_other_files(tmp_path):
    (tmp_path / "old" / "inner").mkdir(parents=True)
    (tmp_path / "old" / "inner" / "a.txt").write_text("old")
    (tmp_path / "old" / "mine.txt").write_text("mine")
    with atomic_folder(tmp_path / "old") as folder:
        (folder / "inner").mkdir()
        (folder / "inner" / "a.txt").write_text("new")
    assert (tmp_path / "old" / "inner" / "a.txt").read_text() == "new"
    assert (tmp_path / "old" / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyError("x"), KeyboardInterrupt()])
def test_a_failed_folder_leaves_nothing(tmp_path, error):
    def write() -> None:
        with atomic_folder(tmp_path / "new") as folder:
            (folder / "a.txt").write_text("a")
            raise error

    with pytest.raises(PgnetError if isinstance(error, OSError) else type(error)):
        write()
    assert list(tmp_path.iterdir()) == []


def test_folders_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("mine")
    for name, sentence in {"file": "it is a file", "no/new": "does not exist; create it first"}.items():
        with pytest.raises(PgnetError, match=sentence), atomic_folder(tmp_path / name):
            pass
    assert (tmp_path / "file").read_text() == "mine"
