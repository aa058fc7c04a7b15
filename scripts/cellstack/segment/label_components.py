"""Connected components of a mask."""

from typing import Literal

import cc3d
import numpy as np

from cellstack.core.labels import label_type
from cellstack.core.types import BoolVolume, Labels, Mask


def label_components(mask: Mask | BoolVolume, connectivity: Literal[6, 18, 26]) -> Labels:
    """Label the connected components of a mask.

    Parameters
    ----------
    mask : (Z, Y, X) ndarray of uint8 or bool
        1 in the foreground, 0 elsewhere.
    connectivity : {6, 18, 26}
        Voxels are neighbours across faces; faces and edges; or faces, edges and corners.

    Returns
    -------
    (Z, Y, X) ndarray of uint16 or uint32
        Labels 1..n in scan order. The components are those of `skimage.measure.label`.

    Examples
    --------
    >>> label_components(np.array([[[1, 0, 1], [1, 0, 0]]], np.uint8), connectivity=6)
    array([[[1, 0, 2],
            [1, 0, 0]]], dtype=uint16)
    """
    # A copy, since cc3d rejects a read-only view. Not as bool: cc3d 4.1.1 fails on the line 1 0 1.
    labels: Labels
    labels, count = cc3d.connected_components(
        mask.astype(np.uint8), connectivity=connectivity, return_N=True
    )
    return labels.astype(label_type(count), copy=False)
