"""Arrays in files of which parts are read, while few pages of the file stay mapped.

Pages of a mapped file count as memory of a job until they are unmapped.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from cellstack.core.planes import ComputedStack, Stack
from cellstack.core.types import Box, Boxes

MAX_MAPPED = 2**25  # bytes that may stay mapped
MAX_KEPT = 2**23  # voxels of rows that stay in memory
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
        tuple(shape), dtype.newbyteorder("="), MappedParts(file, dtype, tuple(shape), offset).read
    )


class MappedParts:
    """Reads parts of a file, which is mapped again when too much of it was used."""

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
        """Return a copy of a part in the byte order of this machine."""
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


def in_row_order(boxes: Boxes) -> Boxes:
    """Return the bounding boxes of labels in the order of their first rows, for :func:`keep_rows`.

    Examples
    --------
    >>> list(in_row_order({1: np.s_[0:1, 5:7, 0:2], 2: np.s_[0:1, 3:6, 0:2]}))
    [2, 1]
    """
    return dict(sorted(boxes.items(), key=lambda item: item[1][1].start))


def keep_rows(stack: Stack, max_voxels: int = MAX_KEPT) -> ComputedStack:
    """Return a stack of which some rows of all planes stay in memory after they were read.

    Most boxes that are read :func:`in_row_order` are then in memory, and the file is read about
    once.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray or stack
    max_voxels : int
        Maximum number of voxels in memory. Parts that need more rows are read from `stack`.

    Returns
    -------
    ComputedStack
        Not for several threads. Its parts must not be changed.

    Examples
    --------
    >>> stack = keep_rows(np.arange(24).reshape(2, 3, 4), 16)
    >>> stack[0, 1, 1:3].tolist(), stack[1, 2, 1:3].tolist()
    ([5, 6], [21, 22])
    """
    depth = max_voxels // max(1, stack.shape[0] * stack.shape[2])
    kept: NDArray[Any] = np.empty((stack.shape[0], 0, stack.shape[2]), stack.dtype)
    start = 0

    def part(box: Box) -> NDArray[Any]:
        nonlocal kept, start
        planes, rows, columns = box
        if rows.stop - rows.start > depth:
            found: NDArray[Any] = stack[box]
            return found
        if rows.start < start or rows.stop > start + kept.shape[1]:
            start = rows.start
            kept = stack[:, start : start + depth]
        return kept[planes, rows.start - start : rows.stop - start : rows.step, columns]

    return ComputedStack(stack.shape, stack.dtype, part)
