"""Connected components of a mask.

Halo: none can be stated, a component may be as large as the stack.
"""

import cc3d
import numpy as np

from cellstack import io


def label_components(mask, connectivity):
    """Give each connected part of a mask a label of its own.

    Parameters
    ----------
    mask : (Z, Y, X) ndarray of uint8
        0 or 1.
    connectivity : {6, 18, 26}
        Voxels are neighbours across faces; faces and edges; faces, edges and corners.

    Returns
    -------
    (Z, Y, X) ndarray of uint16 or uint32
        1..n in the order in which a scan meets them; the parts are those of `skimage.measure.label`.
    """
    # a copy, since cc3d refuses a read-only view; not as bool, with which cc3d 4.1.1 fails on the single line 1 0 1
    labels, count = cc3d.connected_components(mask.astype(np.uint8), connectivity=connectivity, return_N=True)
    return labels.astype(io.label_type(count), copy=False)
