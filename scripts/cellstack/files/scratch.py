"""Temporary files, and stacks in them, for results that need not fit into memory."""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cellstack.core.planes import Allocate, ComputedStack, locate
from cellstack.files.atomic import write_errors
from cellstack.files.mapped import MappedParts

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


class ScratchStack(ComputedStack):
    """A stack in a temporary file, which is written and read in parts."""

    def __init__(
        self, file: IO[bytes], folder: str | Path, shape: Sequence[int], dtype: "np.dtype[Any]"
    ) -> None:
        self._file, self._folder = file, folder
        super().__init__(tuple(shape), dtype, MappedParts(file, dtype, tuple(shape), 0).read)

    def __setitem__(self, where: int | slice | tuple[int | slice, ...], values: ArrayLike) -> None:
        """Write a part; slices have a step of 1."""
        box, kept = locate(where, self.shape)
        planes, rows, columns = (range(side.start, side.stop) for side in box)
        part = np.empty([len(planes), len(rows), len(columns)], self.dtype)
        part[kept] = values
        _, height, width = self.shape
        for z, lines in zip(planes, part, strict=True):
            whole = lines
            if len(columns) < width:
                whole = self[z, rows.start : rows.stop]
                whole[:, columns.start : columns.stop] = lines
            self._write(whole, (z * height + rows.start) * width * self.dtype.itemsize)

    def _write(self, lines: NDArray[Any], start: int) -> None:
        # an error of a mapped file that is written to would end the process
        left = lines.reshape(-1).view(np.uint8).data
        with write_errors(self._folder):
            while left:
                written = os.pwrite(self._file.fileno(), left, start)
                left, start = left[written:], start + written


@contextmanager
def scratch_stacks(folder: str | Path) -> Iterator[Allocate]:
    """Provide stacks in temporary files, which are deleted afterwards.

    Parameters
    ----------
    folder : path-like
        Where there is room for them, see :func:`scratch_file`.

    Yields
    ------
    callable
        Takes a shape and a type, and returns a :class:`ScratchStack`. It raises an InputError if
        the disk is full.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder, scratch_stacks(folder) as allocate:
    ...     stack = allocate((2, 1, 3), np.uint8)
    ...     stack[:] = 0
    ...     stack[1, :, 1:] = [[4, 5]]
    ...     stack[:, 0, 1:].tolist()
    [[0, 0], [4, 5]]
    """
    with ExitStack() as files:

        def allocate(shape: Sequence[int], dtype: Any) -> ScratchStack:
            dtype = np.dtype(dtype)
            size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
            file = files.enter_context(scratch_file(folder, size))
            return ScratchStack(file, folder, shape, dtype)

        yield allocate
