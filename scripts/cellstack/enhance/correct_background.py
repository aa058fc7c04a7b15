"""Correction of background and depth attenuation, before a stack is segmented.

A method takes a stack of uint8, uint16 or float32 and the voxel size, and returns a stack of the
same type; integers are rounded and clipped to the range of their type. Intensities are measured on
the raw stack, not on the corrected one.
"""

import logging
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from cellstack.config.methods import Methods
from cellstack.core import filters, morphology
from cellstack.core.no_data import fill_no_data
from cellstack.core.types import BoolVolume, RawVolume, Spacing

log = logging.getLogger(__name__)

METHODS = Methods()
MIN_PLANES_FOR_FIT = 3


def correct_background(
    stack: RawVolume,
    spacing: Spacing,
    steps: Sequence[tuple[str, dict[str, Any]]],
    no_data: BoolVolume | None = None,
) -> RawVolume:
    """Apply several methods of :data:`METHODS`, one after the other.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of uint8, uint16 or float32
        Raw intensities.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    steps : list of (str, dict)
        Names of methods and their options.
    no_data : (Z, Y, X) ndarray of bool, optional
        Voxels without data, which are filled first, see
        :func:`cellstack.core.no_data.fill_no_data`.

    Returns
    -------
    (Z, Y, X) ndarray of the type of `stack`

    Examples
    --------
    >>> stack = np.array([[[5, 5, 9, 5, 5]]], np.uint8)
    >>> correct_background(
    ...     stack, (1, 1, 1), [("white_tophat", {"shape": "cube", "radius_um": 1})]
    ... )
    array([[[0, 0, 4, 0, 0]]], dtype=uint8)
    """
    if no_data is not None:
        stack = cast(RawVolume, fill_no_data(stack, no_data, spacing))
    for method, options in steps:
        stack = METHODS[method](stack, spacing, **options)
    return stack


@METHODS
def white_tophat(stack: RawVolume, spacing: Spacing, *, shape: str, radius_um: float) -> RawVolume:
    """White top-hat: subtract the grey opening. Keeps bright structures narrower than the shape.

    Parameters
    ----------
    shape : {"ball", "disc", "cube", "square"}
        Disc and square work plane by plane. A large ball is slow, a cube is not.
    radius_um : float
        Radius in um, or half the side of a cube or square. An axis on which it is less than half a
        voxel is left out.

    Notes
    -----
    The same as `skimage.morphology.white_tophat` with ``mode="ignore"``.
    """
    opened = morphology.opening(stack, morphology.footprint(shape, radius_um, spacing))
    return cast(RawVolume, np.subtract(stack, opened))


@METHODS
def gaussian(stack: RawVolume, spacing: Spacing, *, sigma_um: float) -> RawVolume:
    """Subtract the stack smoothed with a wide Gaussian, and set negative values to 0.

    Parameters
    ----------
    sigma_um : float
        Standard deviation in um. It should be larger than the objects, as they contribute to the
        estimated background.
    """
    values = stack.astype(np.float32)
    background = filters.gaussian(values, spacing, sigma_um=sigma_um)
    return _as_type(np.maximum(values - background, 0), stack.dtype)


@METHODS
def depth_attenuation(
    stack: RawVolume, spacing: Spacing, *, percentile: float, max_factor: float
) -> RawVolume:
    """Compensate an exponential loss of brightness with depth, see :func:`fit_decay`.

    The background, which is the lowest median of a plane, does not change.

    Parameters
    ----------
    percentile : float
        Percentile of a plane that represents the brightness of its objects.
    max_factor : float
        Largest factor by which a plane is brightened. Its noise is amplified by the same factor.
    """
    background, decay = fit_decay(stack, spacing[0], percentile)
    log.info(
        "depth: brightness falls by a factor of %.3g over %.4g um",
        np.exp(decay * (len(stack) - 1) * spacing[0]),
        len(stack) * spacing[0],
    )
    position = np.arange(len(stack)) * spacing[0]
    depth = position if decay > 0 else position - position[-1]
    factors = np.exp(decay * depth).clip(max=max_factor)
    base = np.float32(background)
    corrected = np.empty_like(stack)
    for plane, factor, target in zip(stack, factors, corrected, strict=True):
        target[:] = _as_type((plane - base) * np.float32(factor) + base, stack.dtype)
    return corrected


def fit_decay(stack: RawVolume, step: float, percentile: float) -> tuple[float, float]:
    """Fit an exponential decay to the brightness of planes above the background.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of uint8, uint16 or float32
    step : float
        Distance between planes in um.
    percentile : float
        Percentile of a plane that represents the brightness of its objects.

    Returns
    -------
    background : float
        The lowest median of a plane.
    decay : float
        Rate per um, positive if later planes are dimmer. 0 if fewer than three planes are brighter
        than the background.

    Notes
    -----
    The rate is the Theil-Sen estimator [1]_: the median of the slopes between all pairs of planes,
    which is robust against some planes without objects.

    References
    ----------
    .. [1] P. K. Sen, "Estimates of the regression coefficient based on Kendall's tau", Journal of
       the American Statistical Association 63, 1968.

    Examples
    --------
    >>> plane = np.array([[0, 0, 0, 100]], np.float32)
    >>> stack = np.stack([plane, plane / 2, plane / 4])
    >>> background, decay = fit_decay(stack, 1.0, 100)
    >>> round(float(np.exp(-decay)), 6)
    0.5
    """
    medians, bright = np.transpose([np.percentile(plane, (50, percentile)) for plane in stack])
    background = float(medians.min())
    planes = np.flatnonzero(bright > background)
    if len(planes) < MIN_PLANES_FOR_FIT:
        log.info(
            "depth: fewer than %d planes are brighter than the background; nothing is corrected",
            MIN_PLANES_FOR_FIT,
        )
        return background, 0.0
    first, second = np.triu_indices(len(planes), 1)
    brightness = np.log(bright[planes] - background)
    slopes = (brightness[second] - brightness[first]) / ((planes[second] - planes[first]) * step)
    return background, -float(np.median(slopes))


def _as_type(values: NDArray[np.float32], dtype: np.dtype[Any]) -> RawVolume:
    if dtype.kind == "u":
        values = np.clip(np.rint(values), 0, np.iinfo(dtype).max)
    return cast(RawVolume, values.astype(dtype, copy=False))
