"""Touching objects split by a watershed from their seeds, within the mask.

Each of :data:`METHODS` makes the landscape that is flooded. It is called with `stack`, `distance`,
`edges` and `mask`, as described at :func:`split_objects`, and with its options as keywords. It
returns a function that computes the landscape within a box, since most of it is never used.
"""

from collections import Counter
from types import EllipsisType
from typing import Any, Literal

import cc3d
import numpy as np
from numpy.typing import NDArray

from cellstack.config.methods import Methods
from cellstack.core.intensities import divide_by_sd
from cellstack.core.labels import highest_label, label_type, relabel
from cellstack.core.planes import Stack
from cellstack.core.types import Box, Labels, Mask, Spacing, Volume
from cellstack.errors import InputError
from cellstack.segment.flood_components import Landscape, flood_components

METHODS = Methods()
CONNECTED_AXES = {6: 1, 18: 2, 26: 3}  # the same connectivity in the notation of scikit-image


def split_objects(
    seeds: Stack,
    mask: Mask,
    stack: Stack,
    distance: Stack,
    spacing: Spacing,
    method: str,
    options: dict[str, Any],
    edges: Stack | None = None,
    compactness: float = 0.0,
    connectivity: Literal[6, 18, 26] = 26,
    threads: int = 1,
) -> Labels:
    """Split objects by a seeded watershed.

    Parameters
    ----------
    seeds : (Z, Y, X) ndarray or stack of uint16 or uint32
        Seeds 1..n within the mask; 0 elsewhere.
    mask : (Z, Y, X) ndarray of uint8
        1 in the objects, 0 elsewhere.
    stack : (Z, Y, X) ndarray or stack of float32
        Intensities.
    distance : (Z, Y, X) ndarray or stack of float32
        Distance to the background in um.
    spacing : (3,) sequence of float
        Voxel size along z, y and x in um.
    method : str
        Name of the landscape, one of :data:`METHODS`.
    options : dict
        Options of the method.
    edges : (Z, Y, X) ndarray or stack of float32, optional
        Strength of edges, required by `edges` and `blend` with edges.
    compactness : float
        Increase of the landscape with each voxel from the seed, the same along all axes; 0 for the
        plain watershed.
    connectivity : {6, 18, 26}
        Neighbours over which objects grow: across faces; faces and edges; or faces, edges and
        corners.
    threads : int
        Number of components, or parts of one, that are flooded at the same time. It does not
        change the result.

    Returns
    -------
    (Z, Y, X) ndarray of uint16 or uint32
        Labels 1..n, each the label of its seed. All voxels of a component with a seed are labelled.

    Notes
    -----
    A component with one seed is one object. The other components are flooded separately, with the
    same result as flooding the whole stack: no object leaves its component. Only the order of seed
    voxels of the same height can depend on other components. Large components are flooded in parts,
    see :func:`cellstack.segment.flood_components.flood_components`.

    References
    ----------
    .. [1] P. Soille and L. Vincent, "Determining watersheds in digital pictures via flooding
       simulations", 1990; computed by `skimage.segmentation.watershed`.
    .. [2] P. Neubert and P. Protzel, "Compact Watershed and Preemptive SLIC", ICPR 2014.

    Examples
    --------
    >>> distance = np.array([[[1, 2, 1, 2, 1]]], np.float32)
    >>> seeds = np.array([[[0, 1, 0, 2, 0]]], np.uint16)
    >>> mask, spacing = np.ones((1, 1, 5), np.uint8), (1, 0.5, 0.5)
    >>> split_objects(seeds, mask, distance, distance, spacing, "distance", {})
    array([[[1, 1, 1, 2, 2]]], dtype=uint16)
    """
    landscape: Landscape = METHODS[method](stack, distance, edges, mask, **options)
    # cc3d does not accept a read-only view.
    components: Labels
    components, count = cc3d.connected_components(
        np.require(mask, np.uint8, "W"), connectivity=connectivity, return_N=True
    )
    component, seed = _pair_up(components, seeds)
    seed_counts = Counter(component[component > 0].tolist())
    shared = {number: found for number, found in seed_counts.items() if found > 1}
    table = np.zeros(count + 1, label_type(highest_label(seeds)))
    table[component] = seed
    table[[0, *shared]] = 0
    labels = relabel(components, table)
    if shared:
        flood_components(
            landscape,
            seeds,
            components,
            shared,
            spacing,
            labels,
            compactness=compactness,
            connectivity=CONNECTED_AXES[connectivity],
            threads=threads,
        )
    return labels


def _pair_up(components: Labels, seeds: Stack) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
    """Return the component and the label of each seed, once for each component it lies in."""
    pairs = [np.zeros((2, 0), np.int64)]
    for component, seed in zip(components, seeds, strict=True):
        places = np.flatnonzero(seed)
        found = np.stack([component.ravel()[places], seed.ravel()[places]]).astype(np.int64)
        pairs.append(np.unique(found, axis=1))
    component, seed = np.unique(np.concatenate(pairs, axis=1), axis=1)
    return component, seed


@METHODS
def distance(stack: Stack, distance: Stack, edges: Stack | None, mask: Mask) -> Landscape:
    """Return the negative distance map, which splits objects where they are narrow."""
    return lambda box: -distance[box]


@METHODS
def intensity(stack: Stack, distance: Stack, edges: Stack | None, mask: Mask) -> Landscape:
    """Return the negative intensity, which splits objects where they are dark."""
    return lambda box: -stack[box]


@METHODS
def undenoised_intensity(
    stack: Stack, distance: Stack, edges: Stack | None, mask: Mask
) -> Landscape:
    """Return the negative intensity; the rule passes the stack before denoising."""
    return lambda box: -stack[box]


@METHODS
def edges(stack: Stack, distance: Stack, edges: Stack | None, mask: Mask) -> Landscape:
    """Return the strength of edges, which splits objects along edges.

    Raises
    ------
    InputError
        `edges` is None.
    """
    if edges is None:
        raise InputError(
            "split_objects: there are no edges; give the file that detect_edges writes as edges, "
            "or choose another method"
        )
    strength = edges
    return lambda box: strength[box]


@METHODS
def blend(
    stack: Stack,
    distance: Stack,
    edges: Stack | None,
    mask: Mask,
    *,
    weight: float,
    partner: str,
) -> Landscape:
    """Return the weighted mean of the landscapes of distance and of intensity or edges.

    Each is divided by its standard deviation within the mask, so that a weight of 0.5 gives both
    the same influence, whatever their units. A constant landscape counts as 0.

    Parameters
    ----------
    weight : float
        Weight of the partner, from 0, distance only, to 1, partner only.
    partner : {"intensity", "edges"}
        The other landscape.
    """
    first: Landscape = METHODS["distance"](stack, distance, edges, mask)
    second: Landscape = METHODS[partner](stack, distance, edges, mask)
    first_sd, second_sd = _standard_deviation(first, mask), _standard_deviation(second, mask)

    def blended(box: Box | int | EllipsisType) -> Volume:
        return np.float32(1 - weight) * divide_by_sd(first(box), first_sd) + np.float32(
            weight
        ) * divide_by_sd(second(box), second_sd)

    return blended


def _standard_deviation(landscape: Landscape, mask: Mask) -> float:
    """Return the standard deviation of a landscape within the mask; 0 for an empty mask."""
    inside = mask.view(bool)
    values = np.concatenate([landscape(z)[plane] for z, plane in enumerate(inside)])
    return float(values.std(dtype=np.float64)) if len(values) else 0.0
