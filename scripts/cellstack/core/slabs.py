"""Slabs of planes, so that a filter needs little memory besides its input and its result."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

SLAB_VOXELS = 1 << 24  # of the planes whose result is kept

Empty: TypeAlias = Callable[[tuple[int, ...], Any], NDArray[Any]]
"""Returns an array of a shape and a type, such as `numpy.empty`; it may be memory-mapped."""


class Slab(NamedTuple):
    """Some planes of a stack, with those around them that a filter takes into account.

    Attributes
    ----------
    planes : slice
        Planes of the stack whose result is computed.
    extent : slice
        Planes of the stack that are needed for it.
    inside : slice
        `planes`, counted from the first plane of `extent`.
    """

    planes: slice
    extent: slice
    inside: slice


def slabs(shape: Sequence[int], halo: int = 0, max_voxels: int = SLAB_VOXELS) -> Iterator[Slab]:
    """Divide a stack into slabs.

    Parameters
    ----------
    shape : (3,) sequence of int
        Shape of the stack.
    halo : int
        Number of planes on each side that the result in a plane depends on.
    max_voxels : int
        A slab has at most as many voxels, but at least one plane.

    Yields
    ------
    Slab

    Examples
    --------
    >>> [(slab.planes.start, slab.extent.start) for slab in slabs((5, 2, 2), 1, max_voxels=8)]
    [(0, 0), (2, 1), (4, 3)]
    """
    length = shape[0]
    step = max(1, max_voxels // max(1, shape[1] * shape[2]))
    for start in range(0, length, step):
        stop = min(start + step, length)
        first = max(0, start - halo)
        yield Slab(
            slice(start, stop),
            slice(first, min(length, stop + halo)),
            slice(start - first, stop - first),
        )


def standard_deviation(stack: NDArray[np.floating[Any]]) -> float:
    """Return the standard deviation of a stack, of which one plane at a time is copied.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of float
        It may be memory-mapped.

    Returns
    -------
    float
        0 for a stack without voxels.

    Examples
    --------
    >>> standard_deviation(np.float32([[[1, 1]], [[3, 3]]]))
    1.0
    """
    if stack.size == 0:
        return 0.0
    mean = sum(float(plane.sum(dtype=np.float64)) for plane in stack) / stack.size
    squares = (float(np.square(plane - mean, dtype=np.float64).sum()) for plane in stack)
    return float((sum(squares) / stack.size) ** 0.5)
