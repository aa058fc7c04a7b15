"""Denoising of a stack in [0, 1], with sizes in um.

Each method says whether it works on the volume or plane by plane, and its halo: how far the result of one voxel depends on others.
"""

import logging

import cv2
import numpy as np

from cellstack import units, workers
from cellstack.errors import InputError
from cellstack.methods import Methods

log = logging.getLogger(__name__)

METHODS = Methods()
COLUMNS = 1 << 12  # that are filtered along z at once: as many as stay in the cache
TRUNCATE = 4.0  # standard deviations to which a Gaussian reaches, as in SciPy
SAMPLE = 8  # planes, and of these each eighth row, tell roughly how large details are
LEAST, INFINITE = np.finfo(np.float32).smallest_subnormal, np.float32(np.inf)
MEDIAN_OF_NORMAL = 0.67449  # of the absolute value of a normal variable with standard deviation 1


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
    return separable_filter(stack, gaussian_kernels(sigma_um, spacing))


def gaussian_kernels(sigma_um, spacing):
    """Give the weights of a Gaussian along z, y and x, as :func:`separable_filter` takes them."""
    return [_gaussian_kernel(sigma) for sigma in units.in_voxels(sigma_um, spacing)]


def _gaussian_kernel(sigma):
    radius = int(TRUNCATE * sigma + 0.5)
    if radius == 0:
        return np.ones(1)
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    return weights / weights.sum()


def separable_filter(stack, kernels, out=None):
    """Correlate a stack with one kernel along each axis; edge voxels are repeated outward.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of float32, uint8 or uint16
    kernels : sequence of three 1D ndarrays of odd length
        For z, y and x; a length of one leaves the axis out.
    out : (Z, Y, X) ndarray of float32, optional
        Where to write the result; it may be `stack`.

    Returns
    -------
    (Z, Y, X) ndarray of float32
    """
    along_z, along_y, along_x = kernels
    filtered = np.empty(stack.shape, np.float32) if out is None else out
    flat = filtered.reshape(len(stack), -1)

    def filter_plane(z):
        plane = np.asarray(stack[z], np.float32)  # one at a time, for a mask as floats is four times as large
        target = flat[z].reshape(plane.shape)  # whose strides OpenCV takes, whatever NumPy has for axes of one voxel
        cv2.sepFilter2D(plane, cv2.CV_32F, along_x, along_y, dst=target, borderType=cv2.BORDER_REPLICATE)

    def filter_columns(start):
        block = flat[:, start : start + COLUMNS]
        block[:] = cv2.sepFilter2D(block, cv2.CV_32F, np.ones(1), along_z, borderType=cv2.BORDER_REPLICATE)

    threads = workers.useful_threads(stack)
    workers.in_threads(filter_plane, range(len(stack)), threads)
    if len(along_z) > 1:
        workers.in_threads(filter_columns, range(0, flat.shape[1], COLUMNS), threads)
    return filtered


@METHODS
def median(stack, spacing, *, radius_um, planes):
    """Take the median over a box around each voxel, in the volume or plane by plane. Halo: the radius, with `planes` 0 along z.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of float32
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    radius_um : float
        Half the side of the box in um, rounded to whole voxels on each axis; 0 leaves an axis out.
    planes : bool
        Leave z out, whatever the radius.

    Returns
    -------
    (Z, Y, X) ndarray of float32

    Notes
    -----
    The same as `scipy.ndimage.median_filter` over ``2 * radius + 1`` voxels with ``mode="nearest"``, computed by OpenCV or SimpleITK.
    """
    z, y, x = units.whole_voxels(radius_um, spacing, "median radius")
    if planes:
        z = 0
    if z == 0 and y == x and x in (1, 2):
        return np.stack([cv2.medianBlur(plane, 2 * x + 1) for plane in stack])
    import SimpleITK as sitk  # slow to import, and most runs do without

    return sitk.GetArrayFromImage(sitk.Median(sitk.GetImageFromArray(stack), (x, y, z)))


