"""Connected components of masks."""

import cc3d
import numpy as np

from cellstack.core.labels import relabel
from cellstack.core.planes import Stack
from cellstack.core.types import BoolVolume, Boxes


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


def find_divided(labels: Stack, boxes: Boxes) -> list[int]:
    """Return the labels of objects that consist of several parts.

    Parameters
    ----------
    labels : (Z, Y, X) ndarray or stack of unsigned int
        0 is background.
    boxes : dict of int to tuple of slice
        Bounding boxes, see :func:`cellstack.core.labels.find_boxes`.

    Returns
    -------
    list of int
        Voxels of one part are connected across faces, edges or corners.

    Examples
    --------
    >>> from cellstack.core.labels import find_boxes
    >>> labels = np.uint16([[[1, 2, 2, 0, 1]]])
    >>> find_divided(labels, find_boxes(labels))
    [1]
    """
    divided = []
    for label, box in boxes.items():
        mask = np.pad(labels[box] == label, 1)  # cc3d raises an error for some masks of few voxels
        if cc3d.connected_components(mask, connectivity=26).max() > 1:
            divided.append(label)
    return divided
