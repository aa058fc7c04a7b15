"""Enhancement of a membrane channel: smoothing, and a ridge filter that highlights walls.

A method takes a float32 stack of shape (Z, Y, X), its spacing in um and its options, and returns
the ridge strength as a float32 stack of the same shape: the greatest downward curvature in units of
the stack, 0 where the stack curves upward in all directions.
"""

import logging
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from cellstack.config.methods import Methods
from cellstack.core import filters
from cellstack.core.noise import estimate_noise
from cellstack.core.planes import Allocate, ComputedPlanes, Planes, Stack, slabs
from cellstack.core.resampling import coarsen, enlarged_planes
from cellstack.core.thresholds import otsu_of_stack
from cellstack.core.types import Spacing, Volume

METHODS = Methods()
log = logging.getLogger(__name__)
MIN_RATIO_TO_NOISE = (
    1.5  # of the threshold to that of pure noise; it is 3 or more for visible walls
)
ROOT_OFFSET = 5.0  # added before the square root, in standard deviations of the noise
CERTAIN_RATIO_TO_NOISE = 3.0  # of the ridge strength of a voxel that is certainly no noise
MIN_LOCAL_THRESHOLD = 0.2  # of Otsu's threshold
GRID_WIDTH = 0.25  # of the grid of the mean strength, in standard deviations of its Gaussian
NOISE_SAMPLE_SIZE = 64  # maximum number of voxels along each axis of the simulated noise
VOXELS_AT_ONCE = 1 << 20  # limits memory: two dozen temporary arrays have this size
MIN_SCALE = 0.5  # voxels
# Maximum relative second difference caused by rounding in a constant stack.
ROUNDING_ERROR = 8 * float(np.finfo(np.float32).eps)
# Coefficients of s**0 to s**7 in a polynomial equal to 2 cos(2/3 (arcsin s + pi)) within 1e-7 for s
# from 0 to 1.
SMALLEST_ROOT = (
    -1.0,
    -1.15469384,
    0.22207703,
    -0.10568282,
    0.06047079,
    -0.03209456,
    0.01217869,
    -0.00225527,
)


