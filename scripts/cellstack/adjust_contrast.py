"""Contrast: from the raw stack of any type to float32 in [0, 1].

The values that a method takes from the whole stack (percentiles, a distribution) are found by one function and applied by another, so that
a stack can be worked on in parts. Halo of every method here: 0 voxels, but for :func:`adaptive` and for grey morphology, where it is the
radius, twice that for opening and closing.
"""

import logging

import numpy as np

from cellstack import morphology, relabel, units
from cellstack.errors import InputError
from cellstack.methods import Methods

log = logging.getLogger(__name__)

METHODS = Methods()
MIN_TILE = 8  # pixels: smaller tiles have too few values for a histogram, and their histograms together outgrow the stack


def adjust_contrast(stack, spacing, steps):
    """Apply methods one after the other.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of uint8, uint16 or float32
        The raw stack.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    steps : list of (str, dict)
        Names of :data:`METHODS` and their options. No step at all gives the stack by the convention of
        `skimage.util.img_as_float`, see :func:`none`.

    Returns
    -------
    (Z, Y, X) ndarray of float32
        In [0, 1].
    """
    for method, options in steps or [("none", {})]:
        stack = METHODS[method](stack, spacing, **options)
    return stack


@METHODS
def none(stack, spacing):
    """Scale integers by the largest value of their type and leave floats, which must lie in [0, 1].

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of uint8, uint16 or float32
    spacing : (3,) sequence of float
        Not used.

    Returns
    -------
    (Z, Y, X) ndarray of float32

    Raises
    ------
    InputError
        A float stack reaches outside of [0, 1].
    """
    if stack.dtype.kind == "u":
        return stack * np.float32(1 / np.iinfo(stack.dtype).max)
    low, high = (float(stack.min()), float(stack.max())) if stack.size else (0.0, 1.0)
    if low < 0 or high > 1:
        raise InputError(f"a float stack with values from {low:g} to {high:g} is not in [0, 1]: put `stretch` into adjust_contrast.steps")
    return stack.astype(np.float32)


@METHODS
def stretch(stack, spacing, *, low, high):
    """Map the `low` percentile to 0 and the `high` percentile to 1, linearly, and clip what lies beyond.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of uint8, uint16 or float32
    spacing : (3,) sequence of float
        Not used.
    low, high : float
        Percentiles in [0, 100].

    Returns
    -------
    (Z, Y, X) ndarray of float32
        Where both percentiles are the same value, as in a dark stack with few bright voxels, the lowest and the highest value take their
        place; a stack of one value becomes all zeros.

    Raises
    ------
    InputError
        `low` does not lie below `high`.
    """
    if low >= high:
        raise InputError(f"adjust_contrast.stretch: low {low:g} is not below high {high:g}; give percentiles such as 0.5 and 99.5")
    bottom, top = percentiles(stack, (low, high))
    if bottom == top:
        log.info("percentiles %g and %g are both %g: the whole range is used", low, high, bottom)
        bottom, top = float(stack.min()), float(stack.max())
    return rescale(stack, bottom, top)


def percentiles(stack, percents):
    """Find percentiles with linear interpolation, as `numpy.percentile` does, by counting where the type allows.

    Parameters
    ----------
    stack : ndarray of uint8, uint16 or float32
    percents : sequence of float
        In [0, 100].

    Returns
    -------
    list of float
    """
    if stack.dtype.kind != "u":
        return [float(value) for value in np.percentile(stack, percents)]
    cumulated = np.cumsum(_count_values(stack))
    ranks = np.asarray(percents) / 100 * (stack.size - 1)
    below = np.searchsorted(cumulated, np.floor(ranks), side="right")
    above = np.searchsorted(cumulated, np.ceil(ranks), side="right")
    return [float(value) for value in below + (above - below) * (ranks - np.floor(ranks))]


def _count_values(stack):
    """Count values of whole numbers, some at a time, as `numpy.bincount` makes each as large as eight bytes."""
    flat, counts = stack.ravel(), np.zeros(int(stack.max(initial=0)) + 1, int)
    for start in range(0, len(flat), 1 << 20):
        counts += np.bincount(flat[start : start + (1 << 20)], minlength=len(counts))
    return counts


