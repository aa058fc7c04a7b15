"""Contrast adjustment: intensities of any type to float32 in [0, 1].

A method takes a stack of uint8, uint16 or float32, the voxel size, and the voxels without data as a
(Z, Y, X) ndarray of bool or None. It returns a stack of float32 in [0, 1]. All methods except
:func:`percentile_stretch` and :func:`equalize_histogram` first scale the stack with :func:`none`,
which raises `InputError` for floats outside [0, 1].

The four methods of grey morphology, :func:`erosion`, :func:`dilation`, :func:`opening` and
:func:`closing`, have the options

- shape : {"ball", "disc", "cube", "square"}. Disc and square work plane by plane.
- radius_um : float. Radius in um, or half the side of a cube or square. An axis on which it is
  less than half a voxel is left out.

They are the functions of `skimage.morphology` with ``mode="ignore"``: voxels outside the stack are
ignored.
"""

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from cellstack.config.methods import Methods
from cellstack.core import morphology
from cellstack.core.intensities import (
    cumulative_distribution,
    interpolate,
    percentiles_of_planes,
    rescale,
)
from cellstack.core.no_data import fill_no_data, fill_no_data_of_parts
from cellstack.core.planes import (
    SLAB_VOXELS,
    Allocate,
    ComputedPlanes,
    Planes,
    Stack,
    as_stack,
    filter_slabs,
    map_parts,
)
from cellstack.core.scales import planes_reached, reach_of_steps
from cellstack.core.tiles import Tiles, map_greys
from cellstack.core.tiles import measure_tiles as measure_tiles_of_unit_range
from cellstack.core.types import BoolVolume, RawVolume, Spacing, Volume
from cellstack.core.voxels import in_voxels
from cellstack.errors import InputError

log = logging.getLogger(__name__)

Measured: TypeAlias = Sequence[Any]

METHODS = Methods()
MIN_TILE_PIXELS = 8  # smaller tiles have poor histograms, which need more memory than the stack


def adjust_contrast(
    stack: RawVolume,
    spacing: Spacing,
    steps: Sequence[tuple[str, dict[str, Any]]],
    no_data: BoolVolume | None = None,
    measured: Sequence[Measured | None] | None = None,
    first: Sequence[int] = (0, 0, 0),
) -> Volume:
    """Apply several methods of :data:`METHODS`, one after the other.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of uint8, uint16 or float32
        Raw or background-corrected intensities.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    steps : list of (str, dict)
        Names of methods and their options. An empty list is the same as :func:`none`.
    no_data : (Z, Y, X) ndarray of bool, optional
        Voxels without data. They are filled first, see
        :func:`cellstack.core.no_data.fill_no_data`, and left out of percentiles and of the
        histogram that is equalized.
    measured : sequence of (sequence or None), optional
        If this is a block of a stack, what :data:`MEASURES` returns for the complete stack, for
        each step; None for steps that are not in it.
    first : (3,) sequence of int
        Voxel of the complete stack at which a block begins.

    Returns
    -------
    (Z, Y, X) ndarray of float32
        Intensities in [0, 1].

    Raises
    ------
    InputError
        An option is out of range, or a float stack has values outside [0, 1] and the first method
        does not rescale them.

    Examples
    --------
    >>> stack = np.arange(5, dtype=np.uint8).reshape(1, 1, 5)
    >>> adjust_contrast(stack, (1, 1, 1), [("percentile_stretch", {"low": 0, "high": 100})])
    array([[[0.  , 0.25, 0.5 , 0.75, 1.  ]]], dtype=float32)
    """
    if no_data is not None and not no_data.all():  # a block can be without data
        stack = cast(RawVolume, fill_no_data(stack, no_data, spacing))
    steps = steps or [("none", {})]
    for (method, options), known in zip(steps, measured or [None] * len(steps), strict=True):
        if known is None:
            stack = METHODS[method](stack, spacing, no_data, **options)
        elif method == "clahe":
            stack = equalize_tiles(stack, spacing, first, *known)
        else:
            stack = MAPPINGS[method](stack, *known)
    return cast(Volume, stack)


