"""Histograms of stacks, and Otsu's threshold."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellstack.core.planes import Planes

BINS = 1 << 16
CONSTANT_TOLERANCE = 1e-6  # relative; a filter in float32 may change a constant stack by as much


def histogram(
    stack: Iterable[NDArray[np.float32]], low: float, high: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the histogram of a stack in :data:`BINS` equal bins.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray or planes, or iterable of ndarray, of float32
        All values, or the selected values of each plane.
    low, high : float
        The lowest and the highest value of the stack, which must differ.

    Returns
    -------
    counts : (BINS,) ndarray of int
    centres : (BINS,) ndarray of float
        Centre of each bin.

    Notes
    -----
    As `numpy.histogram`, in a third of the time; a value within rounding of an edge may be counted
    on either side of it.

    Examples
    --------
    >>> counts, centres = histogram(np.float32([[[0, 0, 1]]]), 0.0, 1.0)
    >>> int(counts[0]), int(counts[-1])
    (2, 1)
    """
    counts = np.zeros(BINS + 1, np.int64)
    for plane in stack:
        # In float32, different values of a narrow range could become equal.
        places = (plane - np.float64(low)) * (BINS / (high - low))
        counts += np.bincount(places.astype(np.int64).ravel(), minlength=len(counts))
    counts[-2] += counts[-1]  # the highest value belongs to the last bin
    edges = np.linspace(low, high, BINS + 1)
    return counts[:-1], (edges[1:] + edges[:-1]) / 2


def otsu(counts: NDArray[np.integer[Any]], values: NDArray[np.float64]) -> float:
    """Return threshold value based on Otsu's method.

    Parameters
    ----------
    counts : (N,) ndarray of int
        Histogram.
    values : (N,) ndarray of float
        Centre of each bin.

    Returns
    -------
    float
        The edge between two bins that maximizes the variance between the classes.

    References
    ----------
    .. [1] N. Otsu, "A threshold selection method from gray-level histograms", IEEE Trans. SMC 9,
       1979. As `skimage.filters.threshold_otsu`, with more bins.

    Examples
    --------
    >>> otsu(np.array([5, 9, 0, 4]), np.array([0.0, 1.0, 2.0, 3.0]))
    1.5
    """
    below = np.cumsum(counts)[:-1]
    above = counts.sum() - below
    weighted = np.cumsum(counts * values)
    mean_below = weighted[:-1] / below
    mean_above = (weighted[-1] - weighted[:-1]) / above
    last = np.argmax(below.astype(float) * above * (mean_below - mean_above) ** 2)
    # The edge and not the centre, since voxels of the last bin below may lie above its centre.
    return float(values[last] + values[last + 1]) / 2


def is_constant(low: float, high: float) -> bool:
    """Return whether a stack with these extreme values is constant, within rounding.

    Examples
    --------
    >>> is_constant(1.0, 1.0000001), is_constant(1.0, 1.001)
    (True, False)
    """
    return high - low <= CONSTANT_TOLERANCE * max(abs(low), abs(high))


def otsu_of_stack(stack: Planes) -> float:
    """Return threshold value of a stack based on Otsu's method.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray or planes of float32

    Returns
    -------
    float
        For a constant stack its highest value, so that no voxel lies above it; 0 for an empty one.

    Examples
    --------
    >>> stack = np.float32([[[0.1, 0.1, 0.2, 0.9]]])
    >>> stack > otsu_of_stack(stack)
    array([[[False, False, False,  True]]])
    """
    ranges = [(float(plane.min()), float(plane.max())) for plane in stack if plane.size]
    low = min((low for low, _ in ranges), default=0.0)
    high = max((high for _, high in ranges), default=0.0)
    return high if is_constant(low, high) else otsu(*histogram(stack, low, high))


def typical_bright(values: NDArray[np.float32]) -> float:
    """Return the median of the values above Otsu's threshold.

    Parameters
    ----------
    values : (n,) ndarray of float32
        For instance the contrasts of blobs, most of which are noise.

    Returns
    -------
    float
        The median of all values if they are equal; 0 without values.

    Examples
    --------
    >>> typical_bright(np.float32([0.1, 0.2, 0.1, 3.0, 5.0, 4.0]))
    4.0
    """
    if len(values) == 0:
        return 0.0
    ranked = np.sort(values.astype(np.float64))[::-1]
    upper = np.arange(1, len(ranked))  # possible numbers of values in the upper class
    sums = np.cumsum(ranked)
    difference = sums[:-1] / upper - (sums[-1] - sums[:-1]) / (len(ranked) - upper)
    between = upper * (len(ranked) - upper) * difference**2
    count = upper[np.argmax(between)] if len(upper) and between.max() > 0 else len(ranked)
    return float(np.median(ranked[:count]))
