"""Regions of cells in overlapping blocks, joined to those of the complete stack.

Each voxel is taken from the block to whose core it belongs. Blocks segment their regions from the
joined seeds, so that their labels are those of the complete stack.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from cellstack.blocks.cut_block import Block, slices_of, within
from cellstack.blocks.join_blocks import beside_core
from cellstack.core.labels import count_voxels, highest_label
from cellstack.core.planes import Stack
from cellstack.core.types import Labels, Mask

# A seed or region is disputed if another block assigns more than this fraction of its voxels beside
# seams to something else.
MAX_DISPUTED = 0.5
MIN_DISPUTED = 0.05  # of the voxels of a region; less is a sliver of a region beyond the seam


def paste_cores(target: Any, blocks: Sequence[Block], read: Callable[[int], Labels | Mask]) -> None:
    """Copy the core of each block into the complete stack.

    Parameters
    ----------
    target : (Z, Y, X) ndarray or scratch stack
    blocks : sequence of dict
        ``core`` and ``extent`` of each block.
    read : callable
        Takes the index of a block and returns its voxels.

    Examples
    --------
    >>> target = np.zeros((1, 1, 4), np.uint8)
    >>> blocks = [
    ...     {"core": [(0, 1), (0, 1), (0, 2)], "extent": [(0, 1), (0, 1), (0, 3)]},
    ...     {"core": [(0, 1), (0, 1), (2, 4)], "extent": [(0, 1), (0, 1), (1, 4)]},
    ... ]
    >>> paste_cores(target, blocks, lambda index: np.full((1, 1, 3), index + 1, np.uint8))
    >>> target
    array([[[1, 1, 2, 2]]], dtype=uint8)
    """
    for index, block in enumerate(blocks):
        target[slices_of(block["core"])] = read(index)[within(block["core"], block["extent"])]


def count_disagreements(
    regions: Stack, blocks: Sequence[Block], read: Callable[[int], Labels]
) -> dict[str, int]:
    """Count the regions and voxels that blocks disagree on.

    Parameters
    ----------
    regions : (Z, Y, X) ndarray or stack of uint16 or uint32
        The joined regions.
    blocks, read
        See :func:`paste_cores`.

    Returns
    -------
    dict of str to int
        ``regions``, the number of regions; ``at_seams``, those beside a seam;
        ``disputed_regions``, those most of whose voxels beside a seam have another label in
        another block, unless these are only a sliver; and ``contested_voxels``, voxels beside
        seams that have two labels.
    """
    count = highest_label(regions)
    beside, other = np.zeros((2, count + 1), int)
    contested = 0
    for index, block in enumerate(blocks):
        near = beside_core(block["core"], block["extent"])
        joined = regions[slices_of(near)]
        differs = joined != read(index)[within(near, block["extent"])]
        is_beside = np.ones(joined.shape, bool)
        is_beside[within(block["core"], near)] = False
        beside += np.bincount(joined[is_beside], minlength=count + 1)
        other += np.bincount(joined[differs], minlength=count + 1)
        contested += int(np.count_nonzero(differs))
    disputed = (other > MAX_DISPUTED * beside) & (other > MIN_DISPUTED * count_voxels(regions))
    return {
        "regions": count,
        "at_seams": int(np.count_nonzero(beside[1:])),
        "disputed_regions": int(np.count_nonzero(disputed[1:])),
        "contested_voxels": contested,
    }
