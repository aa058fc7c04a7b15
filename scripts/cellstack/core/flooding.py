"""Watershed of a large stack in overlapping parts.

Flooding is local if seeds are everywhere: an outline depends on the objects beside it only. Parts
that overlap by more than the size of an object therefore give the labels of the complete stack.
They need less memory, and less time because fewer voxels wait in the queue.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cellstack.core import parallel
from cellstack.core.blocks import choose_counts, place_blocks
from cellstack.core.boxes import box_within, unite_boxes
from cellstack.core.types import BoolVolume, Box, Labels, Spacing

MAX_VOXELS = 16_000_000  # of a part: 25 bytes per voxel are 400 MB
OVERLAP = 1.5  # diameters of an object
MAX_TOTAL = 2  # voxels of all parts, relative to the box that they divide


class Part(NamedTuple):
    """A part of a component, or of a stack: voxels in `core` get the labels found in `extent`."""

    component: int
    core: Box
    extent: Box


Flood: TypeAlias = Callable[[int, Box], NDArray[np.integer[Any]]]
"""Returns the labels of a component within a box, and 0 elsewhere."""
Belongs: TypeAlias = Callable[[int, Box], BoolVolume]
"""Returns which voxels of a box belong to a component."""


def divide(
    component: int, box: Box, diameter_um: float, spacing: Spacing, max_voxels: int = MAX_VOXELS
) -> list[Part]:
    """Divide a box into overlapping parts, if it is large and objects are small.

    Parameters
    ----------
    component : int
        The component of the parts.
    box : tuple of slice
        A box in the stack.
    diameter_um : float
        Typical diameter of an object in um.
    spacing : (3,) sequence of float
        Voxel size along z, y and x in um.
    max_voxels : int
        A smaller box is one part. Parts are larger if they would have more than twice the voxels of
        the box together.

    Returns
    -------
    list of Part

    Examples
    --------
    >>> box = (slice(0, 1), slice(10, 20), slice(0, 100))
    >>> [part.extent[2] for part in divide(1, box, 4.0, (1, 0.5, 0.5), 700)]
    [slice(0, 62, None), slice(38, 100, None)]
    """
    shape = [side.stop - side.start for side in box]
    overlap = [math.ceil(OVERLAP * diameter_um / step) for step in spacing]
    voxels = math.prod(shape)
    while max_voxels < voxels:
        counts, largest = choose_counts(shape, overlap, max_voxels)
        blocks = place_blocks(shape, counts, overlap).values()
        total = sum(block.voxels for block in blocks)
        if largest <= max_voxels and total <= MAX_TOTAL * voxels:
            return [
                Part(component, _shift(block.core, box), _shift(block.extent, box))
                for block in blocks
            ]
        max_voxels *= 2
    return [Part(component, box, box)]


def flood_in_parts(
    parts: Sequence[Part], flood: Flood, belongs: Belongs, labels: Labels, threads: int
) -> set[int]:
    """Flood parts, and write what is found in their cores into the labels.

    A component whose parts disagree on a voxel just outside a core is flooded at once.

    Parameters
    ----------
    parts : sequence of Part
    flood, belongs : callable
        See :data:`Flood` and :data:`Belongs`.
    labels : (Z, Y, X) ndarray of unsigned int
        0 in all voxels that are flooded.
    threads : int
        Number of parts that are flooded at the same time, if they are small compared with the
        stack. It does not change the result.

    Returns
    -------
    set of int
        Components that were flooded at once.
    """
    layers: list[tuple[int, Box, NDArray[Any]]] = []

    def flood_part(part: Part) -> None:
        found = flood(part.component, part.extent)
        core = found[box_within(part.core, part.extent)]
        np.copyto(labels[part.core], core, where=core > 0, casting="unsafe")
        for box in _layers_around(part):
            layers.append((part.component, box, found[box_within(box, part.extent)].copy()))

    largest = max(math.prod(side.stop - side.start for side in part.extent) for part in parts)
    at_once = max(1, (labels.size // 3 + MAX_VOXELS) // largest)
    parallel.map_threads(flood_part, parts, min(threads, at_once))
    disagreeing = {
        component
        for component, box, found in layers
        if ((labels[box] != found) & belongs(component, box)).any()
    }
    for component in sorted(disagreeing):
        box = unite_boxes(*(part.core for part in parts if part.component == component))
        where = belongs(component, box)
        np.copyto(labels[box], flood(component, box), where=where, casting="unsafe")
    return disagreeing


def _shift(ranges: Sequence[tuple[int, int]], box: Box) -> Box:
    """Return ranges that are counted from the first voxel of a box as slices of the stack."""
    return tuple(
        slice(side.start + start, side.start + stop)
        for (start, stop), side in zip(ranges, box, strict=True)
    )


def _layers_around(part: Part) -> Iterator[Box]:
    """Return the layers of voxels that touch the core of a part, in its extent."""
    for axis, (core, extent) in enumerate(zip(part.core, part.extent, strict=True)):
        for place in (core.start - 1, core.stop):
            if extent.start <= place < extent.stop:
                yield (*part.core[:axis], slice(place, place + 1), *part.core[axis + 1 :])
