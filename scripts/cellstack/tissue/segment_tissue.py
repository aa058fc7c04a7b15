"""Segmentation of the tissue: the smoothed intensities above a threshold, without gaps."""

from typing import Any, cast

import numpy as np

from cellstack.core.distance import distance_map
from cellstack.core.filters import gaussian
from cellstack.core.no_data import fill_no_data
from cellstack.core.types import BoolVolume, Mask, RawVolume, Spacing, Volume
from cellstack.segment import binarize as thresholds
from cellstack.segment.binarize import binarize, find_threshold
from cellstack.segment.clean_mask import fill_holes, remove_small_objects

NAMES = ("otsu", "li", "triangle", "isodata", "mean", "yen", "fixed")  # one value for all voxels
METHODS = {name: thresholds.METHODS[name] for name in NAMES}


def segment_tissue(
    raw: RawVolume,
    spacing: Spacing,
    *,
    sigma_um: float,
    method: str,
    options: dict[str, Any],
    factor: float,
    closing_radius_um: float,
    max_hole_um3: float,
    min_volume_um3: float,
    no_data: BoolVolume | None = None,
    threads: int = 1,
) -> tuple[Mask, float]:
    """Segment the tissue in a channel that is bright in it.

    Parameters
    ----------
    raw : (Z, Y, X) ndarray of uint8, uint16 or float32
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
    no_data : (Z, Y, X) ndarray of bool, optional
        Voxels that are not tissue, and count in no threshold.
    threads : int
        Number of threads. The result does not depend on it.

    Returns
    -------
    mask : (Z, Y, X) ndarray of uint8
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
    filled: RawVolume = raw
    if no_data is not None and not no_data.all():
        filled = fill_no_data(cast(Volume, raw), no_data, spacing)
    smooth = gaussian(filled, spacing, sigma_um=sigma_um)
    threshold = find_threshold(smooth, method, options, factor, no_data)
    if callable(threshold):
        raise KeyError(f"no method {method}")
    mask = binarize(smooth, threshold, no_data=no_data)
    del smooth, filled
    mask = close_gaps(mask, spacing, closing_radius_um, threads)
    mask = fill_holes(mask, spacing, max_volume_um3=max_hole_um3)
    # remove_small_objects removes up to a volume, and pieces of the minimum volume stay
    below = np.nextafter(min_volume_um3, 0) * (1 - 1e-6)
    mask = remove_small_objects(mask, spacing, max_volume_um3=float(below))
    return (mask if no_data is None else mask * ~no_data), float(threshold)


def close_gaps(mask: Mask, spacing: Spacing, radius_um: float, threads: int = 1) -> Mask:
    """Close gaps by a ball: a dilation, then an erosion, both by distances in um.

    Parameters
    ----------
    mask : (Z, Y, X) ndarray of uint8
        0 or 1. Space beyond the faces of the stack is neither.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    radius_um : float
        Radius of the ball in um.
    threads : int
        Number of threads. The result does not depend on it.

    Returns
    -------
    (Z, Y, X) ndarray of uint8

    Notes
    -----
    With distance transforms the time does not depend on the radius, which is large for tissue, and
    the ball is not rounded to voxels, as that of :func:`cellstack.core.morphology.footprint` is.

    Examples
    --------
    >>> close_gaps(np.uint8([[[0, 0, 1, 0, 0, 1, 0, 0]]]), (1.0, 1.0, 1.0), 1.0)
    array([[[0, 0, 1, 1, 1, 1, 0, 0]]], dtype=uint8)
    """
    if radius_um <= 0 or not mask.any() or mask.all():
        return mask
    limit = np.float32(radius_um * (1 + 1e-6))  # voxels at exactly the radius, within rounding
    dilated = (distance_map(1 - mask, spacing, threads=threads) <= limit).view(np.uint8)
    if dilated.all():
        return dilated
    return (distance_map(dilated, spacing, threads=threads) > limit).view(np.uint8)
