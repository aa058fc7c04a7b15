"""Stacks that are read or computed plane by plane, so that they need not fit into memory."""

from collections.abc import Callable
from typing import Any, Protocol

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

    def __getitem__(self, z: int, /) -> NDArray[Any]:
        """Return a plane."""


class ComputedPlanes:
    """Planes that are computed each time that they are taken.

    Parameters
    ----------
    shape : (3,) tuple of int
        Number of planes, rows and columns.
    plane : callable
        Takes the index of a plane and returns it, of shape (Y, X).

    Examples
    --------
    >>> import numpy as np
    >>> stack = np.arange(8).reshape(2, 2, 2)
    >>> doubled = ComputedPlanes(stack.shape, lambda z: 2 * stack[z])
    >>> doubled[1]
    array([[ 8, 10],
           [12, 14]])
    >>> [plane.shape for plane in doubled]
    [(2, 2), (2, 2)]
    """

    def __init__(self, shape: tuple[int, ...], plane: Callable[[int], NDArray[Any]]) -> None:
        self.shape = shape
        self.size = shape[0] * shape[1] * shape[2]
        self._plane = plane

    def __len__(self) -> int:
        """Return the number of planes."""
        return self.shape[0]

    def __getitem__(self, z: int, /) -> NDArray[Any]:
        """Return a plane; raise IndexError after the last one, which ends a loop."""
        if not 0 <= z < len(self):
            raise IndexError(z)
        return self._plane(z)
