"""Smooth outlines of the final objects.

Each of :data:`METHODS` is called with `labels`, `spacing`, `threads` and `no_data`, as described at
:func:`smooth_outlines`, and with its options as keywords. It returns labels 1..m.
"""

from typing import Any

import cc3d
import numpy as np
from numpy.typing import NDArray

from cellstack.config.methods import Methods
from cellstack.core import filters, parallel, topology
from cellstack.core.boxes import widen_box
from cellstack.core.labels import count_voxels, find_boxes, label_type
from cellstack.core.types import BoolVolume, Labels, Spacing
from cellstack.core.voxels import in_voxels, volume_voxels

METHODS = Methods()
MIN_BLURRED_VALUE = 0.4  # below it a blurred mask is narrow; it is 0.5 at a flat outline
MAX_SHIFT_SIGMAS = 2  # standard deviations by which an outline may move outwards


def smooth_outlines(
    labels: Labels,
    spacing: Spacing,
    method: str,
    options: dict[str, Any],
    threads: int = 1,
    no_data: BoolVolume | None = None,
) -> Labels:
    """Smooth the outlines of objects by one of :data:`METHODS`.

    Parameters
    ----------
    labels : (Z, Y, X) ndarray of uint16 or uint32
        Labels 1..n; 0 is background.
    spacing : (3,) sequence of float
        Voxel size along z, y and x in um.
    method : str
        Name of a method.
    options : dict
        Options of the method.
    threads : int
        Number of objects that are smoothed at the same time. It does not change the result.
    no_data : (Z, Y, X) ndarray of bool, optional
        Voxels into which objects do not grow.

    Returns
    -------
    (Z, Y, X) ndarray of uint16 or uint32
        Labels 1..m, in the order of `labels`.

    Examples
    --------
    >>> labels = np.zeros((1, 4, 7), np.uint16)
    >>> labels[0, :, :4] = labels[0, 1] = 1  # a square with a spur
    >>> labels[0, 2, 2] = 0  # and a hole
    >>> smooth_outlines(labels, (1, 1, 1), "smooth", {"sigma_um": 0.7, "min_volume_um3": 0})
    array([[[1, 1, 1, 1, 0, 0, 0],
            [1, 1, 1, 1, 1, 1, 0],
            [1, 1, 1, 1, 0, 0, 0],
            [1, 1, 1, 1, 0, 0, 0]]], dtype=uint16)
    """
    smoothed: Labels = METHODS[method](labels, spacing, threads, no_data, **options)
    return smoothed


@METHODS
def none(
    labels: Labels, spacing: Spacing, threads: int = 1, no_data: BoolVolume | None = None
) -> Labels:
    """Return the labels unchanged."""
    return labels.copy()


@METHODS
def smooth(
    labels: Labels,
    spacing: Spacing,
    threads: int = 1,
    no_data: BoolVolume | None = None,
    *,
    sigma_um: float,
    min_volume_um3: float,
) -> Labels:
    """Smooth each object while preserving its volume.

    Spurs and all but the largest component are removed; holes and notches are filled.

    Parameters
    ----------
    sigma_um : float
        Standard deviation in um of the Gaussian that blurs each object.
    min_volume_um3 : float
        Minimum volume in um3. Smaller objects are removed.

    Notes
    -----
    An object consists of the highest values of its blurred mask, as many voxels as it had without
    its spurs. A threshold at 0.5 would shrink a ball, by about (sigma / radius)^2 of its radius.
    Objects do not grow into each other.
    """
    smoothed = np.zeros_like(labels)
    min_voxels = max(1, volume_voxels(min_volume_um3, spacing))
    margins = [int(np.ceil(length)) for length in in_voxels(MAX_SHIFT_SIGMAS * sigma_um, spacing)]
    boxes = {label: widen_box(box, margins) for label, box in find_boxes(labels).items()}

    def smooth_object(label: int) -> tuple[BoolVolume, BoolVolume]:
        original = labels[boxes[label]].copy()  # comparisons of contiguous voxels are faster
        mask = original == label
        free = ((original == 0) & (smoothed[boxes[label]] == 0)) | mask
        if no_data is not None:
            free &= ~no_data[boxes[label]] | mask
        return _smooth_object(mask, free, spacing, sigma_um)

    def smooth_before_others(label: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        mask, used = smooth_object(label)
        return np.packbits(mask), np.packbits(used)

    count = 0
    results = parallel.map_processes(smooth_before_others, list(boxes), threads)
    for label, packed in zip(boxes, results, strict=True):
        target = smoothed[boxes[label]]
        mask, used = (_unpack(bits, target.shape) for bits in packed)
        # An object smoothed before may occupy some of these voxels.
        if np.logical_and(target, used).any():
            mask, _ = smooth_object(label)
        if np.count_nonzero(mask) >= min_voxels:
            count += 1
            target[mask] = count
    return smoothed.astype(label_type(count), copy=False)


def _unpack(bits: NDArray[np.uint8], shape: tuple[int, ...]) -> BoolVolume:
    """Return the mask that was packed into these bits."""
    return np.unpackbits(bits, count=int(np.prod(shape))).view(bool).reshape(shape)


def _smooth_object(
    mask: BoolVolume, free: BoolVolume, spacing: Spacing, sigma_um: float
) -> tuple[BoolVolume, BoolVolume]:
    """Return a smoothed object, and the voxels that it depends on.

    As long as the latter are free, the result does not depend on which other voxels are free.
    """
    filled = topology.fill_cavities(_largest_component(mask), connectivity=6) & free
    blurred = filters.gaussian(filled.astype(np.float32), spacing, sigma_um=sigma_um)
    count = np.count_nonzero(filled & (blurred > MIN_BLURRED_VALUE))
    if count == 0:
        return np.zeros_like(mask), filled
    blurred[~free] = 0
    # The values of the voxels that were counted are among these.
    values = blurred[blurred > MIN_BLURRED_VALUE]
    lowest = np.partition(values, len(values) - count)[len(values) - count]
    highest = blurred >= lowest
    return _largest_component(highest), filled | highest


def _largest_component(mask: BoolVolume) -> BoolVolume:
    components: Labels
    components, count = cc3d.connected_components(
        mask.view(np.uint8), connectivity=6, return_N=True
    )
    if count <= 1:
        return mask
    sizes = count_voxels(components)
    sizes[0] = 0
    largest: BoolVolume = components == sizes.argmax()
    return largest
