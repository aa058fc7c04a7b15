"""From a membrane channel to the strength of its walls: ridges of the smoothed stack, with scales in um.

Each method says whether it works on the volume or plane by plane, and its halo: how far the result of one voxel depends on others.
"""

import logging

import numpy as np

from cellstack import binarize, denoise
from cellstack.methods import Methods

METHODS = Methods()
log = logging.getLogger(__name__)
ABOVE_NOISE = 1.5  # times the threshold of mere noise, from which on walls are believed; it was 3 and more where walls can be seen
SAMPLE = 64  # voxels along each axis, at most, of the noise that is compared with
SLAB = 8  # planes at a time: a dozen arrays of the size of the stack would be its memory
FLATTEST = 0.5  # voxels: a wall seen in one plane alone answers as strongly as one seen in many
ROUNDING = 8 * np.finfo(np.float32).eps  # a second difference of the highest value, at most, where nothing varies


def enhance_membrane(stack, spacing, smoothing_um, method, options):
    """Smooth a membrane channel and measure how much each voxel looks like a wall.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of float32
        Membrane, in [0, 1], not smoothed.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    smoothing_um : float
        Standard deviation in um of the Gaussian that smooths the stack.
    method : str
        Name of one of :data:`METHODS`.
    options : dict
        Its options.

    Returns
    -------
    smooth : (Z, Y, X) ndarray of float32
        The smoothed stack.
    walls : (Z, Y, X) ndarray of float32
        Strength of the wall, from 0; voxels above 1 are wall, by the threshold of Otsu. 0 throughout where nothing varies, or where the
        threshold is hardly higher than that of mere noise.
    record : dict
        ``noise``, the standard deviation of the noise left in `smooth`, and ``threshold``, the strength that became 1, 0 for none.
    """
    smooth = denoise.gaussian(stack, spacing, sigma_um=smoothing_um)
    walls = METHODS[method](stack, spacing, **options)
    noise = denoise.estimate_noise(stack)
    least = max(
        ROUNDING * float(np.abs(stack).max(initial=0)), ABOVE_NOISE * _threshold_of_noise(noise, walls.shape, spacing, method, options)
    )
    threshold = float(binarize.find_threshold(walls, "otsu", {})) if walls.max(initial=0) > least else 0.0
    if threshold <= least:
        log.info("what looks like walls is no stronger than noise: %.4g, at least %.4g is needed", threshold, least)
        threshold = 0.0
    walls = walls / np.float32(threshold) if threshold > 0 else np.zeros_like(walls)
    kernels = denoise.gaussian_kernels(smoothing_um, spacing)
    left = float(np.prod([np.sum(kernel**2) for kernel in kernels])) ** 0.5
    return smooth, walls, {"noise": noise * left, "threshold": threshold}


def _threshold_of_noise(noise, shape, spacing, method, options):
    """Give the threshold that a stack of nothing but noise of this standard deviation has."""
    rng = np.random.Generator(np.random.PCG64(0))
    sample = np.float32(noise) * rng.standard_normal([min(size, SAMPLE) for size in shape], np.float32)
    return float(binarize.find_threshold(METHODS[method](sample, spacing, **options), "otsu", {})) if noise > 0 else 0.0


@METHODS
def ridges(stack, spacing, *, sigma_um):
    """Measure the ridges of the volume. Halo: 4 sigma and 1 voxel.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of float32
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    sigma_um : float
        Standard deviation of the Gaussian in um: half the thickness of a wall, or more where there is noise.

    Returns
    -------
    (Z, Y, X) ndarray of float32
        The greatest curvature downward, in units of the stack: the negative of the least eigenvalue of the Hessian matrix of the smoothed
        stack [1]_, whose derivatives along each axis are multiplied by sigma; 0 where the stack curves upward in all directions.

    Notes
    -----
    A wall one plane thick curves more between two planes than differences between planes can tell. Where sigma is below half a voxel, half
    a voxel takes its place in the scale of that axis, so that walls across z and walls along z are compared as equals at any spacing.

    References
    ----------
    .. [1] Y. Sato et al., "Three-dimensional multi-scale line filter for segmentation and visualization of curvilinear structures in
       medical images", Medical Image Analysis 2, 1998; here for sheets, which have one curvature and not two.
    """
    smooth = denoise.gaussian(stack, spacing, sigma_um=sigma_um)
    return _greatest_downward_curvature(smooth, [max(sigma_um / step, FLATTEST) for step in spacing])


