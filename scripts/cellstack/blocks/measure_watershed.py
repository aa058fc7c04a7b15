"""Volumes of the objects before merging, and the background, in the core of a block."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from cellstack.blocks.cut_block import Ranges, is_in, within
from cellstack.core.labels import count_voxels
from cellstack.core.types import Labels, Volume
from cellstack.segment.merge_objects import Typical, describe_typical


def measure_watershed(
    seeds: Labels, watershed: Labels, stack: Volume, core: Ranges, extent: Ranges
) -> dict[str, Any]:
    """Measure the objects of a block before merging, and its background.

    Parameters
    ----------
    seeds, watershed : (Z, Y, X) ndarray of uint16 or uint32
        Seeds and objects before merging, with the same labels.
    stack : (Z, Y, X) ndarray of float32
        Denoised intensities.
    core, extent : sequence of three (int, int)
        First voxel of the block, and the one after the last, along z, y and x.

    Returns
    -------
    dict
        ``volumes_voxels`` of the objects whose seed has its first voxel in the core, and
        ``background_sum`` and ``background_voxels`` of the core.

    Examples
    --------
    >>> seeds = np.uint16([[[1, 0, 0, 2, 0, 0]]])
    >>> labels, stack = np.uint16([[[1, 1, 0, 2, 2, 2]]]), np.float32([[[1, 1, 0.5, 1, 1, 1]]])
    >>> measure_watershed(seeds, labels, stack, [(0, 1), (0, 1), (0, 3)], [(0, 1), (0, 1), (0, 6)])
    {'volumes_voxels': [2], 'background_sum': 0.5, 'background_voxels': 1}
    """
    places = np.flatnonzero(seeds)
    labels, first = np.unique(seeds.ravel()[places], return_index=True)
    voxels = np.stack(np.unravel_index(places[first], seeds.shape), axis=1)
    inside = within(core, extent)
    own = labels[is_in(voxels, [(side.start, side.stop) for side in inside])]
    total, count = 0.0, 0
    for plane, values in zip(watershed[inside], stack[inside], strict=True):
        outside = plane == 0
        total += float(np.sum(values, where=outside, dtype=np.float64))
        count += int(np.count_nonzero(outside))
    return {
        "volumes_voxels": count_voxels(watershed)[own].tolist(),
        "background_sum": total,
        "background_voxels": count,
    }


def typical_of_blocks(records: Sequence[dict[str, Any]]) -> Typical:
    """Return the typical values of a stack, from the records of all its blocks.

    Examples
    --------
    >>> record = {"volumes_voxels": [9], "background_sum": 0.5, "background_voxels": 5}
    >>> typical_of_blocks([record, record])
    Typical(background=0.1, large_voxels=None)
    """
    volumes = np.array([each for record in records for each in record["volumes_voxels"]], int)
    total = sum(record["background_sum"] for record in records)
    voxels = sum(record["background_voxels"] for record in records)
    return describe_typical(volumes[volumes > 0], total, voxels)
