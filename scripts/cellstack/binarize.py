"""From intensities to a mask: a threshold found on the whole stack, and its application.

A method sees only the histogram of the stack. It gives a value, or a rule that makes the mask. Halo of the application: 0 voxels for a
value, two thirds of the window for `local`; none can be stated for `hysteresis` and `half_height`, which look at the stack as a whole.
"""

from functools import partial

import numpy as np

from cellstack.errors import InputError
from cellstack.methods import Methods

METHODS = Methods()
WITHOUT_HISTOGRAM = ("local", "half_height")  # which would be made for nothing
BINS = 1 << 16
COARSE_BINS = 1 << 8  # as scikit-image has by default, for methods that go by the shape of the histogram: finer bins are ragged
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
        What the method's value is multiplied by; where there is no single value, each one that it compares with.

    Returns
    -------
    float or callable
        Voxels above the value are foreground. Where no single value holds for all voxels, a rule that :func:`binarize` applies. For a stack
        of one constant value, but for rounding, it is the highest value whatever the method, so that nothing is foreground.
    """
    low, high = (float(stack.min()), float(stack.max())) if stack.size else (0.0, 0.0)
    if high - low <= ROUNDING * max(abs(low), abs(high)):
        return high
    if method in WITHOUT_HISTOGRAM:
        return partial(METHODS[method](None, None, **options), factor=factor)
    counts, edges = _histogram(stack, low, high)
    found = METHODS[method](counts, (edges[1:] + edges[:-1]) / 2, **options)
    return partial(found, factor=factor) if callable(found) else factor * found


def _histogram(stack, low, high):
    """Count values by bin as `numpy.histogram` does, in a third of the time; what lies on an edge but for rounding is in either bin."""
    counts = np.zeros(BINS + 1, np.int64)
    for plane in stack:
        places = (plane - np.float64(low)) * (BINS / (high - low))  # in float32 they would coincide in a narrow range
        counts += np.bincount(places.astype(np.int64).ravel(), minlength=len(counts))
    counts[-2] += counts[-1]  # the highest value is in the last bin
    return counts[:-1], np.linspace(low, high, BINS + 1)


def binarize(stack, threshold, spacing=None, contrast=None):
    """Mark what lies above a threshold.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of float32
    threshold : float or callable
        From :func:`find_threshold`.
    spacing : (3,) sequence of float, optional
        Voxel size along z, y, x in um, for a threshold that is a rule.
    contrast : (Z, Y, X) ndarray of float32, optional
        The stack before it was denoised, which `half_height` uses.

    Returns
    -------
    (Z, Y, X) ndarray of uint8
        1 where the stack is above `threshold`, else 0.
    """
    mask = threshold(stack, spacing, contrast) if callable(threshold) else stack > np.float32(threshold)
    return mask.view(np.uint8)


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


@METHODS
def isodata(counts, values):
    """Lie half way between the means of the two classes.

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
    .. [1] T. W. Ridler and S. Calvard, "Picture thresholding using an iterative selection method", IEEE Trans. SMC 8, 1978. As in
       `skimage.filters.threshold_isodata`.
    """
    from skimage.filters import threshold_isodata  # slow to import, and most runs do without

    return float(threshold_isodata(hist=_coarse(counts, values)))


@METHODS
def mean(counts, values):
    """Take the mean of the stack.

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
    .. [1] C. A. Glasbey, "An analysis of histogram-based thresholding algorithms", CVGIP 55, 1993. As in
       `skimage.filters.threshold_mean`, on a histogram.
    """
    return float(np.average(values, weights=counts))


@METHODS
def minimum(counts, values):
    """Smooth the histogram until it has two peaks, and take the lowest point between them.

    Parameters
    ----------
    counts : (N,) ndarray of int
        Histogram of the stack.
    values : (N,) ndarray of float
        Centre of each bin.

    Returns
    -------
    float

    Raises
    ------
    InputError
        The histogram never has exactly two peaks.

    References
    ----------
    .. [1] J. M. S. Prewitt and M. L. Mendelsohn, "The analysis of cell images", Annals of the New York Academy of Sciences 128, 1966. As
       in `skimage.filters.threshold_minimum`.
    """
    from skimage.filters import threshold_minimum  # slow to import, and most runs do without

    try:
        return float(threshold_minimum(hist=_coarse(counts, values)))
    except RuntimeError as error:
        cure = "set binarize.method to one that needs no two peaks, such as otsu"
        raise InputError(f"binarize method minimum: the histogram of the denoised stack has no two peaks; {cure}") from error


@METHODS
def triangle(counts, values):
    """Lie where the histogram is farthest below the line from its peak to its farther end.

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
    .. [1] G. W. Zack, W. E. Rogers and S. A. Latt, "Automatic measurement of sister chromatid exchange frequency", Journal of
       Histochemistry and Cytochemistry 25, 1977. As in `skimage.filters.threshold_triangle`, which takes no histogram.
    """
    counts, values = _coarse(counts, values)
    peak, last = np.argmax(counts), len(counts) - 1  # neither end is empty: the histogram reaches from lowest to highest
    end = last if peak < last - peak else 0
    step = 1 if peak > end else -1
    way = np.arange(end, peak, step)
    below = counts[peak] * np.abs(way - end) - np.abs(peak - end) * counts[way]  # times the length of the line
    return float(values[way[np.argmax(below)]])


@METHODS
def yen(counts, values):
    """Maximise the correlation within the two classes.

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
    .. [1] J. C. Yen, F. J. Chang and S. Chang, "A new criterion for automatic multilevel thresholding", IEEE Trans. on Image Processing 4,
       1995. As in `skimage.filters.threshold_yen`.
    """
    from skimage.filters import threshold_yen  # slow to import, and most runs do without

    with np.errstate(divide="ignore"):  # a class of so few voxels that the other rounds to all
        return float(threshold_yen(hist=_coarse(counts, values)))


def _coarse(counts, values):
    return counts.reshape(COARSE_BINS, -1).sum(axis=1), values.reshape(COARSE_BINS, -1).mean(axis=1)


@METHODS
def fixed(counts, values, *, value):
    """Take a value given by the user.

    Parameters
    ----------
    counts, values : (N,) ndarray
        Not used.
    value : float
        On the scale of the stack.

    Returns
    -------
    float
    """
    return float(value)


@METHODS
def hysteresis(counts, values, *, low, high, scale):
    """Mark what lies above a low threshold and is connected, across faces of voxels, to something above a high one.

    Parameters
    ----------
    counts : (N,) ndarray of int
        Histogram of the stack.
    values : (N,) ndarray of float
        Centre of each bin.
    low, high : float
        The two thresholds.
    scale : {"otsu", "intensity"}
        Whether they are multiples of Otsu's threshold, or stand on the scale of the stack.

    Returns
    -------
    callable

    Raises
    ------
    InputError
        `low` is above `high`.

    References
    ----------
    .. [1] J. Canny, "A computational approach to edge detection", IEEE Trans. PAMI 8, 1986. As in
       `skimage.filters.apply_hysteresis_threshold`.
    """
    if low > high:
        raise InputError(f"binarize.hysteresis: low {low:g} is above high {high:g}; give a low that is at most high, such as 0.7 and 1")
    unit = otsu(counts, values) if scale == "otsu" else 1.0
    return partial(_connected_to_high, low=low * unit, high=high * unit)


def _connected_to_high(stack, spacing, contrast, *, low, high, factor):
    import cc3d  # slow to import, and most runs do without

    parts = cc3d.connected_components(stack > np.float32(factor * low), connectivity=6)
    kept = np.zeros(int(parts.max(initial=0)) + 1, bool)
    kept[parts[stack > np.float32(factor * high)]] = True
    return kept[parts]


@METHODS
def local(counts, values, *, window_um, offset):
    """Compare each voxel with the mean around it, weighted by a Gaussian in 3D that is round in um.

    Parameters
    ----------
    counts, values : (N,) ndarray
        Not used.
    window_um : float
        Width of the surroundings in um: six standard deviations.
    offset : float
        What is subtracted from the mean, on the scale of the stack.

    Returns
    -------
    callable

    References
    ----------
    .. [1] R. C. Gonzalez and R. E. Woods, "Digital Image Processing", 2nd edition, 2002, 600-612. As in
       `skimage.filters.threshold_local` on the volume, with ``mode="nearest"`` and ``param=window_um / 6 / spacing``.
    """
    return partial(_above_local_mean, window_um=window_um, offset=offset)


def _above_local_mean(stack, spacing, contrast, *, window_um, offset, factor):
    from cellstack.denoise import gaussian  # OpenCV is slow to import, and most runs do without

    around = gaussian(stack, spacing, sigma_um=window_um / 6)
    return stack > np.float32(factor) * (around - np.float32(offset))


@METHODS
def half_height(counts, values, **options):
    """Find bright blobs, and mark each down to a level of its own between what surrounds it and its middle.

    Parameters
    ----------
    counts, values : (N,) ndarray
        Not used.
    **options
        Those of :func:`cellstack.half_height.mark_blobs`.

    Returns
    -------
    callable
    """
    return partial(_blobs_down_to_level, **options)


def _blobs_down_to_level(stack, spacing, contrast, **options):
    from cellstack.denoise import estimate_noise  # OpenCV is slow to import, and some runs do without
    from cellstack.half_height import mark_blobs

    if contrast is None:
        cure = "give the file that adjust_contrast writes as contrast, or choose another method"
        raise InputError(f"binarize method half_height: the noise of the stack is not known: {cure}")
    return mark_blobs(stack, spacing, estimate_noise(contrast), **options)
