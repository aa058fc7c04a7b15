"""From seeds to whole objects: a watershed within the mask.

Halo: none can be stated, a basin may be as large as its component.
"""

import cc3d
import numpy as np

from cellstack import flood, io, relabel, workers
from cellstack.errors import InputError
from cellstack.methods import Methods

METHODS = Methods()  # each gives a landscape: a function of a box, for most of it is never looked at
STEPS = {6: 1, 18: 2, 26: 3}  # axes along which a neighbour may lie one voxel off, as scikit-image counts


def split_objects(seeds, mask, stack, distance, method, options, edges=None, compactness=0.0, connectivity=26, threads=1):
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
    threads : int
        Components that are flooded at once. The result does not depend on it.

    Returns
    -------
    (Z, Y, X) ndarray of uint16 or uint32
        Labels 1..n, each that of its seed. No voxel of a component of that connectivity that holds a seed is left without.

    Notes
    -----
    A component with one seed is its object. The others are flooded one by one, which gives what flooding the whole stack gives: no object
    leaves its component, and what happens in another changes no order but that of seed voxels of the same height.

    References
    ----------
    .. [1] P. Soille and L. Vincent, "Determining watersheds in digital pictures via flooding simulations", 1990; computed by
       `skimage.segmentation.watershed`.
    .. [2] P. Neubert and P. Protzel, "Compact Watershed and Preemptive SLIC", ICPR 2014.
    """
    landscape = METHODS[method](stack, distance, edges, mask, **options)
    # cc3d refuses a read-only view
    components, count = cc3d.connected_components(np.require(mask, np.uint8, "W"), connectivity=connectivity, return_N=True)
    marked = seeds > 0
    component, seed = np.unique(np.stack([components[marked], seeds[marked]]), axis=1)
    found, number = np.unique(component[component > 0], return_counts=True)
    table = np.zeros(count + 1, io.label_type(seeds.max(initial=0)))
    table[component] = seed
    shared = found[number > 1]
    table[[0, *shared]] = 0
    labels = relabel.relabel(components, table)
    if len(shared):
        boxes = relabel.find_boxes(components)

        def flood_component(each):
            box = boxes[each]
            own = components[box] == each
            parts = flood.watershed(landscape(box), seeds[box], STEPS[connectivity], own, compactness)
            np.copyto(labels[box], parts, where=own, casting="unsafe")

        workers.in_threads(flood_component, shared, threads)
    return labels


@METHODS
def distance(stack, distance, edges, mask):
    """Take objects apart where they are narrow: the negative distance map."""
    return lambda box: -distance[box]


@METHODS
def intensity(stack, distance, edges, mask):
    """Take objects apart where they are dark: the negative intensity."""
    return lambda box: -stack[box]


@METHODS
def contrast(stack, distance, edges, mask):
    """Take objects apart where they are dark before noise was removed: the rule hands in that stack."""
    return lambda box: -stack[box]


@METHODS
def edges(stack, distance, edges, mask):
    """Take objects apart along edges: their strength."""
    if edges is None:
        raise InputError("split_objects has no edges to go by: give the file that detect_edges writes as edges, or choose another method")
    return lambda box: edges[box]


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
    callable
        The weighted mean of the two landscapes, each divided by its standard deviation within the mask. So with a weight of 0.5 both
        have the same say, whatever their units. One without any variation counts as 0.
    """
    far, other = (_scaled(METHODS[name](stack, distance, edges, mask), mask) for name in ("distance", partner))
    return lambda box: np.float32(1 - weight) * far(box) + np.float32(weight) * other(box)


def _scaled(landscape, mask):
    values = np.concatenate([landscape(plane)[inside] for plane, inside in enumerate(mask.view(bool))])
    spread = np.float32(values.std(dtype=np.float64) if len(values) else 0)
    return lambda box: landscape(box) / spread if spread > 0 else np.zeros_like(landscape(box))
