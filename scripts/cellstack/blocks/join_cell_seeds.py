"""Seeds of cells in overlapping blocks, joined to those of the complete stack.

Each voxel is taken from the block to whose core it belongs, and seeds are numbered afterwards.
"""

from collections.abc import Callable, Sequence
from typing import Any

import cc3d
import numpy as np

from cellstack.blocks.cut_block import Block, Ranges, slices_of, within
from cellstack.blocks.join_blocks import beside_core
from cellstack.blocks.join_regions import MAX_DISPUTED
from cellstack.core.boxes import widen_box
from cellstack.core.disjoint_sets import DisjointSets
from cellstack.core.labels import highest_label, label_type
from cellstack.core.planes import Planes, Stack
from cellstack.core.types import Labels, Mask


def label_in_blocks(marked: Stack, blocks: Sequence[Block], components: Any) -> int:
    """Label the connected components of a mask of which one block is in memory at a time.

    Parameters
    ----------
    marked : (Z, Y, X) ndarray or stack of uint8
        Voxels are connected across faces, edges and corners.
    blocks : sequence of dict
        ``core`` of each block; each voxel belongs to one.
    components : (Z, Y, X) ndarray or scratch stack of uint32
        Array for the labels, which are not numbered consecutively; 0 elsewhere.

    Returns
    -------
    int
        The highest label.

    Examples
    --------
    >>> blocks = [{"core": [(0, 1), (0, 1), (0, 2)]}, {"core": [(0, 1), (0, 1), (2, 5)]}]
    >>> components = np.zeros((1, 1, 5), np.uint32)
    >>> label_in_blocks(np.uint8([[[0, 1, 1, 0, 1]]]), blocks, components), components
    (3, array([[[0, 1, 1, 0, 3]]], dtype=uint32))
    """
    count = 0
    for block in blocks:
        core = slices_of(block["core"])
        own = cc3d.connected_components(np.ascontiguousarray(marked[core]), connectivity=26)
        components[core] = np.where(own > 0, own.astype(np.uint32) + np.uint32(count), 0)
        count += int(own.max(initial=0))
    sets = DisjointSets(count + 1)
    for block in blocks:
        for axis, (start, _) in enumerate(block["core"]):
            if start > 0:
                for one, other in _touching(components, block["core"], axis):
                    sets.join(one, other)
    table = sets.lowest().astype(np.uint32)
    for block in blocks:
        core = slices_of(block["core"])
        components[core] = table[components[core]]
    return count


def _touching(components: Stack, core: Ranges, axis: int) -> list[list[int]]:
    """Return the pairs of labels that touch across the first face of a core along an axis."""
    after = slices_of(core)
    start = core[axis][0]
    plane = np.moveaxis(components[_replaced(after, axis, slice(start, start + 1))], axis, 0)[0]
    before = components[_replaced(widen_box(after), axis, slice(start - 1, start))]
    before = np.moveaxis(before, axis, 0)[0]
    missing = [side.start == 0 for place, side in enumerate(after) if place != axis]
    margins = [(int(at_face), 2) for at_face in missing]
    padded = np.pad(before, margins)
    pairs = []
    for row in range(3):
        for column in range(3):
            shifted = padded[row : row + plane.shape[0], column : column + plane.shape[1]]
            both = (plane > 0) & (shifted > 0)
            pairs.append(np.stack([plane[both], shifted[both]], axis=1))
    found: list[list[int]] = np.unique(np.concatenate(pairs), axis=0).tolist()
    return found


def _replaced(box: tuple[slice, ...], axis: int, side: slice) -> tuple[slice, ...]:
    return (*box[:axis], side, *box[axis + 1 :])


