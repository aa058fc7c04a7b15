"""Distance to the background of a mask, in um."""

import numpy as np

from cellstack.core import filters, parallel
from cellstack.core.types import Mask, Spacing, Volume


def distance_map(mask: Mask, spacing: Spacing, sigma_um: float = 0.0, threads: int = 1) -> Volume:
    """Return the distance of each foreground voxel to the background.

    Parameters
    ----------
    mask : (Z, Y, X) ndarray of uint8
        0 or 1. Space beyond the faces of the stack is not background.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    sigma_um : float
        Standard deviation in um of a Gaussian that smooths the map, against a rough surface of
        the mask; 0 for none.
    threads : int
        Number of threads. The result does not depend on it.

    Returns
    -------
    (Z, Y, X) ndarray of float32
        Distance in um, 0 in the background. In a mask without background it is not defined: all
        voxels get half the smallest extent of the stack.

    Examples
    --------
    >>> mask = np.array([[[0, 1, 1, 1, 0]]], np.uint8)
    >>> distance_map(mask, (2.0, 0.5, 0.5))
    array([[[0. , 0.5, 1. , 0.5, 0. ]]], dtype=float32)
    """
    import edt

    # edt takes the square root in one thread only.
    distance: Volume = edt.edtsq(mask, anisotropy=spacing, parallel=threads)
    parallel.map_threads(lambda z: np.sqrt(distance[z], out=distance[z]), range(len(mask)), threads)
    if np.isinf(distance.max(initial=0)):  # no background
        distance = np.full(mask.shape, min(np.multiply(mask.shape, spacing)) / 2, np.float32)
    if sigma_um > 0:
        kernels = filters.gaussian_kernels(sigma_um, spacing)
        filters.separable_filter(distance, kernels, out=distance)
        distance *= mask
    return distance
