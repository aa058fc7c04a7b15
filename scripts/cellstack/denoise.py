"""Denoising of a stack in [0, 1], with sizes in um.

Each method says whether it works on the volume or plane by plane, and its halo: how far the result of one voxel depends on others.
"""

import logging

import cv2
import numpy as np

from cellstack import units
from cellstack.errors import InputError
from cellstack.methods import Methods

log = logging.getLogger(__name__)

METHODS = Methods()
TRUNCATE = 4.0  # standard deviations to which a Gaussian reaches, as in SciPy


def denoise(stack, spacing, method, options):
    """Remove noise by one of :data:`METHODS`.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of float32
        In [0, 1].
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    method : str
        Name of a method.
    options : dict
        Its options.

    Returns
    -------
    (Z, Y, X) ndarray of float32
        In [0, 1].
    """
    return METHODS[method](stack, spacing, **options)


@METHODS
def none(stack, spacing):
    """Leave the stack as it is. Halo: 0."""
    return stack.copy()


@METHODS
def gaussian(stack, spacing, *, sigma_um):
    """Smooth the volume with a Gaussian that is round in um. Halo: 4 sigma.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of float32
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    sigma_um : float
        Standard deviation in um.

    Returns
    -------
    (Z, Y, X) ndarray of float32

    Notes
    -----
    The same as `scipy.ndimage.gaussian_filter` with ``sigma = sigma_um / spacing`` and ``mode="nearest"``, computed by OpenCV in
    passes along each axis.
    """
    kernels = [_gaussian_kernel(sigma) for sigma in units.in_voxels(sigma_um, spacing)]
    return separable_filter(stack, kernels)


def _gaussian_kernel(sigma):
    radius = int(TRUNCATE * sigma + 0.5)
    if radius == 0:
        return np.ones(1)
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    return weights / weights.sum()


def separable_filter(stack, kernels):
    """Correlate a stack with one kernel along each axis; edge voxels are repeated outward.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of float32
    kernels : sequence of three 1D ndarrays of odd length
        For z, y and x; a length of one leaves the axis out.

    Returns
    -------
    (Z, Y, X) ndarray of float32
    """
    along_z, along_y, along_x = kernels
    one = np.ones(1)
    filtered = np.empty(stack.shape, np.float32)
    for plane, target in zip(stack, filtered, strict=True):
        cv2.sepFilter2D(plane, cv2.CV_32F, along_x, along_y, dst=target, borderType=cv2.BORDER_REPLICATE)
    if len(along_z) > 1:
        flat = filtered.reshape(len(stack), -1)
        flat = cv2.sepFilter2D(flat, cv2.CV_32F, one, along_z, borderType=cv2.BORDER_REPLICATE)
        filtered = flat.reshape(stack.shape)
    return filtered


@METHODS
def median(stack, spacing, *, radius_um):
    """Take the median over a box around each voxel; plane by plane where the radius is below half a plane. Halo: the radius.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of float32
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    radius_um : float
        Half the side of the box in um, rounded to whole voxels on each axis.

    Returns
    -------
    (Z, Y, X) ndarray of float32

    Notes
    -----
    The same as `scipy.ndimage.median_filter` over ``2 * radius + 1`` voxels with ``mode="nearest"``, computed by OpenCV or SimpleITK.
    """
    z, y, x = units.whole_voxels(radius_um, spacing, "median radius")
    if z == 0 and y == x and x in (1, 2):
        return np.stack([cv2.medianBlur(plane, 2 * x + 1) for plane in stack])
    import SimpleITK as sitk  # slow to import, and most runs do without

    return sitk.GetArrayFromImage(sitk.Median(sitk.GetImageFromArray(stack), (x, y, z)))


@METHODS
def bilateral(stack, spacing, *, sigma_um, sigma_intensity):
    """Smooth each plane, but not across edges. Halo: 3 sigma in the plane, 0 along z.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of float32
        In [0, 1].
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um; y and x must be the same.
    sigma_um : float
        Standard deviation over distance in um.
    sigma_intensity : float
        Standard deviation over difference of intensity, in units of the stack.

    Returns
    -------
    (Z, Y, X) ndarray of float32

    Raises
    ------
    InputError
        The pixels are not square.

    References
    ----------
    .. [1] C. Tomasi and R. Manduchi, "Bilateral filtering for gray and color images", ICCV 1998.
    """
    _, y, x = spacing
    if abs(y - x) > 1e-3 * x:
        raise InputError(f"denoise method bilateral needs square pixels, these are {y:g} x {x:g} um: choose gaussian or median")
    sigma = sigma_um / x
    width = 2 * max(1, int(3 * sigma + 0.5)) + 1
    planes = [cv2.bilateralFilter(plane, width, sigma_intensity, sigma, borderType=cv2.BORDER_REPLICATE) for plane in stack]
    return np.stack(planes)
