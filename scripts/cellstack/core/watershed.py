"""The watershed of scikit-image, without its imports, which take longer than a small stack."""

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellstack.core.types import BoolVolume


def watershed(
    landscape: NDArray[np.floating[Any]],
    markers: NDArray[np.integer[Any]],
    connectivity: int = 1,
    mask: BoolVolume | None = None,
    compactness: float = 0.0,
) -> NDArray[np.int32]:
    """Return the watershed basins of an image, flooded from markers.

    Parameters
    ----------
    landscape : (Z, Y, X) ndarray of float
        Low values are flooded first.
    markers : (Z, Y, X) ndarray of unsigned int or int32
        The label of each marker, 0 elsewhere.
    connectivity : {1, 2, 3}
        Neighbours of a voxel: those that share a face, an edge or a corner with it.
    mask : (Z, Y, X) ndarray of bool, optional
        Voxels to be labelled; all by default. Markers outside are left out.
    compactness : float
        Weight of the distance to the marker, in the unit of `landscape` per voxel.

    Returns
    -------
    (Z, Y, X) ndarray of int32

    Notes
    -----
    The same as `skimage.segmentation.watershed`, whose compiled kernel is used.

    Examples
    --------
    >>> landscape = np.float32([[[0, 1, 3, 2, 0]]])
    >>> watershed(landscape, np.array([[[1, 0, 0, 0, 2]]]))
    array([[[1, 1, 1, 2, 2]]], dtype=int32)
    """
    # Not public: versions are pinned, and a test compares this with the public function.
    import skimage.segmentation._watershed_cy as compiled

    within = (slice(1, -1),) * 3
    padded = [size + 2 for size in landscape.shape]
    height = np.zeros(padded)
    height[within] = landscape
    inside = np.zeros(padded, np.int8)
    inside[within] = True if mask is None else mask
    labels = np.zeros(padded, np.int32)
    labels[within] = markers
    labels *= inside
    strides = np.array(height.strides, np.intp) // height.itemsize
    offsets = [
        offset
        for offset in product((-1, 0, 1), repeat=3)
        if 0 < sum(map(abs, offset)) <= connectivity
    ]
    steps = np.array(sorted(offsets, key=np.linalg.norm))
    compiled.watershed_raveled(
        height.ravel(),
        np.flatnonzero(labels),
        steps @ strides,
        inside.ravel(),
        strides,
        compactness,
        labels.ravel(),
        False,
    )
    return labels[within].copy()