def rescale(stack, bottom, top):
    """Map `bottom` to 0 and `top` to 1, linearly, and clip what lies beyond.

    Parameters
    ----------
    stack : ndarray of uint8, uint16 or float32
    bottom, top : float

    Returns
    -------
    ndarray of float32
        All zeros where `top` does not lie above `bottom`.
    """
    if top <= bottom:
        return np.zeros(stack.shape, np.float32)
    if stack.dtype.kind == "u":  # one look-up per voxel in place of four passes over float data
        values = np.arange(np.iinfo(stack.dtype).max + 1)
        return relabel.relabel(stack, np.clip((values - bottom) / (top - bottom), 0, 1).astype(np.float32))
    scaled = (stack - np.float32(bottom)) * np.float32(1 / (top - bottom))
    return np.clip(scaled, 0, 1, out=scaled)


@METHODS
def gamma(stack, spacing, *, gamma):
    """Raise the stack in [0, 1] to a power: below 1 brightens, above 1 darkens.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of uint8, uint16 or float32
        Brought to [0, 1] by :func:`none` first.
    spacing : (3,) sequence of float
        Not used.
    gamma : float
        Exponent above 0.

    Returns
    -------
    (Z, Y, X) ndarray of float32

    Raises
    ------
    InputError
        A float stack reaches outside of [0, 1].

    Notes
    -----
    The same as `skimage.exposure.adjust_gamma` of the stack as float; integers are not rounded to their type in between.
    """
    return none(stack, spacing) ** np.float32(gamma)


@METHODS
def equalize(stack, spacing, *, nbins):
    """Replace each value by the part of the stack's voxels that are not above it, so that all values become equally frequent.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of uint8, uint16 or float32
        Floats may lie anywhere.
    spacing : (3,) sequence of float
        Not used.
    nbins : int
        Bins of the histogram of floats; each integer is a bin of its own.

    Returns
    -------
    (Z, Y, X) ndarray of float32
        All zeros where the stack has one value only, since it has no contrast. Otherwise the same as `skimage.exposure.equalize_hist`.
    """
    levels, fractions = cumulative_distribution(stack, nbins)
    return interpolate(stack, levels, fractions)


def cumulative_distribution(stack, nbins):
    """Find which part of the voxels lies at or below each level.

    Parameters
    ----------
    stack : ndarray of uint8, uint16 or float32
    nbins : int
        Number of levels for floats: the centres of equal bins from the least to the greatest value.

    Returns
    -------
    levels, fractions : 1D ndarray of float64
        Both rise. All fractions are 0 where the stack has one value only.
    """
    if stack.dtype.kind == "u":
        counts = _count_values(stack)
        levels = np.arange(len(counts), dtype=float)
    else:
        counts, edges = np.histogram(stack, nbins)
        levels = (edges[1:] + edges[:-1]) / 2
    fractions = np.cumsum(counts) / stack.size
    return levels, fractions * (np.count_nonzero(counts) > 1)


def interpolate(stack, levels, fractions):
    """Map `levels` to `fractions`, linearly in between; beyond the ends the first and last fraction hold.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of uint8, uint16 or float32
    levels, fractions : 1D ndarray of float
        As :func:`cumulative_distribution` gives them.

    Returns
    -------
    (Z, Y, X) ndarray of float32
    """
    if stack.dtype.kind == "u":
        return relabel.relabel(stack, np.interp(np.arange(np.iinfo(stack.dtype).max + 1), levels, fractions).astype(np.float32))
    mapped = np.empty(stack.shape, np.float32)
    for plane, target in zip(stack, mapped, strict=True):  # interp works in float64: one plane at a time
        target[:] = np.interp(plane, levels, fractions)
    return mapped


