"""Overlapping blocks of a stack.

Each voxel of a stack belongs to the core of one block. A block extends beyond its core, so that
what is computed in the core does not depend on the faces at which the block is cut.
"""

import math
from collections.abc import Sequence
from itertools import pairwise, product
from typing import NamedTuple

Range = tuple[int, int]

MIN_CORE = 0.5  # of the overlap; smaller cores would be computed many times over


class Block(NamedTuple):
    """A block of a stack.

    Attributes
    ----------
    name : str
        Its position along z, y and x, such as ``"0-1-2"``.
    core : tuple of (int, int)
        First voxel, and the one after the last, along z, y and x.
    extent : tuple of (int, int)
        The same with the overlap.
    """

    name: str
    core: tuple[Range, ...]
    extent: tuple[Range, ...]

    @property
    def voxels(self) -> int:
        """Number of voxels of the extent."""
        return math.prod(stop - start for start, stop in self.extent)


def choose_counts(
    shape: Sequence[int], overlap: Sequence[int], max_voxels: int
) -> tuple[tuple[int, ...], int]:
    """Return the number of blocks along each axis, so that no block is too large.

    Parameters
    ----------
    shape : (3,) sequence of int
        Shape of the stack.
    overlap : (3,) sequence of int
        See :func:`place_blocks`.
    max_voxels : int
        Maximum number of voxels of a block with its overlap.

    Returns
    -------
    counts : tuple of int
        Each step adds a cut along the axis where it needs the fewest voxels in all blocks.
    largest : int
        Number of voxels of the largest block. It is above `max_voxels` if blocks would have to be
        so small that the overlap is most of them.

    Examples
    --------
    >>> choose_counts((100, 1000, 1000), (10, 10, 10), 30_000_000)
    ((1, 2, 2), 26010000)
    """
    counts: tuple[int, ...] = (1, 1, 1)
    while (found := _costs(shape, counts, overlap))[1] > max_voxels:
        options = []
        for axis in range(3):
            more = tuple(count + (axis == index) for index, count in enumerate(counts))
            if shape[axis] / more[axis] >= max(1, MIN_CORE * overlap[axis]):
                total, largest = _costs(shape, more, overlap)
                options.append((total / max(1, found[1] - largest), more))
        if not options:
            break
        counts = min(options)[1]
    return counts, found[1]


def _costs(shape: Sequence[int], counts: Sequence[int], overlap: Sequence[int]) -> tuple[int, int]:
    """Return the number of voxels of all blocks, and of the largest one."""
    totals, largest = [], []
    for length, count, margin in zip(shape, counts, overlap, strict=True):
        lengths = [stop - start for _, (start, stop) in _along(length, count, margin)]
        totals.append(sum(lengths))
        largest.append(max(lengths))
    return math.prod(totals), math.prod(largest)


def _along(length: int, count: int, margin: int) -> list[tuple[Range, Range]]:
    """Return core and extent of each block along an axis."""
    ends = [round(index * length / count) for index in range(count + 1)]
    return [
        ((start, stop), (max(0, start - margin), min(length, stop + margin)))
        for start, stop in pairwise(ends)
    ]


def place_blocks(
    shape: Sequence[int], counts: Sequence[int], overlap: Sequence[int]
) -> dict[str, Block]:
    """Place the blocks of a stack.

    Parameters
    ----------
    shape : (3,) sequence of int
        Shape of the stack.
    counts : (3,) sequence of int
        Number of blocks along z, y and x, with cores as equal as possible.
    overlap : (3,) sequence of int
        Voxels by which a block extends beyond its core, within the stack.

    Returns
    -------
    dict of str to Block
        By name, in the order of their cores. Cores without a voxel are left out.

    Examples
    --------
    >>> blocks = place_blocks((1, 40, 90), (1, 1, 2), (5, 5, 5))
    >>> blocks["0-0-1"]
    Block(name='0-0-1', core=((0, 1), (0, 40), (45, 90)), extent=((0, 1), (0, 40), (40, 90)))
    """
    axes = [
        list(enumerate(_along(length, count, margin)))
        for length, count, margin in zip(shape, counts, overlap, strict=True)
    ]
    found = {}
    for place in product(*axes):
        name = "-".join(str(index) for index, _ in place)
        core, extent = zip(*(ranges for _, ranges in place), strict=True)
        if all(start < stop for start, stop in core):
            found[name] = Block(name, core, extent)
    return found
