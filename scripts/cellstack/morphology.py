"""Erosion, dilation, opening and closing of masks and intensities, over shapes with a radius in um.

What lies outside the stack counts as neither foreground nor background: an object at a face is not eaten from there, and nothing grows in
from there. An object at a face that reaches no deeper than the radius is narrow all the same: opening removes it, and closing fills such a
gap. Halo: the radius, twice that for opening and closing.
"""

import logging

import numpy as np

from cellstack import units

log = logging.getLogger(__name__)

ROUND = ("ball", "disc")
PLANE = ("disc", "square")


def footprint(shape, radius_um, spacing):
    """Draw the neighbourhood over which an operation works.

    Parameters
    ----------
    shape : {"ball", "disc", "cube", "square"}
        A disc and a square lie in the plane. A ball and a disc are ellipsoids and ellipses of voxels where voxels are not cubes.
    radius_um : float
        Radius in um, for cube and square half the side. It is rounded to whole voxels on each axis, 0 leaves the axis out.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.

    Returns
    -------
    (2 z + 1, 2 y + 1, 2 x + 1) ndarray of uint8
        1 within the shape, for radii of z, y and x voxels. For cubic voxels the same as `ball`, `disk` and `footprint_rectangle` of
        `skimage.morphology`.
    """
    radii = units.whole_voxels(radius_um, spacing, f"radius of the {shape}")
    if shape in PLANE:
        log.info("a %s lies in the plane: it is applied plane by plane", shape)
        radii = (0, *radii[1:])
    if shape not in ROUND:
        return np.ones([2 * radius + 1 for radius in radii], np.uint8)
    along_axes = np.ogrid[tuple(slice(-radius, radius + 1) for radius in radii)]
    distance = sum((steps / max(radius, 1)) ** 2 for steps, radius in zip(along_axes, radii, strict=True))
    return (distance <= 1 + 1e-9).astype(np.uint8)  # voxels on the surface belong to it, whatever the rounding


def erosion(stack, neighbourhood):
    """Take the minimum over the neighbourhood of each voxel, as far as it lies within the stack.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of uint8, uint16 or float32
        A mask or intensities.
    neighbourhood : (odd, odd, odd) ndarray of uint8
        1 within the neighbourhood; symmetric about its centre, which belongs to it, as :func:`footprint` draws it.

    Returns
    -------
    (Z, Y, X) ndarray of the type of `stack`

    Notes
    -----
    The same as `skimage.morphology.erosion` with ``mode="ignore"``.
    """
    import cv2  # here, not above: clean_mask imports this module, and most runs of it do without

    return _combine(stack, neighbourhood, cv2.erode, np.minimum)


def dilation(stack, neighbourhood):
    """Take the maximum over the neighbourhood of each voxel, as far as it lies within the stack.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of uint8, uint16 or float32
        A mask or intensities.
    neighbourhood : (odd, odd, odd) ndarray of uint8
        As for :func:`erosion`.

    Returns
    -------
    (Z, Y, X) ndarray of the type of `stack`

    Notes
    -----
    The same as `skimage.morphology.dilation` with ``mode="ignore"``.
    """
    import cv2  # as in erosion

    return _combine(stack, neighbourhood, cv2.dilate, np.maximum)


def opening(stack, neighbourhood):
    """Remove what is bright and narrower than the neighbourhood, by an erosion and a dilation.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of uint8, uint16 or float32
        A mask or intensities.
    neighbourhood : (odd, odd, odd) ndarray of uint8
        As for :func:`erosion`.

    Returns
    -------
    (Z, Y, X) ndarray of the type of `stack`
        Nowhere above `stack`.
    """
    return dilation(erosion(stack, neighbourhood), neighbourhood)


def closing(stack, neighbourhood):
    """Fill what is dark and narrower than the neighbourhood, by a dilation and an erosion.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of uint8, uint16 or float32
        A mask or intensities.
    neighbourhood : (odd, odd, odd) ndarray of uint8
        As for :func:`erosion`.

    Returns
    -------
    (Z, Y, X) ndarray of the type of `stack`
        Nowhere below `stack`.
    """
    return erosion(dilation(stack, neighbourhood), neighbourhood)


def _combine(stack, neighbourhood, filter_plane, choose):
    """Filter planes by each plane of the neighbourhood, and choose among the results of the planes that it reaches."""
    reach = len(neighbourhood) // 2
    part = neighbourhood[reach]
    filtered = _each_plane(stack, part, filter_plane)
    result = filtered.copy()
    for offset in range(1, min(reach, len(stack) - 1) + 1):
        before, part = part, neighbourhood[reach + offset]  # by symmetry the same as above
        if not np.array_equal(part, before):  # in a cube all planes are alike
            filtered = _each_plane(stack, part, filter_plane)
        choose(result[offset:], filtered[:-offset], out=result[offset:])
        choose(result[:-offset], filtered[offset:], out=result[:-offset])
    return result


def _each_plane(stack, part, filter_plane):
    filtered = np.empty_like(stack)
    for plane, target in zip(stack, filtered, strict=True):
        filter_plane(plane, part, dst=target)  # OpenCV leaves out what lies outside the plane, unless told otherwise
    return filtered