def number_seeds(
    components: Planes, count: int, background: Planes, nuclei: Planes | None
) -> Labels:
    """Number the seeds of cells that have no nucleus.

    Parameters
    ----------
    components : (Z, Y, X) ndarray or planes of uint32
        From :func:`label_in_blocks`.
    count : int
        The highest label in it.
    background : (Z, Y, X) ndarray or planes of uint8
        1 in the background.
    nuclei : (Z, Y, X) ndarray or planes of uint16 or uint32, or None
        All nuclei.

    Returns
    -------
    (count + 1,) ndarray of uint16 or uint32
        The seed of each component: after the number of nuclei, in the order of their first voxels;
        0 for those that touch a nucleus or the background.

    Examples
    --------
    >>> components = np.uint32([[[2, 2, 0, 1, 3]]])
    >>> number_seeds(components, 3, np.uint8([[[0, 0, 0, 1, 0]]]), np.uint16([[[0, 0, 1, 0, 0]]]))
    array([0, 0, 2, 3], dtype=uint16)
    """
    is_rejected = np.zeros(count + 1, bool)
    is_rejected[0] = True
    for z, plane in enumerate(components):
        outside = background[z].astype(bool)
        is_rejected[plane[outside if nuclei is None else outside | (nuclei[z] > 0)]] = True
    rank = np.zeros(count + 1, np.int64)
    highest = 0 if nuclei is None else highest_label(nuclei)
    for plane in components:
        labels, first = np.unique(plane, return_index=True)
        new = labels[np.argsort(first)]
        new = new[~is_rejected[new] & (rank[new] == 0)]
        rank[new] = highest + 1 + np.arange(len(new))
        highest += len(new)
    return rank.astype(label_type(highest))


def count_disputed_seeds(
    seeds: Stack,
    components: Stack,
    background: Stack,
    nuclei: Stack | None,
    blocks: Sequence[Block],
    read: Callable[[int], tuple[Mask, Mask]],
) -> dict[str, int]:
    """Count the seeds without a nucleus that only one of two blocks found.

    Parameters
    ----------
    seeds : (Z, Y, X) ndarray or stack of uint16 or uint32
        The joined seeds, those with a nucleus too.
    components : (Z, Y, X) ndarray or stack of uint32
        From :func:`label_in_blocks`, for the voxels that are marked by the block to whose core
        they belong.
    background : (Z, Y, X) ndarray or stack of uint8
        1 in the joined background.
    nuclei : (Z, Y, X) ndarray or stack of uint16 or uint32, or None
        All nuclei.
    blocks : sequence of dict
        ``core`` and ``extent`` of each block.
    read : callable
        Takes the index of a block and returns the voxels that it marks, and its background.

    Returns
    -------
    dict of str to int
        ``seeds_at_seams`` and ``disputed_seeds``, those that only one block marks, or that touch
        the background of only one block.
    """
    count, unknown = highest_label(seeds), 0
    nuclei_count = 0 if nuclei is None else highest_label(nuclei)
    beside, missing, rejected = np.zeros((3, count + 1), int)
    elsewhere: set[int] = set()  # components rejected in the joined stack, but not in a block
    for index, block in enumerate(blocks):
        near = beside_core(block["core"], block["extent"])
        zone = slices_of(near)
        joined, marked = seeds[zone], components[zone]
        found, outside = (part[within(near, block["extent"])].astype(bool) for part in read(index))
        is_core = np.zeros(joined.shape, bool)
        is_core[within(block["core"], near)] = True
        beside += np.bincount(joined[~is_core], minlength=count + 1)
        missing += np.bincount(joined[~is_core & ~found], minlength=count + 1)
        rejected += np.bincount(joined[outside], minlength=count + 1)
        own = cc3d.connected_components(found.view(np.uint8), connectivity=26)
        is_known = np.zeros(int(own.max(initial=0)) + 1, bool)
        is_background = background[zone].astype(bool)
        is_nucleus = np.zeros(joined.shape, bool) if nuclei is None else nuclei[zone] > 0
        is_known[own[(marked > 0) | is_background | is_nucleus | is_core]] = True
        unknown += int(np.count_nonzero(~is_known[1:]))
        touching = np.unique(marked[is_background & (marked > 0)])
        elsewhere.update(
            np.setdiff1d(touching, marked[(outside | is_nucleus) & (marked > 0)]).tolist()
        )
    others = slice(nuclei_count + 1, None)
    disputed = (missing > MAX_DISPUTED * beside) | (rejected > 0)
    return {
        "seeds_at_seams": int(np.count_nonzero(beside[others])),
        "disputed_seeds": unknown + len(elsewhere) + int(np.count_nonzero(disputed[others])),
    }
