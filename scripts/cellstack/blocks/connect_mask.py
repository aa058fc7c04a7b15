"""The mask of a stack in blocks whose voxels depend on others at any distance."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellstack.blocks.cut_block import Block, slices_of
from cellstack.core.planes import Allocate, ComputedStack, Planes, Stack
from cellstack.core.types import Box
from cellstack.segment.binarize import connect_to_high, find_threshold


def connect_mask(
    stack: Stack,
    options: dict[str, Any],
    factor: float,
    no_data: Planes | None = None,
    allocate: Allocate = np.empty,
) -> Any:
    """Return the mask of a stack by hysteresis thresholding.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray or stack of float32
        Denoised intensities of the complete stack, of which some planes are in memory at a time.
    options, factor, no_data
        See :func:`cellstack.segment.binarize.find_threshold`.
    allocate : callable
        Provides the result.

    Returns
    -------
    (Z, Y, X) ndarray or stack of uint8
        1 in the mask, 0 elsewhere. Voxels without data can be in the mask.

    Examples
    --------
    >>> options = {"low": 0.4, "high": 0.8, "scale": "intensity"}
    >>> connect_mask(np.float32([[[0.5, 0.9, 0.1, 0.5]]]), options, 1.0)
    array([[[1, 1, 0, 0]]], dtype=uint8)
    """
    found = find_threshold(stack, "hysteresis", options, factor, no_data)
    low, high = (
        (found, found)
        if not callable(found)
        else (factor * found.keywords[name] for name in ("low", "high"))
    )
    return connect_to_high(stack, low, high, 1.0, allocate)


def join_cores(blocks: Sequence[Block], read: Callable[[int], Stack]) -> ComputedStack:
    """Return the stack that consists of the cores of blocks, read when a part is requested.

    Parameters
    ----------
    blocks : sequence of dict
        ``core`` and ``extent`` of each block. Each voxel belongs to one core.
    read : callable
        Takes the index of a block and returns its voxels, of which parts are read.

    Examples
    --------
    >>> blocks = [
    ...     {"core": [(0, 1), (0, 1), (0, 2)], "extent": [(0, 1), (0, 1), (0, 3)]},
    ...     {"core": [(0, 1), (0, 1), (2, 4)], "extent": [(0, 1), (0, 1), (1, 4)]},
    ... ]
    >>> parts = [np.uint8([[[1, 2, 9]]]), np.uint8([[[9, 3, 6]]])]
    >>> join_cores(blocks, parts.__getitem__)[:, :, 1:]
    array([[[2, 3, 6]]], dtype=uint8)
    """
    shape = tuple(max(block["core"][axis][1] for block in blocks) for axis in range(3))
    dtype = read(0).dtype

    def part(box: Box) -> NDArray[Any]:
        joined = np.empty([side.stop - side.start for side in box], dtype)
        for index, block in enumerate(blocks):
            common = [
                (max(start, side.start), min(stop, side.stop))
                for (start, stop), side in zip(block["core"], box, strict=True)
            ]
            if all(start < stop for start, stop in common):
                target = [
                    (start - side.start, stop - side.start)
                    for (start, stop), side in zip(common, box, strict=True)
                ]
                source = [
                    (start - first, stop - first)
                    for (start, stop), (first, _) in zip(common, block["extent"], strict=True)
                ]
                joined[slices_of(target)] = read(index)[slices_of(source)]
        steps = tuple(slice(None, None, side.step) for side in box)
        return joined[steps]

    return ComputedStack(shape, dtype, part)
