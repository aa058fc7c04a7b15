"""Seeded watershed of the membrane, which divides a stack into regions."""

import logging
import math
from typing import Any, NamedTuple

import edt
import numpy as np
from numpy.typing import NDArray

from cellstack.core.flooding import MAX_VOXELS, divide, flood_in_parts
from cellstack.core.intensities import divide_by_sd, standard_deviation
from cellstack.core.labels import label_type
from cellstack.core.morphology import dilation
from cellstack.core.types import BoolVolume, Box, Labels, Mask, Spacing, Volume
from cellstack.core.watershed import watershed

log = logging.getLogger(__name__)


class Scales(NamedTuple):
    """Standard deviations by which the images of a landscape are divided.

    Attributes
    ----------
    smooth, ridges : float
        Of the smoothed membrane, and of its ridge strength.
    distance : float
        Of the distance to the nearest nucleus in um; 0 without nuclei.
    """

    smooth: float
    ridges: float
    distance: float


def segment_cells(
    seeds: Labels,
    background: Mask,
    smooth: Volume,
    ridges: Volume,
    nuclei: Labels | None,
    spacing: Spacing,
    *,
    wall_weight: float,
    distance_weight: float,
    no_data: BoolVolume | None = None,
    scales: Scales | None = None,
    threads: int = 1,
    max_voxels: int = MAX_VOXELS,
) -> Labels:
    """Divide a stack into regions by a watershed from seeds and background.

    Parameters
    ----------
    seeds : (Z, Y, X) ndarray of uint16 or uint32
        Seeds 1..m; 0 elsewhere.
    background : (Z, Y, X) ndarray of uint8
        1 in the background.
    smooth : (Z, Y, X) ndarray of float32
        Smoothed membrane.
    ridges : (Z, Y, X) ndarray of float32
        Ridge strength of the membrane.
    nuclei : (Z, Y, X) ndarray of uint16 or uint32, or None
        All nuclei.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    wall_weight : float
        Weight of `ridges`, from 0 to 1; that of `smooth` is 1 minus this.
    distance_weight : float
        Weight of the distance to the nearest nucleus, from 0 to 1; that of the membrane is 1 minus
        this. It is ignored without nuclei.
    no_data : (Z, Y, X) ndarray of bool, optional
        Voxels without data, which belong to no region unless they are seeds.
    scales : Scales, optional
        Those of the complete stack, if this is a block of it.
    threads : int
        See :func:`cellstack.core.flooding.flood_in_parts`.
    max_voxels : int
        Larger stacks are flooded in parts, which overlap by 1.5 diameters of a region of average
        volume.

    Returns
    -------
    (Z, Y, X) ndarray of uint16 or uint32
        Regions with the labels of their seeds; 0 is background, which grows from `background` only.

    Notes
    -----
    Each of the three images is divided by its standard deviation over the stack, which makes the
    weights comparable.

    References
    ----------
    .. [1] P. Soille and L. Vincent, "Determining watersheds in digital pictures via flooding
       simulations", 1990; computed by `skimage.segmentation.watershed`.

    Examples
    --------
    >>> membrane = np.float32([[[0, 0, 0, 1, 0, 0, 0]]])
    >>> seeds = np.uint16([[[1, 0, 0, 0, 0, 0, 2]]])
    >>> segment_cells(
    ...     seeds, np.zeros((1, 1, 7), np.uint8), membrane, membrane, None, (1, 1, 1),
    ...     wall_weight=0.2, distance_weight=0.15,
    ... )
    array([[[1, 1, 1, 1, 2, 2, 2]]], dtype=uint16)
    """
    to_nucleus = None
    if distance_weight > 0 and nuclei is not None and nuclei.any():
        to_nucleus = distance_to_nucleus(nuclei, spacing)
    if scales is None:
        of_distance = 0.0 if to_nucleus is None else standard_deviation(to_nucleus)
        scales = Scales(standard_deviation(smooth), standard_deviation(ridges), of_distance)
    count = int(seeds.max(initial=0))
    regions = np.zeros(seeds.shape, label_type(count))
    if count == 0:
        return regions

    def landscape(box: Box) -> Volume:
        height = np.float32(1 - wall_weight) * divide_by_sd(smooth[box], scales.smooth)
        height += np.float32(wall_weight) * divide_by_sd(ridges[box], scales.ridges)
        if to_nucleus is not None:
            height *= np.float32(1 - distance_weight)
            height += np.float32(distance_weight) * divide_by_sd(to_nucleus[box], scales.distance)
        return height

    def flood(_: int, box: Box) -> NDArray[np.integer[Any]]:
        markers = seeds[box].astype(np.int32)
        markers[background[box].view(bool)] = count + 1
        # Voxels surrounded by markers flood nothing; without them, the watershed is faster.
        beside = dilation((markers == 0).view(np.uint8), np.ones((3, 3, 3), np.uint8)).view(bool)
        found = watershed(landscape(box), markers, connectivity=3, mask=beside)
        np.copyto(found, markers, where=~beside)
        found[found > count] = 0
        return found

    def belongs(_: int, box: Box) -> BoolVolume:
        return np.ones(seeds[box].shape, bool)

    complete = tuple(slice(0, length) for length in seeds.shape)
    volume_um3 = np.count_nonzero(background == 0) * math.prod(spacing)
    diameter_um = math.cbrt(6 * volume_um3 / math.pi / count)
    parts = divide(1, complete, diameter_um, spacing, max_voxels)
    if flood_in_parts(parts, flood, belongs, regions, threads):
        log.info("flooded at once, since parts disagreed")
    if no_data is not None:
        regions[no_data & (seeds == 0)] = 0
    return regions


def distance_to_nucleus(nuclei: Labels, spacing: Spacing) -> Volume:
    """Return the distance of each voxel to the nearest nucleus in um.

    Parameters
    ----------
    nuclei : (Z, Y, X) ndarray of uint16 or uint32
        At least one voxel belongs to a nucleus.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.

    Returns
    -------
    (Z, Y, X) ndarray of float32

    Examples
    --------
    >>> distance_to_nucleus(np.uint16([[[0, 0, 1]]]), (1.0, 1.0, 0.5))
    array([[[1. , 0.5, 0. ]]], dtype=float32)
    """
    outside = np.ascontiguousarray(nuclei == 0).view(np.uint8)
    distance: Volume = edt.edt(outside, anisotropy=spacing, parallel=1)
    return distance