@METHODS
def bilateral(stack, spacing, *, sigma_um, sigma_intensity, implementation):
    """Smooth each plane, but not across edges. Halo: 3 sigma in the plane, 0 along z.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of float32
        In [0, 1].
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um; y and x must be the same.
    sigma_um : float
        Standard deviation over distance in um.
    sigma_intensity : float or None
        Standard deviation over difference of intensity, in units of the stack; None for that of the plane's own values.
    implementation : {"opencv", "scikit-image"}
        scikit-image's is there to repeat what was done with it.

    Returns
    -------
    (Z, Y, X) ndarray of float32

    Raises
    ------
    InputError
        The pixels are not square.

    Notes
    -----
    These are the weights of [1]_ on a disc; `skimage.restoration.denoise_bilateral` 0.26 has the same weights over intensity, but its table
    of weights over distance has one row and one column too many and is read as if it had not, which on noise puts results off by up to .37.
    With that table mended, scikit-image gives the textbook's result on the square to 5e-6, so the textbook is the reference here.

    References
    ----------
    .. [1] C. Tomasi and R. Manduchi, "Bilateral filtering for gray and color images", ICCV 1998.
    """
    sigma = sigma_um / _square_pixel(spacing, "bilateral")
    smooth = {"opencv": _bilateral_opencv, "scikit-image": _bilateral_scikit_image}[implementation]
    spreads = [sigma_intensity or float(plane.std()) for plane in stack]
    # a plane of one value stays as it is, whatever the filter does where differences have no scale
    return np.stack([smooth(plane, sigma, spread) if spread > 0 else plane for plane, spread in zip(stack, spreads, strict=True)])


def _bilateral_opencv(plane, sigma, sigma_intensity):
    width = 2 * max(1, int(3 * sigma + 0.5)) + 1
    return cv2.bilateralFilter(plane, width, sigma_intensity, sigma, borderType=cv2.BORDER_REPLICATE)


def _bilateral_scikit_image(plane, sigma, sigma_intensity):
    from skimage.restoration import denoise_bilateral  # slow to import, and most runs do without

    writable = plane.copy()  # its compiled kernel refuses others
    smooth = denoise_bilateral(writable, sigma_color=sigma_intensity, sigma_spatial=sigma)
    return smooth.astype(np.float32, copy=False).reshape(plane.shape)  # which a row of one pixel's width does not keep


def _square_pixel(spacing, method):
    _, y, x = spacing
    if abs(y - x) > 1e-3 * x:
        raise InputError(f"denoise method {method} needs square pixels, these are {y:g} x {x:g} um: choose gaussian or median")
    return x


@METHODS
def total_variation(stack, spacing, *, weight, planes):
    """Flatten the stack between its edges, plane by plane or in the volume. Halo: the whole plane, without `planes` the whole volume.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of float32
        In [0, 1].
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um; with `planes` y and x must be the same.
    weight : float
        Larger removes more, both noise and detail.
    planes : bool
        Work plane by plane. Otherwise on the volume, where a difference between planes counts as much as one between pixels, however far
        the planes lie apart: for voxels that are nearly cubes.

    Returns
    -------
    (Z, Y, X) ndarray of float32

    Raises
    ------
    InputError
        The pixels are not square.

    Notes
    -----
    This is `skimage.restoration.denoise_tv_chambolle`, which stops by the energy of all that it is given.

    References
    ----------
    .. [1] A. Chambolle, "An algorithm for total variation minimization and applications", Journal of Mathematical Imaging
       and Vision 20, 2004.
    """
    from skimage.restoration import denoise_tv_chambolle  # slow to import, and the default does without

    if planes:
        _square_pixel(spacing, "total_variation")
    denoised = stack.copy()
    for part in denoised if planes else [denoised]:
        if part.min() < part.max():  # a constant would take all 200 iterations to stay as it is
            part[:] = denoise_tv_chambolle(part, weight)
    return denoised