@METHODS
def adaptive(stack, spacing, *, tile_um, clip_limit):
    """Equalize each neighbourhood of the volume by itself (CLAHE), so that dim and deep parts gain contrast.

    Works on the volume: tiles are cubes in um, but for what it takes to fill each axis with whole tiles of at least one voxel. Halo:
    1.5 tiles; the least and the greatest value of the whole stack count too, before and after.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of uint8, uint16 or float32
        Brought to [0, 1] by :func:`none` first.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    tile_um : float
        Side of a tile in um.
    clip_limit : float
        Greatest part of a tile's voxels that a bin of its histogram may hold. Larger gives more contrast, and more noise.

    Returns
    -------
    (Z, Y, X) ndarray of float32
        The least value is 0 and the greatest 1. All zeros where the stack has one value only, since it has no contrast.

    Raises
    ------
    InputError
        A float stack reaches outside of [0, 1], or a tile is less than 8 pixels wide.

    Notes
    -----
    This is `skimage.exposure.equalize_adapthist` with `kernel_size` from `tile_um`. It takes some 100 bytes of memory per voxel.

    References
    ----------
    .. [1] K. Zuiderveld, "Contrast Limited Adaptive Histogram Equalization", Graphics Gems IV, 1994.
    """
    from skimage.exposure import equalize_adapthist  # slow to import, and the default does without

    tile = units.in_voxels(tile_um, spacing)
    if min(tile[1:]) < MIN_TILE:
        least = MIN_TILE * max(spacing[1:])
        raise InputError(f"adjust_contrast.adaptive: tile_um {tile_um:g} is less than {MIN_TILE} pixels; give at least {least:g}")
    stack = none(stack, spacing)
    if stack.min() == stack.max():
        return np.zeros_like(stack)
    counts = [max(1, int(size / side + 0.5)) for size, side in zip(stack.shape, tile, strict=True)]
    kernel = [-(-size // count) for size, count in zip(stack.shape, counts, strict=True)]
    # beneath the decorator, which takes a stack of three or four columns for a colour image
    return equalize_adapthist.__wrapped__(stack, kernel, clip_limit).astype(np.float32, copy=False)


@METHODS
def erosion(stack, spacing, *, shape, radius_um):
    """Replace each value by the lowest within a shape around it: bright objects shrink.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of uint8, uint16 or float32
        Brought to [0, 1] by :func:`none` first.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    shape : {"ball", "disc", "cube", "square"}
        A disc and a square are applied plane by plane.
    radius_um : float
        Radius in um, for cube and square half the side; an axis on which it is below half a voxel is left out.

    Returns
    -------
    (Z, Y, X) ndarray of float32

    Notes
    -----
    As in `skimage.morphology.erosion` with ``mode="ignore"``: what lies outside the stack counts as neither bright nor dark.
    """
    return morphology.erosion(none(stack, spacing), morphology.footprint(shape, radius_um, spacing))


@METHODS
def dilation(stack, spacing, *, shape, radius_um):
    """Replace each value by the highest within a shape around it: bright objects grow.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of uint8, uint16 or float32
        Brought to [0, 1] by :func:`none` first.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    shape : {"ball", "disc", "cube", "square"}
        A disc and a square are applied plane by plane.
    radius_um : float
        Radius in um, for cube and square half the side; an axis on which it is below half a voxel is left out.

    Returns
    -------
    (Z, Y, X) ndarray of float32

    Notes
    -----
    As in `skimage.morphology.dilation` with ``mode="ignore"``: what lies outside the stack counts as neither bright nor dark.
    """
    return morphology.dilation(none(stack, spacing), morphology.footprint(shape, radius_um, spacing))


@METHODS
def opening(stack, spacing, *, shape, radius_um):
    """Remove what is bright and narrower than a shape.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of uint8, uint16 or float32
        Brought to [0, 1] by :func:`none` first.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    shape : {"ball", "disc", "cube", "square"}
        A disc and a square are applied plane by plane.
    radius_um : float
        Radius in um, for cube and square half the side; an axis on which it is below half a voxel is left out.

    Returns
    -------
    (Z, Y, X) ndarray of float32

    Notes
    -----
    As in `skimage.morphology.opening` with ``mode="ignore"``: what lies outside the stack counts as neither bright nor dark.
    """
    return morphology.opening(none(stack, spacing), morphology.footprint(shape, radius_um, spacing))


@METHODS
def closing(stack, spacing, *, shape, radius_um):
    """Fill what is dark and narrower than a shape.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of uint8, uint16 or float32
        Brought to [0, 1] by :func:`none` first.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    shape : {"ball", "disc", "cube", "square"}
        A disc and a square are applied plane by plane.
    radius_um : float
        Radius in um, for cube and square half the side; an axis on which it is below half a voxel is left out.

    Returns
    -------
    (Z, Y, X) ndarray of float32

    Notes
    -----
    As in `skimage.morphology.closing` with ``mode="ignore"``: what lies outside the stack counts as neither bright nor dark.
    """
    return morphology.closing(none(stack, spacing), morphology.footprint(shape, radius_um, spacing))
