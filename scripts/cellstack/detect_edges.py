"""Strength of edges: the magnitude of the gradient per um, by Sobel's operator.

Each method says whether it works on the volume or plane by plane, and its halo: how far the result of one voxel depends on others.
"""

import numpy as np

from cellstack import denoise
from cellstack.methods import Methods

METHODS = Methods()
SMOOTH = np.array([1.0, 2.0, 1.0]) / 4
SLOPE = np.array([-1.0, 0.0, 1.0]) / 2  # per voxel
KEEP = np.ones(1)


def detect_edges(stack, spacing, method, options):
    """Compute the strength of edges by one of :data:`METHODS`.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of float32, uint8 or uint16
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    method : str
        Name of a method.
    options : dict
        Its options.

    Returns
    -------
    (Z, Y, X) ndarray of float32
        From 0, in units of the stack per um.
    """
    return METHODS[method](stack, spacing, **options)


@METHODS
def sobel(stack, spacing):
    """Take the gradient of the volume. Halo: 1 voxel.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of float32, uint8 or uint16
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.

    Returns
    -------
    (Z, Y, X) ndarray of float32
        Magnitude of the gradient in units of the stack per um; that of a ramp is its slope, whatever its direction and the spacing.

    Notes
    -----
    The root of the sum of the squares of ``scipy.ndimage.sobel(stack, axis, mode="nearest") / (32 * spacing[axis])`` over the three axes.
    At a spacing of 1 um this is ``3**0.5 / 2`` times `skimage.filters.sobel`. Along each axis the slope is averaged over one voxel to
    either side on the other two, so where planes are thick edges are smoothed by as much along z.
    """
    along_z = denoise.separable_filter(stack, (SLOPE / spacing[0], SMOOTH, SMOOTH))
    along_y = denoise.separable_filter(stack, (SMOOTH, SLOPE / spacing[1], SMOOTH))
    along_x = denoise.separable_filter(stack, (SMOOTH, SMOOTH, SLOPE / spacing[2]))
    return np.sqrt(along_z**2 + along_y**2 + along_x**2)


@METHODS
def sobel_planes(stack, spacing):
    """Take the gradient within each plane, as if there were no others. Halo: 1 voxel in the plane, 0 along z.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of float32, uint8 or uint16
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.

    Returns
    -------
    (Z, Y, X) ndarray of float32
        Magnitude of the gradient within the plane in units of the stack per um.

    Notes
    -----
    The root of the sum of the squares of ``scipy.ndimage.sobel(plane, axis, mode="nearest") / (8 * spacing[axis])`` over y and x. At a
    spacing of 1 um this is ``2**0.5 / 2`` times `skimage.filters.sobel` of each plane.
    """
    along_y = denoise.separable_filter(stack, (KEEP, SLOPE / spacing[1], SMOOTH))
    along_x = denoise.separable_filter(stack, (KEEP, SMOOTH, SLOPE / spacing[2]))
    return np.sqrt(along_y**2 + along_x**2)
