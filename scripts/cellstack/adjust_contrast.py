"""Contrast: from the raw stack of any type to float32 in [0, 1].

The values that a method takes from the whole stack (percentiles) are found by one function and applied by another, so that a stack can be
worked on in parts. Halo of every method here: 0 voxels.
"""

import numpy as np

from cellstack.errors import InputError
from cellstack.methods import Methods

METHODS = Methods()


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
        All zeros where both percentiles are the same value, since such a stack has no contrast.

    Raises
    ------
    InputError
        `low` does not lie below `high`.
    """
    if low >= high:
        raise InputError(f"adjust_contrast.stretch: low {low:g} is not below high {high:g}; give percentiles such as 0.5 and 99.5")
    bottom, top = percentiles(stack, (low, high))
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
    cumulated = np.cumsum(np.bincount(stack.ravel()))
    ranks = np.asarray(percents) / 100 * (stack.size - 1)
    below = np.searchsorted(cumulated, np.floor(ranks), side="right")
    above = np.searchsorted(cumulated, np.ceil(ranks), side="right")
    return [float(value) for value in below + (above - below) * (ranks - np.floor(ranks))]


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
        return np.clip((values - bottom) / (top - bottom), 0, 1).astype(np.float32)[stack]
    scaled = (stack - np.float32(bottom)) * np.float32(1 / (top - bottom))
    return np.clip(scaled, 0, 1, out=scaled)