def adjust_contrast_in_parts(
    stack: Stack,
    spacing: Spacing,
    steps: Sequence[tuple[str, dict[str, Any]]],
    no_data: Stack | None = None,
    measured: Sequence[Measured | None] | None = None,
    allocate: Allocate = np.empty,
    slab_voxels: int = SLAB_VOXELS,
    first: Sequence[int] = (0, 0, 0),
) -> Planes:
    """Apply several methods to a stack that need not fit into memory.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray or stack of uint8, uint16 or float32
    spacing, steps, measured, first
        See :func:`adjust_contrast`, whose result is the same.
    no_data : (Z, Y, X) ndarray or stack of bool, optional
        Voxels without data.
    allocate : callable
        Provides the results of filters before the last step, which need not be in memory.
    slab_voxels : int
        Number of voxels that are filtered at once, without the neighbours that filters need. A
        smaller stack is processed at once, and so is any stack by :func:`clahe`.

    Returns
    -------
    (Z, Y, X) ndarray or planes of float32
        Planes are computed when they are read.
    """
    if stack.size <= slab_voxels:
        without = None if no_data is None else no_data[:]
        return adjust_contrast(stack[:], spacing, steps, without, measured, first)
    result: Planes = fill_no_data_of_parts(stack, no_data, spacing)
    steps = steps or [("none", {})]
    for (method, options), known in zip(steps, measured or [None] * len(steps), strict=True):
        stack = as_stack(result, allocate)
        if known is None and method in MEASURES:
            known = MEASURES[method](stack, no_data, **options)
        if method == clahe.__name__:
            if known is None:
                known = measure_tiles(stack, spacing, no_data, **options)
            result = equalize_tiles(stack[:], spacing, first, *known)
            continue
        apply = partial(METHODS[method], spacing=spacing, **options)
        if known is not None:
            apply = partial(_map, MAPPINGS[method], known)
        if known is not None or reach_of_steps([(method, options)]) == 0:
            result = map_parts(stack, apply, np.float32)
        else:
            halo = planes_reached(options, spacing[0])
            result = filter_slabs(stack, halo, apply, np.float32, slab_voxels)
    return result


def _map(mapping: Callable[..., Volume], known: Measured, stack: RawVolume) -> Volume:
    return mapping(stack, *known)


@METHODS
def none(stack: RawVolume, spacing: Spacing, no_data: BoolVolume | None = None) -> Volume:
    """Divide integers by the maximum of their type; leave floats, which must lie in [0, 1].

    Notes
    -----
    The same as `skimage.util.img_as_float32`.
    """
    if stack.dtype.kind == "u":
        scaled: Volume = np.multiply(stack, np.float32(1 / np.iinfo(stack.dtype.name).max))
        return scaled
    low, high = (float(stack.min()), float(stack.max())) if stack.size else (0.0, 1.0)
    if low < 0 or high > 1:
        raise InputError(
            f"the stack has floating-point values from {low:g} to {high:g}, but they must lie in "
            "[0, 1]: put `percentile_stretch` first in adjust_contrast.steps"
        )
    return stack.astype(np.float32)


@METHODS
def percentile_stretch(
    stack: RawVolume,
    spacing: Spacing,
    no_data: BoolVolume | None = None,
    *,
    low: float,
    high: float,
) -> Volume:
    """Map two percentiles of the stack linearly to 0 and 1 and clip values outside.

    Parameters
    ----------
    low, high : float
        Percentiles in [0, 100], `low` below `high`. If both have the same value, as in a dark stack
        with few bright voxels, minimum and maximum are used. A constant stack becomes all zeros.
    """
    bottom, top = measure_range(stack, no_data, low=low, high=high)
    return rescale(stack, bottom, top)


def measure_range(
    stack: Planes, no_data: Planes | None = None, *, low: float, high: float
) -> tuple[float, float]:
    """Return the intensities that :func:`percentile_stretch` maps to 0 and 1.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray or planes of uint8, uint16 or float32
        See :func:`cellstack.core.intensities.percentiles_of_planes`.
    no_data : (Z, Y, X) ndarray or planes of bool, optional
        Voxels that are left out, not all.
    low, high : float
        Percentiles, see :func:`percentile_stretch`.

    Returns
    -------
    bottom, top : float

    Raises
    ------
    InputError
        `low` is not below `high`.

    Examples
    --------
    >>> measure_range(np.arange(101, dtype=np.uint8).reshape(1, 1, 101), low=1, high=99)
    (1.0, 99.0)
    """
    if low >= high:
        raise InputError(
            f"adjust_contrast.percentile_stretch: low {low:g} is not below high {high:g}; "
            "give percentiles such as 0.5 and 99.5"
        )
    bottom, top = percentiles_of_planes(stack, (low, high), no_data)
    if bottom == top:
        log.info("percentiles %g and %g are both %g: the full range is used", low, high, bottom)
        bottom, top = percentiles_of_planes(stack, (0, 100), no_data)
    return bottom, top


