"""The planes of a stack in which seeds are allowed."""

import numpy as np

from cellstack.core.planes import Planes
from cellstack.core.types import Spacing


def choose_planes(
    mask: Planes, spacing: Spacing, planes: str, plane_range_um: float
) -> slice | None:
    """Return the planes in which seeds are allowed.

    Parameters
    ----------
    mask : (Z, Y, X) ndarray or planes of uint8
        1 in the objects, 0 elsewhere.
    spacing : (3,) sequence of float
        Voxel size along z, y and x in um.
    planes : {"all", "middle", "half_filled"}
        No limit; planes around the middle of the stack; or planes around the one with the highest
        variance of the mask, which is closest to half filled by objects.
    plane_range_um : float
        Depth in um above that plane, and below it, in which seeds are allowed.

    Returns
    -------
    slice or None
        With n planes of this depth, at least 1: the n planes before the central one, and n planes
        from it on; None for no limit.

    Examples
    --------
    >>> mask = np.zeros((8, 2, 2), np.uint8)
    >>> mask[2:, 0], mask[5:] = 1, 1
    >>> choose_planes(mask, (0.5, 0.2, 0.2), "half_filled", 1.0)
    slice(0, 4, None)
    >>> choose_planes(mask, (0.5, 0.2, 0.2), "middle", 1.0)
    slice(2, 6, None)
    """
    if planes == "all":
        return None
    center = len(mask) // 2
    if planes == "half_filled":
        share = [float(plane.mean()) for plane in mask]
        center = int(np.argmax([part * (1 - part) for part in share]))
    reach = max(1, int(plane_range_um / spacing[0] + 0.5))
    return slice(max(0, center - reach), min(len(mask), center + reach))
