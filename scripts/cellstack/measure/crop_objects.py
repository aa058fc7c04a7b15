"""Crops of single objects: the raw intensities of all channels, and a mask of the object."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellstack.core.planes import Stack
from cellstack.core.types import Box, RawVolume, Spacing

MASK = "mask"
PLACE = [
    f"{name}_{axis}{unit}"
    for name, unit in (("start", ""), ("stop", ""), ("spacing", "_um"))
    for axis in "zyx"
]
INDEX = ["stack", "object", "label", "crop", *PLACE]  # columns of index.csv


def pad_box(box: Box, shape: Sequence[int], margins: Sequence[int]) -> Box:
    """Enlarge a bounding box on all sides, within the stack.

    Parameters
    ----------
    box : tuple of three slice
        Bounding box of an object.
    shape : (3,) sequence of int
        Shape of the stack.
    margins : (3,) sequence of int
        Number of voxels to add along z, y, x.

    Returns
    -------
    tuple of three slice

    Examples
    --------
    >>> pad_box((slice(0, 3), slice(2, 8)), (6, 9), (1, 4))
    (slice(0, 4, None), slice(0, 9, None))
    """
    sides = zip(box, shape, margins, strict=True)
    return tuple(
        slice(max(side.start - margin, 0), min(side.stop + margin, length))
        for side, length, margin in sides
    )


def crop_object(
    labels: Stack, label: int, box: Box, stacks: Mapping[str, Stack]
) -> dict[str, RawVolume]:
    """Crop one object.

    Parameters
    ----------
    labels : (Z, Y, X) ndarray or stack of uint16 or uint32
        All objects.
    label : int
        The object.
    box : tuple of three slice
        The region to crop.
    stacks : dict of str to (Z, Y, X) ndarray or stack
        Raw intensities by channel.

    Returns
    -------
    dict of str to (z, y, x) ndarray
        Raw intensities of each channel in the box, including those of neighbouring objects, and
        ``"mask"``: uint8, 1 in the object and 0 elsewhere.
    """
    crop: dict[str, RawVolume] = {name: stack[box] for name, stack in stacks.items()}
    crop[MASK] = (labels[box] == label).astype(np.uint8)
    return crop


def as_channels(crop: Mapping[str, RawVolume]) -> NDArray[Any]:
    """Stack the arrays of a crop along a channel axis.

    Parameters
    ----------
    crop : dict of str to (z, y, x) ndarray
        See :func:`crop_object`.

    Returns
    -------
    (z, c, y, x) ndarray
        In the smallest type that can hold all arrays.
    """
    return np.stack(list(crop.values()), axis=1)


def place(box: Box, spacing: Spacing) -> dict[str, float]:
    """Return the position of a crop in its stack.

    Parameters
    ----------
    box : tuple of three slice
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.

    Returns
    -------
    dict of str to int or float
        First voxel, last voxel plus 1, and voxel size in um, along z, y and x.
    """
    values = [
        *(side.start for side in box),
        *(side.stop for side in box),
        *(float(step) for step in spacing),
    ]
    return dict(zip(PLACE, values, strict=True))