@METHODS
def ridges_planes(stack, spacing, *, sigma_um):
    """Measure the ridges of each plane, as if there were no others. Halo: 4 sigma and 1 voxel in the plane, 0 along z.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of float32
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    sigma_um : float
        Standard deviation of the Gaussian in um.

    Returns
    -------
    (Z, Y, X) ndarray of float32
        As of :func:`ridges`, without the curvature along z: walls that lie in a plane are not seen.
    """
    kernels = denoise.gaussian_kernels(sigma_um, spacing)
    smooth = denoise.separable_filter(stack, [np.ones(1), *kernels[1:]])
    return _greatest_downward_curvature(smooth, [0.0, *(max(sigma_um / step, FLATTEST) for step in spacing[1:])])


def _greatest_downward_curvature(smooth, scales):
    """Give the negative of the least eigenvalue of the Hessian matrix, or 0, slab by slab; edge voxels are repeated outward."""
    curvature = np.empty_like(smooth)
    for start in range(0, len(smooth), SLAB):
        stop = min(start + SLAB, len(smooth))
        planes = np.clip(np.arange(start - 1, stop + 1), 0, len(smooth) - 1)
        padded = np.pad(smooth[planes], ((0, 0), (1, 1), (1, 1)), mode="edge")
        np.maximum(-_least_eigenvalue(*_hessian(padded, scales)), 0, out=curvature[start:stop])
    return curvature


def _hessian(padded, scales):
    """Give zz, yy, xx, zy, zx, yx of the Hessian matrix in voxels times the scales, without the rim of `padded`."""

    def shifted(*steps):
        return padded[tuple(slice(1 + step, size - 1 + step) for step, size in zip(steps, padded.shape, strict=True))]

    along = np.eye(3, dtype=int)
    centre = shifted(0, 0, 0)
    pure = [(shifted(*step) + shifted(*-step) - 2 * centre) * np.float32(scale**2) for step, scale in zip(along, scales, strict=True)]
    mixed = []
    for i, j in ((0, 1), (0, 2), (1, 2)):
        same, opposite = along[i] + along[j], along[i] - along[j]
        difference = shifted(*same) + shifted(*-same) - shifted(*opposite) - shifted(*-opposite)
        mixed.append(difference * np.float32(scales[i] * scales[j] / 4))
    return *pure, *mixed


def _least_eigenvalue(zz, yy, xx, zy, zx, yx):
    """Give the least eigenvalue of symmetric 3 x 3 matrices in closed form (O. K. Smith, Communications of the ACM 4, 1961)."""
    mean = (zz + yy + xx) / 3
    zz, yy, xx = zz - mean, yy - mean, xx - mean
    spread = np.sqrt((zz**2 + yy**2 + xx**2 + 2 * (zy**2 + zx**2 + yx**2)) / 6)
    determinant = zz * (yy * xx - yx**2) - zy * (zy * xx - yx * zx) + zx * (zy * yx - yy * zx)
    with np.errstate(divide="ignore", invalid="ignore"):
        cosine = np.nan_to_num(determinant / (2 * spread**3), nan=0.0, posinf=0.0, neginf=0.0)
    angle = np.arccos(np.clip(cosine, -1, 1)) / 3
    return mean + 2 * spread * np.cos(angle + np.float32(2 * np.pi / 3))
