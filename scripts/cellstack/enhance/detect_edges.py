"""Edge strength: the magnitude of the gradient per um, computed with the Sobel operator.

A method takes a stack of uint8, uint16 or float32 and the voxel size, and returns the magnitude of
the gradient as float32, in units of the stack per um.
"""

from functools import partial
from typing import Any

import numpy as np

from cellstack.config.methods import Methods
from cellstack.core import filters
from cellstack.core.planes import SLAB_VOXELS, Stack, SuccessivePlanes, filter_slabs
from cellstack.core.types import RawVolume, Spacing, Volume

METHODS = Methods()
SMOOTHING_KERNEL = np.array([1.0, 2.0, 1.0]) / 4
DERIVATIVE_KERNEL = np.array([-1.0, 0.0, 1.0]) / 2  # per voxel
IDENTITY_KERNEL = np.ones(1)


def detect_edges(
    stack: RawVolume, spacing: Spacing, method: str, options: dict[str, Any]
) -> Volume:
    """Compute the edge strength by one of :data:`METHODS`.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of uint8, uint16 or float32
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    method : str
        Name of a method.
    options : dict
        Options of the method.

    Returns
    -------
    (Z, Y, X) ndarray of float32
        Not negative, in units of the stack per um.

    Examples
    --------
    >>> ramp = np.arange(0, 10, 2, dtype=np.float32).reshape(1, 1, 5)
    >>> detect_edges(ramp, (1, 1, 0.5), "sobel", {})
    array([[[2., 4., 4., 4., 2.]]], dtype=float32)
    """
    edges: Volume = METHODS[method](stack, spacing, **options)
    return edges


def detect_edges_in_parts(
    stack: Stack,
    spacing: Spacing,
    method: str,
    options: dict[str, Any],
    slab_voxels: int = SLAB_VOXELS,
) -> SuccessivePlanes:
    """Compute the edge strength of a stack that need not fit into memory.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray or stack of uint8, uint16 or float32
    spacing, method, options
        See :func:`detect_edges`, whose result is the same.
    slab_voxels : int
        Number of voxels that are filtered at once, without the plane on either side.

    Returns
    -------
    planes of float32
        Planes are computed when they are read.
    """
    apply = partial(detect_edges, spacing=spacing, method=method, options=options)
    return filter_slabs(stack, 1, apply, np.float32, slab_voxels)


@METHODS
def sobel(stack: RawVolume, spacing: Spacing) -> Volume:
    """Magnitude of the gradient in 3D. For a linear ramp it is the slope, in any direction.

    Notes
    -----
    The root of the sum of squares of
    ``scipy.ndimage.sobel(stack, axis, mode="nearest") / (32 * spacing[axis])`` over the three axes.
    At a spacing of 1 um this is ``3**0.5 / 2`` times `skimage.filters.sobel`. The derivative along
    one axis is averaged over three voxels along each other axis, so thick planes smooth edges
    along z.
    """
    smooth, slope = SMOOTHING_KERNEL, DERIVATIVE_KERNEL
    along_z = filters.separable_filter(stack, (slope / spacing[0], smooth, smooth))
    along_y = filters.separable_filter(stack, (smooth, slope / spacing[1], smooth))
    along_x = filters.separable_filter(stack, (smooth, smooth, slope / spacing[2]))
    magnitude: Volume = np.sqrt(along_z**2 + along_y**2 + along_x**2)
    return magnitude


@METHODS
def sobel_2d(stack: RawVolume, spacing: Spacing) -> Volume:
    """Magnitude of the gradient within each plane.

    Notes
    -----
    The root of the sum of squares of
    ``scipy.ndimage.sobel(plane, axis, mode="nearest") / (8 * spacing[axis])`` over y and x. At a
    spacing of 1 um this is ``2**0.5 / 2`` times `skimage.filters.sobel` of each plane.
    """
    smooth, slope = SMOOTHING_KERNEL, DERIVATIVE_KERNEL
    along_y = filters.separable_filter(stack, (IDENTITY_KERNEL, slope / spacing[1], smooth))
    along_x = filters.separable_filter(stack, (IDENTITY_KERNEL, smooth, slope / spacing[2]))
    magnitude: Volume = np.sqrt(along_y**2 + along_x**2)
    return magnitude
