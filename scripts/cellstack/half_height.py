"""A threshold for each object: part of the way up from what surrounds it to its middle.

Bright blobs are found on a coarse grid, whose voxels are at most a third as wide as sigma, and those that have contrast get a threshold of
their own. Halo: none can be stated, the contrast that is asked for depends on the whole stack.
"""

import logging
from typing import NamedTuple

import cc3d
import numpy as np

from cellstack import coarse_grid, denoise, find_seeds, flood, relabel, units, workers

LOGGER = logging.getLogger(__name__)
GRID = 1 / 3  # of sigma: width of a voxel of the grid, at most
MIDDLE = 1 / 2  # of sigma: that of the Gaussian whose value in the middle of a blob is its height, and how far the middle goes
NEIGHBOURS = 9  # of a blob at a face, whose median contrast is typical
SURROUND_PERCENTILE = 20  # of the heights around a blob: low enough for a crowd, high enough for noise


class Blobs(NamedTuple):
    """Bright blobs of a stack on its coarse grid.

    Attributes
    ----------
    factors : tuple of int
        Voxels of the stack along z, y, x in one of the grid.
    spacing : tuple of float
        Voxel size of the grid along z, y, x in um.
    smooth : (K, J, I) ndarray of float32
        The stack on the grid, smoothed.
    middles : (n, 3) ndarray of int
        The voxel of the grid in the middle of each blob.
    surrounds, contrasts, responses : (n,) ndarray of float32
        Height of what surrounds a blob, how far its middle rises above that, and how much it answers to the filter for blobs.
    """

    factors: tuple
    spacing: tuple
    smooth: np.ndarray
    middles: np.ndarray
    surrounds: np.ndarray
    contrasts: np.ndarray
    responses: np.ndarray


def mark_blobs(
    stack,
    spacing,
    noise_sd,
    *,
    level,
    sigma_um,
    min_distance_um,
    surround_um,
    reach_um,
    min_contrast,
    min_contrast_to_noise,
    face_weight,
    factor=1.0,
):
    """Mark each blob that has contrast, down to a level between its surround and its middle.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of float32
        Denoised intensities.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    noise_sd : float
        Standard deviation of the noise of a voxel before it was removed, see :func:`cellstack.denoise.estimate_noise`.
    level : float
        0 is the height of the surround, 1 that of the middle.
    sigma_um, min_distance_um, surround_um : float
        As of :func:`find_blobs`.
    reach_um : float
        How far from its middle a blob may reach, in um.
    min_contrast : float
        The least contrast of a blob, and its least answer to the filter, as a part of what is typical of the bright ones of the stack.
    min_contrast_to_noise : float
        The least contrast, in standard deviations of the noise of a height.
    face_weight : float
        Of the contrast of its neighbours in that of a blob at a face of the stack: from 0, its own counts alone, to 1, theirs alone.
    factor : float
        What each threshold is multiplied by.

    Returns
    -------
    (Z, Y, X) ndarray of bool
        Connected parts that hold the middle of no blob are left out.

    Notes
    -----
    The threshold changes where the basins of two blobs of the smoothed stack meet. Where a face cuts an object, its middle may lie beyond
    the field: what is seen is its blurred rim, and the level between that and the surround lies too far out. So where a blob at a face
    has less contrast than its neighbours, theirs counts too.
    """
    import edt  # who only wants the means of blocks does without

    blobs = find_blobs(stack, spacing, sigma_um, min_distance_um, surround_um)
    kept = blobs.contrasts > min_contrast_to_noise * _noise_of_heights(noise_sd, blobs, sigma_um * MIDDLE)
    for values in (blobs.contrasts, blobs.responses):
        kept &= values > min_contrast * typical_bright(values)
    LOGGER.info("%d blobs, %d of them with contrast", len(kept), kept.sum())
    if not kept.any():
        return np.zeros(stack.shape, bool)
    markers = np.zeros(blobs.smooth.shape, np.int32)
    markers[tuple(blobs.middles[kept].T)] = np.arange(1, kept.sum() + 1)
    off_middle = edt.edt((markers == 0).view(np.uint8), anisotropy=blobs.spacing)  # bool takes twice as long
    contrasts = _raise_at_faces(blobs, kept, sigma_um * MIDDLE, face_weight)
    thresholds = np.float32(factor) * (blobs.surrounds[kept] + np.float32(level) * contrasts)
    highest = coarse_grid.block_maxima(stack, blobs.factors)
    basins = _flood(blobs.smooth, markers, off_middle <= reach_um, highest > thresholds.min(), off_middle <= sigma_um * MIDDLE)
    above = np.empty(stack.shape, bool)
    in_middle = np.empty(stack.shape, bool)
    by_voxel = np.append(np.float32(np.inf), thresholds)[basins]  # basin 0 is beyond reach

    def compare(index):
        lowest, away = (_enlarge(grid[index], blobs.factors[1:], stack.shape[1:]) for grid in (by_voxel, off_middle))
        planes = slice(index * blobs.factors[0], (index + 1) * blobs.factors[0])
        np.greater(stack[planes], lowest, out=above[planes])
        in_middle[planes] = away <= sigma_um * MIDDLE

    workers.in_threads(compare, range(len(by_voxel)), workers.useful_threads(stack))
    return _parts_with(above, in_middle)


