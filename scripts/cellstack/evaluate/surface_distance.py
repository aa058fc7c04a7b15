"""Distance between the surfaces of an object and of its ground truth, in um."""

import edt
import numpy as np
from numpy.typing import NDArray

from cellstack.core.boxes import unite_boxes, widen_box
from cellstack.core.labels import find_boxes
from cellstack.core.overlaps import Pairs
from cellstack.core.planes import Stack
from cellstack.core.types import BoolVolume, Spacing


def surface_distances(
    ground_truth: Stack, labels: Stack, pairs: Pairs, spacing: Spacing
) -> NDArray[np.float64]:
    """Return the mean distance between the surfaces of each pair of objects.

    Parameters
    ----------
    ground_truth, labels : (Z, Y, X) ndarray or stack of unsigned int
        Label images of the same shape; 0 is background.
    pairs : Pairs
        The objects to compare.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.

    Returns
    -------
    (k,) ndarray of float
        In um, one for each pair; see :func:`mean_surface_distance`.
    """
    true_boxes, boxes = find_boxes(ground_truth), find_boxes(labels)
    distances = np.empty(len(pairs.true_label))
    for i, (true_label, label) in enumerate(zip(pairs.true_label, pairs.label, strict=True)):
        # One voxel more on each side shows which voxels are at the surface.
        box = widen_box(unite_boxes(true_boxes[true_label], boxes[label]))
        distances[i] = mean_surface_distance(
            ground_truth[box] == true_label, labels[box] == label, spacing
        )
    return distances


def mean_surface_distance(first: BoolVolume, second: BoolVolume, spacing: Spacing) -> float:
    """Return the average symmetric surface distance of two objects.

    It is the mean over the surface voxels of both objects of the distance to the nearest surface
    voxel of the other object.

    Parameters
    ----------
    first, second : (Z, Y, X) ndarray of bool
        The objects. A voxel is at the surface if one of its six neighbours is not in the object.
        Voxels outside the array are ignored, so that a face of the stack that cuts an object is
        not a surface.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.

    Returns
    -------
    float
        In um; NaN if an object has no surface within the array.

    References
    ----------
    .. [1] T. Heimann et al., "Comparison and evaluation of methods for liver segmentation from CT
       datasets", IEEE Transactions on Medical Imaging 28, 2009.

    Examples
    --------
    >>> first, second = np.zeros((2, 4, 9, 9), bool)
    >>> first[:, :, :5] = second[:, :, :7] = True
    >>> mean_surface_distance(first, second, (3.0, 1.0, 0.5))
    1.0
    """
    surfaces = [_surface(mask) for mask in (first, second)]
    counts = [int(np.count_nonzero(surface)) for surface in surfaces]
    if 0 in counts:
        return np.nan
    steps = tuple(map(float, spacing))
    total = 0.0
    for here, there in (surfaces, surfaces[::-1]):
        distance = edt.edt(~there, anisotropy=steps, parallel=1)
        total += float(distance[here].sum(dtype=float))
    return total / sum(counts)


def _surface(mask: BoolVolume) -> BoolVolume:
    inner = mask.copy()
    for axis in range(mask.ndim):
        along, inside = np.moveaxis(mask, axis, 0), np.moveaxis(inner, axis, 0)
        inside[:-1] &= along[1:]
        inside[1:] &= along[:-1]
    return mask & ~inner
