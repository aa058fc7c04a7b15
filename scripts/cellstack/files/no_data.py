"""The voxels of an imported channel that have no data."""

from collections.abc import Sequence
from pathlib import Path

from cellstack.core.no_data import NoData, mark_no_data, no_data_of_parts
from cellstack.core.planes import Stack
from cellstack.core.types import BoolVolume
from cellstack.files.records import read_json
from cellstack.files.stacks import open_stack, read_stack


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


def open_no_data(files: Sequence[Path]) -> Stack | None:
    """Return a stack that marks the voxels without data of a channel when a part of it is read.

    Parameters
    ----------
    files : sequence of path-like
        See :func:`read_no_data`.

    Returns
    -------
    stack of bool or None
        See :func:`cellstack.core.no_data.no_data_of_parts`; None if all voxels are data.
    """
    found = read_json(files[0])["no_data"] if files else None
    if found is None:
        return None
    return no_data_of_parts(open_stack(files[1])[0], NoData(found["value"], found["limit"]))
