"""The mask of a block of a stack."""

from typing import Any

import numpy as np

from cellstack.blocks.choose_blobs import chosen_in_block
from cellstack.blocks.cut_block import Ranges, within
from cellstack.core.blobs import smooth_on_grid
from cellstack.core.types import BoolVolume, Mask, Spacing, Volume
from cellstack.segment.per_object_threshold import lowest_threshold, mark_chosen


def binarize_block(
    stack: Volume,
    spacing: Spacing,
    record: dict[str, Any],
    options: dict[str, Any],
    factor: float,
    no_data: BoolVolume | None,
    core: Ranges,
    extent: Ranges,
) -> tuple[Mask, dict[str, Any]]:
    """Threshold the chosen blobs of a block.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of float32
        Denoised intensities of the block.
    spacing : (3,) sequence of float
        Voxel size along z, y and x in um.
    record : dict
        From :func:`cellstack.blocks.choose_blobs.choose_from_blocks`.
    options : dict
        Options of :func:`cellstack.segment.per_object_threshold.mark_blobs`.
    factor : float
        Factor by which each threshold is multiplied.
    no_data : (Z, Y, X) ndarray of bool or None
        Voxels without data.
    core, extent : sequence of three (int, int)
        First voxel of the block, and the one after the last, along z, y and x.

    Returns
    -------
    mask : (Z, Y, X) ndarray of uint8
    measured : dict
        Of the core: ``voxels``, ``foreground_voxels``, ``haze_ratios`` and number of ``hollow``
        objects.
    """
    grid = smooth_on_grid(stack, spacing, options["sigma_um"], no_data)
    chosen, in_core = chosen_in_block(record, core, extent, grid.factors)
    sizes = {name: options[name] for name in ("level", "sigma_um", "max_radius_um")}
    backgrounds, raised = (np.array(record[name], np.float32) for name in ("backgrounds", "raised"))
    lowest = lowest_threshold(backgrounds, raised, options["level"])
    marked = mark_chosen(stack, grid, chosen, no_data, lowest=lowest, factor=factor, **sizes)
    inside = marked.mask[within(core, extent)]
    haze = marked.haze_ratios[in_core]
    return marked.mask.view(np.uint8), {
        "voxels": inside.size,
        "foreground_voxels": int(np.count_nonzero(inside)),
        "haze_ratios": haze[~np.isnan(haze)].tolist(),
        "hollow": int(np.count_nonzero(marked.is_hollow[in_core])),
    }
