"""Erosion, dilation, opening and closing of masks and intensities.

All operations take a stack (a mask or intensities, of uint8, uint16 or float32) and a
neighbourhood as drawn by :func:`footprint`: 1 within it, symmetric about its centre, which belongs
to it. They return a stack of the same type, and do the same as the functions of
`skimage.morphology` with ``mode="ignore"``: voxels beyond the faces of the stack are neither
foreground nor background, so that an object is not eroded from a face, and nothing grows in from
there. An opening removes an object at a face that extends less than the radius into the stack, and
a closing fills such a gap.
"""

import logging
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellstack.core.types import Mask, Scalar, Spacing
from cellstack.core.voxels import whole_voxels

log = logging.getLogger(__name__)

ROUND = ("ball", "disc")
FLAT = ("disc", "square")


def footprint(shape: str, radius_um: float, spacing: Spacing) -> Mask:
    """Return the neighbourhood of a morphological operation.

    Parameters
    ----------
    shape : {"ball", "disc", "cube", "square"}
        A disc and a square lie in the plane.
    radius_um : float
        Radius in um, half the side for a cube or a square. It is rounded to whole voxels on each
        axis; an axis on which it is 0 is left out.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.

    Returns
    -------
    (2 z + 1, 2 y + 1, 2 x + 1) ndarray of uint8
        1 within the shape, for radii of z, y and x voxels.

    Notes
    -----
    For cubic voxels the same as `ball`, `disk` and `footprint_rectangle` of `skimage.morphology`.

    Examples
    --------
    >>> footprint("ball", 0.5, (1.0, 0.5, 0.25))[1]
    array([[0, 0, 1, 0, 0],
           [1, 1, 1, 1, 1],
           [0, 0, 1, 0, 0]], dtype=uint8)
    """
    radii = whole_voxels(radius_um, spacing, f"radius of the {shape}")
    if shape in FLAT:
        log.info("a %s lies in the plane: it is applied plane by plane", shape)
        radii = (0, *radii[1:])
    if shape not in ROUND:
        return np.ones([2 * radius + 1 for radius in radii], np.uint8)
    along_axes = np.ogrid[tuple(slice(-radius, radius + 1) for radius in radii)]
    squares = [
        (steps / max(radius, 1)) ** 2 for steps, radius in zip(along_axes, radii, strict=True)
    ]
    # Voxels on the surface belong to it, in spite of rounding.
    return np.asarray(sum(squares) <= 1 + 1e-9).astype(np.uint8)


def erosion(stack: NDArray[Scalar], neighbourhood: Mask) -> NDArray[Scalar]:
    """Return the minimum over the neighbourhood of each voxel.

    Examples
    --------
    >>> stack = np.uint8([[[1, 1, 1, 1, 0, 1, 0]]])
    >>> erosion(stack, footprint("ball", 1, (1, 1, 1)))
    array([[[1, 1, 1, 0, 0, 0, 0]]], dtype=uint8)
    """
    from cellstack.core.opencv import cv2  # slow to import; most runs of clean_mask do not need it

    return _combine_planes(stack, neighbourhood, cv2.erode, np.minimum)


def dilation(stack: NDArray[Scalar], neighbourhood: Mask) -> NDArray[Scalar]:
    """Return the maximum over the neighbourhood of each voxel.

    Examples
    --------
    >>> stack = np.uint8([[[1, 0, 0, 0, 0, 1, 0]]])
    >>> dilation(stack, footprint("ball", 1, (1, 1, 1)))
    array([[[1, 1, 0, 0, 1, 1, 1]]], dtype=uint8)
    """
    from cellstack.core.opencv import cv2  # see erosion

    return _combine_planes(stack, neighbourhood, cv2.dilate, np.maximum)


def opening(stack: NDArray[Scalar], neighbourhood: Mask) -> NDArray[Scalar]:
    """Remove bright structures narrower than the neighbourhood: an erosion, then a dilation.

    Examples
    --------
    >>> stack = np.uint8([[[0, 1, 1, 1, 0, 1, 0]]])
    >>> opening(stack, footprint("ball", 1, (1, 1, 1)))
    array([[[0, 1, 1, 1, 0, 0, 0]]], dtype=uint8)
    """
    return dilation(erosion(stack, neighbourhood), neighbourhood)


def closing(stack: NDArray[Scalar], neighbourhood: Mask) -> NDArray[Scalar]:
    """Fill dark structures narrower than the neighbourhood: a dilation, then an erosion.

    Examples
    --------
    >>> stack = np.uint8([[[1, 0, 0, 0, 1, 0, 1]]])
    >>> closing(stack, footprint("ball", 1, (1, 1, 1)))
    array([[[1, 0, 0, 0, 1, 1, 1]]], dtype=uint8)
    """
    return erosion(dilation(stack, neighbourhood), neighbourhood)


def _combine_planes(
    stack: NDArray[Scalar],
    neighbourhood: Mask,
    filter_plane: Callable[..., Any],
    choose: Callable[..., Any],
) -> NDArray[Scalar]:
    """Filter each plane by each plane of the neighbourhood, and combine the results along z."""
    reach = len(neighbourhood) // 2
    part = neighbourhood[reach]
    filtered = _filter_planes(stack, part, filter_plane)
    result = filtered.copy()
    for offset in range(1, min(reach, len(stack) - 1) + 1):
        previous, part = part, neighbourhood[reach + offset]  # the same above, by symmetry
        if not np.array_equal(part, previous):  # the planes of a cube are all the same
            filtered = _filter_planes(stack, part, filter_plane)
        choose(result[offset:], filtered[:-offset], out=result[offset:])
        choose(result[:-offset], filtered[offset:], out=result[:-offset])
    return result


def _filter_planes(
    stack: NDArray[Scalar], part: Mask, filter_plane: Callable[..., Any]
) -> NDArray[Scalar]:
    filtered = np.empty_like(stack)
    for plane, target in zip(stack, filtered, strict=True):
        filter_plane(plane, part, dst=target)  # by default OpenCV ignores pixels beyond the plane
    return filtered
