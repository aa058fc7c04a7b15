"""Atomic writing: a file appears at its path when it is complete, or not at all.

Imports nothing heavy.
"""

import glob
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cellstack.errors import InputError


@contextmanager
def atomic_write(path: str | Path) -> Iterator[Path]:
    """Write a file to a temporary path, and move it to its own path when it is complete.

    Parameters
    ----------
    path : path-like
        The file. Its folder is created if necessary.

    Yields
    ------
    pathlib.Path
        Temporary path in the same folder, with the same file extension. The file is removed if
        the body raises an error; files left by killed processes are removed too.

    Raises
    ------
    InputError
        The disk is full, or the folder is not writable.

    Notes
    -----
    Each call uses a new temporary path. If a cluster restarts a job whose first process is still
    running, for example on a node that lost its network, that process cannot write into the file
    of the new one: its temporary file has been removed, and it fails.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     with atomic_write(f"{folder}/a.txt") as temporary:
    ...         _ = temporary.write_text("complete")
    ...     Path(f"{folder}/a.txt").read_text()
    'complete'
    """
    with _temporary_path(path) as temporary:
        yield temporary
        temporary.replace(path)


@contextmanager
def atomic_folder(path: str | Path) -> Iterator[Path]:
    """Fill a temporary folder, and move it to its own path when it is complete.

    Parameters
    ----------
    path : path-like
        The folder. A folder that is already there is replaced.

    Yields
    ------
    pathlib.Path
        Empty temporary folder beside it, see :func:`atomic_write`.

    Raises
    ------
    InputError
        The disk is full, or the parent folder is not writable.
    """
    with _temporary_path(path) as temporary:
        temporary.mkdir()
        yield temporary
        _remove(Path(path))
        temporary.replace(path)


@contextmanager
def write_errors(path: str | Path) -> Iterator[None]:
    """Convert an :class:`OSError` of a body that only writes to an :class:`InputError`.

    Parameters
    ----------
    path : path-like
        File or folder that is written to, named in the message.

    Raises
    ------
    InputError
        The disk is full, or the folder is not writable.

    Examples
    --------
    >>> with write_errors("results"):
    ...     raise OSError(28, "No space left on device")
    Traceback (most recent call last):
    cellstack.errors.InputError: results: cannot be written (No space left on device): ...
    """
    try:
        yield
    except OSError as error:
        raise InputError(
            f"{path}: cannot be written ({error.strerror or error}): free disk space or change "
            "the permissions of the folder, then run the same command again"
        ) from error


@contextmanager
def _temporary_path(path: str | Path) -> Iterator[Path]:
    """Yield a new path beside `path`, and remove it and those of killed processes."""
    path = Path(path)
    temporary = path.with_name(f".partial.{os.urandom(4).hex()}.{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for left in path.parent.glob(f".partial.????????.{glob.escape(path.name)}"):
            _remove(left)
        yield temporary
    except OSError as error:
        where = None if error.filename is None else Path(error.filename)
        is_ours = where in (None, path, path.parent, temporary)
        if where is not None and not is_ours and temporary not in where.parents:
            raise  # the error concerns another file, read by the body
        with write_errors(path):
            raise
    finally:
        with suppress(OSError):
            _remove(temporary)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
