"""The voxels of an imported channel that have no data."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from cellstack.core.no_data import BLURRED_VOXELS, NoData, mark_no_data
from cellstack.core.planes import ComputedPlanes, Planes
from cellstack.core.types import BoolVolume, RawVolume
from cellstack.files.records import read_json
from cellstack.files.stacks import read_planes, read_stack


def read_no_data(files: Sequence[Path]) -> BoolVolume | None:
    """Mark the voxels of a channel that have no data.

    Parameters
    ----------
    files : sequence of path-like
        ``import.json`` and ``raw.tif`` of the channel; or nothing, if there is no such channel.

    Returns
    -------
    (Z, Y, X) ndarray of bool or None
        See :func:`cellstack.core.no_data.mark_no_data`; None if all voxels are data.
    """
    if not files:
        return None
    record, raw = files
    found = read_json(record)["no_data"]
    if found is None:
        return None
    stack, _ = read_stack(raw, mapped=True)
    return mark_no_data(stack, NoData(found["value"], found["limit"]))


def read_planes_without_data(files: Sequence[Path]) -> Planes | None:
    """Mark the voxels of a channel that have no data plane by plane, see :func:`read_no_data`."""
    found = read_json(files[0])["no_data"] if files else None
    if found is None:
        return None
    stack, _ = read_planes(files[1])
    no_data = NoData(found["value"], found["limit"])

    def marked(z: int) -> NDArray[np.bool_]:
        first = max(0, z - BLURRED_VOXELS)
        last = min(len(stack), z + BLURRED_VOXELS + 1)
        slab = np.stack([stack[each] for each in range(first, last)])
        plane: NDArray[np.bool_] = mark_no_data(cast(RawVolume, slab), no_data)[z - first]
        return plane

    return ComputedPlanes(stack.shape, marked)
