"""The seeds of a block of a stack."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellstack.blocks.cut_block import Ranges, part_on_grid
from cellstack.core.blobs import is_wide
from cellstack.core.planes import Stack
from cellstack.core.resampling import grid_factors
from cellstack.core.scales import FILTER_GRID
from cellstack.core.types import Labels, Mask, Spacing, Volume
from cellstack.segment.find_seeds import nearest_voxels, seeds_of_mask


def find_block_seeds(
    mask: Mask,
    components: Labels,
    spacing: Spacing,
    method: str,
    options: dict[str, Any],
    stack: Stack,
    points: NDArray[np.float64] | None = None,
    *,
    core: Ranges,
    extent: Ranges,
    allowed: Sequence[int] | None = None,
    smoothing_um: float,
    z_scale: float,
    radius_um: float,
    threads: int = 1,
) -> tuple[Volume, Labels]:
    """Return the distance map and the seeds of a block.

    Parameters
    ----------
    mask, components, spacing, method, options, stack, smoothing_um, z_scale, radius_um, threads
        See :func:`cellstack.segment.find_seeds.seeds_of_mask`, for the block.
    points : (N, 3) ndarray of float, optional
        Seed points along z, y and x that were set by hand, in the complete stack.
    core, extent : sequence of three (int, int)
        First voxel of the block, and the one after the last, along z, y and x.
    allowed : (int, int), optional
        First plane of the complete stack in which seeds are allowed, and the one after the last.

    Returns
    -------
    distance : (Z, Y, X) ndarray of float32
    seeds : (Z, Y, X) ndarray of uint16 or uint32
        Before the first voxel of the coarse grid of the blob filter, both are 0.
    """
    factors: tuple[int, ...] = (1, 1, 1)
    sigma_um = options.get("sigma_um", 0.0)  # of the blob filter, if the method has it
    if is_wide(sigma_um, spacing):
        factors = grid_factors(sigma_um * FILTER_GRID, spacing)
    part, moved = part_on_grid(core, extent, factors)
    planes = None
    if allowed is not None:
        planes = slice(*(max(0, plane - moved[0][0]) for plane in allowed))
    if points is not None:
        points = points_in_block(points, core, extent, spacing, options["coordinates"])
        options = options | {"coordinates": "voxels"}
    distance, seeds = seeds_of_mask(
        mask[part],
        components[part],
        spacing,
        method,
        options,
        stack[part],
        points,
        smoothing_um=smoothing_um,
        z_scale=z_scale,
        allowed=planes,
        radius_um=radius_um,
        threads=threads,
    )
    before = [(side.start, 0) for side in part]
    return np.pad(distance, before), np.pad(seeds, before)


def points_in_block(
    points: NDArray[np.float64], core: Ranges, extent: Ranges, spacing: Spacing, coordinates: str
) -> NDArray[np.float64]:
    """Return the points in a block, in voxels from its first one.

    Parameters
    ----------
    points, spacing, coordinates
        See :func:`cellstack.segment.find_seeds.nearest_voxels`.
    core, extent : sequence of three (int, int)
        See :func:`find_block_seeds`.

    Returns
    -------
    (n, 3) ndarray of float
        With the points beyond a face of the stack that is a face of the block.

    Examples
    --------
    >>> points = np.array([[0.0, 5, 4], [0, 9, 4], [0, 5, 9], [0, 1, 4]])
    >>> block = [(0, 1), (4, 6), (2, 6)], [(0, 1), (3, 6), (1, 8)]
    >>> points_in_block(points, *block, (1.0, 0.5, 0.5), "voxels")
    array([[0., 2., 3.],
           [0., 6., 3.]])
    """
    voxels = nearest_voxels(points, spacing, coordinates)
    is_inside = np.ones(len(points), bool)
    for axis, ((start, stop), (first, last)) in enumerate(zip(core, extent, strict=True)):
        if first < start:
            is_inside &= voxels[:, axis] >= first
        if last > stop:
            is_inside &= voxels[:, axis] < last
    return voxels[is_inside] - [first for first, _ in extent]
