"""Denoising of a stack in [0, 1], with sizes in um.

A method takes a stack of float32 in [0, 1] and the voxel size, and returns a new stack of float32.
`gaussian` and `median` work in 3D, `bilateral` and `non_local_means` plane by plane, and
`total_variation` on either. Methods that work plane by plane need square pixels and raise
`InputError` if they are not.
"""

import logging
import math
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from cellstack.config.methods import Methods
from cellstack.core.filters import gaussian, gaussian_of_planes
from cellstack.core.noise import estimate_noise
from cellstack.core.opencv import cv2
from cellstack.core.planes import SLAB_VOXELS, Planes, Stack, filter_slabs
from cellstack.core.scales import planes_reached
from cellstack.core.types import Spacing, Volume
from cellstack.core.voxels import whole_voxels
from cellstack.errors import InputError

log = logging.getLogger(__name__)

METHODS = Methods()
METHODS(gaussian)


class Measured(NamedTuple):
    """Measurements of the complete stack that methods need if they are applied to a block.

    Attributes
    ----------
    noise_sd : float
        Standard deviation of the noise.
    planes : sequence of (float, float)
        From :func:`measure_planes`, for the planes of the block.
    """

    noise_sd: float
    planes: Sequence[tuple[float, float]]


def measure_planes(stack: Planes) -> list[tuple[float, float]]:
    """Return the standard deviation and the maximum of each plane.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray or planes of float32

    Returns
    -------
    list of (float, float)

    Examples
    --------
    >>> measure_planes(np.float32([[[0, 0.5]], [[1, 1]]]))
    [(0.25, 0.5), (0.0, 1.0)]
    """
    return [(float(plane.std()), float(plane.max(initial=0))) for plane in stack]


def denoise(
    stack: Volume,
    spacing: Spacing,
    method: str,
    options: dict[str, Any],
    measured: Measured | None = None,
) -> Volume:
    """Remove noise by one of :data:`METHODS`.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of float32
        Intensities in [0, 1].
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    method : str
        Name of a method.
    options : dict
        Options of the method.
    measured : Measured, optional
        If this is a block of a stack, what is known of the complete stack.

    Returns
    -------
    (Z, Y, X) ndarray of float32
        Intensities in [0, 1].

    Raises
    ------
    InputError
        The method works plane by plane and the pixels are not square.

    Examples
    --------
    >>> stack = np.zeros((3, 3, 3), np.float32)
    >>> stack[1, 1, 1] = 1  # an isolated bright voxel
    >>> options = {"radius_um": 1.0, "slice_by_slice": False}
    >>> float(denoise(stack, (1, 1, 1), "median", options).max())
    0.0
    """
    if measured is not None and method == "bilateral":
        return filter_planes(stack, spacing, measured.planes, **options)
    if measured is not None and options.get("sigma_noise", 0) is None:
        options = options | {"sigma_noise": measured.noise_sd}
    denoised: Volume = METHODS[method](stack, spacing, **options)
    return denoised


def denoise_in_parts(
    stack: Stack,
    spacing: Spacing,
    method: str,
    options: dict[str, Any],
    slab_voxels: int = SLAB_VOXELS,
    measured: Measured | None = None,
) -> Planes:
    """Remove noise from a stack that need not fit into memory.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray or stack of float32
    spacing, method, options, measured
        See :func:`denoise`, whose result is the same.
    slab_voxels : int
        Number of voxels that are filtered at once, without the neighbours that filters need. A
        smaller stack is processed at once, and so is any stack by :func:`total_variation` in 3D,
        and a block by :func:`bilateral`.

    Returns
    -------
    (Z, Y, X) ndarray or planes of float32
        Planes are computed when they are read.
    """
    in_3d = not options.get("slice_by_slice", False)
    at_once = method == total_variation.__name__ and in_3d
    at_once |= method == bilateral.__name__ and measured is not None
    if stack.size <= slab_voxels or at_once:
        return denoise(stack[:], spacing, method, options, measured)
    if method == none.__name__:
        return stack
    if method == gaussian.__name__:
        return gaussian_of_planes(stack, spacing, **options, max_voxels=slab_voxels)
    if method == non_local_means.__name__ and options["sigma_noise"] is None:
        sigma = _measure_noise(stack) if measured is None else measured.noise_sd
        options = options | {"sigma_noise": sigma}
    in_3d &= method == median.__name__
    halo = planes_reached(options, spacing[0]) if in_3d else 0
    apply = partial(METHODS[method], spacing=spacing, **options)
    return filter_slabs(stack, halo, apply, np.float32, slab_voxels)


@METHODS
def none(stack: Volume, spacing: Spacing) -> Volume:
    """Return an unchanged copy of the stack."""
    return stack.copy()


