"""Connected components with several seeds, flooded by a watershed, large ones in parts."""

import logging
import math
from collections.abc import Callable, Mapping
from types import EllipsisType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cellstack.core.flooding import MAX_VOXELS, divide, flood_in_parts
from cellstack.core.labels import find_boxes
from cellstack.core.planes import Stack
from cellstack.core.types import BoolVolume, Box, Labels, Spacing, Volume
from cellstack.core.watershed import watershed

Landscape: TypeAlias = Callable[[Box | int | EllipsisType], Volume]

log = logging.getLogger(__name__)


def flood_components(
    landscape: Landscape,
    seeds: Stack,
    components: Labels,
    seed_counts: Mapping[int, int],
    spacing: Spacing,
    labels: Labels,
    *,
    compactness: float,
    connectivity: int,
    threads: int,
    max_voxels: int = MAX_VOXELS,
) -> None:
    """Flood components from their seeds, and write the result into `labels`.

    Parameters
    ----------
    landscape : callable
        Returns the landscape within a box.
    seeds : (Z, Y, X) ndarray or stack of uint16 or uint32
        Seeds 1..n; 0 elsewhere.
    components : (Z, Y, X) ndarray of unsigned int
        Connected components of the mask, 1..n.
    seed_counts : mapping of int to int
        Number of seeds of each component to flood.
    spacing : (3,) sequence of float
        Voxel size along z, y and x in um.
    labels : (Z, Y, X) ndarray of uint16 or uint32
        0 in these components, all voxels of which are labelled.
    compactness, connectivity
        See :func:`cellstack.core.watershed.watershed`.
    threads : int
        See :func:`cellstack.core.flooding.flood_in_parts`.
    max_voxels : int
        Components in larger boxes are flooded in parts, which overlap by 1.5 diameters of an object
        of their average volume.
    """

    def belongs(component: int, box: Box) -> BoolVolume:
        inside: BoolVolume = components[box] == component
        return inside

    def flood(component: int, box: Box) -> NDArray[np.integer[Any]]:
        inside = belongs(component, box)
        return watershed(landscape(box), seeds[box], connectivity, inside, compactness)

    boxes = {number: box for number, box in find_boxes(components).items() if number in seed_counts}
    parts = []
    for number, box in boxes.items():
        diameter_um = 0.0
        if math.prod(side.stop - side.start for side in box) > max_voxels:
            volume_um3 = np.count_nonzero(belongs(number, box)) * math.prod(spacing)
            diameter_um = math.cbrt(6 * volume_um3 / math.pi / seed_counts[number])
        parts += divide(number, box, diameter_um, spacing, max_voxels)
    disagreeing = flood_in_parts(parts, flood, belongs, labels, threads)
    if disagreeing:
        log.info("flooded at once, since parts disagreed: %d components", len(disagreeing))
