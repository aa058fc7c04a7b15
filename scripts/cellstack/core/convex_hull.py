"""The convex hull of an object, the voxels in it, and its greatest width."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from cellstack.core.points import squared_distances
from cellstack.core.types import BoolVolume, Spacing

if TYPE_CHECKING:
    from scipy.spatial import ConvexHull

HULL_TOLERANCE = 1e-10  # voxels; a centre on the surface of the hull is in it, as in scikit-image
EDGE_TOLERANCE = 1e-7  # voxels2; corners are integers, so that other points are far from an edge
RELATIVE_TOLERANCE = 1e-9  # rounding of a distance or its square

# The compiled module for convex hulls, after those that it imports.
QHULL_MODULES = (
    "scipy.linalg.cython_blas",
    "scipy.linalg.cython_lapack",
    "scipy.spatial._qhull",
)

# Offsets in voxels that give a flat object a volume, too small to reach another voxel centre.
THICKENING = 1e-4 * np.concatenate([np.eye(3), -np.eye(3)])


def convex_hull(mask: BoolVolume) -> ConvexHull:
    """Return the convex hull of the voxel centres of an object.

    Parameters
    ----------
    mask : (Z, Y, X) ndarray of bool
        The object; not empty.

    Returns
    -------
    scipy.spatial.ConvexHull
        In voxels, with the centre of the first voxel at 0. Centres in a single plane or row, which
        have no volume, are thickened slightly.

    Examples
    --------
    >>> hull = convex_hull(np.ones((3, 4, 5), bool))
    >>> round(hull.volume, 6)
    24.0
    """
    return hull_of(ends_of_rows(mask))


def ends_of_rows(mask: BoolVolume) -> NDArray[np.intp]:
    """Return voxels of an object that include all corners of its convex hull.

    Parameters
    ----------
    mask : (Z, Y, X) ndarray of bool

    Returns
    -------
    (n, 3) ndarray of int
        First and last voxels of rows along x, except those that cannot be corners because they lie
        between opposite neighbours. There are no duplicates, and most of them are corners.

    Examples
    --------
    >>> len(ends_of_rows(np.ones((3, 4, 5), bool)))
    8
    """
    filled = np.asarray(mask.any(axis=2))
    first, last = mask.argmax(axis=2), mask.shape[2] - 1 - mask[:, :, ::-1].argmax(axis=2)
    lower, upper = _may_be_corners(-first, filled), _may_be_corners(last, filled)
    upper &= ~(lower & (first == last))  # Qhull may fail on a repeated point
    return np.concatenate(
        [
            np.column_stack([*np.nonzero(chosen), end[chosen]])
            for chosen, end in ((lower, first), (upper, last))
        ]
    )


def hull_of(centres: NDArray[np.integer[Any]]) -> ConvexHull:
    """Return the convex hull of voxel centres; see :func:`convex_hull`.

    Parameters
    ----------
    centres : (n, 3) ndarray of int
        At least one.

    Returns
    -------
    scipy.spatial.ConvexHull
    """
    qhull = _load_qhull()
    try:
        return cast("ConvexHull", qhull.ConvexHull(centres))
    except (qhull.QhullError, ValueError):  # in a single plane, or too few
        thickened = (centres[:, None] + THICKENING).reshape(-1, 3)
        return cast("ConvexHull", qhull.ConvexHull(thickened))


def _load_qhull() -> ModuleType:
    """Return the compiled module that `scipy.spatial` takes its convex hulls from.

    The packages around it take two tenths of a second to import, longer than a small stack.
    """
    for name in QHULL_MODULES:
        if name not in sys.modules:
            import scipy

            folder = Path(scipy.__file__).parent / name.split(".")[1]
            spec = PathFinder.find_spec(name, [str(folder)])
            if spec is None or spec.loader is None:
                raise ImportError(f"no module named {name!r}", name=name)
            sys.modules[name] = module_from_spec(spec)
            spec.loader.exec_module(sys.modules[name])
    return sys.modules[QHULL_MODULES[-1]]


def _may_be_corners(
    heights: NDArray[np.integer[Any]], filled: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Mark the rows that end above the middle of each pair of opposite neighbours."""
    absent = -4 * (np.abs(heights).max() + 1)  # its mean with any height is below all rows
    padded = np.pad(np.where(filled, heights, absent), 1, constant_values=absent)
    corners = filled.copy()
    for z, y in ((0, 1), (1, 0), (1, 1), (1, -1)):
        before, after = (
            padded[1 + step * z :, 1 + step * y :][: len(filled), : filled.shape[1]]
            for step in (-1, 1)
        )
        corners &= before + after < 2 * heights
    return corners


