"""From seeds to whole objects: a watershed within the mask.

Halo: none can be stated, a basin may be as large as its component.
"""

import numpy as np

from cellstack import io
from cellstack.errors import InputError
from cellstack.methods import Methods

METHODS = Methods()
STEPS = {6: 1, 18: 2, 26: 3}  # axes along which a neighbour may lie one voxel off, as scikit-image counts


def split_objects(seeds, mask, stack, distance, method, options, edges=None, compactness=0.0, connectivity=26):
    """Flood a landscape from the seeds, within the mask.

    Parameters
    ----------
    seeds : (Z, Y, X) ndarray of uint16 or uint32
        0 but at the seeds, which are numbered 1..n and lie within the mask.
    mask : (Z, Y, X) ndarray of uint8
        1 where objects are.
    stack : (Z, Y, X) ndarray of float32
        Intensities.
    distance : (Z, Y, X) ndarray of float32
        Distance to the background in um.
    method : str
        Which landscape of :data:`METHODS`.
    options : dict
        Its options.
    edges : (Z, Y, X) ndarray of float32
        Strength of edges, which `edges` and `blend` use.
    compactness : float
        What the landscape rises by with each voxel from the seed, counted alike on all axes; 0 for a plain watershed.
    connectivity : int
        Neighbours over which objects grow: 6, 18 or 26.

    Returns
    -------
    (Z, Y, X) ndarray of uint16 or uint32
        Labels 1..n, each that of its seed. No voxel of a component of that connectivity that holds a seed is left without.

    References
    ----------
    .. [1] P. Soille and L. Vincent, "Determining watersheds in digital pictures via flooding simulations", 1990; computed by
       `skimage.segmentation.watershed`.
    .. [2] P. Neubert and P. Protzel, "Compact Watershed and Preemptive SLIC", ICPR 2014.
    """
    from skimage.segmentation import watershed

    landscape = METHODS[method](stack, distance, edges, mask, **options)
    markers, near = seeds.astype(np.int32), STEPS[connectivity]
    labels = watershed(landscape, markers, connectivity=near, mask=mask.view(bool), compactness=compactness)
    return labels.astype(io.label_type(seeds.max(initial=0)))


@METHODS
def distance(stack, distance, edges, mask):
    """Take objects apart where they are narrow: the negative distance map."""
    return -distance


@METHODS
def intensity(stack, distance, edges, mask):
    """Take objects apart where they are dark: the negative intensity."""
    return -stack


@METHODS
def contrast(stack, distance, edges, mask):
    """Take objects apart where they are dark before noise was removed: the rule hands in that stack."""
    return -stack


@METHODS
def edges(stack, distance, edges, mask):
    """Take objects apart along edges: their strength."""
    if edges is None:
        raise InputError("split_objects has no edges to go by: give the file that detect_edges writes as edges, or choose another method")
    return edges


@METHODS
def blend(stack, distance, edges, mask, *, weight, partner):
    """Take objects apart by distance and by intensity or edges together.

    Parameters
    ----------
    stack, distance, edges : (Z, Y, X) ndarray of float32
        Denoised intensities, distance to the background in um, strength of edges.
    mask : (Z, Y, X) ndarray of uint8
        1 where objects are.
    weight : float
        From 0, the distance alone, to 1, the partner alone.
    partner : str
        "intensity" or "edges".

    Returns
    -------
    (Z, Y, X) ndarray of float32
        The weighted mean of the two landscapes, each divided by its standard deviation within the mask. So with a weight of 0.5 both
        have the same say, whatever their units. One without any variation counts as 0.
    """
    far, other = (METHODS[name](stack, distance, edges, mask) for name in ("distance", partner))
    return np.float32(1 - weight) * _scaled(far, mask) + np.float32(weight) * _scaled(other, mask)


def _scaled(landscape, mask):
    spread = np.std(landscape, where=mask.view(bool), dtype=np.float64) if mask.any() else 0
    return landscape / np.float32(spread) if spread > 0 else np.zeros_like(landscape)
