"""Conversion of lengths and volumes from micrometres to voxels."""

import logging

from cellstack.core.types import Spacing

log = logging.getLogger(__name__)
VOLUME_TOLERANCE = 1e-9  # relative: rounding of volume / voxel size must not change the limit


def in_voxels(length_um: float, spacing: Spacing) -> tuple[float, ...]:
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

    Examples
    --------
    >>> in_voxels(1.0, (2.0, 0.5, 0.25))
    (0.5, 2.0, 4.0)
    """
    return tuple(length_um / step for step in spacing)


def whole_voxels(length_um: float, spacing: Spacing, name: str = "length") -> tuple[int, ...]:
    """Convert a length to whole voxels along each axis.

    If the length is less than half a voxel along an axis, the log reports it.

    Parameters
    ----------
    length_um : float
        Length in um, for instance a radius.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    name : str
        Name of the length in the log.

    Returns
    -------
    tuple of int
        The length along z, y, x, rounded to the nearest number of voxels. An operation does
        nothing along an axis where it is 0.

    Examples
    --------
    >>> whole_voxels(0.75, (2.0, 0.5, 0.25))
    (0, 2, 3)
    """
    counts = tuple(int(length + 0.5) for length in in_voxels(length_um, spacing))
    for axis, step, count in zip("zyx", spacing, counts, strict=True):
        if count == 0 and length_um > 0:
            log.info(
                "%s of %g um is below half a voxel on %s (%g um): this axis is skipped",
                name,
                length_um,
                axis,
                step,
            )
    return counts


def volume_voxels(volume_um3: float, spacing: Spacing) -> float:
    """Convert a volume to a number of voxels, without rounding.

    Parameters
    ----------
    volume_um3 : float
        Volume in um3.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.

    Returns
    -------
    float
        The volume in voxels.

    Examples
    --------
    >>> volume_voxels(3.0, (2.0, 0.5, 0.25))
    12.0
    """
    z, y, x = spacing
    return volume_um3 / (z * y * x)


def voxels_up_to(volume_um3: float, spacing: Spacing) -> int:
    """Return the largest number of voxels whose volume is at most the given one, within rounding.

    Examples
    --------
    >>> voxels_up_to(0.35, (0.1, 1.0, 1.0)), 0.3 / 0.1, voxels_up_to(0.3, (0.1, 1.0, 1.0))
    (3, 2.9999999999999996, 3)
    """
    return int(volume_voxels(volume_um3, spacing) * (1 + VOLUME_TOLERANCE))
