"""The threshold at the outline of each object, relative to its mean intensity."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

ROUNDS = 10  # the threshold then changes by less than a hundredth of the contrast
# Limits of the mean of an object relative to its centre; most are between 0.75 and 0.9.
MIN_MEAN = 0.7  # lower ones are due to haze around a bright spot
MAX_MEAN = 1.0  # higher ones are due to a brighter neighbour
MEAN_LIMITS = (MIN_MEAN, MAX_MEAN)
AT_CENTRE = (1.0, 1.0)  # limits with which the threshold refers to the centre


def find_thresholds(
    values: NDArray[np.float32],
    owners: NDArray[np.integer[Any]],
    backgrounds: NDArray[np.float32],
    contrasts: NDArray[np.float32],
    level: float,
    lifts: NDArray[np.float32] | float = 1.0,
    mean_limits: tuple[float, float] = MEAN_LIMITS,
) -> NDArray[np.float32]:
    """Return the threshold of each object, between its background and its mean intensity.

    Parameters
    ----------
    values : (m,) ndarray of float32
        Intensities of the voxels that can be part of an object.
    owners : (m,) ndarray of int
        Object, 0..n-1, that each of them can be part of.
    backgrounds : (n,) ndarray of float32
        Intensity of the surroundings of each object.
    contrasts : (n,) ndarray of float32
        Intensity at the centre of each object minus its background.
    level : float
        Position of the threshold between the background, 0, and the mean intensity of the voxels
        above the threshold, 1.
    lifts : (n,) ndarray of float32 or float
        Factors of the contrast of the mean, for objects that are cut by a face.
    mean_limits : tuple of float
        Limits of the mean, relative to the contrast at the centre.

    Returns
    -------
    (n,) ndarray of float32

    Notes
    -----
    The mean depends on the threshold and the threshold on the mean, so the two are computed in
    turn, starting with the contrast at the centre. With a level of 0.5 this is the ISODATA method
    of one object. A sharp object has the same intensity at its centre and on average, so that its
    outline is at half its height. An object as small as the blur is bright at its centre only: its
    mean is lower, and its outline is farther out.

    References
    ----------
    .. [1] T. W. Ridler and S. Calvard, "Picture thresholding using an iterative selection method",
       IEEE Trans. SMC 8, 1978.

    Examples
    --------
    >>> values = np.float32([1, 3, 3, 3, 1, 2, 2])
    >>> owners = np.array([0, 0, 0, 0, 0, 1, 1])
    >>> find_thresholds(values, owners, np.float32([1, 1]), np.float32([2, 1]), 0.5).tolist()
    [2.0, 1.5]
    """
    count = len(contrasts)
    heights = contrasts.astype(np.float64)
    lowest, highest = (limit * heights for limit in mean_limits)
    for _ in range(ROUNDS):
        inside = values > (backgrounds + level * heights)[owners]
        voxels = np.bincount(owners[inside], minlength=count)
        totals = np.bincount(owners[inside], values[inside], minlength=count)
        means = lifts * (totals / np.maximum(voxels, 1) - backgrounds)
        heights = np.where(voxels > 0, np.clip(means, lowest, highest), heights)
    return (backgrounds + level * heights).astype(np.float32)
