"""The watershed of scikit-image without what it imports, which takes longer than to flood a small stack.

Halo: none can be stated, a basin may be as large as its component.
"""

from itertools import product

import numpy as np


def watershed(landscape, markers, connectivity=1, mask=None, compactness=0.0):
    """Flood a landscape from markers.

    Parameters
    ----------
    landscape : (Z, Y, X) ndarray of float
        Low values are flooded first.
    markers : (Z, Y, X) ndarray of unsigned int or int32
        0 but at the markers.
    connectivity : {1, 2, 3}
        Axes along which a neighbour may lie one voxel off.
    mask : (Z, Y, X) ndarray of bool, optional
        Where the flood may go; everywhere by default. Markers outside are left out.
    compactness : float
        What the landscape rises by with each voxel from the marker.

    Returns
    -------
    (Z, Y, X) ndarray of int32

    Notes
    -----
    The same as `skimage.segmentation.watershed`, whose compiled kernel does the work on what is prepared here.
    """
    from skimage.segmentation import _watershed_cy  # versions are pinned, and a test compares with the public function

    mask = np.ones(landscape.shape, bool) if mask is None else mask
    height = np.pad(landscape.astype(np.float64), 1)
    inside = np.pad(mask.astype(np.int8), 1).ravel()
    labels = np.pad(np.where(mask, markers, 0).astype(np.int32), 1)
    strides = np.array(height.strides, np.intp) // height.itemsize
    steps = np.array(sorted((step for step in product((-1, 0, 1), repeat=3) if 0 < np.abs(step).sum() <= connectivity), key=np.linalg.norm))
    _watershed_cy.watershed_raveled(
        height.ravel(), np.flatnonzero(labels), steps @ strides, inside, strides, compactness, labels.ravel(), False
    )
    return labels[1:-1, 1:-1, 1:-1].copy()
