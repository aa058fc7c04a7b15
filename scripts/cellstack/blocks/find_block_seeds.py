"""The seeds of a block of a stack."""

from typing import Any

import numpy as np

from cellstack.blocks.cut_block import Ranges, part_on_grid
from cellstack.core.blobs import is_wide
from cellstack.core.planes import Stack
from cellstack.core.resampling import grid_factors
from cellstack.core.scales import FILTER_GRID
from cellstack.core.types import Labels, Mask, Spacing, Volume
from cellstack.segment.find_seeds import seeds_of_mask


def find_block_seeds(
    mask: Mask,
    components: Labels,
    spacing: Spacing,
    method: str,
    options: dict[str, Any],
    stack: Stack,
    core: Ranges,
    extent: Ranges,
    *,
    smoothing_um: float,
    threads: int = 1,
) -> tuple[Volume, Labels]:
    """Return the distance map and the seeds of a block.

    Parameters
    ----------
    mask, components, spacing, method, options, stack, smoothing_um, threads
        See :func:`cellstack.segment.find_seeds.seeds_of_mask`, for the block.
    core, extent : sequence of three (int, int)
        First voxel of the block, and the one after the last, along z, y and x.

    Returns
    -------
    distance : (Z, Y, X) ndarray of float32
    seeds : (Z, Y, X) ndarray of uint16 or uint32
        Before the first voxel of the coarse grid of the blob filter, both are 0.
    """
    factors: tuple[int, ...] = (1, 1, 1)
    if is_wide(options["sigma_um"], spacing):
        factors = grid_factors(options["sigma_um"] * FILTER_GRID, spacing)
    part, _ = part_on_grid(core, extent, factors)
    distance, seeds = seeds_of_mask(
        mask[part],
        components[part],
        spacing,
        method,
        options,
        stack[part],
        smoothing_um=smoothing_um,
        threads=threads,
    )
    before = [(side.start, 0) for side in part]
    return np.pad(distance, before), np.pad(seeds, before)
