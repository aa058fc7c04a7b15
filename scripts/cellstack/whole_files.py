"""Files that are written whole or not at all, of any kind; nothing heavy is imported here.

Stacks are written by :mod:`cellstack.io`, tables by :mod:`cellstack.table_io`.
"""

import glob
import json
import secrets
import shutil
from contextlib import contextmanager, suppress
from pathlib import Path

from cellstack.errors import InputError


@contextmanager
def whole_file(path):
    """Give a path beside `path` to write to, and move it to `path` once it is complete.

    Parameters
    ----------
    path : path-like
        The file that shall appear, whole, or not at all.

    Yields
    ------
    pathlib.Path
        A path in the same folder with the same ending. It is removed where the body fails, and what a killed process left is removed too.

    Raises
    ------
    InputError
        Where the disk is full, or the folder cannot be written to.

    Notes
    -----
    The path is new each time, so that a process thought dead, as on a node that was lost, never writes into the file of the one that took
    over: its own is gone, and it fails.
    """
    with _beside(path) as partial:
        yield partial
        partial.replace(path)


@contextmanager
def whole_folder(path):
    """Give a folder beside `path` to write into, and move it to `path` once it is complete, in place of what was there.

    Parameters
    ----------
    path : path-like
        The folder that shall appear, whole, or not at all.

    Yields
    ------
    pathlib.Path
        An empty folder beside it, under the rules of :func:`whole_file`.
    """
    with _beside(path) as partial:
        partial.mkdir()
        yield partial
        _remove(Path(path))
        partial.replace(path)


@contextmanager
def _beside(path):
    """Give a new path beside `path`, remove it at the end and what a killed process left before, and say in one line what went wrong."""
    path = Path(path)
    partial = path.with_name(f".partial.{secrets.token_hex(4)}.{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for left in path.parent.glob(f".partial.????????.{glob.escape(path.name)}"):
            _remove(left)
        yield partial
    except OSError as error:
        where = None if error.filename is None else Path(error.filename)
        if where not in (None, path, path.parent, partial) and partial not in where.parents:
            raise  # of a file that was read on the way
        reason = error.strerror or str(error)
        cure = "make room on the disk, or see to the rights of the folder, and give the same command again"
        raise InputError(f"{path}: cannot be written ({reason}): {cure}") from error
    finally:
        with suppress(OSError):
            _remove(partial)


def _remove(path):
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def write_json(path, content):
    """Write a mapping as indented JSON, in its own order; None stands for what is not known."""
    with whole_file(path) as partial:
        partial.write_text(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")


def read_json(path):
    """Read a JSON file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))
