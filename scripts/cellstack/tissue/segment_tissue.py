"""Segmentation of the tissue: the smoothed intensities above a threshold, without gaps."""

from typing import Any, cast

import numpy as np

from cellstack.core.components import keep_large_components
from cellstack.core.distance import planes_near
from cellstack.core.filters import gaussian_kernels, separable_filter
from cellstack.core.no_data import fill_no_data_of_planes
from cellstack.core.planes import Allocate, ComputedPlanes, ComputedStack, Planes, Stack
from cellstack.core.types import BoolVolume, Box, Mask, Spacing
from cellstack.core.voxels import voxels_up_to
from cellstack.segment import binarize as thresholds
from cellstack.segment.binarize import find_threshold

NAMES = ("otsu", "li", "triangle", "isodata", "mean", "yen", "fixed")  # one value for all voxels
METHODS = {name: thresholds.METHODS[name] for name in NAMES}


def segment_tissue(
    raw: Stack,
    spacing: Spacing,
    *,
    sigma_um: float,
    method: str,
    options: dict[str, Any],
    factor: float,
    closing_radius_um: float,
    max_hole_um3: float,
    min_volume_um3: float,
    no_data: Stack | None = None,
    allocate: Allocate = np.empty,
    threads: int = 1,
) -> tuple[Stack, float]:
    """Segment the tissue in a channel that is bright in it.

    Parameters
    ----------
    raw : (Z, Y, X) ndarray or stack of uint8, uint16 or float32
        Raw intensities.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    sigma_um : float
        Standard deviation in um of the Gaussian that smooths the intensities; 0 for none.
    method : str
        Name of one of :data:`METHODS`, for the threshold of the smoothed intensities.
    options : dict
        Options of the method.
    factor : float
        Factor by which the threshold is multiplied.
    closing_radius_um : float
        Radius in um of the ball by which gaps are closed; 0 for none.
    max_hole_um3 : float
        Volume in um3 of the largest hole that is filled.
    min_volume_um3 : float
        Connected pieces of tissue that are smaller, in um3, are removed.
    no_data : (Z, Y, X) ndarray or stack of bool, optional
        Voxels that are not tissue, and count in no threshold.
    allocate : callable
        Provides the smoothed stack and masks, of which some planes are read at a time.
    threads : int
        Number of threads. The result does not depend on it.

    Returns
    -------
    mask : (Z, Y, X) ndarray or stack of uint8
        1 in the tissue, 0 elsewhere.
    threshold : float
        Raw value above which a voxel is tissue.

    Examples
    --------
    >>> raw = np.zeros((1, 1, 9), np.uint8)
    >>> raw[..., 2:7] = [90, 80, 0, 95, 90]
    >>> mask, _ = segment_tissue(
    ...     raw, (2.0, 0.5, 0.5), sigma_um=0, method="otsu", options={}, factor=1.0,
    ...     closing_radius_um=0.5, max_hole_um3=0, min_volume_um3=1,
    ... )
    >>> mask
    array([[[0, 0, 1, 1, 1, 1, 1, 0, 0]]], dtype=uint8)
    """
    filled: Planes = raw
    if no_data is not None and not all(plane.all() for plane in no_data):
        filled = fill_no_data_of_planes(raw, no_data, spacing)
    smooth = allocate(raw.shape, np.float32)
    separable_filter(filled, gaussian_kernels(sigma_um, spacing), smooth)
    threshold = find_threshold(smooth, method, options, factor, no_data)
    if callable(threshold):
        raise KeyError(f"no method {method}")
    limit = np.float32(threshold)

    def binarize(box: Box) -> Mask:
        above: BoolVolume = smooth[box] > limit
        if no_data is not None:
            above &= ~no_data[box]
        return above.view(np.uint8)

    mask: Stack = ComputedStack(raw.shape, np.uint8, binarize)
    mask = close_gaps(mask, spacing, closing_radius_um, allocate, threads)
    hole = voxels_up_to(max_hole_um3, spacing)
    around = keep_large_components(_inverted(mask), hole, allocate)
    # up to a volume is removed, and pieces of the minimum volume stay
    below = float(np.nextafter(min_volume_um3, 0) * (1 - 1e-6))
    piece = voxels_up_to(below, spacing)
    tissue = keep_large_components(_inverted(around), piece, allocate)
    if no_data is not None:
        for z, without in enumerate(no_data):
            tissue[z] = tissue[z] * ~without
    return tissue, float(threshold)


def _inverted(mask: Stack) -> ComputedStack:
    return ComputedStack(mask.shape, np.uint8, lambda box: cast(Mask, 1 - mask[box]))


def close_gaps(
    mask: Stack,
    spacing: Spacing,
    radius_um: float,
    allocate: Allocate = np.empty,
    threads: int = 1,
) -> Stack:
    """Close gaps by a ball: a dilation, then an erosion, both by distances in um.

    Parameters
    ----------
    mask : (Z, Y, X) ndarray or stack of uint8
        0 or 1. Space beyond the faces of the stack is neither.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    radius_um : float
        Radius of the ball in um.
    allocate
        See :func:`segment_tissue`.
    threads : int
        Number of threads. The result does not depend on it.

    Returns
    -------
    (Z, Y, X) ndarray or stack of uint8

    Notes
    -----
    With distance transforms the time does not depend on the radius, which is large for tissue, and
    the ball is not rounded to voxels, as that of :func:`cellstack.core.morphology.footprint` is.

    Examples
    --------
    >>> close_gaps(np.uint8([[[0, 0, 1, 0, 0, 1, 0, 0]]]), (1.0, 1.0, 1.0), 1.0)
    array([[[0, 0, 1, 1, 1, 1, 0, 0]]], dtype=uint8)
    """
    if radius_um <= 0:
        return mask
    limit = np.float32(radius_um * (1 + 1e-6))  # voxels at exactly the radius, within rounding

    def grow(mask: Stack, value: int) -> Stack:
        """Replace by a value the voxels up to the radius from those that have it."""
        grown = allocate(mask.shape, np.uint8)
        own = ComputedPlanes(mask.shape, np.uint8, lambda z: (mask[z] == value).view(np.uint8))
        for z, near in enumerate(planes_near(own, spacing, limit, threads)):
            grown[z] = near == value
        return cast(Stack, grown)

    return grow(grow(mask, 1), 0)
