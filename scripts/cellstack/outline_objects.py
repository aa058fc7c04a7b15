"""Outlines of whole objects, once it is known which voxels belong together.

Halo: none can be stated, an object is looked at as a whole.
"""

import cc3d
import numpy as np

from cellstack import denoise, io, relabel, topology, units
from cellstack.methods import Methods

METHODS = Methods()
SPUR = 0.4  # where a smoothed object is below this it is narrow; at a flat outline it is 0.5
REACH = 2  # standard deviations by which an outline may move outward


def outline_objects(labels, spacing, method, options):
    """Draw the outlines of objects anew by one of :data:`METHODS`.

    Parameters
    ----------
    labels : (Z, Y, X) ndarray of uint16 or uint32
        1..n, 0 is background.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    method : str
        Name of a method.
    options : dict
        Its options.

    Returns
    -------
    (Z, Y, X) ndarray of uint16 or uint32
        1..m, in the order of `labels`.
    """
    return METHODS[method](labels, spacing, **options)


@METHODS
def none(labels, spacing):
    """Leave the outlines as they are."""
    return labels.copy()


@METHODS
def smooth(labels, spacing, *, sigma_um, min_volume_um3):
    """Smooth each object without a change of its volume: spurs and parts apart are dropped, holes and notches filled.

    Parameters
    ----------
    labels : (Z, Y, X) ndarray of uint16 or uint32
    spacing : (3,) sequence of float
    sigma_um : float
        Standard deviation in um of the Gaussian that smooths the object.
    min_volume_um3 : float
        Smaller objects are dropped.

    Returns
    -------
    (Z, Y, X) ndarray of uint16 or uint32

    Notes
    -----
    Of the smoothed object those voxels are kept that have the highest values, as many as the object had without its spurs. A cut at 0.5
    instead would shrink what is round, by some 2 sigma / radius squared of the radius. No object grows into another.
    """
    drawn = np.zeros_like(labels)
    margins = [int(np.ceil(length)) for length in units.in_voxels(REACH * sigma_um, spacing)]
    least = units.volume_voxels(min_volume_um3, spacing)
    count = 0
    boxes = cc3d.statistics(labels)["bounding_boxes"] if labels.any() else []
    for label in range(1, len(boxes)):
        box = tuple(slice(max(0, part.start - margin), part.stop + margin) for part, margin in zip(boxes[label], margins, strict=True))
        there, target = labels[box], drawn[box]
        own = there == label
        mask = _smooth(own, ((there == 0) & (target == 0)) | own, spacing, sigma_um)
        if mask.sum() >= max(1, least):
            count += 1
            target[mask] = count
    return drawn.astype(io.label_type(count), copy=False)


def _smooth(mask, free, spacing, sigma_um):
    whole = topology.fill_cavities(_largest_part(mask), connectivity=6) & free
    soft = denoise.gaussian(whole.astype(np.float32), spacing, sigma_um=sigma_um)
    count = np.count_nonzero(whole & (soft > SPUR))
    if count == 0:
        return np.zeros_like(mask)
    soft[~free] = 0
    least = np.partition(soft, soft.size - count, axis=None)[soft.size - count]
    return _largest_part(soft >= max(least, np.finfo(np.float32).tiny))


def _largest_part(mask):
    parts, count = cc3d.connected_components(mask.view(np.uint8), connectivity=6, return_N=True)
    if count <= 1:
        return mask
    sizes = relabel.count_voxels(parts)
    sizes[0] = 0
    return parts == sizes.argmax()
