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
    number = 0
    for axes, sign in (((0, 1, 2), 1), ((1, 2), -1), ((0, 2), -1), ((0, 1), -1), ((0,), 1), ((1,), 1), ((2,), 1), ((), -1)):
        number += sign * np.count_nonzero(_touched(mask, axes))
    return int(number)


def _touched(mask, axes):
    """Mark the corners, edges or faces that lie between voxels along `axes` and belong to a voxel of the object."""
    for axis in axes:
        wider = np.pad(mask, [(1, 1) if each == axis else (0, 0) for each in range(3)])
        wider = np.moveaxis(wider, axis, 0)
        mask = np.moveaxis(wider[1:] | wider[:-1], 0, axis)
    return mask


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
    outside = cc3d.connected_components(np.pad(~mask, 1, constant_values=True), connectivity=26)
    around = np.count_nonzero(outside == outside[0, 0, 0])
    return int(outside.size - around)
