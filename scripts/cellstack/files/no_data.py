"""The voxels of an imported channel that have no data."""

from collections.abc import Sequence
from pathlib import Path

from cellstack.core.no_data import NoData, mark_no_data
from cellstack.core.types import BoolVolume
from cellstack.files.records import read_json
from cellstack.files.stacks import read_stack


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