@METHODS
def non_local_means(stack, spacing, *, patch_radius_um, search_radius_um, strength, sigma_noise, fast_mode):
    """Average, in each plane, voxels whose surroundings look alike. Halo: both radii in the plane, 0 along z.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of float32
        In [0, 1].
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um; y and x must be the same.
    patch_radius_um : float
        Half the side of the squares that are compared, in um, rounded to whole pixels, but at least one.
    search_radius_um : float
        Half the side of the square in which like ones are searched, in um, rounded to whole pixels.
    strength : float
        How unlike patches may be, in standard deviations of the noise: the `h` of scikit-image divided by `sigma_noise`.
    sigma_noise : float or None
        Standard deviation of the noise, in units of the stack. None: by :func:`estimate_noise` on the whole stack. 0: no change.
    fast_mode : bool
        Weigh all pixels of a patch alike, which is much faster, in place of by a Gaussian.

    Returns
    -------
    (Z, Y, X) ndarray of float32

    Raises
    ------
    InputError
        The pixels are not square.

    Notes
    -----
    This is `skimage.restoration.denoise_nl_means` on each plane.

    References
    ----------
    .. [1] A. Buades, B. Coll and J.-M. Morel, "A non-local algorithm for image denoising", CVPR 2005.
    .. [2] J. Darbon et al., "Fast nonlocal filtering applied to electron cryomicroscopy", ISBI 2008.
    """
    from skimage.restoration import denoise_nl_means  # slow to import, and the default does without

    pixel = _square_pixel(spacing, "non_local_means")
    patch_radius, search_radius = (int(radius / pixel + 0.5) for radius in (patch_radius_um, search_radius_um))
    if sigma_noise is None:
        sigma_noise = estimate_noise(stack)
        log.info("standard deviation of the noise: %.4g", sigma_noise)
    denoised = stack.copy()
    if sigma_noise == 0:
        return denoised
    for plane in denoised:
        averaged = denoise_nl_means(
            plane, 2 * max(1, patch_radius) + 1, search_radius, strength * sigma_noise, fast_mode=fast_mode, sigma=sigma_noise
        )
        plane[:] = averaged.reshape(plane.shape)  # axes of one pixel were dropped
    return denoised


def estimate_noise(stack):
    """Estimate the standard deviation of noise that is independent from pixel to pixel.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of float32

    Returns
    -------
    float
        0 where nothing varies, or where planes have less than 3 x 3 pixels.

    Notes
    -----
    The median of the absolute second differences across both axes of the planes [1]_, since few of them are edges [2]_; those of 0
    are left out, as they come from where values were cut off. Noise that is blurred, by a resampling for instance, is underestimated.

    References
    ----------
    .. [1] J. Immerkaer, "Fast noise variance estimation", Computer Vision and Image Understanding 64, 1996.
    .. [2] D. L. Donoho and I. M. Johnstone, "Ideal spatial adaptation by wavelet shrinkage", Biometrika 81, 1994.
    """
    # The median by its rank among those near to it, since all details at once would take as much memory as the stack.
    few = np.concatenate([_details(plane)[::SAMPLE].ravel() for plane in stack[:: max(1, len(stack) // SAMPLE)]])
    few = few[few > 0]
    low, high = np.quantile(few, (0.45, 0.55), method="nearest") if len(few) else (LEAST, INFINITE)
    while True:
        size, zeros, below, near = _details_between(stack, low, high)
        if size == zeros:
            return 0.0
        first, last = zeros + (size - zeros - 1) // 2, zeros + (size - zeros) // 2
        if below <= first and last < below + len(near):
            return float(np.sort(near)[[first - below, last - below]].mean()) / (6 * MEDIAN_OF_NORMAL)
        low, high = low if below <= first else LEAST, high if last < below + len(near) else INFINITE


def _details_between(stack, low, high):
    """Count all details, those of 0, and those below `low`; and list those from `low` to `high`."""
    counts, near = np.zeros((len(stack), 3), int), []

    def look_at(z):
        details = _details(stack[z])
        under = details < low
        counts[z] = details.size, np.count_nonzero(details == 0), np.count_nonzero(under)
        near.append(details[~under & (details <= high)])

    workers.in_threads(look_at, range(len(stack)), workers.useful_threads(stack))
    return *counts.sum(axis=0).tolist(), np.concatenate(near)


def _details(plane):
    second = np.array([1.0, -2.0, 1.0])  # along both axes: noise becomes 6 times as large
    return np.abs(cv2.sepFilter2D(plane, cv2.CV_32F, second, second)[1:-1, 1:-1])
