"""From seeds to whole objects: a watershed within the mask.

Halo: none can be stated, a basin may be as large as its component.
"""

import numpy as np

from cellstack import io
from cellstack.methods import Methods

METHODS = Methods()


def split_objects(seeds, mask, stack, distance, method, options):
    """Flood a landscape from the seeds, within the mask.

    Parameters
    ----------
    seeds : (Z, Y, X) ndarray of uint16 or uint32
        0 but at the seeds, which are numbered 1..n and lie within the mask.
    mask : (Z, Y, X) ndarray of uint8
        1 where objects are.
    stack : (Z, Y, X) ndarray of float32
        Denoised intensities.
    distance : (Z, Y, X) ndarray of float32
        Distance to the background in um.
    method : str
        Which landscape of :data:`METHODS`.
    options : dict
        Its options.

    Returns
    -------
    (Z, Y, X) ndarray of uint16 or uint32
        Labels 1..n, each that of its seed. No voxel of a component, of whatever connectivity, that holds a seed is left without.

    References
    ----------
    .. [1] P. Soille and L. Vincent, "Determining watersheds in digital pictures via flooding simulations", 1990; computed by
       `skimage.segmentation.watershed`.
    """
    from skimage.segmentation import watershed

    landscape = METHODS[method](stack, distance, **options)
    labels = watershed(landscape, seeds.astype(np.int32), connectivity=3, mask=mask.view(bool))  # 3: across corners too
    return labels.astype(io.label_type(seeds.max(initial=0)))


@METHODS
def distance(stack, distance):
    """Take objects apart where they are narrow: the negative distance map."""
    return -distance


@METHODS
def intensity(stack, distance):
    """Take objects apart where they are dark: the negative intensity."""
    return -stack