@METHODS
def median(stack: Volume, spacing: Spacing, *, radius_um: float, slice_by_slice: bool) -> Volume:
    """Median filter over a box.

    Parameters
    ----------
    radius_um : float
        Half the side of the box in um, rounded to whole voxels on each axis. An axis with 0 voxels
        is left out.
    slice_by_slice : bool
        Filter each plane separately.

    Notes
    -----
    The same as `scipy.ndimage.median_filter` over ``2 * radius + 1`` voxels with
    ``mode="nearest"``, computed by OpenCV or SimpleITK.
    """
    z, y, x = whole_voxels(radius_um, spacing, "median radius")
    if slice_by_slice:
        z = 0
    if z == 0 and y == x and x in (1, 2):
        return np.stack([cast(Volume, cv2.medianBlur(plane, 2 * x + 1)) for plane in stack])
    import SimpleITK as sitk  # slow to import, not needed by default

    filtered: Volume = sitk.GetArrayFromImage(sitk.Median(sitk.GetImageFromArray(stack), (x, y, z)))
    return filtered


@METHODS
def bilateral(
    stack: Volume,
    spacing: Spacing,
    *,
    sigma_um: float,
    sigma_intensity: float | None,
    implementation: str,
) -> Volume:
    """Bilateral filter of each plane [1]_: smooth within regions, keep edges.

    Parameters
    ----------
    sigma_um : float
        Standard deviation of the weights over distance, in um.
    sigma_intensity : float or None
        Standard deviation of the weights over intensity differences, on the scale of 0 to 1. If
        None, the standard deviation of the intensities of each plane.
    implementation : {"opencv", "scikit-image"}
        "scikit-image" is slower and reproduces results of scikit-image.

    Notes
    -----
    With "opencv" the weights are those of [1]_ within a disc. The spatial weights of
    `skimage.restoration.denoise_bilateral` 0.26 are read from a table with one row and one column
    too many: on pure noise its results differ from [1]_ by up to 0.37. With a corrected table they
    agree to 5e-6.

    References
    ----------
    .. [1] C. Tomasi and R. Manduchi, "Bilateral filtering for gray and color images", ICCV 1998.
    """
    return filter_planes(
        stack,
        spacing,
        measure_planes(stack),
        sigma_um=sigma_um,
        sigma_intensity=sigma_intensity,
        implementation=implementation,
    )


def filter_planes(
    stack: Volume,
    spacing: Spacing,
    planes: Sequence[tuple[float, float]],
    *,
    sigma_um: float,
    sigma_intensity: float | None,
    implementation: str,
) -> Volume:
    """Apply :func:`bilateral` to planes, or to a part of them.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of float32
        Intensities in [0, 1].
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    planes : sequence of (float, float)
        From :func:`measure_planes`, for the complete planes.
    sigma_um, sigma_intensity, implementation
        See :func:`bilateral`.

    Returns
    -------
    (Z, Y, X) ndarray of float32

    Examples
    --------
    >>> stack = np.full((1, 9, 9), 0.5, np.float32)
    >>> options = {"sigma_um": 1.0, "sigma_intensity": None, "implementation": "opencv"}
    >>> float(filter_planes(stack, (1, 1, 1), [(0.2, 0.9)], **options).std())
    0.0
    """
    sigma = sigma_um / _square_pixel(spacing, "bilateral")
    smooth = {"opencv": _bilateral_opencv, "scikit-image": _bilateral_scikit_image}[implementation]
    denoised = []
    for plane, (plane_sd, highest) in zip(stack, planes, strict=True):
        spread = sigma_intensity or plane_sd
        # a constant plane has no scale of intensities and does not change
        denoised.append(smooth(plane, sigma, spread, highest) if spread > 0 else plane)
    return np.stack(denoised)


def _bilateral_opencv(
    plane: NDArray[np.float32], sigma: float, sigma_intensity: float, highest: float
) -> NDArray[np.float32]:
    radius = max(1, int(3 * sigma + 0.5))
    # OpenCV interpolates the weights in a table from the lowest to the highest intensity. With a
    # row of each, beyond the radius, it does not depend on the plane, or on the part of it that a
    # block contains.
    padded = cv2.copyMakeBorder(plane, 0, radius + 2, 0, 0, cv2.BORDER_REPLICATE)
    padded[-2], padded[-1] = 0, 1
    smooth = cv2.bilateralFilter(
        padded, 2 * radius + 1, sigma_intensity, sigma, borderType=cv2.BORDER_REPLICATE
    )
    return cast(NDArray[np.float32], smooth[: len(plane)])


