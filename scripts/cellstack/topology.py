"""Holes and handles of an object, whose voxels are connected across faces, edges and corners."""

import cc3d
import numpy as np


def euler_number(mask):
    """Count the parts of an object, less its handles, plus its cavities.

    Parameters
    ----------
    mask : (Z, Y, X) ndarray of bool
        The object.

    Returns
    -------
    int
        1 for a solid ball, 0 for a ring, 2 for a hollow ball. The same as `skimage.measure.euler_number` with ``connectivity=3``.

    Notes
    -----
    The corners, less the edges, plus the faces, less the voxels of the object as a body of closed cubes.
    """
    padded = np.pad(mask, ((0, 1), (0, 1), (0, 1)))  # then a neighbour along an axis is one in the flat array
    _, rows, columns = padded.shape
    voxels = padded.ravel()
    z, y, x = (_touched(voxels, step) for step in (rows * columns, columns, 1))  # faces across an axis
    zy, zx, yx = _touched(z, columns), _touched(z, 1), _touched(y, 1)  # edges along the third axis
    zyx = _touched(zy, 1)  # corners
    number = np.count_nonzero(zyx) - sum(map(np.count_nonzero, (zy, zx, yx))) + sum(map(np.count_nonzero, (z, y, x)))
    return int(number - np.count_nonzero(voxels))


def _touched(cells, step):
    """Mark what lies before or behind a cell along an axis."""
    touched = cells.copy()
    touched[step:] |= cells[:-step]
    return touched


def filled_count(mask):
    """Count the voxels of an object with its cavities filled.

    Parameters
    ----------
    mask : (Z, Y, X) ndarray of bool
        The object.

    Returns
    -------
    int
        Voxels from which no way leads out, also across edges and corners, are filled: as the sum of `scipy.ndimage.binary_fill_holes`
        with a structure of ones, which scikit-image uses for ``area_filled``.
    """
    return int(np.count_nonzero(fill_cavities(mask, connectivity=26)))


def fill_cavities(mask, connectivity):
    """Fill the voxels of the background from which no way leads out.

    Parameters
    ----------
    mask : (Z, Y, X) ndarray of bool
        The object.
    connectivity : {6, 18, 26}
        Neighbours over which ways lead.

    Returns
    -------
    (Z, Y, X) ndarray of bool
        As by `scipy.ndimage.binary_fill_holes` with that structure.
    """
    if not _has_gaps(mask):
        return mask.copy()
    background = np.pad(~mask, 1, constant_values=True).view(np.uint8)
    parts = cc3d.connected_components(background, connectivity=connectivity)
    return (parts != parts[0, 0, 0])[1:-1, 1:-1, 1:-1]


def _has_gaps(mask):
    """Tell whether each axis has a line that leaves the object and enters it again, as each does that runs through a cavity."""
    for axis in range(3):
        line = np.moveaxis(mask, axis, 0)
        entries = np.count_nonzero(line[0]) + np.count_nonzero(line[1:] & ~line[:-1])
        if entries == np.count_nonzero(line.any(axis=0)):
            return False
    return True
