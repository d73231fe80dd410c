"""Output files that appear whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pgnet.errors import PgnetError


@contextmanager
def atomic(path: str | Path) -> Iterator[Path]:
    """A temporary path beside `path`, moved onto it when the block ends and removed when the block raises.

    The temporary file exists (empty) from the start and keeps the suffix. An existing `path` is replaced; whether that
    is wanted is the caller's question. The block should only write: an OSError in it counts as a failed write.

    Raises:
        PgnetError: the folder does not exist, or the file cannot be written.
    """
    path = Path(path)
    # Not tempfile: its files are private to the user, and the mode would survive the rename.
    temporary = path.with_name(f".{path.stem[:100]}.{os.getpid()}.part{path.suffix}")
    if path.is_dir():
        raise PgnetError(f"Cannot write {path}: it is a folder; give the name of a file.")
    if not path.parent.is_dir():
        raise PgnetError(f"Cannot write {path}: the folder {path.parent} does not exist; create it first.")
    try:
        temporary.touch()
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise PgnetError(f"Cannot write {path}: {error.strerror or error}.") from error
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def atomic_folder(path: str | Path) -> Iterator[Path]:
    """A temporary folder beside `path` whose files are moved there when the block ends; dropped when the block raises.

    A new `path` appears whole. In one that exists, files of the same names are replaced and others stay. The block
    should only write: an OSError in it counts as a failed write.

    Raises:
        PgnetError: `path` is a file, the folder around it does not exist, or something cannot be written.
    """
    path = Path(path)
    if path.exists() and not path.is_dir():
        raise PgnetError(f"Cannot write {path}: it is a file; give the name of a folder.")
    if not path.parent.is_dir():
        raise PgnetError(f"Cannot write {path}: the folder {path.parent} does not exist; create it first.")
    try:
        with tempfile.TemporaryDirectory(prefix=".pgnet-", dir=path.parent, ignore_cleanup_errors=True) as name:
            temporary = Path(name, path.name or "folder")
            temporary.mkdir()
            yield temporary
            if path.exists():
                shutil.copytree(temporary, path, dirs_exist_ok=True, copy_function=os.replace)
            else:
                os.replace(temporary, path)
    except OSError as error:
        raise PgnetError(f"Cannot write {path}: {error.strerror or error}.") from error