def enhance_membrane(
    stack: Stack,
    spacing: Spacing,
    smoothing_um: float,
    method: str,
    options: dict[str, Any],
    *,
    square_root: bool,
    local_factor: float | None,
    local_sigma_um: float,
    allocate: Allocate = np.empty,
    slab_voxels: int | None = None,
) -> tuple[Stack, Stack, dict[str, float]]:
    """Smooth a membrane channel and compute its ridge strength.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray or stack of float32
        Membrane channel in [0, 1], not denoised.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    smoothing_um : float
        Standard deviation in um of the Gaussian that smooths the stack.
    method : {"ridges", "ridges_2d"}
        Name of the ridge filter.
    options : dict
        Options of the method.
    square_root : bool
        Whether to take the square root of the intensity first, after adding 5 standard deviations
        of the noise; negative values count as 0. Dim and bright walls then differ less.
    local_factor : float or None
        Multiple of the mean ridge strength around a voxel to which the threshold is lowered where
        it is higher, but not to less than what is certainly no noise, or than a fifth. None for one
        threshold.
    local_sigma_um : float
        Standard deviation in um of the Gaussian that weights this mean.
    allocate : callable
        Provides the results. One slab is filtered at a time.
    slab_voxels : int, optional
        Maximum number of voxels of a slab. The results do not depend on it.

    Returns
    -------
    smooth : (Z, Y, X) ndarray of float32
        The smoothed stack, or its smoothed square root.
    ridges : (Z, Y, X) ndarray of float32
        Ridge strength divided by its threshold, so that voxels above 1 are wall. The threshold is
        Otsu's, or lower according to `local_factor`. The result is 0 everywhere if the stack is
        constant, or if Otsu's threshold is hardly above that of pure noise.
    record : dict
        ``noise``: standard deviation of the noise that remains in `smooth`. ``threshold``: Otsu's
        threshold, 0 if no walls were found. ``certain_strength``: value of `ridges`, at least 1,
        above which a voxel is certainly no noise.

    Notes
    -----
    In an epithelium the apical walls, next to the lumen, can be 20 times as bright as the basal
    ones, which are also dimmed by depth, and the surface of an embryo can be much brighter than the
    walls inside. Without the square root, and with a single threshold, dim walls are not found, and
    the cells merge with each other or with the background. The square root also makes photon noise
    independent of the intensity [1]_. What is added keeps other noise from being amplified in dark
    voxels, as in the transformation of both kinds of noise [2]_, for which the gain of the camera
    would have to be known.

    References
    ----------
    .. [1] M. S. Bartlett, "The square root transformation in analysis of variance", Supplement to
       the Journal of the Royal Statistical Society 3, 1936.
    .. [2] F. Murtagh, J.-L. Starck and A. Bijaoui, "Image restoration with noise suppression using
       a multiresolution support", Astronomy and Astrophysics Supplement Series 112, 1995.

    Examples
    --------
    >>> stack = np.zeros((5, 9, 9), np.float32)
    >>> stack[:, :, 4] = 1
    >>> _, ridges, _ = enhance_membrane(
    ...     stack, (1, 1, 1), 0.5, "ridges", {"sigma_um": 1.0}, square_root=True,
    ...     local_factor=2.5, local_sigma_um=3.0,
    ... )
    >>> (ridges > 1)[2, 4]
    array([False, False, False, False,  True, False, False, False, False])
    """
    smooth, ridges = (allocate(stack.shape, np.float32) for _ in range(2))

    offset = np.float32(ROOT_OFFSET * estimate_noise(stack)) if square_root else np.float32(0)

    def scaled(part: Volume) -> Volume:
        return cast(Volume, np.sqrt(np.maximum(part + offset, 0))) if square_root else part

    largest = highest = 0.0
    halo = 1 + max(
        len(filters.gaussian_kernels(sigma_um, spacing)[0]) // 2
        for sigma_um in (smoothing_um, options["sigma_um"])
    )
    for slab in slabs(stack.shape, halo, max_voxels=slab_voxels):
        part = scaled(stack[slab.extent])
        largest = max(largest, float(np.abs(part).max(initial=0)))
        smooth[slab.planes] = filters.gaussian(part, spacing, sigma_um=smoothing_um)[slab.inside]
        strengths = METHODS[method](part, spacing, **options)[slab.inside]
        highest = max(highest, float(strengths.max(initial=0)))
        ridges[slab.planes] = strengths
    noise = estimate_noise(ComputedPlanes(stack.shape, stack.dtype, lambda z: scaled(stack[z])))
    of_noise = _threshold_of_noise(noise, stack.shape, spacing, method, options)
    min_threshold = max(ROUNDING_ERROR * largest, MIN_RATIO_TO_NOISE * of_noise)
    threshold = otsu_of_stack(ridges) if highest > min_threshold else 0.0
    if threshold <= min_threshold:
        log.info(
            "no walls: the threshold of the ridge strength, %.4g, is not above that of noise, %.4g",
            threshold,
            min_threshold,
        )
        threshold = 0.0
    certain = max(min_threshold, CERTAIN_RATIO_TO_NOISE * of_noise)
    local = None
    if local_factor is not None:
        lowest = max(certain, MIN_LOCAL_THRESHOLD * threshold)
        local = _local_thresholds(ridges, spacing, threshold, local_factor, local_sigma_um, lowest)
    for z in range(len(ridges)):
        limit = np.float32(threshold) if local is None else local[z]
        ridges[z] = ridges[z] / limit if threshold > 0 else 0
    kernels = filters.gaussian_kernels(smoothing_um, spacing)
    remaining = float(np.prod([np.sum(kernel**2) for kernel in kernels])) ** 0.5
    record = {
        "noise": noise * remaining,
        "threshold": threshold,
        "certain_strength": max(1.0, certain / threshold) if threshold > 0 else 1.0,
    }
    return smooth, ridges, record


def _local_thresholds(
    strengths: Stack,
    spacing: Spacing,
    threshold: float,
    factor: float,
    sigma_um: float,
    lowest: float,
) -> Planes:
    """Lower a threshold, but not to less than `lowest`, where the strengths around are low."""
    grid, wide, factors = coarsen(strengths, spacing, GRID_WIDTH * sigma_um)
    means = enlarged_planes(
        filters.gaussian(grid, wide, sigma_um=sigma_um), factors, strengths.shape
    )

    def lower(z: int) -> NDArray[np.float32]:
        local = np.maximum(np.float32(factor) * means[z], np.float32(lowest))
        return np.minimum(local, np.float32(threshold))

    return ComputedPlanes(strengths.shape, np.dtype(np.float32), lower)


def _threshold_of_noise(
    noise: float,
    shape: tuple[int, ...],
    spacing: Spacing,
    method: str,
    options: dict[str, Any],
) -> float:
    """Return the threshold of the ridge strength of simulated normal noise."""
    rng = np.random.Generator(np.random.PCG64(0))
    size = [min(length, NOISE_SAMPLE_SIZE) for length in shape]
    sample = np.float32(noise) * rng.standard_normal(size, np.float32)
    return otsu_of_stack(METHODS[method](sample, spacing, **options)) if noise > 0 else 0.0


