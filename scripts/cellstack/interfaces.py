"""Where two labels touch: the faces of voxels between them.

Halo: 1 voxel.
"""

import numpy as np


def find_faces(labels, spacing):
    """Find the faces of voxels between different labels, one axis at a time.

    Parameters
    ----------
    labels : (Z, Y, X) ndarray of unsigned int
        0 is a label like the others.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.

    Yields
    ------
    axis : int
        The axis that the faces lie across.
    before : tuple of three (N,) ndarray of int
        Index of the voxel before each face. The one behind it has an index higher by one along `axis`.
    area : float
        Area of a face in um2.
    """
    for axis in range(3):
        along = np.moveaxis(labels, axis, 0)
        found = np.nonzero(along[1:] != along[:-1])
        before = list(found[1:])
        before.insert(axis, found[0])
        yield axis, tuple(before), float(np.prod(spacing) / spacing[axis])


def behind(before, axis):
    """Give the index of the voxel behind each face.

    Parameters
    ----------
    before : tuple of three (N,) ndarray of int
        As :func:`find_faces` gives it.
    axis : int
        The axis that the faces lie across.

    Returns
    -------
    tuple of three (N,) ndarray of int
    """
    return tuple(index + (each == axis) for each, index in enumerate(before))
