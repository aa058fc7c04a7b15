"""Stacks that are read or computed plane by plane, so that they need not fit into memory."""

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class Planes(Protocol):
    """A stack whose planes are taken one after the other; any (Z, Y, X) ndarray is one."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of planes, rows and columns."""

    @property
    def size(self) -> int:
        """Number of voxels."""

    def __len__(self) -> int:
        """Return the number of planes."""

    def __iter__(self) -> Iterator[NDArray[Any]]:
        """Return the planes, one after the other."""

    def __getitem__(self, z: int | slice, /) -> NDArray[Any]:
        """Return a plane, or a stack of several."""


class ComputedPlanes:
    """Planes that are computed each time that they are taken.

    Parameters
    ----------
    shape : (3,) tuple of int
        Number of planes, rows and columns.
    plane : callable
        Takes the index of a plane and returns it, of shape (Y, X).
    several : callable, optional
        Takes a range of indices and returns these planes as a stack, if that is faster than one
        after the other.

    Examples
    --------
    >>> stack = np.arange(8).reshape(2, 2, 2)
    >>> doubled = ComputedPlanes(stack.shape, lambda z: 2 * stack[z])
    >>> doubled[1]
    array([[ 8, 10],
           [12, 14]])
    >>> [plane.shape for plane in doubled], doubled[:1].shape
    ([(2, 2), (2, 2)], (1, 2, 2))
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        plane: Callable[[int], NDArray[Any]],
        several: Callable[[range], NDArray[Any]] | None = None,
    ) -> None:
        self.shape = shape
        self.size = shape[0] * shape[1] * shape[2]
        self._plane = plane
        self._several = several

    def __len__(self) -> int:
        """Return the number of planes."""
        return self.shape[0]

    def __iter__(self) -> Iterator[NDArray[Any]]:
        """Return the planes, one after the other."""
        return map(self._plane, range(len(self)))

    def __getitem__(self, z: int | slice, /) -> NDArray[Any]:
        """Return a plane, or a stack of several."""
        if isinstance(z, slice):
            planes = range(*z.indices(len(self)))
            if self._several is not None and planes.step == 1:
                return self._several(planes)
            return np.stack([self._plane(each) for each in planes])
        if not 0 <= z < len(self):
            raise IndexError(z)
        return self._plane(z)