@METHODS
def gamma(
    stack: RawVolume, spacing: Spacing, no_data: BoolVolume | None = None, *, gamma: float
) -> Volume:
    """Gamma correction: raise intensities to a power.

    Parameters
    ----------
    gamma : float
        Exponent, above 0. Values below 1 brighten, values above 1 darken.

    Notes
    -----
    The same as `skimage.exposure.adjust_gamma` of the stack as float.
    """
    scaled = none(stack, spacing)
    for plane in scaled:  # in float64, since powers in float32 differ between processors
        plane[:] = np.power(plane, gamma, dtype=np.float64)
    return scaled


@METHODS
def equalize_histogram(
    stack: RawVolume, spacing: Spacing, no_data: BoolVolume | None = None, *, nbins: int
) -> Volume:
    """Histogram equalization: replace each value by the fraction of voxels at or below it.

    Parameters
    ----------
    nbins : int
        Number of histogram bins for floats. Each integer value has its own bin.

    Notes
    -----
    The same as `skimage.exposure.equalize_hist`, except that a constant stack becomes all zeros.
    """
    return interpolate(stack, *cumulative_distribution(stack, no_data, nbins=nbins))


@METHODS
def clahe(
    stack: RawVolume,
    spacing: Spacing,
    no_data: BoolVolume | None = None,
    *,
    tile_um: float,
    clip_limit: float,
) -> Volume:
    """Contrast limited adaptive histogram equalization (CLAHE) in 3D [1]_.

    Dim and deep regions gain contrast. The result ranges from 0 to 1; a constant stack becomes all
    zeros.

    Parameters
    ----------
    tile_um : float
        Side of a tile in um, at least 8 pixels. It is adjusted on each axis so that a whole number
        of tiles covers the stack.
    clip_limit : float
        Largest fraction of a tile's voxels in one histogram bin. Larger values give more contrast
        and amplify noise.

    Notes
    -----
    The same as `skimage.exposure.equalize_adapthist`, plane by plane, except that voxels without
    data are left out of the histograms.

    References
    ----------
    .. [1] K. Zuiderveld, "Contrast Limited Adaptive Histogram Equalization", Graphics Gems IV,
       1994.
    """
    scaled = _scaled_planes(stack, spacing)
    tiles = _find_tiles(scaled, spacing, no_data, tile_um, clip_limit)
    greys = map_greys(scaled, tiles)
    return rescale(greys, *_range_of_greys(greys, tiles, no_data))


def measure_tiles(
    stack: Stack,
    spacing: Spacing,
    no_data: Planes | None = None,
    *,
    tile_um: float,
    clip_limit: float,
) -> tuple[Sequence[int], int, int, float, float, Stack]:
    """Return what :func:`clahe` measures in a stack, of which one plane is in memory at a time.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray or stack of uint8, uint16 or float32
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    no_data : (Z, Y, X) ndarray or planes of bool, optional
        Voxels that are left out, not all.
    tile_um, clip_limit : float
        See :func:`clahe`.

    Returns
    -------
    sides, low, high
        See :class:`cellstack.core.tiles.Tiles`.
    bottom, top : float
        Grey values that become 0 and 1.
    maps : (K, J, I) ndarray of uint16
        See :class:`cellstack.core.tiles.Tiles`.

    Examples
    --------
    >>> stack = np.arange(64, dtype=np.uint8).reshape(1, 8, 8)
    >>> *found, maps = measure_tiles(stack, (1, 1, 1), tile_um=8, clip_limit=1.0)
    >>> found, maps.shape
    ([(1, 8, 8), 0, 16191, 255.0, 16383.0], (1, 1, 256))
    """
    scaled = _scaled_planes(stack, spacing)
    tiles = _find_tiles(scaled, spacing, no_data, tile_um, clip_limit)

    def map_plane(z: int) -> NDArray[np.uint16]:
        plane: NDArray[np.uint16] = map_greys(scaled[z][None], tiles, (z, 0, 0))[0]
        return plane

    greys = ComputedPlanes(stack.shape, np.uint16, map_plane)
    bottom, top = _range_of_greys(greys, tiles, no_data)
    return tiles.sides, tiles.low, tiles.high, bottom, top, tiles.maps