def _bilateral_scikit_image(
    plane: NDArray[np.float32], sigma: float, sigma_intensity: float, highest: float
) -> NDArray[np.float32]:
    from skimage.restoration import denoise_bilateral  # slow to import, not needed by default

    # The weights are taken from a table up to the highest intensity of the complete plane. Here it
    # is in a row beyond the window, after rows of 0, which is also the value outside a plane.
    radius = max(2, math.ceil(3 * sigma)) + 1
    padded = np.pad(plane, ((0, radius), (0, 0)))
    padded[-1] = highest
    # In float64, since exponentials in float32 differ between processors.
    smooth: NDArray[np.floating[Any]] = denoise_bilateral(
        padded.astype(np.float64), sigma_color=sigma_intensity, sigma_spatial=sigma
    )
    # scikit-image drops axes of length 1
    return smooth.astype(np.float32).reshape(padded.shape)[: len(plane)]


def _square_pixel(spacing: Spacing, method: str) -> float:
    _, y, x = spacing
    if abs(y - x) > 1e-3 * x:
        raise InputError(
            f"denoise method {method} needs square pixels, but they are {y:g} x {x:g} "
            "um: choose gaussian or median"
        )
    return x


@METHODS
def total_variation(
    stack: Volume, spacing: Spacing, *, weight: float, slice_by_slice: bool
) -> Volume:
    """Total variation denoising [1]_: nearly constant regions, sharp edges.

    Parameters
    ----------
    weight : float
        Larger values remove more noise and more detail.
    slice_by_slice : bool
        Work plane by plane. Otherwise work in 3D as if voxels were cubes, whatever their spacing.

    Notes
    -----
    Computed by `skimage.restoration.denoise_tv_chambolle`. Its stopping criterion depends on the
    entire plane or stack.

    References
    ----------
    .. [1] A. Chambolle, "An algorithm for total variation minimization and applications", Journal
       of Mathematical Imaging and Vision 20, 2004.
    """
    from skimage.restoration import denoise_tv_chambolle  # slow to import, not needed by default

    if slice_by_slice:
        _square_pixel(spacing, "total_variation")
    denoised = stack.copy()
    for part in denoised if slice_by_slice else [denoised]:
        if part.min() < part.max():  # a constant would take all 200 iterations without change
            part[:] = denoise_tv_chambolle(part, weight)
    return denoised


@METHODS
def non_local_means(
    stack: Volume,
    spacing: Spacing,
    *,
    patch_radius_um: float,
    search_radius_um: float,
    strength: float,
    sigma_noise: float | None,
    fast_mode: bool,
) -> Volume:
    """Non-local means of each plane [1]_: average pixels whose surroundings are similar.

    Parameters
    ----------
    patch_radius_um : float
        Half the side of the squares that are compared, in um, rounded to at least one pixel.
    search_radius_um : float
        Half the side of the square that is searched, in um, rounded to whole pixels.
    strength : float
        Tolerated difference of patches, in standard deviations of the noise: the `h` of
        scikit-image divided by `sigma_noise`.
    sigma_noise : float or None
        Standard deviation of the noise, on the scale of 0 to 1. If None, it is estimated from the
        stack, see :func:`cellstack.core.noise.estimate_noise`. If 0, nothing changes.
    fast_mode : bool
        Weight all pixels of a patch equally [2]_, which is much faster, instead of with a Gaussian.

    Notes
    -----
    Computed by `skimage.restoration.denoise_nl_means`.

    References
    ----------
    .. [1] A. Buades, B. Coll and J.-M. Morel, "A non-local algorithm for image denoising", CVPR
       2005.
    .. [2] J. Darbon et al., "Fast nonlocal filtering applied to electron cryomicroscopy", ISBI
       2008.
    """
    from skimage.restoration import denoise_nl_means  # slow to import, not needed by default

    pixel = _square_pixel(spacing, "non_local_means")
    patch_radius = int(patch_radius_um / pixel + 0.5)
    search_radius = int(search_radius_um / pixel + 0.5)
    if sigma_noise is None:
        sigma_noise = _measure_noise(stack)
    denoised = stack.copy()
    if sigma_noise == 0:
        return denoised
    for plane in denoised:
        averaged = denoise_nl_means(
            plane.astype(np.float64),  # see _bilateral_scikit_image
            2 * max(1, patch_radius) + 1,
            search_radius,
            strength * sigma_noise,
            fast_mode=fast_mode,
            sigma=sigma_noise,
        )
        plane[:] = averaged.reshape(plane.shape)  # scikit-image drops axes of length 1
    return denoised


def _measure_noise(stack: Planes) -> float:
    noise = estimate_noise(stack)
    log.info("standard deviation of the noise: %.4g", noise)
    return noise
