"""Distance to the background of a mask, in um."""

import numpy as np

from cellstack.core import filters, parallel
from cellstack.core.types import Mask, Spacing, Volume

ISOTROPY_TOLERANCE = 1e-6  # relative difference of voxel sizes that count as equal


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

    # Squares of whole voxels are exact, so that equal distances are equal in float32 too.
    is_isotropic = max(spacing) - min(spacing) <= ISOTROPY_TOLERANCE * max(spacing)
    unit = np.float32(spacing[-1] if is_isotropic else 1)
    steps = (1.0, 1.0, 1.0) if is_isotropic else spacing
    distance: Volume = edt.edtsq(mask, anisotropy=steps, parallel=threads)

    def take_root(z: int) -> None:  # edt does it in one thread only
        np.sqrt(distance[z], out=distance[z])
        distance[z] *= unit

    parallel.map_threads(take_root, range(len(mask)), threads)
    if np.isinf(distance.max(initial=0)):  # no background
        distance = np.full(mask.shape, min(np.multiply(mask.shape, spacing)) / 2, np.float32)
    if sigma_um > 0:
        kernels = filters.gaussian_kernels(sigma_um, spacing)
        filters.separable_filter(distance, kernels, out=distance)
        distance *= mask
    return distance
