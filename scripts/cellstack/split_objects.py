"""From seeds to whole objects: a watershed within the mask.

Halo: none can be stated, a basin may be as large as its component.
"""

import fastremap
import numpy as np

from cellstack import io
from cellstack.methods import Methods

METHODS = Methods()


def split_objects(seeds, mask, stack, distance, method, options):
    """Flood a landscape from the seeds, within the mask.

    Parameters
    ----------
    seeds : (Z, Y, X) ndarray of uint16 or uint32
        0 but at the seeds.
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
        Labels 1..n, in the order of the seeds.

    References
    ----------
    .. [1] P. Soille and L. Vincent, "Determining watersheds in digital pictures via flooding simulations", 1990; computed by
       `skimage.segmentation.watershed`.
    """
    from skimage.segmentation import watershed

    labels = watershed(METHODS[method](stack, distance, **options), seeds.astype(np.int32), mask=mask.view(bool))
    labels, mapping = fastremap.renumber(labels, preserve_zero=True)
    return labels.astype(io.label_type(len(mapping)), copy=False)


@METHODS
def distance(stack, distance):
    """Take objects apart where they are narrow: the negative distance map."""
    return -distance


@METHODS
def intensity(stack, distance):
    """Take objects apart where they are dark: the negative intensity."""
    return -stack
