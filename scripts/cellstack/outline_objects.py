"""Outlines of whole objects, once it is known which voxels belong together.

Halo: none can be stated, an object is looked at as a whole.
"""

import cc3d
import numpy as np

from cellstack import denoise, io, relabel, topology, units, workers
from cellstack.methods import Methods

METHODS = Methods()
SPUR = 0.4  # where a smoothed object is below this it is narrow; at a flat outline it is 0.5
REACH = 2  # standard deviations by which an outline may move outward


def outline_objects(labels, spacing, method, options, threads=1):
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
    threads : int
        Objects that are drawn at once. The result does not depend on it.

    Returns
    -------
    (Z, Y, X) ndarray of uint16 or uint32
        1..m, in the order of `labels`.
    """
    return METHODS[method](labels, spacing, threads, **options)


@METHODS
def none(labels, spacing, threads=1):
    """Leave the outlines as they are."""
    return labels.copy()


@METHODS
def smooth(labels, spacing, threads=1, *, sigma_um, min_volume_um3):
    """Smooth each object without a change of its volume: spurs and parts apart are dropped, holes and notches filled.

    Parameters
    ----------
    labels : (Z, Y, X) ndarray of uint16 or uint32
    spacing : (3,) sequence of float
    threads : int
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
    boxes = {
        label: tuple(slice(max(0, side.start - margin), side.stop + margin) for side, margin in zip(box, margins, strict=True))
        for label, box in relabel.find_boxes(labels).items()
    }

    def outline(label):
        there, target = labels[boxes[label]], drawn[boxes[label]]
        own = there == label
        return _smooth(own, ((there == 0) & (target == 0)) | own, spacing, sigma_um)

    def outline_alone(label):  # before any other is drawn
        mask, held = outline(label)
        return np.packbits(mask), np.packbits(held)

    count = 0
    for label, packed in zip(boxes, workers.in_processes(outline_alone, list(boxes), threads), strict=True):
        target = drawn[boxes[label]]
        mask, held = (np.unpackbits(bits, count=target.size).view(bool).reshape(target.shape) for bits in packed)
        if target[held].any():  # those drawn before it are in its way
            mask, _ = outline(label)
        if mask.sum() >= max(1, least):
            count += 1
            target[mask] = count
    return drawn.astype(io.label_type(count), copy=False)


def _smooth(mask, free, spacing, sigma_um):
    """Smooth an object; return it, and all voxels that had a say: while these are free, it does not matter which others are."""
    whole = topology.fill_cavities(_largest_part(mask), connectivity=6) & free
    soft = denoise.gaussian(whole.astype(np.float32), spacing, sigma_um=sigma_um)
    count = np.count_nonzero(whole & (soft > SPUR))
    if count == 0:
        return np.zeros_like(mask), whole
    soft[~free] = 0
    least = np.partition(soft, soft.size - count, axis=None)[soft.size - count]
    highest = soft >= max(least, np.finfo(np.float32).tiny)
    return _largest_part(highest), whole | highest


def _largest_part(mask):
    parts, count = cc3d.connected_components(mask.view(np.uint8), connectivity=6, return_N=True)
    if count <= 1:
        return mask
    sizes = relabel.count_voxels(parts)
    sizes[0] = 0
    return parts == sizes.argmax()
