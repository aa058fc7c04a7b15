"""The background around an object, and how far the object stands out from it."""

import math

import numpy as np
from numpy.typing import NDArray

from cellstack.core import parallel
from cellstack.core.boxes import widen_box
from cellstack.core.near import within_distance
from cellstack.core.planes import Stack
from cellstack.core.types import BoolVolume, Box, Boxes, Spacing

# The background of an object lies at these distances from it, as fractions of its diameter: outside
# of its blurred edge.
BACKGROUND_START, BACKGROUND_STOP = 0.05, 0.2
MIN_BACKGROUND_VOXELS = 20


def find_surroundings(
    segmentation: Stack, label: int, box: Box, spacing: Spacing
) -> tuple[Box, BoolVolume, BoolVolume]:
    """Find the background around an object, outside its blurred edge.

    Parameters
    ----------
    segmentation : (Z, Y, X) ndarray or stack of uint16 or uint32
        All objects; 0 is background.
    label : int
        The object.
    box : tuple of slice
        Its bounding box.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.

    Returns
    -------
    around : tuple of slice
        A larger box, which contains this background.
    inside : ndarray of bool
        The voxels of the object in this box.
    is_background : ndarray of bool
        The voxels of the box that belong to no object and are 0.05 to 0.2 diameters away from this
        one. The diameter is that of a ball of the same volume.

    Examples
    --------
    >>> labels = np.uint16([[[0, 0, 0, 1, 1, 1, 1, 0, 0, 2]]])
    >>> box = (slice(0, 1), slice(0, 1), slice(3, 7))
    >>> around, inside, is_background = find_surroundings(labels, 1, box, (131, 1, 1))
    >>> is_background.astype(int)  # 0.5 to 2 um away
    array([[[0, 1, 1, 0, 0, 0, 0, 1, 1, 0]]])
    """
    voxels = int(np.count_nonzero(segmentation[box] == label))
    steps = np.asarray(spacing, float)
    diameter_um = math.cbrt(6 * voxels * float(np.prod(steps)) / math.pi)
    near, far = BACKGROUND_START * diameter_um, BACKGROUND_STOP * diameter_um
    margins = np.ceil(far / steps).astype(int).tolist()
    around = widen_box(box, margins)
    labels = segmentation[around]
    inside = labels == label
    is_background = labels == 0
    is_background &= within_distance(inside, far, spacing)
    is_background &= ~within_distance(inside, near, spacing)
    return around, inside, is_background


def measure_contrast(
    segmentation: Stack,
    boxes: Boxes,
    image: Stack,
    spacing: Spacing,
    threads: int = 1,
    no_data: Stack | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Measure how far each object stands out from the background around it.

    Parameters
    ----------
    segmentation : (Z, Y, X) ndarray or stack of uint16 or uint32
        All objects, measured or not; 0 is background.
    boxes : dict of int to tuple of slice
        Bounding boxes of the objects to measure, by label in `segmentation`.
    image : (Z, Y, X) ndarray or stack of integer or float
        Intensities.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    threads : int
        Number of objects measured in parallel. The result does not depend on it.
    no_data : (Z, Y, X) ndarray or stack of bool, optional
        Voxels without data, which are not background.

    Returns
    -------
    contrast : (n,) ndarray of float
        Contrast-to-noise ratio: `heights` divided by the standard deviation of the background.
        Infinite without noise.
    heights : (n,) ndarray of float
        The mean of the object minus the mean of the background, see :func:`find_surroundings`.

    Notes
    -----
    Both are NaN with fewer than 20 voxels of background.

    Examples
    --------
    >>> labels = np.zeros((1, 60, 60), np.uint16)
    >>> labels[:, 20:40, 20:40] = 1
    >>> image = np.where(labels == 1, 8.0, np.indices(labels.shape).sum(axis=0) % 3)
    >>> box = (slice(0, 1), slice(20, 40), slice(20, 40))
    >>> contrast, heights = measure_contrast(labels, {1: box}, image, (5, 0.5, 0.5))
    >>> heights.round(2), contrast.round(1)
    (array([7.]), array([8.6]))
    """

    def measure(item: tuple[int, Box]) -> tuple[float, float]:
        label, box = item
        around, inside, is_background = find_surroundings(segmentation, label, box, spacing)
        if no_data is not None:
            is_background &= ~no_data[around]
        intensities = image[around]
        background = intensities[is_background]
        if len(background) < MIN_BACKGROUND_VOXELS:
            return np.nan, np.nan
        height = float(intensities[inside].mean(dtype=float) - background.mean(dtype=float))
        noise = background.std(ddof=1, dtype=float)
        if noise > 0:
            return float(height / noise), height
        return float(np.copysign(np.inf, height)) if height else 0.0, height

    measured = parallel.map_processes(measure, list(boxes.items()), threads)
    contrast, heights = np.array(measured, float).reshape(-1, 2).T
    return contrast, heights
