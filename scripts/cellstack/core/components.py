"""Connected components of masks."""

import cc3d
import numpy as np

from cellstack.core.labels import relabel
from cellstack.core.types import BoolVolume


def keep_marked_components(mask: BoolVolume, markers: BoolVolume) -> BoolVolume:
    """Keep the connected components of a mask that contain a marker.

    Parameters
    ----------
    mask : (Z, Y, X) ndarray of bool
        Voxels are connected across faces.
    markers : (Z, Y, X) ndarray of bool
        Markers outside the mask have no effect.

    Returns
    -------
    (Z, Y, X) ndarray of bool

    Examples
    --------
    >>> mask = np.array([[[True, True, False, True]]])
    >>> markers = np.array([[[True, False, True, False]]])
    >>> keep_marked_components(mask, markers)
    array([[[ True,  True, False, False]]])
    """
    components = cc3d.connected_components(mask, connectivity=6)
    marked = np.zeros(int(components.max(initial=0)) + 1, bool)
    marked[components[markers]] = True
    marked[0] = False
    return relabel(components, marked)
