"""Estimation of the noise of a stack."""

from typing import cast

import numpy as np
from numpy.typing import NDArray

from cellstack.core import parallel
from cellstack.core.opencv import cv2
from cellstack.core.planes import Planes

SAMPLED_PLANES = 8  # from which the range of the median is estimated
SAMPLED_ROW_STEP = 8  # every 8th row of these planes
SMALLEST = float(np.finfo(np.float32).smallest_subnormal)
MEDIAN_OF_NORMAL = 0.67449  # of the absolute value of a standard normal variable


def estimate_noise(stack: Planes, no_data: Planes | None = None) -> float:
    """Estimate the standard deviation of noise that is independent from pixel to pixel.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray or planes of float32
        Each plane is read several times, and one is in memory at a time.
    no_data : (Z, Y, X) ndarray or planes of bool, optional
        Voxels that are left out.

    Returns
    -------
    float
        0 for a constant stack, or one with planes smaller than 3 x 3 pixels.

    Notes
    -----
    The median of the absolute second differences across both axes of the planes [1]_, few of
    which are edges [2]_. Differences of 0 are left out, since they come from clipped values. Noise
    that was blurred, for instance by resampling, is underestimated.

    References
    ----------
    .. [1] J. Immerkaer, "Fast noise variance estimation", Computer Vision and Image Understanding
       64, 1996.
    .. [2] D. L. Donoho and I. M. Johnstone, "Ideal spatial adaptation by wavelet shrinkage",
       Biometrika 81, 1994.

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(0, 0.1, (3, 100, 100)).astype("float32")
    >>> round(estimate_noise(noise), 3)
    0.1
    """
    # All differences at once would take as much memory as the stack. Therefore the median is found
    # by its rank among the differences in a narrow range, which is estimated from a sample.
    sampled = range(0, len(stack), max(1, len(stack) // SAMPLED_PLANES))
    sample = np.concatenate(
        [_differences(stack, z, no_data)[::SAMPLED_ROW_STEP].ravel() for z in sampled]
    )
    sample = sample[sample > 0]
    low, high = SMALLEST, float("inf")
    if len(sample):
        low, high = np.quantile(sample, (0.45, 0.55), method="nearest").tolist()
    while True:
        size, zeros, below, within = _differences_within(stack, low, high, no_data)
        if size == zeros:
            return 0.0
        first, last = zeros + (size - zeros - 1) // 2, zeros + (size - zeros) // 2
        stop = below + len(within)
        if below <= first and last < stop:
            median = float(np.sort(within)[[first - below, last - below]].mean())
            return median / (6 * MEDIAN_OF_NORMAL)
        if below > first:
            low = SMALLEST
        if last >= stop:
            high = float("inf")


def _differences_within(
    stack: Planes, low: float, high: float, no_data: Planes | None
) -> tuple[int, int, int, NDArray[np.float32]]:
    """Return the numbers of all differences, of zeros and of those below `low`, and those within.

    Differences within the range, both ends included, are not sorted.
    """
    counts = np.zeros((len(stack), 3), int)
    within: list[NDArray[np.float32]] = []

    def look_at(z: int) -> None:
        differences = _differences(stack, z, no_data)
        below = differences < low
        counts[z] = (
            differences.size,
            np.count_nonzero(differences == 0),
            np.count_nonzero(below),
        )
        within.append(differences[~below & (differences <= high)])

    parallel.map_threads(look_at, range(len(stack)), parallel.threads_for(stack))
    size, zeros, below = counts.sum(axis=0).tolist()
    return size, zeros, below, np.concatenate(within)


def _differences(stack: Planes, z: int, no_data: Planes | None) -> NDArray[np.float32]:
    """Return the absolute second differences of a plane; 0 at voxels without data."""
    second = np.array([1.0, -2.0, 1.0])  # along both axes: multiplies noise by 6
    filtered = cv2.sepFilter2D(stack[z], cv2.CV_32F, second, second)
    differences = np.abs(cast("NDArray[np.float32]", filtered[1:-1, 1:-1]))
    if no_data is not None:
        differences[no_data[z][1:-1, 1:-1]] = 0
    return differences
