"""Threshold of a stack, and the mask of the voxels above it.

Each of :data:`METHODS` is called with `counts`, the histogram of the stack, and `values`, the
centre of each bin, both of shape (N,), and with its options as keywords. It returns the threshold
as a float, or a rule where no single value holds for all voxels. A rule is called as
``rule(stack, spacing, contrast, no_data, factor=factor)`` and returns the mask as a (Z, Y, X)
ndarray of bool, and a record.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cellstack.config.methods import Methods
from cellstack.core.planes import Allocate, ComputedStack, Planes, Stack
from cellstack.core.thresholds import histogram, is_constant, otsu
from cellstack.core.types import BoolVolume, Box, Mask, Spacing
from cellstack.errors import InputError

Counts: TypeAlias = NDArray[np.integer[Any]]
Values: TypeAlias = NDArray[np.float64]
Record: TypeAlias = dict[str, float]
"""Signs of an inaccurate mask, see :class:`cellstack.segment.per_object_threshold.MarkedBlobs`."""

Rule: TypeAlias = partial[tuple[BoolVolume, Record]]

METHODS = Methods()
METHODS(otsu)
METHODS_WITHOUT_HISTOGRAM = ("local", "per_object")
COARSE_BINS = 1 << 8  # as scikit-image: methods that use the histogram's shape need smooth counts


def find_threshold(
    stack: Stack,
    method: str,
    options: dict[str, Any],
    factor: float = 1.0,
    no_data: Planes | None = None,
) -> float | Rule:
    """Return the threshold of a stack by one of :data:`METHODS`.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray or stack of float32
        Intensities, all finite.
    method : str
        Name of a method.
    options : dict
        Options of the method.
    factor : float
        Factor by which the threshold is multiplied. A rule applies it to each of its thresholds.
    no_data : (Z, Y, X) ndarray or planes of bool, optional
        Voxels that are left out of the histogram.

    Returns
    -------
    float or callable
        The threshold, or a rule that :func:`binarize` applies. For a stack that is constant within
        rounding it is the highest value, whatever the method, so that the mask is empty.

    Examples
    --------
    >>> stack = np.array([[[0.1, 0.1, 0.2, 0.9]]], np.float32)
    >>> round(find_threshold(stack, "mean", {}), 3)
    0.325
    >>> binarize(stack, find_threshold(stack, "otsu", {}))
    array([[[0, 0, 0, 1]]], dtype=uint8)
    """

    def values() -> Iterator[NDArray[np.float32]]:
        for z, plane in enumerate(stack):
            yield plane if no_data is None else plane[~no_data[z]]

    return threshold_of_parts(values, method, options, factor)


def threshold_of_parts(
    read: Callable[[], Iterable[NDArray[np.float32]]],
    method: str,
    options: dict[str, Any],
    factor: float,
) -> float | Rule:
    """Return the threshold of a stack that is given in parts, see :func:`find_threshold`.

    Parameters
    ----------
    read : callable
        Returns an iterable of ndarrays of float32, with all values of the stack that count. It may
        be called twice. Neither the order of the values nor where the stack is divided changes the
        result.
    method, options, factor
        See :func:`find_threshold`.

    Returns
    -------
    float or callable

    Examples
    --------
    >>> parts = [np.float32([0.1, 0.9]), np.float32([[0.2], [0.1]])]
    >>> threshold_of_parts(lambda: parts, "otsu", {}, 1.0) == find_threshold(
    ...     np.float32([[[0.1, 0.1, 0.2, 0.9]]]), "otsu", {}
    ... )
    True
    """
    low, high = np.inf, -np.inf
    for part in read():
        if part.size:
            low, high = min(low, float(part.min())), max(high, float(part.max()))
        if method in METHODS_WITHOUT_HISTOGRAM and not is_constant(low, high):
            return rule_of(method, options, factor)  # a wider range is not constant either
    if low > high:  # no values
        return 0.0
    if is_constant(low, high):
        return high
    found: float | Rule = METHODS[method](*histogram(read(), low, high), **options)
    return partial(found, factor=factor) if callable(found) else factor * found


def rule_of(method: str, options: dict[str, Any], factor: float) -> Rule:
    """Return the rule of a method that does not depend on the histogram of the stack."""
    return partial(METHODS[method](None, None, **options), factor=factor)


def binarize(
    stack: Stack,
    threshold: float | Rule,
    spacing: Spacing | None = None,
    contrast: Stack | None = None,
    no_data: BoolVolume | None = None,
) -> Mask:
    """Return the mask of the voxels above a threshold, see :func:`binarize_with_record`."""
    return binarize_with_record(stack, threshold, spacing, contrast, no_data)[0]


def binarize_with_record(
    stack: Stack,
    threshold: float | Rule,
    spacing: Spacing | None = None,
    contrast: Stack | None = None,
    no_data: BoolVolume | None = None,
) -> tuple[Mask, Record]:
    """Return the mask of the voxels above a threshold, and the signs that it can be inaccurate.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray or stack of float32
        Intensities.
    threshold : float or callable
        Threshold from :func:`find_threshold`.
    spacing : (3,) sequence of float, optional
        Voxel size along z, y and x in um, required by the rules of `local` and `per_object`.
    contrast : (Z, Y, X) ndarray or stack of float32, optional
        The stack before denoising, required by the rule of `per_object`.
    no_data : (Z, Y, X) ndarray of bool, optional
        Voxels that are background, whatever their intensity.

    Returns
    -------
    mask : (Z, Y, X) ndarray of uint8
        1 where the stack is above the threshold, 0 elsewhere.
    record : dict
        ``dropped_dim``, ``brightness_ratio``, ``haze_ratio`` and ``hollow`` of
        :class:`cellstack.segment.per_object_threshold.MarkedBlobs`, if the threshold is the rule
        of `per_object`. With `contrast`, also ``clipped_fraction``: the fraction of the voxels of
        the mask that have the highest contrast, 1.
    """
    if callable(threshold):
        above, record = threshold(stack, spacing, contrast, no_data)
    else:
        above, record = stack[:] > np.float32(threshold), {}
    if no_data is not None:
        above &= ~no_data
    if contrast is not None:
        clipped = 0
        for values, inside in zip(contrast, above, strict=True):
            clipped += int(np.count_nonzero(values[inside] >= 1))
        record |= {"clipped_fraction": clipped / max(1, int(np.count_nonzero(above)))}
    return above.view(np.uint8), record


@METHODS
def li(counts: Counts, values: Values) -> float:
    """Return threshold value based on Li's minimum cross entropy method.

    References
    ----------
    .. [1] C. H. Li and P. K. S. Tam, "An iterative algorithm for minimum cross entropy
       thresholding", Pattern Recognition Letters 18, 1998. As `skimage.filters.threshold_li`, on a
       histogram.
    """
    offset = values[0]
    values = values - offset  # the method requires values from 0
    number, weighted = np.cumsum(counts), np.cumsum(counts * values)
    step = values[1]
    current, following = -1.0, weighted[-1] / number[-1]
    while abs(following - current) > step / 2:
        current = following
        split = np.searchsorted(values, current, side="right") - 1
        background = weighted[split] / number[split]
        foreground = (weighted[-1] - weighted[split]) / (number[-1] - number[split])
        if background <= 0:
            break  # converged: all background is in the first bin, whose logarithm is undefined
        following = (foreground - background) / (np.log(foreground) - np.log(background))
    return float(current + offset)


@METHODS
def isodata(counts: Counts, values: Values) -> float:
    """Return threshold value based on ISODATA: the midpoint of the two class means.

    References
    ----------
    .. [1] T. W. Ridler and S. Calvard, "Picture thresholding using an iterative selection method",
       IEEE Trans. SMC 8, 1978. As `skimage.filters.threshold_isodata`.
    """
    from skimage.filters import threshold_isodata  # slow to import, unused by most runs

    return float(threshold_isodata(hist=_coarse(counts, values)))


@METHODS
def mean(counts: Counts, values: Values) -> float:
    """Return threshold value based on the mean of the stack.

    References
    ----------
    .. [1] C. A. Glasbey, "An analysis of histogram-based thresholding algorithms", CVGIP 55, 1993.
       As `skimage.filters.threshold_mean`, on a histogram.
    """
    return float(np.average(values, weights=counts))


@METHODS
def minimum(counts: Counts, values: Values) -> float:
    """Return threshold value based on the minimum between two peaks of the smoothed histogram.

    Raises
    ------
    InputError
        The histogram does not have two peaks, however much it is smoothed.

    References
    ----------
    .. [1] J. M. S. Prewitt and M. L. Mendelsohn, "The analysis of cell images", Annals of the New
       York Academy of Sciences 128, 1966. As `skimage.filters.threshold_minimum`.
    """
    from skimage.filters import threshold_minimum  # slow to import, unused by most runs

    try:
        return float(threshold_minimum(hist=_coarse(counts, values)))
    except RuntimeError as error:
        raise InputError(
            "binarize method minimum: the histogram of the denoised stack has no two peaks; "
            "set binarize.method to one that does not need them, such as otsu"
        ) from error


@METHODS
def triangle(counts: Counts, values: Values) -> float:
    """Return threshold value based on the triangle method.

    It is the value at which the histogram is farthest below the line from its peak to its more
    distant end.

    References
    ----------
    .. [1] G. W. Zack, W. E. Rogers and S. A. Latt, "Automatic measurement of sister chromatid
       exchange frequency", Journal of Histochemistry and Cytochemistry 25, 1977. As
       `skimage.filters.threshold_triangle`, on a histogram.
    """
    counts, values = _coarse(counts, values)
    # Neither end is empty: the bins span the range from the lowest to the highest value.
    peak, last = int(np.argmax(counts)), len(counts) - 1
    end = last if peak < last - peak else 0
    bins = np.arange(end, peak, 1 if peak > end else -1)
    # The distance below the line, times the length of the line.
    below = counts[peak] * np.abs(bins - end) - np.abs(peak - end) * counts[bins]
    return float(values[bins[np.argmax(below)]])


@METHODS
def yen(counts: Counts, values: Values) -> float:
    """Return threshold value based on Yen's method: maximum correlation within the two classes.

    References
    ----------
    .. [1] J. C. Yen, F. J. Chang and S. Chang, "A new criterion for automatic multilevel
       thresholding", IEEE Trans. on Image Processing 4, 1995. As `skimage.filters.threshold_yen`.
    """
    from skimage.filters import threshold_yen  # slow to import, unused by most runs

    with np.errstate(divide="ignore"):  # the fraction of a tiny class rounds to 0
        return float(threshold_yen(hist=_coarse(counts, values)))


def _coarse(counts: Counts, values: Values) -> tuple[Counts, Values]:
    return counts.reshape(COARSE_BINS, -1).sum(axis=1), values.reshape(COARSE_BINS, -1).mean(axis=1)


@METHODS
def fixed(counts: Counts, values: Values, *, value: float) -> float:
    """Return a threshold value set by the user.

    Parameters
    ----------
    value : float
        Threshold, on the scale of the stack.
    """
    return float(value)


@METHODS
def hysteresis(counts: Counts, values: Values, *, low: float, high: float, scale: str) -> Rule:
    """Return a rule for hysteresis thresholding.

    The mask consists of the voxels above the low threshold that are connected, across faces, to a
    voxel above the high threshold.

    Parameters
    ----------
    low, high : float
        The two thresholds.
    scale : {"otsu", "intensity"}
        Whether the thresholds are multiples of Otsu's threshold or intensities of the stack.

    Raises
    ------
    InputError
        `low` is above `high`.

    References
    ----------
    .. [1] J. Canny, "A computational approach to edge detection", IEEE Trans. PAMI 8, 1986. As
       `skimage.filters.apply_hysteresis_threshold`.
    """
    if low > high:
        raise InputError(
            f"binarize.hysteresis: low {low:g} is above high {high:g}; "
            "set low to at most high, for example 0.7 and 1"
        )
    unit = otsu(counts, values) if scale == "otsu" else 1.0
    return partial(_connected_to_high, low=low * unit, high=high * unit)


def connect_to_high(
    stack: Stack, low: float, high: float, factor: float, allocate: Allocate = np.empty
) -> Any:
    """Return the voxels above a low threshold that are connected to one above a high threshold.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray or stack of float32
        Intensities, of which some planes are in memory at a time.
    low, high : float
        The two thresholds. Voxels are connected across faces.
    factor : float
        Factor by which both are multiplied.
    allocate : callable
        Provides the result.

    Returns
    -------
    (Z, Y, X) ndarray or stack of uint8
        0 or 1.

    Examples
    --------
    >>> connect_to_high(np.float32([[[0.5, 0.9, 0.1, 0.5]]]), 0.4, 0.8, 1.0)
    array([[[1, 1, 0, 0]]], dtype=uint8)
    """
    from cellstack.core.components import keep_components_with  # slow to import, rarely used

    def above(threshold: float) -> Callable[[Box], BoolVolume]:
        limit = np.float32(factor * threshold)
        return lambda box: np.asarray(stack[box] > limit)

    is_low, is_high = above(low), above(high)
    return keep_components_with(
        ComputedStack(stack.shape, np.uint8, lambda box: is_low(box).view(np.uint8)),
        ComputedStack(stack.shape, bool, is_high),
        allocate,
    )


def _connected_to_high(
    stack: Stack,
    spacing: Spacing | None,
    contrast: Stack | None,
    no_data: BoolVolume | None,
    *,
    low: float,
    high: float,
    factor: float,
) -> tuple[BoolVolume, Record]:
    connected: Mask = connect_to_high(stack, low, high, factor)
    return connected.view(np.bool_), {}


@METHODS
def local(counts: None, values: None, *, window_um: float, offset: float) -> Rule:
    """Return a rule that compares each voxel with the mean around it, weighted by a 3D Gaussian.

    Parameters
    ----------
    window_um : float
        Width of the window in um: six standard deviations of the Gaussian.
    offset : float
        Value that is subtracted from the mean, on the scale of the stack.

    References
    ----------
    .. [1] R. C. Gonzalez and R. E. Woods, "Digital Image Processing", 2nd edition, 2002, 600-612.
       As `skimage.filters.threshold_local` on the volume, with ``mode="nearest"`` and
       ``param=window_um / 6 / spacing``.
    """
    return partial(_above_local_mean, window_um=window_um, offset=offset)


def _above_local_mean(
    stack: Stack,
    spacing: Spacing,
    contrast: Stack | None,
    no_data: BoolVolume | None,
    *,
    window_um: float,
    offset: float,
    factor: float,
) -> tuple[BoolVolume, Record]:
    from cellstack.core.filters import gaussian  # OpenCV is slow to import, unused by most runs

    local_mean = gaussian(stack, spacing, sigma_um=window_um / 6)
    return stack[:] > np.float32(factor) * (local_mean - np.float32(offset)), {}


@METHODS
def per_object(counts: None, values: None, **options: Any) -> Rule:
    """Return a rule that finds bright blobs and thresholds each of them separately.

    Parameters
    ----------
    **options
        Options of :func:`cellstack.segment.per_object_threshold.mark_blobs`.
    """
    return partial(_mark_blobs, **options)


def _mark_blobs(
    stack: Stack,
    spacing: Spacing,
    contrast: Stack | None,
    no_data: BoolVolume | None,
    **options: Any,
) -> tuple[BoolVolume, Record]:
    from cellstack.core.noise import estimate_noise  # OpenCV is slow to import, not always used
    from cellstack.segment.per_object_threshold import mark_blobs

    if contrast is None:
        raise InputError(
            "binarize method per_object: the noise of the stack is unknown; give the file that "
            "adjust_contrast writes as contrast, or choose another method"
        )
    marked = mark_blobs(stack, spacing, estimate_noise(contrast, no_data), no_data, **options)
    record = marked._asdict()
    return record.pop("mask"), record
