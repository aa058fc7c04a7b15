"""Each object cut out of its stack: the raw values of every channel around it, and its mask. Halo: the margin."""

import numpy as np

MASK = "mask"
PLACE = [f"{name}_{axis}{unit}" for name, unit in (("start", ""), ("stop", ""), ("spacing", "_um")) for axis in "zyx"]
INDEX = ["stack", "object", "label", "crop", *PLACE]  # columns of the table beside the crops


def pad_box(box, shape, margins):
    """Widen a box on all sides, as far as the stack reaches.

    Parameters
    ----------
    box : tuple of three slice
        The bounding box of an object.
    shape : (3,) sequence of int
        Voxels of the stack along z, y, x.
    margins : (3,) sequence of int
        Voxels to add along z, y, x.

    Returns
    -------
    tuple of three slice
    """
    sides = zip(box, shape, margins, strict=True)
    return tuple(slice(max(side.start - margin, 0), min(side.stop + margin, length)) for side, length, margin in sides)


def crop_object(labels, label, box, stacks):
    """Cut one object out of a stack.

    Parameters
    ----------
    labels : (Z, Y, X) ndarray of uint16 or uint32
        All objects.
    label : int
        The object.
    box : tuple of three slice
        What to cut out.
    stacks : dict of str to (Z, Y, X) ndarray
        The raw values by channel.

    Returns
    -------
    dict of str to (z, y, x) ndarray
        The raw values of each channel in the box, in their own type, neighbours included; as ``"mask"`` uint8, 1 in the object and 0
        elsewhere.
    """
    return {name: stack[box] for name, stack in stacks.items()} | {MASK: (labels[box] == label).astype(np.uint8)}


def as_channels(crop):
    """Join the parts of a crop to one array.

    Parameters
    ----------
    crop : dict of str to (z, y, x) ndarray
        As :func:`crop_object` gives it.

    Returns
    -------
    (z, c, y, x) ndarray
        In the smallest type that holds all parts.
    """
    return np.stack(list(crop.values()), axis=1)


def place(box, spacing):
    """Say where a crop lies in its stack.

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
    values = [*(side.start for side in box), *(side.stop for side in box), *(float(step) for step in spacing)]
    return dict(zip(PLACE, values, strict=True))