def count_voxels(hull: ConvexHull, shape: Sequence[int]) -> int:
    """Return the number of voxels whose centre lies in a convex hull.

    Parameters
    ----------
    hull : scipy.spatial.ConvexHull
        From :func:`convex_hull`.
    shape : (3,) sequence of int
        Shape of the array of the object.

    Returns
    -------
    int
        Number of voxels. For an ellipsoid it is the number of its own voxels, at any spacing.

    Notes
    -----
    The same as the sum of `skimage.morphology.convex_hull_image` with
    ``offset_coordinates=False``, which fails on objects of a single plane.
    `skimage.measure.regionprops` uses ``offset_coordinates=True``: the hull is half a voxel larger
    on each side, and the solidity of a perfect ellipsoid depends on the voxel size (0.84 with 7
    planes).

    A row of voxels along x enters and leaves the hull through facets whose projection on the plane
    of z and y contains it, so only these are examined.

    Examples
    --------
    >>> mask = np.zeros((3, 3, 3), bool)
    >>> mask[0, 0, 0] = mask[0, 0, 2] = mask[0, 2, 0] = True
    >>> count_voxels(convex_hull(mask), mask.shape)
    6
    """
    is_crossed = np.abs(hull.equations[:, 2]) > HULL_TOLERANCE
    equations = hull.equations[is_crossed]
    facet, z, y = _rows_in_projection(hull.points[hull.simplices[is_crossed], :2])
    slope_z, slope_y, slope_x, offset = equations[facet].T
    # The equation of the facet, solved for x.
    x = -(slope_z * z + slope_y * y + (offset - HULL_TOLERANCE)) / slope_x
    row = z * shape[1] + y
    is_end = slope_x > 0
    last, first = np.full(shape[0] * shape[1], np.inf), np.full(shape[0] * shape[1], -np.inf)
    np.minimum.at(last, row[is_end], x[is_end])
    np.maximum.at(first, row[~is_end], x[~is_end])
    last[last == np.inf] = -1  # rows beside the hull
    first[first == -np.inf] = shape[2]
    last, first = np.floor(last).clip(max=shape[2] - 1), np.ceil(first).clip(min=0)
    return int((last - first + 1).clip(min=0).sum())


def _rows_in_projection(
    triangles: NDArray[np.float64],
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """List the integer points in triangles or on their edges: index of the triangle, z and y."""
    # Twice as fast as the minimum and the maximum along an axis of length three.
    first, second, third = triangles.swapaxes(0, 1)
    lowest = np.minimum(np.minimum(first, second), third)
    highest = np.maximum(np.maximum(first, second), third)
    low = np.ceil(lowest - EDGE_TOLERANCE).astype(int)
    extent = np.floor(highest + EDGE_TOLERANCE).astype(int) - low + 1
    sizes = extent.prod(axis=1)
    index = np.repeat(np.arange(len(triangles)), sizes)
    place = np.arange(len(index)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    z, y = np.divmod(place, extent[index, 1])
    z, y = z + low[index, 0], y + low[index, 1]
    sides = triangles[:, [1, 2, 0]] - triangles
    turn = np.sign(sides[:, 0, 0] * sides[:, 1, 1] - sides[:, 0, 1] * sides[:, 1, 0])
    inside = np.ones(len(index), bool)
    for corner in range(3):
        (dz, dy), (start_z, start_y) = (turn * sides[:, corner].T), triangles[:, corner].T
        area = dz[index] * (y - start_y[index]) - dy[index] * (z - start_z[index])
        inside &= area >= -EDGE_TOLERANCE
    return index[inside], z[inside], y[inside]


def feret_diameter_max(hull: ConvexHull, spacing: Spacing) -> float:
    """Return the maximum Feret diameter: the greatest distance between faces of two voxels.

    Parameters
    ----------
    hull : scipy.spatial.ConvexHull
        From :func:`convex_hull`.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.

    Returns
    -------
    float
        Distance between the centres of the faces in um. For a single voxel its longest side.

    Examples
    --------
    >>> feret_diameter_max(convex_hull(np.ones((1, 1, 6), bool)), (1.0, 0.5, 0.5))
    3.0
    """
    corners = hull.points[hull.vertices].round() * spacing
    # The most distant faces of two voxels are opposite ones, so that their distance is longer than
    # that of the centres by the side of a voxel along one axis. Corners that are too near to the
    # mean to be at the greatest distance are left out first.
    reach = np.linalg.norm(corners - corners.mean(axis=0), axis=1)
    from_farthest = _squares_between_faces(corners - corners[reach.argmax()], spacing)
    at_least = max(np.sqrt(from_farthest.max()) - max(spacing), 0) * (1 - RELATIVE_TOLERANCE)
    corners = corners[reach + reach.max() >= at_least]
    # A matrix product would start threads that compete with those of this process.
    pairs = np.flatnonzero(squared_distances(corners, corners) >= at_least**2)
    first, second = np.divmod(pairs, len(corners))
    return float(np.sqrt(_squares_between_faces(corners[first] - corners[second], spacing).max()))


def _squares_between_faces(apart: NDArray[np.float64], spacing: Spacing) -> NDArray[np.float64]:
    """Return the squared distances of opposite faces of two voxels whose centres are apart."""
    apart = np.abs(apart)
    centres: NDArray[np.float64] = (apart**2).sum(axis=1, keepdims=True)
    return centres + (2 * apart + spacing) * spacing