@METHODS
def ridges(stack: Volume, spacing: Spacing, *, sigma_um: float) -> Volume:
    """Return the ridge strength in 3D.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of float32
    spacing : (3,) sequence of float
    sigma_um : float
        Standard deviation in um of the Gaussian applied first: half the thickness of a wall, or
        more in noisy stacks.

    Returns
    -------
    (Z, Y, X) ndarray of float32
        The negative of the smallest eigenvalue of the Hessian matrix [1]_, whose derivatives along
        each axis are multiplied by sigma.

    Notes
    -----
    Finite differences between planes underestimate the curvature of a wall that is one plane thick.
    Where sigma is below half a voxel, half a voxel is used as the scale of that axis. Thus the
    strengths of walls across z and along z are comparable at any spacing.

    References
    ----------
    .. [1] Y. Sato et al., "Three-dimensional multi-scale line filter for segmentation and
       visualization of curvilinear structures in medical images", Medical Image Analysis 2, 1998;
       here for sheets, which have one direction of high curvature instead of two.
    """
    smooth = filters.gaussian(stack, spacing, sigma_um=sigma_um)
    return _greatest_downward_curvature(
        smooth, [max(sigma_um / step, MIN_SCALE) for step in spacing]
    )


@METHODS
def ridges_2d(stack: Volume, spacing: Spacing, *, sigma_um: float) -> Volume:
    """Return the ridge strength in each plane; walls parallel to the planes are not detected.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of float32
    spacing : (3,) sequence of float
    sigma_um : float
        Standard deviation in um of the 2D Gaussian applied first.

    Returns
    -------
    (Z, Y, X) ndarray of float32
        See :func:`ridges`, without the curvature along z.
    """
    kernels = filters.gaussian_kernels(sigma_um, spacing)
    smooth = filters.separable_filter(stack, [np.ones(1), *kernels[1:]])
    return _greatest_downward_curvature(
        smooth, [0.0, *(max(sigma_um / step, MIN_SCALE) for step in spacing[1:])]
    )


def _greatest_downward_curvature(smooth: Volume, scales: list[float]) -> Volume:
    """Return the negative of the smallest eigenvalue of the Hessian matrix, or 0 if negative.

    Voxels at the edge are repeated outward.
    """
    curvature = np.empty_like(smooth)
    for slab in slabs(smooth.shape, max_voxels=VOXELS_AT_ONCE):
        start, stop = slab.planes.start, slab.planes.stop
        planes = np.clip(np.arange(start - 1, stop + 1), 0, len(smooth) - 1)
        padded = np.pad(smooth[planes], ((0, 0), (1, 1), (1, 1)), mode="edge")
        np.maximum(-_smallest_eigenvalue(*_hessian(padded, scales)), 0, out=curvature[start:stop])
    return curvature


def _hessian(padded: Volume, scales: list[float]) -> list[Volume]:
    """Return zz, yy, xx, zy, zx, yx of the Hessian matrix in voxels, times the scales.

    The result lacks the outermost voxels of `padded`.
    """

    def shifted(steps: NDArray[np.int_]) -> Volume:
        window = [
            slice(1 + step, size - 1 + step)
            for step, size in zip(steps.tolist(), padded.shape, strict=True)
        ]
        return padded[tuple(window)]

    unit = np.eye(3, dtype=int)
    centre = shifted(np.zeros(3, int))
    derivatives = []
    for step, scale in zip(unit, scales, strict=True):
        difference = shifted(step) + shifted(-step) - 2 * centre
        derivatives.append(difference * np.float32(scale**2))
    for i, j in ((0, 1), (0, 2), (1, 2)):
        same, opposite = unit[i] + unit[j], unit[i] - unit[j]
        difference = shifted(same) + shifted(-same) - shifted(opposite) - shifted(-opposite)
        derivatives.append(difference * np.float32(scales[i] * scales[j] / 4))
    return derivatives


def _smallest_eigenvalue(
    zz: Volume, yy: Volume, xx: Volume, zy: Volume, zx: Volume, yx: Volume
) -> Volume:
    """Return the smallest eigenvalue of symmetric 3 x 3 matrices in closed form.

    O. K. Smith, "Eigenvalues of a symmetric 3 x 3 matrix", Communications of the ACM 4, 1961, with
    a polynomial instead of its cosine and arc cosine, which are slow and differ between processors.
    """
    mean = cast(Volume, (zz + yy + xx) / 3)
    zz, yy, xx = zz - mean, yy - mean, xx - mean
    spread = np.sqrt((zz**2 + yy**2 + xx**2 + 2 * (zy**2 + zx**2 + yx**2)) / 6)
    determinant = zz * (yy * xx - yx**2) - zy * (zy * xx - yx * zx) + zx * (zy * yx - yy * zx)
    with np.errstate(divide="ignore", invalid="ignore"):
        cube = 2 * spread * spread * spread
        cosine = np.nan_to_num(determinant / cube, nan=0.0, posinf=0.0, neginf=0.0)
    sine = np.sqrt((1 - np.clip(cosine, -1, 1)) / 2)  # of half the angle that has this cosine
    root = np.full_like(sine, SMALLEST_ROOT[-1])
    for coefficient in SMALLEST_ROOT[-2::-1]:
        root *= sine
        root += np.float32(coefficient)
    return cast(Volume, mean + spread * root)
