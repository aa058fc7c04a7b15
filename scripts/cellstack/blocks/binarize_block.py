"""The mask of a block of a stack."""

from typing import Any

import numpy as np

from cellstack.blocks.choose_blobs import chosen_in_block
from cellstack.blocks.cut_block import Ranges, cut_block, part_on_grid, within
from cellstack.core.blobs import smooth_on_grid
from cellstack.core.planes import Stack
from cellstack.core.resampling import grid_factors
from cellstack.core.scales import SEARCH_GRID
from cellstack.core.types import BoolVolume, Mask, Spacing, Volume
from cellstack.segment.binarize import Rule, binarize
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
    factors = grid_factors(options["sigma_um"] * SEARCH_GRID, spacing)
    part, on_grid = part_on_grid(core, extent, factors)
    stack_part, without = stack[part], None if no_data is None else no_data[part]
    grid = smooth_on_grid(stack_part, spacing, options["sigma_um"], without)
    chosen, in_core = chosen_in_block(record, core, on_grid, factors)
    sizes = {name: options[name] for name in ("level", "sigma_um", "max_radius_um")}
    backgrounds, raised = (np.array(record[name], np.float32) for name in ("backgrounds", "raised"))
    lowest = lowest_threshold(backgrounds, raised, options["level"])
    marked = mark_chosen(stack_part, grid, chosen, without, lowest=lowest, factor=factor, **sizes)
    mask = np.zeros(stack.shape, np.uint8)
    mask[part] = marked.mask
    inside = mask[within(core, extent)]
    haze = marked.haze_ratios[in_core]
    return mask, {
        "voxels": inside.size,
        "foreground_voxels": int(np.count_nonzero(inside)),
        "haze_ratios": haze[~np.isnan(haze)].tolist(),
        "hollow": int(np.count_nonzero(marked.is_hollow[in_core])),
    }


def threshold_block(
    stack: Stack,
    spacing: Spacing,
    threshold: float | Rule,
    no_data: BoolVolume | None,
    core: Ranges,
    extent: Ranges,
) -> tuple[Mask, dict[str, Any]]:
    """Threshold a block by the threshold of the complete stack.

    Parameters
    ----------
    stack, spacing, no_data, core, extent
        See :func:`binarize_block`.
    threshold : float or callable
        See :func:`cellstack.segment.binarize.binarize`.

    Returns
    -------
    mask : (Z, Y, X) ndarray of uint8
    measured : dict
        Of the core: ``voxels`` and ``foreground_voxels``.

    Examples
    --------
    >>> stack = np.float32([[[0.1, 0.5, 0.9]]])
    >>> inside = [(0, 1), (0, 1), (0, 2)], [(0, 1), (0, 1), (0, 3)]
    >>> mask, measured = threshold_block(stack, (1.0, 0.5, 0.5), 0.3, None, *inside)
    >>> mask, measured
    (array([[[0, 1, 1]]], dtype=uint8), {'voxels': 2, 'foreground_voxels': 1})
    """
    mask = binarize(stack, threshold, spacing, no_data=no_data)
    return mask, _count_foreground(mask, core, extent)


def cut_mask(
    connected: Stack, no_data: BoolVolume | None, core: Ranges, extent: Ranges
) -> tuple[Mask, dict[str, Any]]:
    """Cut the mask of a block out of that of the complete stack.

    Parameters
    ----------
    connected : (Z, Y, X) ndarray or stack of uint8
        Mask of the complete stack, see :func:`cellstack.blocks.connect_mask.connect_mask`.
    no_data, core, extent
        See :func:`binarize_block`.

    Returns
    -------
    mask, measured
        See :func:`threshold_block`.

    Examples
    --------
    >>> connected = np.uint8([[[0, 1, 0, 1]]])
    >>> cut_mask(connected, None, [(0, 1), (0, 1), (2, 4)], [(0, 1), (0, 1), (1, 4)])
    (array([[[1, 0, 1]]], dtype=uint8), {'voxels': 2, 'foreground_voxels': 1})
    """
    mask: Mask = cut_block(connected, extent)
    if no_data is not None:
        mask = mask * ~no_data
    return mask, _count_foreground(mask, core, extent)


def _count_foreground(mask: Mask, core: Ranges, extent: Ranges) -> dict[str, Any]:
    inside = mask[within(core, extent)]
    return {"voxels": inside.size, "foreground_voxels": int(np.count_nonzero(inside))}
