"""How far apart the outlines of an object and of its truth run, in um.

Halo: none, objects are compared as wholes.
"""

import edt
import numpy as np

from cellstack import relabel


def surface_distances(truth, labels, pairs, spacing):
    """Compute the mean distance between the surfaces of each pair of objects.

    Parameters
    ----------
    truth, labels : (Z, Y, X) ndarray of unsigned int, of the same shape
        0 is background.
    pairs : cellstack.overlaps.Pairs
        The objects to compare.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.

    Returns
    -------
    (k,) ndarray of float
        In um, one per pair; see :func:`mean_surface_distance`.
    """
    boxes = [relabel.find_boxes(each) for each in (truth, labels)]
    distances = np.empty(len(pairs.truth))
    for i, (row, column) in enumerate(zip(pairs.truth, pairs.label, strict=True)):
        sides = zip(boxes[0][row], boxes[1][column], strict=True)
        # one voxel more on each side, where the stack goes on, shows what lies at the objects' surface
        box = tuple(slice(max(min(a.start, b.start) - 1, 0), max(a.stop, b.stop) + 1) for a, b in sides)
        distances[i] = mean_surface_distance(truth[box] == row, labels[box] == column, spacing)
    return distances


def mean_surface_distance(first, second, spacing):
    """Compute the mean over the surface voxels of two objects of the distance to the nearest surface voxel of the other one.

    Parameters
    ----------
    first, second : (Z, Y, X) ndarray of bool
        The objects. A voxel is at the surface if one of its six neighbours does not belong to the object; beyond the array there are none,
        so that a face of the stack that cuts both objects is no surface.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.

    Returns
    -------
    float
        In um (average symmetric surface distance); not-a-number where an object has no surface within the array.

    References
    ----------
    .. [1] T. Heimann et al., "Comparison and evaluation of methods for liver segmentation from CT datasets", IEEE Transactions on Medical
       Imaging 28, 2009.
    """
    surfaces = [_surface(mask) for mask in (first, second)]
    counts = [np.count_nonzero(surface) for surface in surfaces]
    if 0 in counts:
        return np.nan
    total = 0.0
    for here, there in (surfaces, surfaces[::-1]):
        total += float(edt.edt(~there, anisotropy=tuple(map(float, spacing)), parallel=1)[here].sum(dtype=float))
    return total / sum(counts)


def _surface(mask):
    inner = mask.copy()
    for axis in range(mask.ndim):
        along, inside = np.moveaxis(mask, axis, 0), np.moveaxis(inner, axis, 0)
        inside[:-1] &= along[1:]
        inside[1:] &= along[:-1]
    return mask & ~inner
