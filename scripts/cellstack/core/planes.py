"""Stacks that are read or computed in parts, so that they need not fit into memory."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from cellstack.core import parallel
from cellstack.core.types import Box

SLAB_VOXELS = 1 << 24  # of the planes whose result is kept

Allocate = Callable[[Sequence[int], Any], Any]
"""Takes a shape and a type, and returns a stack with voxels of any value to which planes, slabs and
boxes are written: `numpy.empty`, or that of :func:`cellstack.files.scratch.scratch_stacks`."""


class Planes(Protocol):
    """A stack whose planes are read one after the other; any (Z, Y, X) ndarray is one."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of planes, rows and columns."""

    @property
    def size(self) -> int:
        """Number of voxels."""

    @property
    def dtype(self) -> Any:
        """Type of the voxels."""

    def __len__(self) -> int:
        """Return the number of planes."""

    def __iter__(self) -> Iterator[Any]:
        """Return the planes one after the other."""

    def __getitem__(self, z: int, /) -> NDArray[Any]:
        """Return a plane."""


class Stack(Planes, Protocol):
    """A stack of which planes, slabs and boxes can be read; any (Z, Y, X) ndarray is one."""

    def __getitem__(self, where: Any, /) -> Any:
        """Return a plane, for an index; or a part, for a slice or a tuple of up to 3 slices."""


class ComputedPlanes:
    """Planes that are computed each time they are read.

    Parameters
    ----------
    shape : (3,) tuple of int
        Number of planes, rows and columns.
    dtype : dtype
        Type of the voxels.
    plane : callable
        Takes the index of a plane and returns it, of shape (Y, X).
    threads : int
        Number of planes that are computed at the same time when they are read one after the other.

    Examples
    --------
    >>> stack = np.arange(8).reshape(2, 2, 2)
    >>> doubled = ComputedPlanes(stack.shape, stack.dtype, lambda z: 2 * stack[z])
    >>> doubled[1]
    array([[ 8, 10],
           [12, 14]])
    >>> [plane.shape for plane in doubled]
    [(2, 2), (2, 2)]
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        dtype: Any,
        plane: Callable[[int], NDArray[Any]],
        threads: int = 1,
    ) -> None:
        self.shape = shape
        self.dtype = np.dtype(dtype)
        self.size = shape[0] * shape[1] * shape[2]
        self._plane = plane
        self._threads = threads

    def __len__(self) -> int:
        """Return the number of planes."""
        return self.shape[0]

    def __iter__(self) -> Iterator[NDArray[Any]]:
        """Return the planes one after the other."""
        return parallel.iterate_threads(self._plane, range(len(self)), self._threads)

    def __getitem__(self, z: int, /) -> NDArray[Any]:
        """Return a plane."""
        return self._plane(range(len(self))[z])


class SuccessivePlanes(ComputedPlanes):
    """Planes that are computed some at a time, to be read one after the other.

    Parameters
    ----------
    shape : (3,) tuple of int
        Number of planes, rows and columns.
    dtype : dtype
        Type of the voxels.
    iterate : callable
        Returns an iterator over all planes. If a single plane is read, those before it are
        computed too.

    Examples
    --------
    >>> planes = SuccessivePlanes((2, 1, 3), int, lambda: iter(np.arange(6).reshape(2, 1, 3)))
    >>> [plane.tolist() for plane in planes], planes[-1].tolist()
    ([[[0, 1, 2]], [[3, 4, 5]]], [[3, 4, 5]])
    """

    def __init__(
        self, shape: tuple[int, ...], dtype: Any, iterate: Callable[[], Iterator[NDArray[Any]]]
    ) -> None:
        super().__init__(shape, dtype, lambda z: next(islice(iterate(), z, None)))
        self._iterate = iterate

    def __iter__(self) -> Iterator[NDArray[Any]]:
        """Return the planes one after the other."""
        return self._iterate()


class ComputedStack:
    """A stack whose parts are read from a file or computed each time they are requested.

    Parameters
    ----------
    shape : (3,) tuple of int
        Number of planes, rows and columns.
    dtype : dtype
        Type of the voxels.
    part : callable
        Takes a tuple of three slices with a start, a stop and a positive step, within the stack,
        and returns this part.

    Examples
    --------
    >>> stack = np.arange(12).reshape(2, 2, 3)
    >>> doubled = ComputedStack(stack.shape, stack.dtype, lambda box: 2 * stack[box])
    >>> doubled[1]
    array([[12, 14, 16],
           [18, 20, 22]])
    >>> doubled[:, :1, 1:9].shape, doubled[-1, 0].tolist(), len(list(doubled))
    ((2, 1, 2), [12, 14, 16], 2)
    """

    def __init__(
        self, shape: tuple[int, ...], dtype: Any, part: Callable[[Box], NDArray[Any]]
    ) -> None:
        self.shape = shape
        self.dtype = np.dtype(dtype)
        self.size = shape[0] * shape[1] * shape[2]
        self._part = part

    def __len__(self) -> int:
        """Return the number of planes."""
        return self.shape[0]

    def __iter__(self) -> Iterator[NDArray[Any]]:
        """Return the planes one after the other."""
        return (self[z] for z in range(len(self)))

    def __getitem__(self, where: int | slice | tuple[int | slice, ...], /) -> NDArray[Any]:
        """Return a part; an axis with an index is left out, as in an ndarray."""
        box, kept = locate(where, self.shape)
        return self._part(box)[kept]


def locate(
    where: int | slice | tuple[int | slice, ...], shape: Sequence[int]
) -> tuple[Box, tuple[int | slice, ...]]:
    """Return the box of a part of a stack, and the index that takes the part from the box.

    Examples
    --------
    >>> locate((1, slice(None, None, -1)), (2, 3, 4))[0]
    (slice(1, 2, 1), slice(0, 3, 1), slice(0, 4, 1))
    >>> locate((1, slice(None, None, -1)), (2, 3, 4))[1]
    (0, slice(None, None, -1), slice(None, None, 1))
    """
    given = where if isinstance(where, tuple) else (where,)
    given += (slice(None),) * (3 - len(given))
    box: list[slice] = []
    kept: list[int | slice] = []
    for each, length in zip(given, shape, strict=True):
        if isinstance(each, slice):
            covered = range(length)[each]
            first, last = sorted((covered[0], covered[-1])) if covered else (0, -1)
            box.append(slice(first, last + 1, abs(covered.step)))
            kept.append(slice(None, None, 1 if covered.step > 0 else -1))
        else:
            index = range(length)[each]
            box.append(slice(index, index + 1, 1))
            kept.append(0)
    return tuple(box), tuple(kept)


class Slab(NamedTuple):
    """Some planes of a stack, with those around them that their result depends on.

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