def equalize_tiles(
    stack: RawVolume,
    spacing: Spacing,
    first: Sequence[int],
    sides: Sequence[int],
    low: int,
    high: int,
    bottom: float,
    top: float,
    maps: Stack,
) -> Volume:
    """Apply :func:`clahe` to a part of a stack.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of uint8, uint16 or float32
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    first : (3,) sequence of int
        Voxel of the complete stack at which the part begins.
    sides, low, high, bottom, top, maps
        From :func:`measure_tiles`.

    Returns
    -------
    (Z, Y, X) ndarray of float32

    Examples
    --------
    >>> stack = np.arange(64, dtype=np.uint8).reshape(1, 8, 8)
    >>> measured = measure_tiles(stack, (1, 1, 1), tile_um=8, clip_limit=1.0)
    >>> equalize_tiles(stack[:, 7:, 6:], (1, 1, 1), (0, 7, 6), *measured)
    array([[[0.984127, 1.      ]]], dtype=float32)
    """
    tiles = Tiles(tuple(sides), low, high, maps)
    return rescale(map_greys(_scaled_planes(stack, spacing), tiles, first), bottom, top)


def _scaled_planes(stack: Planes, spacing: Spacing) -> ComputedPlanes:
    """Return the planes of a stack in [0, 1], see :func:`none`."""
    return ComputedPlanes(stack.shape, np.float32, lambda z: none(stack[z][None], spacing)[0])


def _find_tiles(
    scaled: Planes, spacing: Spacing, no_data: Planes | None, tile_um: float, clip_limit: float
) -> Tiles:
    """Divide a stack of float32 in [0, 1] into tiles."""
    tile = in_voxels(tile_um, spacing)
    if min(tile[1:]) < MIN_TILE_PIXELS:
        raise InputError(
            f"adjust_contrast.clahe: tile_um {tile_um:g} is less than {MIN_TILE_PIXELS} pixels; "
            f"give at least {MIN_TILE_PIXELS * max(spacing[1:]):g}"
        )
    counts = [max(1, int(size / side + 0.5)) for size, side in zip(scaled.shape, tile, strict=True)]
    sides = [-(-size // count) for size, count in zip(scaled.shape, counts, strict=True)]
    return measure_tiles_of_unit_range(scaled, sides, clip_limit, no_data)


def _range_of_greys(greys: Planes, tiles: Tiles, no_data: Planes | None) -> tuple[float, float]:
    """Return the lowest and the highest grey value; twice 0 for a constant stack."""
    if tiles.low == tiles.high:
        return 0.0, 0.0
    bottom, top = percentiles_of_planes(greys, (0, 100), no_data)
    return bottom, top


@METHODS
def erosion(
    stack: RawVolume,
    spacing: Spacing,
    no_data: BoolVolume | None = None,
    *,
    shape: str,
    radius_um: float,
) -> Volume:
    """Grey erosion: the minimum over a neighbourhood. Bright objects shrink."""
    return morphology.erosion(none(stack, spacing), morphology.footprint(shape, radius_um, spacing))


@METHODS
def dilation(
    stack: RawVolume,
    spacing: Spacing,
    no_data: BoolVolume | None = None,
    *,
    shape: str,
    radius_um: float,
) -> Volume:
    """Grey dilation: the maximum over a neighbourhood. Bright objects grow."""
    return morphology.dilation(
        none(stack, spacing), morphology.footprint(shape, radius_um, spacing)
    )


@METHODS
def opening(
    stack: RawVolume,
    spacing: Spacing,
    no_data: BoolVolume | None = None,
    *,
    shape: str,
    radius_um: float,
) -> Volume:
    """Grey opening: erosion, then dilation. Removes bright structures narrower than the shape."""
    return morphology.opening(none(stack, spacing), morphology.footprint(shape, radius_um, spacing))


@METHODS
def closing(
    stack: RawVolume,
    spacing: Spacing,
    no_data: BoolVolume | None = None,
    *,
    shape: str,
    radius_um: float,
) -> Volume:
    """Grey closing: dilation, then erosion. Fills dark structures narrower than the shape."""
    return morphology.closing(none(stack, spacing), morphology.footprint(shape, radius_um, spacing))


MEASURES: dict[str, Callable[..., Measured]] = {
    "percentile_stretch": measure_range,
    "equalize_histogram": cumulative_distribution,
}
"""For each method that depends on the complete stack, the function that measures it."""

MEASURES_IN_UM: dict[str, Callable[..., Measured]] = {"clahe": measure_tiles}
"""The same for methods with sizes, whose function takes the voxel size too."""

MAPPINGS: dict[str, Callable[..., Volume]] = {
    "percentile_stretch": rescale,
    "equalize_histogram": interpolate,
}
"""The functions that these methods apply to each voxel, given the measured values."""
