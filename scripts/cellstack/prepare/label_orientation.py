"""Whether labels are in the orientation of their image, judged by its intensities."""

from collections.abc import Callable
from itertools import product
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from cellstack.core.opencv import cv2
from cellstack.core.planes import Planes
from cellstack.core.types import Volume
from cellstack.errors import InputError

GRID = (32, 96, 96)  # largest shape on which both are compared
MIN_SIDE = 32  # pixels of a plane: in smaller ones, correlations can be high by chance
SMOOTHING = 4.0  # pixels of this grid: coarser structures, such as dimming, are left out
# Correlations in real stacks are 0.16 to 0.72 in the right orientation, and up to 0.32 in others
MIN_CORRELATION = 0.3  # of a better orientation
MIN_RATIO = 2.0  # to that of the labels as they are

Orientation = tuple[bool, bool, bool, bool]
"""Whether y and x are exchanged, and whether z, y and x are then mirrored."""

AS_GIVEN: Orientation = (False, False, False, False)


def check_orientation(name: str, labels: Planes, raw: Planes, raw_name: str) -> None:
    """Raise an error if labels fit their image only when they are mirrored or transposed.

    Parameters
    ----------
    name : str
        Name of the label image in messages.
    labels : (Z, Y, X) ndarray or planes of unsigned int
        0 is background.
    raw : (Z, Y, X) ndarray or planes of uint8, uint16 or float32
        Intensities of the channel that shows the objects.
    raw_name : str
        Name of the stack in messages.

    Raises
    ------
    InputError
        In another orientation, the correlation of the labels with the intensities is above 0.3,
        and more than twice as high.

    Notes
    -----
    Correlated are the mean intensity and the fraction of voxels in objects, or on the boundaries of
    objects, on a grid of at most 32 x 96 x 96 voxels, without large structures.
    """
    if min(raw.shape[1:]) < MIN_SIDE:
        return
    intensities = _without_large(_coarse(raw, lambda plane: plane))
    low, high = np.percentile(intensities, (1, 99))
    intensities = np.clip(intensities, low, high)
    if np.ptp(intensities) == 0:
        return
    for mark in (lambda plane: plane > 0, _boundaries):  # bright objects, or bright membranes
        fits = _correlate(intensities, _without_large(_coarse(labels, mark)), _is_square(raw))
        best = max(fits, key=lambda key: fits[key])
        as_given = fits[AS_GIVEN]
        if fits[best] > max(MIN_CORRELATION, MIN_RATIO * abs(as_given)):
            raise InputError(
                f"{name}: its labels do not fit {raw_name}, but do after {_describe(best)} "
                f"(correlation with the intensities {fits[best]:.2f}, now {as_given:.2f}): save "
                "them in the orientation of the image"
            )


def _correlate(intensities: Volume, marked: Volume, is_square: bool) -> dict[Orientation, float]:
    """Return the correlation of intensities and labels in each orientation of the labels."""
    if np.ptp(marked) == 0:
        return {AS_GIVEN: 0.0}
    fits = {}
    for is_transposed in (False, True)[: 1 + is_square]:
        turned = marked.transpose(0, 2, 1) if is_transposed else marked
        for mirrored in product((False, True), repeat=3):
            z, y, x = mirrored
            mirror = turned[:: 1 - 2 * z, :: 1 - 2 * y, :: 1 - 2 * x]
            fit = np.corrcoef(intensities.ravel(), mirror.ravel())[0, 1]
            fits[is_transposed, z, y, x] = float(fit)
    return fits


def _describe(orientation: Orientation) -> str:
    """Return how labels have to be changed."""
    is_transposed, *mirrored = orientation
    along = [axis for axis, is_mirrored in zip("zyx", mirrored, strict=True) if is_mirrored]
    changes = ["exchanging y and x"] * is_transposed
    changes += [f"mirroring along {' and '.join(along)}"] * bool(along)
    return " and ".join(changes)


def _boundaries(labels: NDArray[Any]) -> NDArray[np.bool_]:
    """Return the pixels that have another label than the next one along y or x."""
    found = np.zeros(labels.shape, bool)
    found[:-1] |= labels[:-1] != labels[1:]
    found[:, :-1] |= labels[:, :-1] != labels[:, 1:]
    return found


def _is_square(stack: Planes) -> bool:
    return stack.shape[1] == stack.shape[2]


def _coarse(stack: Planes, values: Callable[[NDArray[Any]], NDArray[Any]]) -> Volume:
    """Return the means of values of the voxels on a coarse grid."""
    planes, rows, columns = (
        min(size, limit) for size, limit in zip(stack.shape, GRID, strict=True)
    )
    slabs = np.arange(len(stack)) * planes // len(stack)
    coarse = np.zeros((planes, rows, columns), np.float32)
    weights = 1 / np.bincount(slabs)
    for slab, plane in zip(slabs, stack, strict=True):
        part = values(plane).astype(np.float32)
        small = cv2.resize(part, (columns, rows), interpolation=cv2.INTER_AREA)
        coarse[slab] += np.float32(weights[slab]) * small.reshape(rows, columns)
    return coarse


def _without_large(coarse: Volume) -> Volume:
    """Subtract a smoothed image from each plane."""
    smooth = [cv2.GaussianBlur(plane, (0, 0), sigmaX=SMOOTHING) for plane in coarse]
    return cast(Volume, coarse - np.stack(smooth))
