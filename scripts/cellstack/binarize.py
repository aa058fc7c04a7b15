"""From intensities to a mask: a threshold found on the whole stack, and its application.

Halo of the application: 0 voxels.
"""

import numpy as np

from cellstack.methods import Methods

METHODS = Methods()
BINS = 1 << 16
ROUNDING = 1e-6  # part of its value by which a filter in float32 may change a constant stack


def find_threshold(stack, method, options, factor=1.0):
    """Find the threshold of a stack by one of :data:`METHODS`, which see only its histogram.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of float32
        Finite.
    method : str
        Name of a method.
    options : dict
        Its options.
    factor : float
        What the method's value is multiplied by.

    Returns
    -------
    float
        Voxels above it are foreground. For a stack of one constant value, but for rounding, it is the highest value, so that nothing is.
    """
    low, high = (float(stack.min()), float(stack.max())) if stack.size else (0.0, 0.0)
    if high - low <= ROUNDING * max(abs(low), abs(high)):
        return high
    counts, edges = np.histogram(stack, BINS, (np.float64(low), np.float64(high)))  # float32 edges would coincide in a narrow range
    return factor * METHODS[method](counts, (edges[1:] + edges[:-1]) / 2, **options)


def binarize(stack, threshold):
    """Mark what lies above a threshold.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of float32
    threshold : float

    Returns
    -------
    (Z, Y, X) ndarray of uint8
        1 where the stack is above `threshold`, else 0.
    """
    return (stack > np.float32(threshold)).view(np.uint8)


@METHODS
def otsu(counts, values):
    """Maximise the variance between the two classes.

    Parameters
    ----------
    counts : (N,) ndarray of int
        Histogram of the stack.
    values : (N,) ndarray of float
        Centre of each bin.

    Returns
    -------
    float

    References
    ----------
    .. [1] N. Otsu, "A threshold selection method from gray-level histograms", IEEE Trans. SMC 9, 1979. As in
       `skimage.filters.threshold_otsu`, on more bins.
    """
    below = np.cumsum(counts)[:-1]
    above = counts.sum() - below
    weighted = np.cumsum(counts * values)
    mean_below = weighted[:-1] / below
    mean_above = (weighted[-1] - weighted[:-1]) / above
    last = np.argmax(below.astype(float) * above * (mean_below - mean_above) ** 2)
    return float(values[last] + values[last + 1]) / 2  # the edge, as voxels of the last bin below may lie above its centre


@METHODS
def li(counts, values):
    """Minimise the cross entropy between the stack and its two classes.

    Parameters
    ----------
    counts : (N,) ndarray of int
        Histogram of the stack.
    values : (N,) ndarray of float
        Centre of each bin.

    Returns
    -------
    float

    References
    ----------
    .. [1] C. H. Li and P. K. S. Tam, "An iterative algorithm for minimum cross entropy thresholding", Pattern Recognition Letters 18,
       1998. As in `skimage.filters.threshold_li`, on a histogram.
    """
    offset = values[0]
    values = values - offset  # the method needs values from 0 up
    number, weighted = np.cumsum(counts), np.cumsum(counts * values)
    step = values[1]
    current, following = -1.0, weighted[-1] / number[-1]
    while abs(following - current) > step / 2:
        current = following
        split = np.searchsorted(values, current, side="right") - 1
        background = weighted[split] / number[split]
        foreground = (weighted[-1] - weighted[split]) / (number[-1] - number[split])
        if background <= 0:
            break  # all of the background lies in the first bin: its logarithm has no value, and nothing moves any more
        following = (foreground - background) / (np.log(foreground) - np.log(background))
    return float(current + offset)
