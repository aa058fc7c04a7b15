"""A block of a stack."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellstack.core.planes import Stack
from cellstack.errors import InputError

Ranges = Sequence[Sequence[int]]
"""First voxel, and the one after the last, along z, y and x."""
Block = Mapping[str, Ranges]
"""``core`` and ``extent`` of a block."""


def cut_block(stack: Stack, extent: Ranges) -> NDArray[Any]:
    """Copy a block out of a stack.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray or stack
        Only the block is read.
    extent : sequence of three (int, int)
        First voxel, and the one after the last, along z, y and x.

    Returns
    -------
    ndarray

    Raises
    ------
    InputError
        The stack is smaller: it is not that for which the blocks were planned.

    Examples
    --------
    >>> cut_block(np.arange(8).reshape(1, 2, 4), [(0, 1), (1, 2), (1, 3)])
    array([[[5, 6]]])
    """
    ends = [stop for _, stop in extent]
    if any(stop > length for stop, length in zip(ends, stack.shape, strict=True)):
        raise InputError(
            f"the stack has {stack.shape} voxels, and a block ends at {tuple(ends)}: the image "
            "was replaced while it was processed; run the same command again"
        )
    return np.ascontiguousarray(stack[tuple(slice(*each) for each in extent)])


def within(core: Ranges, extent: Ranges) -> tuple[slice, ...]:
    """Return the core of a block as slices of the block.

    Examples
    --------
    >>> within([(4, 9)], [(2, 11)])
    (slice(2, 7, None),)
    """
    return tuple(
        slice(start - first, stop - first)
        for (start, stop), (first, _) in zip(core, extent, strict=True)
    )


def slices_of(ranges: Ranges) -> tuple[slice, ...]:
    """Return a part of a stack as slices.

    Examples
    --------
    >>> slices_of([(0, 1), (2, 5)])
    (slice(0, 1, None), slice(2, 5, None))
    """
    return tuple(slice(*each) for each in ranges)


def slices_of_block(block: Block | None) -> tuple[slice, ...]:
    """Return the extent of a block as slices of the stack, or the complete stack without a block.

    Examples
    --------
    >>> slices_of_block({"core": [(4, 9)], "extent": [(2, 11)]})
    (slice(2, 11, None),)
    >>> slices_of_block(None)
    (slice(None, None, None), slice(None, None, None), slice(None, None, None))
    """
    if block is None:
        return (slice(None),) * 3
    return slices_of(block["extent"])


def is_in(voxels: NDArray[np.int_], ranges: Ranges) -> NDArray[np.bool_]:
    """Return whether voxels lie in a part of a stack.

    Examples
    --------
    >>> is_in(np.array([[0, 3, 3], [0, 3, 4]]), [(0, 1), (2, 5), (0, 4)])
    array([ True, False])
    """
    start, stop = np.transpose(ranges)
    inside: NDArray[np.bool_] = ((voxels >= start) & (voxels < stop)).all(axis=1)
    return inside


def part_on_grid(
    core: Ranges, extent: Ranges, factors: Sequence[int]
) -> tuple[tuple[slice, ...], list[tuple[int, int]]]:
    """Return the part of a block that begins with a voxel of the grid of the complete stack.

    Parameters
    ----------
    core, extent : sequence of three (int, int)
        First voxel of the block, and the one after the last, along z, y and x.
    factors : (3,) sequence of int
        Voxels of the stack in one voxel of the grid, along z, y, x.

    Returns
    -------
    part : tuple of slice
        The part as slices of the block. It contains the core.
    extent : list of (int, int)
        Its first voxel, and the one after the last.

    Examples
    --------
    >>> part_on_grid([(0, 9), (8, 20)], [(0, 9), (6, 24)], (2, 4))
    ((slice(0, None, None), slice(2, None, None)), [(0, 9), (8, 24)])
    """
    shifts = [
        min(-first % factor, start - first)
        for (start, _), (first, _), factor in zip(core, extent, factors, strict=True)
    ]
    moved = [(first + shift, last) for (first, last), shift in zip(extent, shifts, strict=True)]
    return tuple(slice(shift, None) for shift in shifts), moved


def first_of_grid(extent: Ranges, factors: tuple[int, ...]) -> NDArray[np.int_]:
    """Return the voxel of the grid of the complete stack at which a block begins.

    Examples
    --------
    >>> first_of_grid([(0, 9), (6, 9), (8, 20)], (1, 2, 4))
    array([0, 3, 2])
    """
    first = [start // factor for (start, _), factor in zip(extent, factors, strict=True)]
    return np.array(first, int)


def describe_block(record: Mapping[str, Any], block: Mapping[str, Any]) -> dict[str, Any]:
    """Return the record of a block: that of the import of its stack, with its place.

    Examples
    --------
    >>> describe_block({"no_data": None}, {"core": [[0, 4]], "extent": [[0, 6]]})
    {'no_data': None, 'block': {'core': [[0, 4]], 'extent': [[0, 6]]}}
    """
    return {**record, "block": dict(block)}
