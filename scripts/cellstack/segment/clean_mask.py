"""Morphological cleaning of a mask: holes and small objects by volume, outlines by radius.

Each of :data:`METHODS` is called with a mask, a (Z, Y, X) ndarray of uint8 with values 0 and 1,
its voxel size along z, y and x in um, and its options as keywords. It returns a mask of the same
shape and type.

The methods :func:`erosion`, :func:`dilation`, :func:`opening` and :func:`closing` have the same
options:

shape : {"ball", "disc", "cube", "square"}
    Shape of the footprint. A disc and a square are applied to each plane.
radius_um : float
    Radius of the footprint in um, or half the side of a cube or square. An axis along which it is
    below half a voxel is skipped.

They are the functions of `skimage.morphology` with ``mode="ignore"``: the outside of the stack is
neither foreground nor background.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np

from cellstack.config.methods import Methods
from cellstack.core import morphology
from cellstack.core.components import keep_large_components
from cellstack.core.types import BoolVolume, Mask, Spacing
from cellstack.core.voxels import voxels_up_to

METHODS = Methods()


def clean_mask(
    mask: Mask,
    spacing: Spacing,
    steps: Iterable[tuple[str, dict[str, Any]]],
    no_data: BoolVolume | None = None,
) -> Mask:
    """Apply methods to a mask, one after the other.

    Parameters
    ----------
    mask : (Z, Y, X) ndarray of uint8
        1 in the foreground, 0 elsewhere.
    spacing : (3,) sequence of float
        Voxel size along z, y and x in um.
    steps : iterable of (str, dict)
        Names of :data:`METHODS` and their options.
    no_data : (Z, Y, X) ndarray of bool, optional
        Voxels that are background in the result.

    Returns
    -------
    (Z, Y, X) ndarray of uint8
        The cleaned mask, 0 or 1.

    Examples
    --------
    >>> mask = np.array([[[1, 1, 1, 0, 1], [1, 0, 1, 0, 0], [1, 1, 1, 0, 0]]], np.uint8)
    >>> steps = [
    ...     ("fill_holes", {"max_volume_um3": 1}),
    ...     ("remove_small_objects", {"max_volume_um3": 1}),
    ... ]
    >>> clean_mask(mask, (1, 1, 1), steps)
    array([[[1, 1, 1, 0, 0],
            [1, 1, 1, 0, 0],
            [1, 1, 1, 0, 0]]], dtype=uint8)
    """
    for method, options in steps:
        mask = METHODS[method](mask, spacing, **options)
    return mask if no_data is None else mask * ~no_data


@METHODS
def smooth(mask: Mask, spacing: Spacing, *, sigma_um: float) -> Mask:
    """Smooth outlines: blur the mask with a Gaussian and threshold it at 0.5.

    Parameters
    ----------
    sigma_um : float
        Standard deviation of the Gaussian in um.
    """
    from cellstack.core.filters import gaussian  # OpenCV is slow to import, used by smooth only

    blurred = gaussian(mask, spacing, sigma_um=sigma_um)
    return (blurred > np.float32(0.5)).view(np.uint8)


@METHODS
def fill_holes(mask: Mask, spacing: Spacing, *, max_volume_um3: float) -> Mask:
    """Fill holes up to a volume, including those at the faces of the stack.

    The same as `skimage.morphology.remove_small_holes` with ``connectivity=1``.

    Parameters
    ----------
    max_volume_um3 : float
        Volume in um3 of the largest hole that is filled.
    """
    outside = _without_small_objects(1 - mask, spacing, max_volume_um3)
    return np.subtract(1, outside, out=outside)


@METHODS
def remove_small_objects(mask: Mask, spacing: Spacing, *, max_volume_um3: float) -> Mask:
    """Remove connected components up to a volume.

    The same as `skimage.morphology.remove_small_objects` with ``connectivity=1``.

    Parameters
    ----------
    max_volume_um3 : float
        Volume in um3 of the largest object that is removed.
    """
    return _without_small_objects(mask, spacing, max_volume_um3)


@METHODS
def erosion(mask: Mask, spacing: Spacing, *, shape: str, radius_um: float) -> Mask:
    """Shrink the foreground. Objects narrower than the footprint vanish."""
    return morphology.erosion(mask, morphology.footprint(shape, radius_um, spacing))


@METHODS
def dilation(mask: Mask, spacing: Spacing, *, shape: str, radius_um: float) -> Mask:
    """Expand the foreground. Gaps narrower than the footprint close."""
    return morphology.dilation(mask, morphology.footprint(shape, radius_um, spacing))


@METHODS
def opening(mask: Mask, spacing: Spacing, *, shape: str, radius_um: float) -> Mask:
    """Remove specks, spikes and bridges narrower than the footprint, by erosion and dilation."""
    return morphology.opening(mask, morphology.footprint(shape, radius_um, spacing))


@METHODS
def closing(mask: Mask, spacing: Spacing, *, shape: str, radius_um: float) -> Mask:
    """Fill holes, dents and gaps narrower than the footprint, by dilation and erosion."""
    return morphology.closing(mask, morphology.footprint(shape, radius_um, spacing))


def _without_small_objects(mask: Mask, spacing: Spacing, max_volume_um3: float) -> Mask:
    limit = voxels_up_to(max_volume_um3, spacing)
    kept: Mask = keep_large_components(mask, limit, keep_labels=True)
    return kept
