"""Temporary files, and arrays in them, for results that need not fit into memory."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from cellstack.core.slabs import Empty
from cellstack.files.atomic import write_errors

ZEROS = bytes(2**20)


@contextmanager
def scratch_file(folder: str | Path, size: int) -> Iterator[IO[bytes]]:
    """Open a file that has no name and is deleted afterwards, also if the process is killed.

    Its disk space is reserved: if a mapped file is written to and the disk is full, the system
    kills the process.

    Parameters
    ----------
    folder : path-like
        Folder of the file, on a disk with enough space. It is made if necessary.
    size : int
        Size in bytes; at least one byte is reserved.

    Yields
    ------
    file object
        Unbuffered, filled with zeros.

    Raises
    ------
    InputError
        The disk has less space, or the folder is not writable.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder, scratch_file(folder, 3) as file:
    ...     file.seek(0), list(file.read()), list(Path(folder).iterdir())
    (0, [0, 0, 0], [])
    """
    with ExitStack() as files:
        with write_errors(f"temporary file of {size / 1e6:,.1f} MB in {folder}"):
            Path(folder).mkdir(parents=True, exist_ok=True)
            file = files.enter_context(TemporaryFile(dir=folder, buffering=0))
            _reserve(file, max(1, size))
        yield file


def _reserve(file: IO[bytes], size: int) -> None:
    """Fill an empty file with zeros for which there is space on the disk."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file.fileno(), 0, size)
        return
    while size > 0:  # macOS
        size -= file.write(ZEROS[:size])


@contextmanager
def scratch_arrays(folder: str | Path) -> Iterator[Empty]:
    """Allocate arrays in files that are deleted afterwards, also if the process is killed.

    Parameters
    ----------
    folder : path-like
        See :func:`scratch_file`.

    Yields
    ------
    callable
        Takes a shape and a type and returns an array of zeros. The system moves its pages between
        memory and disk. It raises an InputError if the disk is full.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder, scratch_arrays(folder) as empty:
    ...     empty((1, 1, 2), np.uint16).tolist(), list(Path(folder).iterdir())
    ([[[0, 0]]], [])
    """
    with ExitStack() as files:

        def empty(shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
            if 0 in shape:
                return np.zeros(shape, dtype)  # an empty file cannot be mapped
            size = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
            file = files.enter_context(scratch_file(folder, size))
            return np.asarray(np.memmap(file, dtype, "r+", shape=shape))

        yield empty
