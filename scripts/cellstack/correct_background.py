"""Background and dimming taken out of a raw stack before it is segmented; intensities are measured on the raw stack all the same.

Each result has the type of the raw stack, rounded and cut off at its limits. What :func:`depth` takes from the whole stack is found by
:func:`fit_decay`, apart from where it is applied.
"""

import logging

import numpy as np

from cellstack import denoise, morphology
from cellstack.methods import Methods

log = logging.getLogger(__name__)

METHODS = Methods()
MIN_PLANES = 3  # a line through two planes would follow whatever lies in them


def correct_background(stack, spacing, steps):
    """Apply methods one after the other.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of uint8, uint16 or float32
        The raw stack.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    steps : list of (str, dict)
        Names of :data:`METHODS` and their options.

    Returns
    -------
    (Z, Y, X) ndarray of the type of `stack`
    """
    for method, options in steps:
        stack = METHODS[method](stack, spacing, **options)
    return stack


@METHODS
def white_tophat(stack, spacing, *, shape, radius_um):
    """Keep what is bright and narrower than a shape. Halo: twice the radius.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of uint8, uint16 or float32
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    shape : {"ball", "disc", "cube", "square"}
        A disc and a square are applied plane by plane. A large ball takes long, a cube does not.
    radius_um : float
        Radius in um, for cube and square half the side; an axis on which it is below half a voxel is left out.

    Returns
    -------
    (Z, Y, X) ndarray of the type of `stack`

    Notes
    -----
    As in `skimage.morphology.white_tophat` with ``mode="ignore"``: what lies outside the stack counts as neither bright nor dark.
    """
    return stack - morphology.opening(stack, morphology.footprint(shape, radius_um, spacing))


@METHODS
def gaussian(stack, spacing, *, sigma_um):
    """Subtract the stack smoothed by a wide Gaussian, as an estimate of the background. Halo: 4 sigma.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of uint8, uint16 or float32
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    sigma_um : float
        Standard deviation in um; wider than the objects, which are part of the estimate.

    Returns
    -------
    (Z, Y, X) ndarray of the type of `stack`
        0 where the stack lies below the background.
    """
    values = stack.astype(np.float32)
    return _as_type(np.maximum(values - denoise.gaussian(values, spacing, sigma_um=sigma_um), 0), stack.dtype)


@METHODS
def depth(stack, spacing, *, percentile, max_factor):
    """Brighten planes as far as they are dimmer than the brightest, by an exponential decay fitted to all. Halo: 0 voxels.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of uint8, uint16 or float32
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    percentile : float
        Of the values of a plane: stands for the brightness of the objects in it.
    max_factor : float
        The most by which a plane is brightened, its noise with it.

    Returns
    -------
    (Z, Y, X) ndarray of the type of `stack`
        The background, the lowest median of a plane, stays as it is.
    """
    background, decay = fit_decay(stack, spacing[0], percentile)
    log.info(
        "depth: brightness falls by a factor of %.3g over %.4g um", np.exp(decay * (len(stack) - 1) * spacing[0]), len(stack) * spacing[0]
    )
    position = np.arange(len(stack)) * spacing[0]
    factors = np.exp(decay * (position if decay > 0 else position - position[-1])).clip(max=max_factor)
    corrected = np.empty_like(stack)
    for plane, factor, target in zip(stack, factors, corrected, strict=True):
        target[:] = _as_type((plane - np.float32(background)) * np.float32(factor) + np.float32(background), stack.dtype)
    return corrected


def fit_decay(stack, step, percentile):
    """Fit an exponential decay to the brightness of planes above the background.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of uint8, uint16 or float32
    step : float
        Distance of planes in um.
    percentile : float
        Of the values of a plane: stands for the brightness of the objects in it.

    Returns
    -------
    background : float
        The lowest median of a plane.
    decay : float
        Rate per um; above 0 where later planes are dimmer. 0 where less than three planes are brighter than the background.

    References
    ----------
    .. [1] P. K. Sen, "Estimates of the regression coefficient based on Kendall's tau", Journal of the American Statistical Association
       63, 1968: the median of the slopes between all pairs of planes, which some planes without objects do not move.
    """
    medians, bright = np.transpose([np.percentile(plane, (50, percentile)) for plane in stack])
    background = float(medians.min())
    planes = np.flatnonzero(bright > background)
    if len(planes) < MIN_PLANES:
        log.info("depth: less than %d planes are brighter than the background; nothing is corrected", MIN_PLANES)
        return background, 0.0
    first, second = np.triu_indices(len(planes), 1)
    brightness = np.log(bright[planes] - background)
    slopes = (brightness[second] - brightness[first]) / ((planes[second] - planes[first]) * step)
    return background, -float(np.median(slopes))


def _as_type(values, dtype):
    if dtype.kind == "u":
        return np.clip(np.rint(values), 0, np.iinfo(dtype).max).astype(dtype)
    return values.astype(dtype, copy=False)
