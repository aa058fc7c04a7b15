"""Correction of background and depth attenuation, before a stack is segmented.

A method takes a stack of uint8, uint16 or float32, the voxel size, and the voxels without data as a
(Z, Y, X) ndarray of bool or None. It returns a stack of the same type; integers are rounded and
clipped to the range of their type. Intensities are measured on the raw stack, not on the corrected
one.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from cellstack.config.methods import Methods
from cellstack.core import filters, morphology
from cellstack.core.no_data import fill_no_data, fill_no_data_of_parts
from cellstack.core.planes import (
    SLAB_VOXELS,
    Allocate,
    ComputedStack,
    Planes,
    Stack,
    as_stack,
    filter_slabs,
)
from cellstack.core.scales import planes_reached
from cellstack.core.types import BoolVolume, Box, RawVolume, Spacing

log = logging.getLogger(__name__)

Measured: TypeAlias = Sequence[Any]

METHODS = Methods()
MIN_PLANES_FOR_FIT = 3


def correct_background(
    stack: RawVolume,
    spacing: Spacing,
    steps: Sequence[tuple[str, dict[str, Any]]],
    no_data: BoolVolume | None = None,
    measured: Sequence[Measured | None] | None = None,
    first_plane: int = 0,
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
        Voxels without data. They are filled first, see
        :func:`cellstack.core.no_data.fill_no_data`, and left out of the brightness of planes.
    measured : sequence of (sequence or None), optional
        If this is a block of a stack, what :data:`MEASURES` returns for the complete stack, for
        each step; None for steps that are not in it.
    first_plane : int
        Plane of the complete stack at which a block begins.

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
    if no_data is not None and not no_data.all():  # a block can be without data
        stack = cast(RawVolume, fill_no_data(stack, no_data, spacing))
    for (method, options), known in zip(steps, measured or [None] * len(steps), strict=True):
        if known is None:
            stack = METHODS[method](stack, spacing, no_data, **options)
        else:
            background, factors = known
            stack = brighten_planes(
                stack, background, factors[first_plane : first_plane + len(stack)]
            )
    return stack


def correct_background_in_parts(
    stack: Stack,
    spacing: Spacing,
    steps: Sequence[tuple[str, dict[str, Any]]],
    no_data: Stack | None = None,
    measured: Sequence[Measured | None] | None = None,
    first_plane: int = 0,
    allocate: Allocate = np.empty,
    slab_voxels: int = SLAB_VOXELS,
) -> Stack:
    """Apply several methods to a stack that need not fit into memory.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray or stack of uint8, uint16 or float32
    spacing, steps, measured, first_plane
        See :func:`correct_background`, whose result is the same.
    no_data : (Z, Y, X) ndarray or stack of bool, optional
        Voxels without data.
    allocate : callable
        Provides the results of filters, which need not be in memory.
    slab_voxels : int
        Number of voxels that are filtered at once, without the neighbours that filters need. A
        smaller stack is processed at once.

    Returns
    -------
    (Z, Y, X) ndarray or stack of the type of `stack`
    """
    if stack.size <= slab_voxels:
        without = None if no_data is None else no_data[:]
        return correct_background(stack[:], spacing, steps, without, measured, first_plane)
    stack = fill_no_data_of_parts(stack, no_data, spacing)
    for (method, options), known in zip(steps, measured or [None] * len(steps), strict=True):
        if known is not None:
            background, factors = known
            stack = _brighten_parts(stack, background, factors[first_plane:][: len(stack)])
        elif method in MEASURES:
            stack = _brighten_parts(stack, *MEASURES[method](stack, spacing, no_data, **options))
        else:
            apply = partial(METHODS[method], spacing=spacing, **options)
            halo = planes_reached(options, spacing[0])
            filtered = filter_slabs(stack, halo, apply, stack.dtype, slab_voxels)
            stack = as_stack(filtered, allocate)
    return stack


def _brighten_parts(stack: Stack, background: float, factors: Sequence[float]) -> Stack:
    """Brighten planes when a part is read, see :func:`brighten_planes`."""

    def part(box: Box) -> RawVolume:
        return brighten_planes(stack[box], background, factors[box[0]])

    return ComputedStack(stack.shape, stack.dtype, part)


@METHODS
def white_tophat(
    stack: RawVolume,
    spacing: Spacing,
    no_data: BoolVolume | None = None,
    *,
    shape: str,
    radius_um: float,
) -> RawVolume:
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
def gaussian(
    stack: RawVolume, spacing: Spacing, no_data: BoolVolume | None = None, *, sigma_um: float
) -> RawVolume:
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
    stack: RawVolume,
    spacing: Spacing,
    no_data: BoolVolume | None = None,
    *,
    percentile: float,
    max_factor: float,
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
    background, factors = measure_attenuation(
        stack, spacing, no_data, percentile=percentile, max_factor=max_factor
    )
    return brighten_planes(stack, background, factors)


def measure_attenuation(
    stack: Planes,
    spacing: Spacing,
    no_data: Planes | None = None,
    *,
    percentile: float,
    max_factor: float,
) -> tuple[float, NDArray[np.float64]]:
    """Return the background of a stack, and by what :func:`depth_attenuation` multiplies planes.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray or planes of uint8, uint16 or float32
        One plane is in memory at a time.
    spacing : (3,) sequence of float
        Voxel size along z, y and x in um.
    no_data : (Z, Y, X) ndarray or planes of bool, optional
        Voxels that are left out, not all.
    percentile, max_factor : float
        See :func:`depth_attenuation`.

    Returns
    -------
    background : float
        See :func:`fit_decay`.
    factors : (Z,) ndarray of float
        Factor of each plane.

    Examples
    --------
    >>> stack = np.float32([100, 50, 25])[:, None, None] * np.float32([0, 0, 0, 1])
    >>> background, factors = measure_attenuation(
    ...     stack, (2.0, 0.5, 0.5), percentile=100, max_factor=3
    ... )
    >>> background, factors.round(3).tolist()
    (0.0, [1.0, 2.0, 3.0])
    """
    background, decay = fit_decay(stack, spacing[0], percentile, no_data)
    log.info(
        "depth: brightness falls by a factor of %.3g over %.4g um",
        np.exp(decay * (len(stack) - 1) * spacing[0]),
        len(stack) * spacing[0],
    )
    position = np.arange(len(stack)) * spacing[0]
    depth = position if decay > 0 else position - position[-1]
    return background, np.exp(decay * depth).clip(max=max_factor)


def brighten_planes(stack: RawVolume, background: float, factors: Iterable[float]) -> RawVolume:
    """Multiply the intensities above the background by a factor for each plane.

    Examples
    --------
    >>> brighten_planes(np.uint8([[[10, 12]], [[10, 11]]]), 10.0, [1.0, 2.0]).tolist()
    [[[10, 12]], [[10, 12]]]
    """
    base = np.float32(background)
    corrected = np.empty_like(stack)
    for plane, factor, target in zip(stack, factors, corrected, strict=True):
        target[:] = _as_type((plane - base) * np.float32(factor) + base, stack.dtype)
    return corrected


def fit_decay(
    stack: Planes, step: float, percentile: float, no_data: Planes | None = None
) -> tuple[float, float]:
    """Fit an exponential decay to the brightness of planes above the background.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray or planes of uint8, uint16 or float32
    step : float
        Distance between planes in um.
    percentile : float
        Percentile of a plane that represents the brightness of its objects.
    no_data : (Z, Y, X) ndarray or planes of bool, optional
        Voxels that are left out, not all; planes without data too.

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
    medians, bright = np.full((2, len(stack)), np.nan)
    for z, plane in enumerate(stack):
        values = plane if no_data is None else plane[~no_data[z]]
        if values.size:
            medians[z], bright[z] = np.percentile(values, (50, percentile))
    background = float(np.nanmin(medians))
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


MEASURES: dict[str, Callable[..., Measured]] = {"depth_attenuation": measure_attenuation}
"""For each method that depends on the complete stack, the function that measures it."""
