"""Distances between the surfaces of objects, in um.

Voxels are boxes that fill the space. The distance between two objects is the minimum distance
between a point of a voxel of one and a point of a voxel of the other, so that it is 0 for objects
that share a face, an edge or a corner.

It is computed from the corners of voxels. All voxels lie in one grid, so the extents of two voxels
along an axis are either the same or have no interior point in common: two of their corners are as
close as any two of their points.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cellstack.core import parallel
from cellstack.core.planes import Stack
from cellstack.core.points import squared_distances
from cellstack.core.types import BoolVolume, Box, Boxes, Spacing

PRODUCT_OF_SMALL = 1 << 13  # pairs of corners that are compared at once
MAX_PRODUCT = 1 << 16  # pairs of corners that are compared without leaving out distant ones
MAX_WITHOUT_TREE = 1 << 20  # compared in less time than it takes to import a k-d tree
SAMPLED = 16  # every 16th corner shows roughly where an object is
MAX_STEPS = 10  # of the search for two close corners
ROUNDING = 1e-9  # relative to the coordinates; corners this close to a limit are compared


class Surface(NamedTuple):
    """The corners of the voxels of an object that lie on its surface, and its centre."""

    centroid: NDArray[np.float64]
    """(3,) mean of the voxel centres in um."""
    corners: NDArray[np.int32]
    """(n, 3) indices of the corners; corner 0 is half a voxel before the centre of voxel 0."""
    low: NDArray[np.float64]
    """(3,) first corner of the bounding box in um."""
    high: NDArray[np.float64]
    """(3,) last corner of the bounding box in um."""


def find_surfaces(labels: Stack, boxes: Boxes, spacing: Spacing, threads: int = 1) -> list[Surface]:
    """Find the surface of each object.

    Parameters
    ----------
    labels : (Z, Y, X) ndarray or stack of unsigned int
        0 is background.
    boxes : dict of int to tuple of slice
        Bounding boxes, see :func:`cellstack.core.labels.find_boxes`.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    threads : int
        Number of objects that are worked on in parallel.

    Returns
    -------
    list of Surface
        In the order of `boxes`.
    """
    steps = np.asarray(spacing, float)

    def find(item: tuple[int, Box]) -> Surface:
        label, box = item
        mask = labels[box] == label
        start = np.array([side.start for side in box])
        stop = np.array([side.stop for side in box])
        corners = np.argwhere(surface_corners(mask)) + start
        return Surface(
            (start + _mean_index(mask)) * steps,
            corners.astype(np.int32),
            (start - 0.5) * steps,
            (stop - 0.5) * steps,
        )

    return parallel.map_processes(find, list(boxes.items()), threads)


def _mean_index(mask: BoolVolume) -> NDArray[np.float64]:
    count = np.count_nonzero(mask)
    projected = mask.sum(axis=2)
    by_axis = projected.sum(axis=1), projected.sum(axis=0), mask.sum(axis=(0, 1))
    return np.array([(each * np.arange(len(each))).sum() / count for each in by_axis])


def surface_corners(mask: BoolVolume) -> BoolVolume:
    """Mark the corners of voxels that lie on the surface of an object.

    Parameters
    ----------
    mask : (Z, Y, X) ndarray of bool
        The object. Outside the array is background.

    Returns
    -------
    (Z + 1, Y + 1, X + 1) ndarray of bool
        Corners of voxels in the object, without those that have it on all eight sides.

    Examples
    --------
    >>> int(surface_corners(np.ones((2, 2, 2), bool)).sum())
    26
    """
    counts = mask.view(np.uint8)
    for axis in range(3):
        shape = list(counts.shape)
        shape[axis] += 1
        sums = np.zeros(shape, np.uint8)
        along = np.moveaxis(sums, axis, 0)
        along[:-1] = np.moveaxis(counts, axis, 0)
        along[1:] += np.moveaxis(counts, axis, 0)
        counts = sums
    return (counts > 0) & (counts < 8)


def gap(first: NDArray[np.float64], second: NDArray[np.float64], limit: float = np.inf) -> float:
    """Return the distance between two sets of points, if it is below a limit.

    Parameters
    ----------
    first, second : (n, 3) and (m, 3) ndarray of float
        Positions in um.
    limit : float
        Distances from this value on need not be found.

    Returns
    -------
    float
        The minimum distance in um, or a value of at least `limit`.

    Notes
    -----
    Two close points are found first, by steps to the nearest point of the other set. Points that
    are farther apart than these, along a line between the sets, are not compared. For convex
    objects few are left.

    Examples
    --------
    >>> gap(np.array([[0.0, 0, 0], [0, 0, 3]]), np.array([[0.0, 4, 3], [0, 9, 9]]))
    4.0
    """
    if len(first) * len(second) <= PRODUCT_OF_SMALL:
        return _smallest(first, second)
    found = np.inf
    direction = second[::SAMPLED].mean(axis=0) - first[::SAMPLED].mean(axis=0)
    for _ in range(2):  # roughly towards each other, then as found
        length = float(np.linalg.norm(direction))
        if length > 0:
            direction = direction / length
            along_first, along_second = first @ direction, second @ direction
            i, j = along_first.argmax(), along_second.argmin()
            found = min(found, float(np.linalg.norm(first[i] - second[j])))
            end, start = float(along_first[i]), float(along_second[j])
            reach = min(found, limit) + ROUNDING * max(1.0, abs(end), abs(start))
            if start - end > reach:
                return found
            first, second = first[along_first >= start - reach], second[along_second <= end + reach]
            if 0 in (len(first), len(second)):
                return found
        found, direction = _approach(first, second, found)
        if found == 0:
            return found
    reach = min(found, limit) * (1 + ROUNDING)
    if len(first) * len(second) > MAX_PRODUCT:
        first = first[_outside(first, second) <= reach]
        if len(first) > 0:
            second = second[_outside(second, first) <= reach]
        if 0 in (len(first), len(second)):
            return found
    if len(first) * len(second) > MAX_WITHOUT_TREE:
        if len(first) > len(second):
            first, second = second, first
        from scipy.spatial import KDTree  # slow to import

        distances, _ = KDTree(second).query(first, distance_upper_bound=reach)
        return min(found, float(distances.min()))
    return min(found, _smallest(first, second))


def _approach(
    first: NDArray[np.float64], second: NDArray[np.float64], found: float
) -> tuple[float, NDArray[np.float64]]:
    """Step to the nearest point of the other set until no nearer one is found."""
    one = first[0]
    other = second[0]
    for _ in range(MAX_STEPS):
        other = second[_squares(second, one).argmin()]
        squares = _squares(first, other)
        nearest = squares.argmin()
        one = first[nearest]
        before, found = found, min(found, float(np.sqrt(squares[nearest])))
        if found in (0, before):
            break
    return found, other - one


def _smallest(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    return float(np.sqrt(squared_distances(first, second).min()))


def _squares(points: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    offsets = points - other
    squares: NDArray[np.float64] = np.einsum("ij,ij->i", offsets, offsets)
    return squares


def _outside(points: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distance of each point to the bounding box of other points."""
    low, high = others.min(axis=0), others.max(axis=0)
    return box_gaps(points, points, low, high)


def box_gaps(
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    lows: NDArray[np.float64],
    highs: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the distances between boxes, which are at most those of their contents.

    Parameters
    ----------
    low, high : (3,) or (n, 3) ndarray of float
        First and last corner of a box in um, or of each of n boxes.
    lows, highs : (3,) or (n, 3) ndarray of float
        Those of the other box or boxes.

    Returns
    -------
    (n,) ndarray of float
        In um; 0 for boxes that touch or overlap.

    Examples
    --------
    >>> box_gaps(np.zeros(3), np.ones(3), np.full((1, 3), [0.0, 4, 5]), np.full((1, 3), 9.0))
    array([5.])
    """
    sides = np.maximum(0, np.maximum(lows - high, low - highs))
    found: NDArray[np.float64] = np.linalg.norm(sides, axis=-1)
    return found
