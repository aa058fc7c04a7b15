"""The threshold of a stack that is cut into blocks."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellstack.blocks.cut_block import Block, slices_of, within
from cellstack.core.planes import Stack
from cellstack.segment.binarize import threshold_of_parts


def measure_threshold(
    blocks: Sequence[Block],
    read: Callable[[int], Stack],
    method: str,
    options: dict[str, Any],
    factor: float,
    no_data: Stack | None = None,
) -> float | None:
    """Return the threshold of a stack from the cores of its blocks.

    Parameters
    ----------
    blocks : sequence of dict
        ``core`` and ``extent`` of each block.
    read : callable
        Takes the index of a block and returns its denoised intensities. The planes of the core are
        read twice.
    method, options, factor
        See :func:`cellstack.segment.binarize.find_threshold`. Its result for the complete stack is
        the same if the cores have the intensities of the complete stack.
    no_data : (Z, Y, X) ndarray or stack of bool, optional
        Voxels of the complete stack that are left out.

    Returns
    -------
    float or None
        None if no single value holds for all voxels.

    Examples
    --------
    >>> blocks = [
    ...     {"core": [(0, 1), (0, 1), (0, 2)], "extent": [(0, 1), (0, 1), (0, 3)]},
    ...     {"core": [(0, 1), (0, 1), (2, 4)], "extent": [(0, 1), (0, 1), (1, 4)]},
    ... ]
    >>> parts = [np.float32([[[1, 2, 9]]]), np.float32([[[9, 3, 6]]])]
    >>> round(measure_threshold(blocks, parts.__getitem__, "mean", {}, 1.0), 3)
    3.0
    """

    def cores() -> Iterator[NDArray[np.float32]]:
        for index, block in enumerate(blocks):
            stack = read(index)
            planes, *sides = within(block["core"], block["extent"])
            complete_planes, *complete_sides = slices_of(block["core"])
            for z in range(planes.start, planes.stop):
                values: NDArray[np.float32] = stack[z, *sides]
                if no_data is not None:
                    complete_z = z - planes.start + complete_planes.start
                    values = values[~no_data[complete_z, *complete_sides]]
                yield values

    found = threshold_of_parts(cores, method, options, factor)
    return None if callable(found) else found
