"""The voxels around many places of a stack at once."""

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cellstack.core.planes import Stack


def read_boxes(
    raw: Stack, voxels: NDArray[np.intp], radii: Sequence[int] | NDArray[np.intp]
) -> tuple[NDArray[np.float64], list[NDArray[np.intp]], list[NDArray[np.bool_]]]:
    """Return the voxels in a box around each of n voxels.

    Parameters
    ----------
    raw : (Z, Y, X) ndarray or stack
    voxels : (n, 3) ndarray of int
        Planes are read fewer times if neighbours in the list lie in the same plane.
    radii : (3,) sequence of int
        Half sides of the boxes in voxels, without the middle.

    Returns
    -------
    values : (n, K, J, I) ndarray of float
        Voxels at the faces of the stack are repeated outward.
    places : list of three (n, K), (n, J) and (n, I) ndarray of int
        Index of each value in the stack, along each axis.
    is_inside : list of three ndarray of bool, of the same shapes
        Whether it lies in the stack, and is not repeated.

    Examples
    --------
    >>> voxels = np.array([[0, 0, 0]])
    >>> values, places, is_inside = read_boxes(np.float32([[[3, 5, 8]]]), voxels, (0, 0, 1))
    >>> values, places[2], is_inside[2]
    (array([[[[3., 3., 5.]]]]), array([[-1,  0,  1]]), array([[False,  True,  True]]))
    """
    places, is_inside, nearest = [], [], []
    for centre, radius, length in zip(voxels.T, radii, raw.shape, strict=True):
        place = centre[:, None] + np.arange(-radius, radius + 1)
        places.append(place)
        is_inside.append((place >= 0) & (place < length))
        nearest.append(np.clip(place, 0, length - 1))
    _, y, x = nearest
    values = np.empty([len(voxels), *(place.shape[1] for place in places)])
    ends = np.flatnonzero(np.diff(voxels[:, 0], append=-1)) + 1
    for start, stop in itertools.pairwise([0, *ends.tolist()]):
        planes = nearest[0][start]
        slab = raw[planes.min() : planes.max() + 1]
        values[start:stop] = slab[
            (planes - planes.min())[None, :, None, None],
            y[start:stop, None, :, None],
            x[start:stop, None, None, :],
        ]
    return values, places, is_inside
