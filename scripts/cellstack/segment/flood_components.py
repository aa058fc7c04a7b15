"""Connected components with several seeds, flooded by a watershed, large ones in parts."""

import logging
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import EllipsisType
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cellstack.config.blocks import choose_counts, place_blocks
from cellstack.core import parallel
from cellstack.core.labels import find_boxes
from cellstack.core.planes import Stack
from cellstack.core.types import Box, Labels, Spacing, Volume
from cellstack.core.watershed import watershed
from cellstack.errors import InputError

Landscape: TypeAlias = Callable[[Box | int | EllipsisType], Volume]

MAX_VOXELS = 16_000_000  # of a part with its overlap: 25 bytes per voxel are 400 MB
OVERLAP = 1.5  # diameters of an object, whose outline depends on the objects beside it
MAX_TOTAL = 2  # voxels of all parts, relative to those of the component
log = logging.getLogger(__name__)


class Part(NamedTuple):
    """A part of a component: voxels in `core` get the labels found in `extent`."""

    component: int
    core: Box
    extent: Box


class Layer(NamedTuple):
    """The labels of a part in a layer of voxels just outside of its core."""

    component: int
    box: Box
    labels: NDArray[Any]


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
        All voxels of these components are labelled.
    compactness, connectivity
        See :func:`cellstack.core.watershed.watershed`.
    threads : int
        Number of parts that are flooded at the same time, if they are small compared with the
        stack. It does not change the result.
    max_voxels : int
        Components in larger boxes are flooded in parts.

    Notes
    -----
    Flooding in parts needs less memory, and less time because fewer voxels are waiting in the
    queue. The result is that of the complete component if the parts overlap by the size of an
    object. If a part disagrees with its neighbour on a voxel beside its core, the component is
    flooded at once.
    """
    boxes = {number: box for number, box in find_boxes(components).items() if number in seed_counts}
    layers: list[Layer] = []

    def flood(part: Part) -> None:
        inside = components[part.extent] == part.component
        flooded = watershed(
            landscape(part.extent), seeds[part.extent], connectivity, inside, compactness
        )
        core = _within(part.core, part.extent)
        np.copyto(labels[part.core], flooded[core], where=inside[core], casting="unsafe")
        for box in _layers_around(part):
            layers.append(Layer(part.component, box, flooded[_within(box, part.extent)].copy()))

    parts = [
        part
        for number, box in boxes.items()
        for part in _divide(number, box, components, seed_counts[number], spacing, max_voxels)
    ]
    largest = max(math.prod(side.stop - side.start for side in part.extent) for part in parts)
    at_once = max(1, (components.size // 3 + max_voxels) // largest)  # 25 bytes per voxel of each
    parallel.map_threads(flood, parts, min(threads, at_once))
    disagreeing = {
        number
        for number, box, found in layers
        if ((labels[box] != found) & (components[box] == number)).any()
    }
    if disagreeing:
        log.info("flooded at once, since parts disagreed: %d components", len(disagreeing))
    for number in sorted(disagreeing):
        flood(Part(number, boxes[number], boxes[number]))


def _divide(
    number: int,
    box: Box,
    components: Labels,
    seed_count: int,
    spacing: Spacing,
    max_voxels: int,
) -> list[Part]:
    """Divide a component into parts, if its box is large and objects are small enough."""
    shape = [side.stop - side.start for side in box]
    voxels = math.prod(shape)
    if voxels <= max_voxels:
        return [Part(number, box, box)]
    volume_um3 = np.count_nonzero(components[box] == number) * math.prod(spacing)
    diameter_um = math.cbrt(6 * volume_um3 / math.pi / seed_count)
    overlap = [math.ceil(OVERLAP * diameter_um / step) for step in spacing]
    while max_voxels < voxels:
        try:
            counts = choose_counts(shape, overlap, max_voxels)
        except InputError:  # most of each part would be overlap
            pass
        else:
            blocks = place_blocks(shape, counts, overlap).values()
            if sum(block.voxels for block in blocks) <= MAX_TOTAL * voxels:
                return [
                    Part(number, _shift(block.core, box), _shift(block.extent, box))
                    for block in blocks
                ]
        max_voxels *= 2
    return [Part(number, box, box)]


def _shift(ranges: Sequence[tuple[int, int]], box: Box) -> Box:
    """Return ranges that are counted from the first voxel of a box as slices of the stack."""
    z, y, x = (
        slice(side.start + start, side.start + stop)
        for (start, stop), side in zip(ranges, box, strict=True)
    )
    return z, y, x


def _within(box: Box, extent: Box) -> Box:
    """Return a box, counted from the first voxel of the extent."""
    z, y, x = (
        slice(side.start - outer.start, side.stop - outer.start)
        for side, outer in zip(box, extent, strict=True)
    )
    return z, y, x


def _layers_around(part: Part) -> Iterator[Box]:
    """Return the layers of voxels that touch the core of a part, in its extent."""
    for axis, (core, extent) in enumerate(zip(part.core, part.extent, strict=True)):
        for place in (core.start - 1, core.stop):
            if extent.start <= place < extent.stop:
                layer = list(part.core)
                layer[axis] = slice(place, place + 1)
                yield layer[0], layer[1], layer[2]