def slabs(
    shape: Sequence[int], halo: int = 0, *, depth: int | None = None, max_voxels: int | None = None
) -> list[Slab]:
    """Divide a stack into slabs.

    Parameters
    ----------
    shape : (3,) sequence of int
        Shape of the stack.
    halo : int
        Number of planes on each side that the result in a plane depends on.
    depth : int, optional
        Number of planes of a slab.
    max_voxels : int, optional
        Maximum number of voxels of a slab, if `depth` is not given; by default
        :data:`SLAB_VOXELS`. A slab has at least one plane.

    Returns
    -------
    list of Slab

    Examples
    --------
    >>> [(slab.planes.start, slab.extent.start) for slab in slabs((5, 2, 2), 1, max_voxels=8)]
    [(0, 0), (2, 1), (4, 3)]
    >>> [slab.planes for slab in slabs((3, 9, 9), depth=2)]
    [slice(0, 2, None), slice(2, 3, None)]
    """
    length = shape[0]
    if depth is None:
        depth = max(1, (max_voxels or SLAB_VOXELS) // max(1, shape[1] * shape[2]))
    found = []
    for start in range(0, length, depth):
        stop = min(start + depth, length)
        first = max(0, start - halo)
        extent = slice(first, min(length, stop + halo))
        found.append(Slab(slice(start, stop), extent, slice(start - first, stop - first)))
    return found


def slabs_to_filter(shape: Sequence[int], halo: int, max_voxels: int = SLAB_VOXELS) -> list[Slab]:
    """Divide a stack into slabs for a filter.

    Parameters
    ----------
    shape : (3,) sequence of int
        Shape of the stack.
    halo : int
        Number of planes on each side that the result in a plane depends on.
    max_voxels : int
        Maximum number of voxels of a slab, without its halo; or more, if the halo has more planes
        than the slab, as otherwise most of the work would be spent on it.

    Returns
    -------
    list of Slab

    Examples
    --------
    >>> [slab.extent for slab in slabs_to_filter((5, 2, 2), 1, max_voxels=8)]
    [slice(0, 3, None), slice(1, 5, None), slice(3, 5, None)]
    """
    depth = max(1, 2 * halo, max_voxels // max(1, shape[1] * shape[2]))
    return slabs(shape, halo, depth=depth)


def filter_slabs(
    stack: Stack,
    halo: int,
    function: Callable[[Any], Any],
    dtype: Any,
    max_voxels: int = SLAB_VOXELS,
) -> SuccessivePlanes:
    """Filter a stack, a few planes at a time, when its planes are read one after the other.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray or stack
    halo : int
        Number of planes on each side that the result in a plane depends on.
    function : callable
        Takes some planes as an ndarray, and returns an ndarray of the same shape.
    dtype : dtype
        Type of the result.
    max_voxels : int
        See :func:`slabs_to_filter`.

    Returns
    -------
    SuccessivePlanes

    Examples
    --------
    >>> stack = np.arange(3.0).reshape(3, 1, 1)
    >>> planes = filter_slabs(stack, 0, lambda part: part + part.max(), float, max_voxels=2)
    >>> [plane.item() for plane in planes]
    [1.0, 2.0, 4.0]
    """

    def iterate() -> Iterator[NDArray[Any]]:
        for slab in slabs_to_filter(stack.shape, halo, max_voxels):
            # copies, so that a slab is not kept in memory while the next one is filtered
            yield from map(np.copy, function(stack[slab.extent])[slab.inside])

    return SuccessivePlanes(stack.shape, dtype, iterate)


def as_stack(planes: Planes, allocate: Allocate) -> Stack:
    """Return a stack of which parts can be read several times.

    Parameters
    ----------
    planes : (Z, Y, X) ndarray, stack or SuccessivePlanes
    allocate : callable
        Provides a stack for :class:`SuccessivePlanes`, which need not be in memory.

    Returns
    -------
    (Z, Y, X) ndarray or stack

    Examples
    --------
    >>> planes = SuccessivePlanes((2, 1, 3), int, lambda: iter(np.arange(6).reshape(2, 1, 3)))
    >>> as_stack(planes, np.empty)[:, 0, 1:]
    array([[1, 2],
           [4, 5]])
    """
    if not isinstance(planes, SuccessivePlanes):
        return cast(Stack, planes)
    stack = allocate(planes.shape, planes.dtype)
    for z, plane in enumerate(planes):
        stack[z] = plane
    return cast(Stack, stack)


def part_of(stack: Stack, box: Box) -> ComputedStack:
    """Return a box of a stack, as a stack whose parts are read when they are requested.

    Examples
    --------
    >>> part = part_of(np.arange(24).reshape(2, 3, 4), (slice(1, 2), slice(0, 3), slice(1, 3)))
    >>> part.shape, part[0, 1].tolist()
    ((1, 3, 2), [17, 18])
    """
    shape = tuple(side.stop - side.start for side in box)

    def part(inner: Box) -> NDArray[Any]:
        moved = (
            slice(side.start + outer.start, side.stop + outer.start, side.step)
            for side, outer in zip(inner, box, strict=True)
        )
        found: NDArray[Any] = stack[tuple(moved)]
        return found

    return ComputedStack(shape, stack.dtype, part)


def map_parts(stack: Stack, function: Callable[[Any], Any], dtype: Any) -> ComputedStack:
    """Apply a function, such as a mapping of intensities, to each part of a stack that is read.

    Examples
    --------
    >>> map_parts(np.arange(4).reshape(1, 2, 2), np.sqrt, float)[0, 1]
    array([1.41421356, 1.73205081])
    """

    def part(box: Box) -> NDArray[Any]:
        found: NDArray[Any] = function(stack[box])
        return found

    return ComputedStack(stack.shape, dtype, part)


def stack_of_planes(planes: Planes) -> ComputedStack:
    """Return a stack of which parts can be read, from planes.

    Examples
    --------
    >>> planes = ComputedPlanes((2, 1, 3), int, lambda z: np.arange(3)[None] + z)
    >>> stack_of_planes(planes)[:, 0, 1:]
    array([[1, 2],
           [2, 3]])
    """

    def part(box: Box) -> NDArray[Any]:
        numbers = range(box[0].start, box[0].stop, box[0].step)
        found = np.empty([len(numbers), *planes.shape[1:]], planes.dtype)
        for target, z in zip(found, numbers, strict=True):
            target[:] = planes[z]
        return found[:, box[1], box[2]]

    return ComputedStack(planes.shape, planes.dtype, part)


def section(stack: Stack, axis: int, index: int) -> NDArray[Any]:
    """Return a section of a stack across an axis.

    Examples
    --------
    >>> section(np.arange(8).reshape(2, 2, 2), 1, -1)
    array([[2, 3],
           [6, 7]])
    """
    where: list[int | slice] = [slice(None)] * 3
    where[axis] = index
    taken: NDArray[Any] = stack[tuple(where)]
    return taken


def as_type(stack: Stack, dtype: "np.dtype[Any]") -> Stack:
    """Convert the type of a stack; if it is not in memory, when a part is read.

    Examples
    --------
    >>> as_type(np.array([[[1, 2]]], np.int32), np.dtype(np.uint8))
    array([[[1, 2]]], dtype=uint8)
    """
    if isinstance(stack, np.ndarray):
        return stack.astype(dtype, copy=False)
    if stack.dtype == dtype:
        return stack

    def convert(box: Box) -> NDArray[Any]:
        part: NDArray[Any] = stack[box].astype(dtype)
        return part

    return ComputedStack(stack.shape, dtype, convert)
