"""From micrometres to voxels: the one place where a size meets the spacing of a stack."""

import logging

log = logging.getLogger(__name__)


def in_voxels(length_um, spacing):
    """Convert a length to voxels along each axis, without rounding.

    Parameters
    ----------
    length_um : float
        Length in um.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.

    Returns
    -------
    tuple of float
        The length along z, y, x in voxels.
    """
    return tuple(length_um / step for step in spacing)


def whole_voxels(length_um, spacing, name="length"):
    """Convert a length to whole voxels along each axis, and log each axis on which nothing is left of it.

    Parameters
    ----------
    length_um : float
        Length in um, for instance a radius.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    name : str
        What the log calls the length.

    Returns
    -------
    tuple of int
        The length along z, y, x, rounded to the nearest voxel; 0 means that the operation leaves this axis out.
    """
    counts = tuple(int(length + 0.5) for length in in_voxels(length_um, spacing))
    for axis, step, count in zip("zyx", spacing, counts, strict=True):
        if count == 0 and length_um > 0:
            log.info("%s of %g um is below half a voxel on %s (%g um): this axis is skipped", name, length_um, axis, step)
    return counts


def volume_voxels(volume_um3, spacing):
    """Convert a volume to a number of voxels.

    Parameters
    ----------
    volume_um3 : float
        Volume in um3.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.

    Returns
    -------
    float
        The same volume in voxels, not rounded.
    """
    z, y, x = spacing
    return volume_um3 / (z * y * x)
