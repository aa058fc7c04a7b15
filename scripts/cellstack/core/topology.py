"""Cavities and handles of an object, whose voxels are connected across faces, edges and corners."""

from typing import Literal

import cc3d
import numpy as np
from numpy.typing import NDArray

from cellstack.core.types import BoolVolume


def euler_number(mask: BoolVolume) -> int:
    """Return the Euler number of an object: components minus handles plus cavities.

    Parameters
    ----------
    mask : (Z, Y, X) ndarray of bool
        The object.

    Returns
    -------
    int
        1 for a solid ball, 0 for a ring, 2 for a hollow ball.

    Notes
    -----
    Counted as corners minus edges plus faces minus voxels of the object as a set of closed cubes.
    The same as `skimage.measure.euler_number` with ``connectivity=3``.

    Examples
    --------
    >>> ring = np.ones((1, 3, 3), bool)
    >>> ring[0, 1, 1] = False
    >>> euler_number(ring)
    0
    """
    # With this margin the next voxel along an axis is a fixed step away in the flat array.
    padded = np.pad(mask, ((0, 1), (0, 1), (0, 1)))
    _, rows, columns = padded.shape
    voxels = padded.ravel()
    # Faces across an axis, edges along the third one, and corners.
    z, y, x = (_touched(voxels, step) for step in (rows * columns, columns, 1))
    zy, zx, yx = _touched(z, columns), _touched(z, 1), _touched(y, 1)
    zyx = _touched(zy, 1)
    faces = sum(map(np.count_nonzero, (z, y, x)))
    edges = sum(map(np.count_nonzero, (zy, zx, yx)))
    return int(np.count_nonzero(zyx) - edges + faces - np.count_nonzero(voxels))


def _touched(cells: NDArray[np.bool_], step: int) -> NDArray[np.bool_]:
    """Mark the cells and those a step after them."""
    touched = cells.copy()
    touched[step:] |= cells[:-step]
    return touched


def filled_count(mask: BoolVolume) -> int:
    """Return the number of voxels of an object with its cavities filled.

    Parameters
    ----------
    mask : (Z, Y, X) ndarray of bool
        The object.

    Returns
    -------
    int

    Notes
    -----
    A cavity is not connected to the outside, not even across an edge or a corner, as for the
    ``area_filled`` of scikit-image.

    Examples
    --------
    >>> shell = np.ones((3, 3, 3), bool)
    >>> shell[1, 1, 1] = False
    >>> filled_count(shell)
    27
    """
    return int(np.count_nonzero(fill_cavities(mask, connectivity=26)))


def fill_cavities(mask: BoolVolume, connectivity: Literal[6, 18, 26]) -> BoolVolume:
    """Fill the background that is not connected to the outside of the array.

    Parameters
    ----------
    mask : (Z, Y, X) ndarray of bool
        The object.
    connectivity : {6, 18, 26}
        Neighbours by which voxels of the background are connected.

    Returns
    -------
    (Z, Y, X) ndarray of bool

    Notes
    -----
    The same as `scipy.ndimage.binary_fill_holes` with that structure.

    Examples
    --------
    >>> shell = np.ones((3, 3, 3), bool)
    >>> shell[1, 1, 1] = False
    >>> bool(fill_cavities(shell, connectivity=6).all())
    True
    """
    if not _may_have_cavities(mask):
        return mask.copy()
    background = np.pad(~mask, 1, constant_values=True).view(np.uint8)
    components = cc3d.connected_components(background, connectivity=connectivity)
    filled = components != components[0, 0, 0]
    return np.asarray(filled[1:-1, 1:-1, 1:-1], bool)


def _may_have_cavities(mask: BoolVolume) -> bool:
    """Return whether, along each axis, some line leaves the object and enters it again."""
    for axis in range(3):
        line = np.moveaxis(mask, axis, 0)
        entries = np.count_nonzero(line[0]) + np.count_nonzero(line[1:] & ~line[:-1])
        if entries == np.count_nonzero(line.any(axis=0)):
            return False
    return True
