"""The convex hull of an object: the voxels in it, and its greatest width, on a grid of any spacing."""

import numpy as np

TOLERANCE = 1e-10  # voxels: a centre on the hull's surface lies within it, as in scikit-image
EDGE = 1e-7  # voxels2; corners lie at whole numbers, so that what is not on an edge is far from it
ROUNDING = 1e-9  # of a distance or its square
SLIGHT = 1e-4 * np.concatenate([np.eye(3), -np.eye(3)])  # voxels; far less than what keeps another centre from a plane through centres


def convex_hull(mask):
    """Find the convex hull of the voxel centres of an object.

    Parameters
    ----------
    mask : (Z, Y, X) ndarray of bool
        The object; not empty.

    Returns
    -------
    scipy.spatial.ConvexHull
        In voxels. The centre of the first voxel is at 0. Centres in one plane or row, which span no volume, get a slight thickness.
    """
    return hull_of(ends_of_rows(mask))


def ends_of_rows(mask):
    """List the first and the last voxel of rows of an object along x, those that may be corners of its convex hull.

    Parameters
    ----------
    mask : (Z, Y, X) ndarray of bool

    Returns
    -------
    (n, 3) ndarray of int
        None of them twice. What lies at or within the middle between two others is left out; few but the corners remain.
    """
    filled = mask.any(axis=2)
    first, last = mask.argmax(axis=2), mask.shape[2] - 1 - mask[:, :, ::-1].argmax(axis=2)
    lower, upper = _may_be_corners(-first, filled), _may_be_corners(last, filled)
    upper &= ~(lower & (first == last))  # a point given twice can trouble Qhull
    return np.concatenate([np.column_stack([*np.nonzero(some), end[some]]) for some, end in ((lower, first), (upper, last))])


def hull_of(centres):
    """Find the convex hull of the centres of voxels.

    Parameters
    ----------
    centres : (n, 3) ndarray of int
        At least one.

    Returns
    -------
    scipy.spatial.ConvexHull
        As of :func:`convex_hull`.
    """
    from scipy.spatial import ConvexHull, QhullError  # slow to import, and who only wants boxes does without

    try:
        return ConvexHull(centres)
    except (QhullError, ValueError):  # in one plane; or too few
        return ConvexHull((centres[:, None] + SLIGHT).reshape(-1, 3))


def _may_be_corners(heights, filled):
    """Mark the rows of voxels that end above the middle of each two opposite neighbours."""
    nowhere = -4 * (np.abs(heights).max() + 1)  # below the middle of anything
    padded = np.pad(np.where(filled, heights, nowhere), 1, constant_values=nowhere)
    corners = filled.copy()
    for z, y in ((0, 1), (1, 0), (1, 1), (1, -1)):
        before, after = (padded[1 + step * z :, 1 + step * y :][: len(filled), : filled.shape[1]] for step in (-1, 1))
        corners &= before + after < 2 * heights
    return corners


def count_voxels(hull, shape):
    """Count the voxels whose centre lies within a hull.

    Parameters
    ----------
    hull : scipy.spatial.ConvexHull
        From :func:`convex_hull`.
    shape : (3,) sequence of int
        Extent of the object's array along z, y, x.

    Returns
    -------
    int
        For an ellipsoid its own voxels, at any spacing.

    Notes
    -----
    The same as the sum of `skimage.morphology.convex_hull_image` with ``offset_coordinates=False``, which fails on objects of one plane.
    `skimage.measure.regionprops` has ``offset_coordinates=True``: half a voxel more on each side, which makes the solidity of a perfect
    ellipsoid depend on the voxel size (0.84 with 7 planes). A row of voxels enters and leaves the hull through those facets whose shadow
    on the plane of z and y holds it: they alone are asked.
    """
    slope, offset = hull.equations[:, :3], hull.equations[:, 3] - TOLERANCE
    along = slope[:, 2]
    last, first = np.full(shape[:2], -1.0), np.full(shape[:2], float(shape[2]))
    for facing, end, choose, fill in ((along > TOLERANCE, last, np.minimum, np.inf), (along < -TOLERANCE, first, np.maximum, -np.inf)):
        facet, z, y = _rows_in_shadow(hull.points[hull.simplices[facing], :2])
        # slope along x, times x, may be at most what the other terms leave
        x = -(slope[facing, 0][facet] * z + slope[facing, 1][facet] * y + offset[facing][facet]) / along[facing][facet]
        reached = np.full(shape[:2], fill)
        choose.at(reached, (z, y), x)
        np.copyto(end, reached, where=reached != fill)
    last, first = np.floor(last).clip(max=shape[2] - 1), np.ceil(first).clip(min=0)
    return int((last - first + 1).clip(min=0).sum())


def _rows_in_shadow(triangles):
    """List the points of whole numbers in triangles, on their edges too: the index of the triangle, and both coordinates."""
    least = np.ceil(triangles.min(axis=1) - EDGE).astype(int)
    extent = np.floor(triangles.max(axis=1) + EDGE).astype(int) - least + 1
    sizes = extent.prod(axis=1)
    index = np.repeat(np.arange(len(triangles)), sizes)
    place = np.arange(len(index)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    z, y = least[index, 0] + place // extent[index, 1], least[index, 1] + place % extent[index, 1]
    sides = triangles[:, [1, 2, 0]] - triangles
    turn = np.sign(sides[:, 0, 0] * sides[:, 1, 1] - sides[:, 0, 1] * sides[:, 1, 0])
    inside = np.ones(len(index), bool)
    for corner in range(3):
        (dz, dy), (start_z, start_y) = (turn * sides[:, corner].T), triangles[:, corner].T
        inside &= dz[index] * (y - start_y[index]) - dy[index] * (z - start_z[index]) >= -EDGE
    return index[inside], z[inside], y[inside]


def feret_diameter_max(hull, spacing):
    """Measure the greatest distance of two voxel faces of an object, from centre to centre.

    Parameters
    ----------
    hull : scipy.spatial.ConvexHull
        From :func:`convex_hull`.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.

    Returns
    -------
    float
        In um. One voxel measures its longest side.
    """
    from scipy.spatial.distance import cdist  # as above

    corners = hull.points[hull.vertices].round() * spacing
    # of two voxels the faces that lie farthest apart are opposite ones, which adds a voxel's side along one axis
    reach = np.linalg.norm(corners - corners.mean(axis=0), axis=1)
    least = np.linalg.norm(corners - corners[reach.argmax()], axis=1).max() - max(spacing)  # what the distance of two centres is at least
    corners = corners[reach + reach.max() >= least * (1 - ROUNDING)]
    squares = cdist(corners, corners, "sqeuclidean")  # not a product of matrices, whose threads get in each other's way
    least = max(np.sqrt(squares.max()) - max(spacing), 0)
    first, second = np.divmod(np.flatnonzero(squares >= least**2 * (1 - ROUNDING)), len(corners))
    apart = np.abs(corners[first] - corners[second])
    squares = (apart**2).sum(axis=1, keepdims=True) + (2 * apart + spacing) * spacing
    return float(np.sqrt(squares.max()))