def _flood(smooth, markers, near, bright, middle):
    """Flood from the markers what is near, as far as it matters: to what is bright, and so connected to a middle, in the end."""
    wanted = _parts_with(near & bright, middle)
    # what is brighter is flooded first: the rest of the ground changes nothing, unless it is the only way
    basins = flood.watershed(-smooth, markers, mask=near & (smooth >= smooth.min(where=wanted, initial=np.inf)))
    return basins if basins[wanted].all() else flood.watershed(-smooth, markers, mask=near)


def _parts_with(mask, middle):
    """Keep the connected parts of a mask that hold some of a middle."""
    parts = cc3d.connected_components(mask, connectivity=6)
    has_middle = np.zeros(int(parts.max(initial=0)) + 1, bool)
    has_middle[parts[middle]] = True
    has_middle[0] = False
    return relabel.relabel(parts, has_middle)


def _enlarge(plane, factors, shape):
    """Repeat the pixels of a plane of the grid, up to a shape."""
    return np.repeat(np.repeat(plane, factors[1], axis=1)[:, : shape[1]], factors[0], axis=0)[: shape[0]]


def _raise_at_faces(blobs, kept, rim_um, weight):
    """Give the contrast of each blob that is kept; within `rim_um` of a face it is raised towards that of the nearest ones inside."""
    middles, contrasts = blobs.middles[kept] * blobs.spacing, blobs.contrasts[kept]
    far = (np.array(blobs.smooth.shape) - 1) * blobs.spacing
    at_face = (np.minimum(middles, far - middles) < rim_um).any(axis=1)
    count = min(NEIGHBOURS, np.count_nonzero(~at_face))
    if count and at_face.any():
        near = [np.argsort(np.sum(np.square(middles[~at_face] - each), axis=1), kind="stable")[:count] for each in middles[at_face]]
        typical, own = np.median(contrasts[~at_face][near], axis=1), contrasts[at_face]
        contrasts[at_face] = own + np.float32(weight) * np.maximum(typical - own, 0)
    return contrasts


def _noise_of_heights(noise_sd, blobs, sigma_um):
    """Give the standard deviation of the height of each blob; it is larger near faces, where fewer voxels are averaged."""
    noise = np.full(len(blobs.middles), noise_sd)
    for places, length, step, factor in zip(blobs.middles.T, blobs.smooth.shape, blobs.spacing, blobs.factors, strict=True):
        weights = denoise.gaussian(np.eye(length, dtype=np.float32)[:, :, None], (step, np.inf, np.inf), sigma_um=sigma_um)[:, :, 0]
        noise *= np.sqrt(np.square(weights).sum(axis=1) / factor)[places]
    return noise


def find_blobs(stack, spacing, sigma_um, min_distance_um, surround_um):
    """Find the bright blobs of one size, and how far they rise above what surrounds them.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of float32
        Denoised intensities.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    sigma_um : float
        Size of the blobs, as of :func:`cellstack.find_seeds.blobness`.
    min_distance_um : float
        The least distance between the middles of two blobs in um.
    surround_um : float
        Radius in um of the ball around the middle of a blob within which its surround is looked for.

    Returns
    -------
    Blobs
    """
    coarse, wide, factors = coarse_grid.coarsen(stack, spacing, sigma_um * GRID)
    response = find_seeds.blobness(coarse, wide, sigma_um)
    middles = np.argwhere(find_seeds.peaks(response, wide, min_distance_um=min_distance_um))
    smooth = denoise.gaussian(coarse, wide, sigma_um=sigma_um * MIDDLE)
    reaches = [int(length) for length in units.in_voxels(surround_um, wide)]
    offsets = np.ogrid[tuple(slice(-reach, reach + 1) for reach in reaches)]
    ball = sum((along * step) ** 2 for along, step in zip(offsets, wide, strict=True)) <= surround_um**2
    surrounds = np.empty(len(middles), np.float32)
    for index, middle in enumerate(middles.tolist()):
        low = [max(place - reach, 0) for place, reach in zip(middle, reaches, strict=True)]
        around = smooth[tuple(slice(start, place + reach + 1) for start, place, reach in zip(low, middle, reaches, strict=True))]
        start = [first - place + reach for first, place, reach in zip(low, middle, reaches, strict=True)]
        within = ball[tuple(slice(first, first + length) for first, length in zip(start, around.shape, strict=True))]
        surrounds[index] = np.percentile(around[within], SURROUND_PERCENTILE)
    heights, responses = (values[tuple(middles.T)] for values in (smooth, response))
    return Blobs(factors, wide, smooth, middles, surrounds, heights - surrounds, responses)


def typical_bright(values):
    """Give the median of the upper of two classes of values, which are told apart by the threshold of Otsu.

    Parameters
    ----------
    values : (n,) ndarray of float

    Returns
    -------
    float
        The median of all where they do not differ; 0 where there are none.
    """
    if len(values) == 0:
        return 0.0
    ranked = np.sort(values.astype(np.float64))[::-1]
    upper = np.arange(1, len(ranked))  # how many values the upper class may have
    sums = np.cumsum(ranked)
    apart = sums[:-1] / upper - (sums[-1] - sums[:-1]) / (len(ranked) - upper)
    between = upper * (len(ranked) - upper) * apart**2
    count = upper[np.argmax(between)] if len(upper) and between.max() > 0 else len(ranked)
    return float(np.median(ranked[:count]))
