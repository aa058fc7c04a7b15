"""Checks of an image before it is imported: its size, its planes, and absent chunks."""

import math
from collections.abc import Sequence

from cellstack.core.counting import agree, counted
from cellstack.errors import InputError
from cellstack.files.readers.image_source import ImageSource

MAX_ABSENT = 0.5  # fraction of the chunks of a channel
MIN_STAGE_BYTES = 10  # per voxel: minimum size of the files that stages write


def check_factors(name: str, factors: Sequence[int], shape: Sequence[int]) -> None:
    """Raise an error if the factors of downsampling are not integers from 1 to the stack's size.

    Parameters
    ----------
    name : str
        Name of the image in messages.
    factors, shape : (3,) sequence of int
        Factors and numbers of voxels along z, y, x.

    Raises
    ------
    InputError
        A factor is out of range. The message names the axis.
    """
    for axis, factor, length in zip("zyx", factors, shape, strict=True):
        if not (isinstance(factor, int) and 1 <= factor <= length):
            raise InputError(
                f"{name}: downsample is {factor} along {axis}, it must be an integer from 1 to "
                f"{length}, the size of the stack"
            )


def check_room(
    name: str, shape: Sequence[int], itemsize: int, factors: Sequence[int], room: int
) -> None:
    """Raise an error if there is no room for a stack and the files of its stages.

    The header of a small file can specify any size, and compressed data can expand to any size.

    Parameters
    ----------
    name : str
        Name of the image in messages.
    shape : (3,) sequence of int
        Numbers of planes, rows, columns.
    itemsize : int
        Bytes per voxel in the image.
    factors : (3,) sequence of int
        Factors of downsampling along z, y, x.
    room : int
        Free disk space in bytes.

    Raises
    ------
    InputError
        The stack and the processing of the downsampled stack need more.
    """
    voxels = math.prod(shape)
    needed = voxels * itemsize + MIN_STAGE_BYTES * voxels // math.prod(factors)
    if needed > room:
        raise InputError(
            f"{name}: a stack of {shape} voxels takes {needed / 1e6:,.1f} MB of disk space, "
            f"{room / 1e6:,.1f} MB are free: free disk space, crop the image, or set "
            "import_stack.downsample; if the image is not that large, the file is damaged"
        )


def check_planes(count: int, z_um: float) -> list[str]:
    """Return a flag for an image of one plane, in which nothing is measured along z.

    Parameters
    ----------
    count : int
        Number of planes.
    z_um : float
        Height of a voxel in um, by which the areas of the objects are multiplied.

    Returns
    -------
    list of str

    Examples
    --------
    >>> check_planes(1, 0.5)
    ['only one plane (volumes are areas times 0.5 um)']
    >>> check_planes(2, 0.5)
    []
    """
    flag = f"only one plane (volumes are areas times {z_um:.3g} um)"
    return [flag] if count == 1 else []


def check_chunks(name: str, source: ImageSource, number: int) -> list[str]:
    """Return flags about absent chunks of a channel of an image.

    Writers may leave out chunks that contain only the fill value of the array, usually 0, but
    chunks are also lost when a copy is interrupted. Both are read as that value.

    Parameters
    ----------
    name : str
        Name of the image in messages.
    source : ImageSource
    number : int
        Number of the channel.

    Returns
    -------
    list of str

    Raises
    ------
    InputError
        More than half of the chunks are absent.
    """
    absent, total = source.count_chunks(number) if source.count_chunks else (0, 0)
    if not absent:
        return []
    found = f"{absent} of {counted(total, 'chunks')} {agree(absent, 'is', 'are')} absent"
    if absent > MAX_ABSENT * total:
        raise InputError(
            f"{name}: {found}, more than {MAX_ABSENT:.0%}: copy the image again; if they were "
            "empty, write it with Zarr's setting array.write_empty_chunks"
        )
    return [f"{found} and {agree(absent, 'is', 'are')} read as empty"]
