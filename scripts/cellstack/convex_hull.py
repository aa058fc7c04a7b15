"""The convex hull of an object: the voxels in it, and its greatest width, on a grid of any spacing."""

import numpy as np

TOLERANCE = 1e-10  # voxels: a centre on the hull's surface lies within it, as in scikit-image
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

    Notes
    -----
    The first and last voxel of each row have the same hull as all voxels.
    """
    return hull_of(ends_of_rows(mask))


def ends_of_rows(mask):
    """List the first and the last voxel of each row of an object along x.

    Parameters
    ----------
    mask : (Z, Y, X) ndarray of bool

    Returns
    -------
    (n, 3) ndarray of int
        None of them twice.
    """
    z, y = np.nonzero(mask.any(axis=2))
    rows = mask[z, y]
    first, last = rows.argmax(axis=1), rows.shape[1] - 1 - rows[:, ::-1].argmax(axis=1)
    longer = last > first  # a point given twice can trouble Qhull
    return np.concatenate([np.column_stack([z, y, first]), np.column_stack([z, y, last])[longer]])


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
    ellipsoid depend on the voxel size (0.84 with 7 planes). Each row of voxels is cut by all half-spaces of the hull at once.
    """
    slope, offset = hull.equations[:, :3], hull.equations[:, 3] - TOLERANCE
    z, y = (axis.reshape(-1, 1) for axis in np.mgrid[: shape[0], : shape[1]])
    room = -(slope[:, 0] * z + slope[:, 1] * y + offset)  # of each row and facet: slope along x, times x, may be at most this
    along = slope[:, 2]
    up, down, flat = along > TOLERANCE, along < -TOLERANCE, np.abs(along) <= TOLERANCE
    last = np.floor((room[:, up] / along[up]).min(axis=1)).clip(max=shape[2] - 1)
    first = np.ceil((room[:, down] / along[down]).max(axis=1)).clip(min=0)
    crossed = (room[:, flat] >= 0).all(axis=1)
    return int((last - first + 1).clip(min=0)[crossed].sum())


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
    corners = hull.points[hull.vertices].round() * spacing
    apart = np.abs(corners[:, None] - corners)
    # of two voxels the faces that lie farthest apart are opposite ones, which adds a voxel's side along one axis
    squares = (apart**2).sum(axis=2, keepdims=True) + (2 * apart + spacing) * spacing
    return float(np.sqrt(squares.max()))
