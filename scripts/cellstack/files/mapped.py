"""Arrays in files of which parts are read and written, while few pages of the file stay mapped.

Pages of a mapped file count as memory of a job until they are unmapped.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from cellstack.core.planes import Allocate, ComputedStack
from cellstack.core.types import Box
from cellstack.files.atomic import write_errors
from cellstack.files.scratch import scratch_file

MAX_MAPPED = 2**25  # bytes that may stay mapped
PAGES_AHEAD = 2**21  # bytes around the part of a plane that the system may map too: a huge page


def map_parts(
    file: str | Path | IO[bytes], dtype: "np.dtype[Any]", shape: Sequence[int], offset: int = 0
) -> ComputedStack:
    """Return a stack that is read from a file in parts.

    Parameters
    ----------
    file : path-like or file object
    dtype : dtype
        Type in the file, with its byte order.
    shape : (3,) sequence of int
        Number of planes, rows and columns.
    offset : int
        Position of the first voxel in the file, in bytes.

    Returns
    -------
    ComputedStack
        In the byte order of this machine. Parts are copies.

    Examples
    --------
    >>> from tempfile import NamedTemporaryFile
    >>> with NamedTemporaryFile() as file:
    ...     np.arange(24, dtype=np.uint8).tofile(file)
    ...     file.flush()
    ...     map_parts(file.name, np.dtype(np.uint8), (2, 3, 4))[1, :, 1:3].tolist()
    [[13, 14], [17, 18], [21, 22]]
    """
    return ComputedStack(
        tuple(shape), dtype.newbyteorder("="), _MappedParts(file, dtype, tuple(shape), offset).read
    )


class _MappedParts:
    """A file that is mapped again when too much of it was used."""

    def __init__(
        self,
        file: str | Path | IO[bytes],
        dtype: "np.dtype[Any]",
        shape: tuple[int, ...],
        offset: int,
    ) -> None:
        self._file, self._dtype, self._shape, self._offset = file, dtype, shape, offset
        self._mapped: NDArray[Any] | None = None
        self._used = 0

    def read(self, box: Box) -> NDArray[Any]:
        lengths = [len(range(side.start, side.stop, side.step)) for side in box]
        part = np.empty(lengths, self._dtype.newbyteorder("="))
        of_plane = (box[1].stop - box[1].start) * self._shape[
            2
        ] * self._dtype.itemsize + PAGES_AHEAD
        planes = range(box[0].start, box[0].stop, box[0].step)
        at_once = max(1, MAX_MAPPED // of_plane)
        for first in range(0, len(planes), at_once):
            some = planes[first : first + at_once]
            mapped = self._mapped  # other threads may map the file again
            if mapped is None or self._used > MAX_MAPPED:
                # slicing an ndarray is faster than slicing a memmap
                mapped = np.asarray(
                    np.memmap(self._file, self._dtype, "r", self._offset, self._shape)
                )
                self._mapped, self._used = mapped, 0
            part[first : first + len(some)] = mapped[
                some.start : some.stop : some.step, box[1], box[2]
            ]
            self._used += len(some) * of_plane
        return part


class ScratchStack(ComputedStack):
    """A stack in a temporary file, which is written plane by plane and read in parts."""

    def __init__(
        self, file: IO[bytes], folder: str | Path, shape: Sequence[int], dtype: "np.dtype[Any]"
    ) -> None:
        self._file, self._folder = file, folder
        super().__init__(tuple(shape), dtype, _MappedParts(file, dtype, tuple(shape), 0).read)

    def __setitem__(self, z: int, plane: NDArray[Any]) -> None:
        """Write a plane."""
        values = np.ascontiguousarray(np.broadcast_to(plane, self.shape[1:]), self.dtype)
        left, start = values.reshape(-1).view(np.uint8).data, z * values.nbytes
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
        Where there is room for them, see :func:`cellstack.files.scratch.scratch_file`.

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
    ...     stack[1] = np.array([[3, 4, 5]])
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
