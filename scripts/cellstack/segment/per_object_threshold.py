"""A separate threshold for each bright object, between its background and its mean intensity.

Bright blobs are found on a coarse grid. Each blob with enough contrast gets its own threshold,
which is applied to the voxels of its watershed basin.
"""

import logging
from typing import Any, NamedTuple

import edt
import numpy as np
from numpy.typing import NDArray

from cellstack.core import filters, parallel, resampling
from cellstack.core.blobs import (
    Blobs,
    Grid,
    ball_of,
    find_blobs,
    values_around,
)
from cellstack.core.components import keep_components_at, keep_marked_components
from cellstack.core.planes import Stack
from cellstack.core.scales import CENTRE_WIDTH
from cellstack.core.types import BoolVolume, Spacing, Volume
from cellstack.core.watershed import watershed
from cellstack.segment.blob_selection import Candidates, Chosen, choose_blobs
from cellstack.segment.outline_threshold import MEAN_LIMITS, MIN_MEAN, find_thresholds

log = logging.getLogger(__name__)
# Haze is measured at these distances from objects, in units of sigma:
HAZE_START, HAZE_STOP = 0.5, 1.2
HAZE_LEVEL = 0.45  # of the height of the centre of an object, to which these distances refer
HAZE_RADIUS = 3.0  # from the centre of a blob, beyond which haze belongs to other blobs
# A blob is hollow if the median contrast in one of these shells around its centre is higher than at
# its centre by this factor. In units of sigma:
SHELLS = ((0.6, 0.9), (0.9, 1.2), (1.2, 1.5))
MIN_HOLLOW_RATIO = 1.1  # 0.8 to 1 for other nuclei
SHELL_PERCENTILE = 90  # of the intensities in the shell, which may not be a sphere


class MarkedBlobs(NamedTuple):
    """The mask of the bright blobs of a stack, and the signs that it can be inaccurate.

    Attributes
    ----------
    mask : (Z, Y, X) ndarray of bool
    dropped_dim : int
        Number of blobs that stand out from the noise, but are dimmer than others, and too few to
        be kept.
    brightness_ratio : float
        Typical contrast of the brightest objects divided by that of the dimmest group; 1 if there
        is one group.
    haze_ratio : float
        Intensity beside objects, above the background and divided by their contrast: the median
        over all objects. 0 without objects.
    hollow : int
        Number of hollow objects, which are brighter in a shell than at their centre.
    """

    mask: BoolVolume
    dropped_dim: int
    brightness_ratio: float
    haze_ratio: float
    hollow: int


class MarkedBlock(NamedTuple):
    """The mask of the chosen blobs, and the signs of an inaccurate mask by blob.

    Attributes
    ----------
    mask : (Z, Y, X) ndarray of bool
    haze_ratios : (n,) ndarray of float32
        Intensity beside each object, see :class:`MarkedBlobs`; NaN where it is not measured.
    is_hollow : (n,) ndarray of bool
    """

    mask: BoolVolume
    haze_ratios: NDArray[np.float32]
    is_hollow: NDArray[np.bool_]


def mark_blobs(
    stack: Stack,
    spacing: Spacing,
    noise_sd: float,
    no_data: BoolVolume | None = None,
    mean_limits: tuple[float, float] = MEAN_LIMITS,
    *,
    level: float,
    sigma_um: float,
    min_distance_um: float,
    background_radius_um: float,
    max_radius_um: float,
    min_contrast: float,
    min_contrast_to_noise_ratio: float,
    min_dim_objects: int,
    face_weight: float,
    factor: float = 1.0,
) -> MarkedBlobs:
    """Mark the bright blobs, each thresholded between its background and its mean intensity.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray or stack of float32
        Denoised intensities.
    spacing : (3,) sequence of float
        Voxel size along z, y and x in um.
    noise_sd : float
        Standard deviation of the noise of a voxel before denoising, see
        :func:`cellstack.core.noise.estimate_noise`.
    no_data : (Z, Y, X) ndarray of bool, optional
        Voxels without data, which are not marked. Their border counts as a face of the stack.
    mean_limits : tuple of float
        See :func:`cellstack.segment.outline_threshold.find_thresholds`.
    level : float
        Position of the threshold between the intensity of the background, 0, and the mean of the
        blob, 1, see :func:`cellstack.segment.outline_threshold.find_thresholds`.
    sigma_um, min_distance_um, background_radius_um : float
        Parameters of :func:`cellstack.core.blobs.find_blobs` in um.
    max_radius_um : float
        Maximum distance of the voxels of a blob from its centre in um.
    min_contrast : float
        Minimum contrast of a blob, as a fraction of the typical contrast of bright blobs. The same
        limit applies to the filter response.
    min_contrast_to_noise_ratio : float
        Minimum contrast of a blob, in standard deviations of the noise at its centre.
    min_dim_objects : int
        Minimum number of blobs of similar contrast that are kept although it is below
        `min_contrast`, see :func:`select_blobs`.
    face_weight : float
        Weight, from 0 to 1, of the contrast of the neighbours for a blob at a face of the stack.
    factor : float
        Factor by which each threshold is multiplied.

    Returns
    -------
    MarkedBlobs
        Connected components of the mask without the centre of a blob are left out.

    Notes
    -----
    The threshold changes at the border between the watershed basins of two blobs.

    If a face cuts an object, its centre may lie outside the stack. The stack then shows only its
    blurred rim, and a threshold between rim and background would draw it too large. Therefore the
    contrast of a blob at a face is raised towards that of its neighbours if theirs is higher.

    The contrast of a hollow blob is that of its shell, and its inside is part of the mask.
    """
    blobs = find_blobs(stack, spacing, sigma_um, min_distance_um, background_radius_um, no_data)
    chosen, dropped_dim, brightness_ratio = choose_blobs(
        describe_candidates(blobs, noise_sd, sigma_um),
        min_contrast=min_contrast,
        min_contrast_to_noise_ratio=min_contrast_to_noise_ratio,
        min_dim_objects=min_dim_objects,
        face_weight=face_weight,
    )
    marked = mark_chosen(
        stack,
        blobs.grid,
        chosen,
        no_data,
        level=level,
        sigma_um=sigma_um,
        max_radius_um=max_radius_um,
        lowest=lowest_threshold(chosen.backgrounds, chosen.raised, level),
        factor=factor,
        mean_limits=mean_limits,
    )
    return MarkedBlobs(
        marked.mask,
        dropped_dim,
        brightness_ratio,
        typical_haze(marked.haze_ratios),
        int(np.count_nonzero(marked.is_hollow)),
    )


def describe_candidates(blobs: Blobs, noise_sd: float, sigma_um: float) -> Candidates:
    """Add to blobs what :func:`choose_blobs` needs to know of the stack around them.

    Parameters
    ----------
    blobs : Blobs
    noise_sd : float
        See :func:`mark_blobs`.
    sigma_um : float
        Standard deviation of the blob filter in um.

    Returns
    -------
    Candidates
        In a block of a stack, those near to a face at which the block was cut are not right.
    """
    rim_um = sigma_um * CENTRE_WIDTH
    places = blobs.centres * blobs.spacing
    far_face = (np.array(blobs.smooth.shape) - 1) * blobs.spacing
    at_face = (np.minimum(places, far_face - places) < rim_um).any(axis=1)
    if not blobs.has_data.all():
        to_no_data = edt.edt(blobs.has_data.view(np.uint8), anisotropy=blobs.spacing)
        at_face |= to_no_data[tuple(blobs.centres.T)] <= rim_um
    return Candidates(
        blobs.spacing,
        blobs.centres,
        blobs.backgrounds,
        blobs.contrasts,
        blobs.responses,
        _noise_at_centres(noise_sd, blobs, rim_um),
        at_face,
    )


def mark_chosen(
    stack: Stack,
    grid: Grid,
    chosen: Chosen,
    no_data: BoolVolume | None = None,
    *,
    level: float,
    sigma_um: float,
    max_radius_um: float,
    lowest: float,
    factor: float = 1.0,
    mean_limits: tuple[float, float] = MEAN_LIMITS,
) -> MarkedBlock:
    """Threshold each chosen blob between its background and its mean intensity.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray or stack of float32
        Denoised intensities of a stack, or of a block of it.
    grid : Grid
        The stack as :func:`cellstack.core.blobs.find_blobs` smooths it.
    chosen : Chosen
        Blobs within the grid.
    no_data, level, sigma_um, max_radius_um, factor, mean_limits
        See :func:`mark_blobs`.
    lowest : float
        From :func:`lowest_threshold`, for all blobs of the stack.

    Returns
    -------
    MarkedBlock
    """
    if len(chosen.centres) == 0:
        return MarkedBlock(np.zeros(stack.shape, bool), np.zeros(0, np.float32), np.zeros(0, bool))
    centre_radius_um = sigma_um * CENTRE_WIDTH
    markers = np.zeros(grid.smooth.shape, np.int32)
    markers[tuple(chosen.centres.T)] = np.arange(1, len(chosen.centres) + 1)
    # As uint8, because edt takes twice as long for bool.
    to_centre: Volume = edt.edt((markers == 0).view(np.uint8), anisotropy=grid.spacing)
    highest = resampling.block_maxima(stack, grid.factors)
    shells, radii = _find_shells(grid, chosen, highest, sigma_um)
    contrasts = np.maximum(chosen.raised, shells)
    in_centre = to_centre <= centre_radius_um
    wanted, basins = _flood(
        grid.smooth,
        markers,
        within_reach=to_centre <= max_radius_um,
        bright=(highest > min(1.0, factor) * lowest) | (to_centre <= radii.max()),
        in_centre=in_centre,
    )
    thresholds = np.float32(factor) * find_thresholds(
        grid.means[wanted],
        basins[wanted] - 1,
        chosen.backgrounds,
        contrasts,
        level,
        chosen.raised / chosen.contrasts,
        mean_limits,
    )
    is_inside = to_centre <= np.append(np.float32(-1), radii)[basins]

    def spread(values: NDArray[np.floating[Any]]) -> Volume:
        """Return the value of each basin in its voxels; basin 0 is too far away."""
        in_voxels = np.append(np.inf, values).astype(np.float32)[basins]
        in_voxels[is_inside] = -np.inf
        return in_voxels

    threshold_map = spread(thresholds)
    above = np.empty(stack.shape, bool)

    def compare(index: int) -> None:
        planes = slice(index * grid.factors[0], (index + 1) * grid.factors[0])
        threshold = _enlarge(threshold_map[index], grid.factors[1:], stack.shape[1:])
        np.greater(stack[planes], threshold, out=above[planes])
        if no_data is not None:
            above[planes] &= ~no_data[planes]

    parallel.map_threads(compare, range(len(threshold_map)), parallel.threads_for(stack))
    # Haze moves the outlines, so it is measured beside the centres.
    bright_map = spread(chosen.backgrounds + np.float32(HAZE_LEVEL) * contrasts)
    haze_ratios = _measure_haze(grid, chosen, grid.smooth > bright_map, sigma_um)
    keep_components_at(above, _voxels_of(in_centre, grid.factors, stack.shape), out=above)
    return MarkedBlock(above, haze_ratios, radii > 0)


def lowest_threshold(
    backgrounds: NDArray[np.float32], contrasts: NDArray[np.float32], level: float
) -> float:
    """Return a lower limit of the thresholds of all blobs of a stack.

    Parameters
    ----------
    backgrounds, contrasts : (n,) ndarray of float32
        Those of all blobs that are objects; the contrasts are those raised at faces.
    level : float
        See :func:`mark_blobs`.

    Returns
    -------
    float
        The same for all blocks of a stack; infinite without blobs.
    """
    return float(np.min(backgrounds + level * MIN_MEAN * contrasts, initial=np.inf))


def typical_haze(ratios: NDArray[np.float32]) -> float:
    """Return the median of haze ratios, see :class:`MarkedBlobs`.

    Parameters
    ----------
    ratios : (n,) ndarray of float32
        Of single objects; those that were not measured are NaN.

    Returns
    -------
    float
        0 if it is negative, or if none was measured.

    Examples
    --------
    >>> round(typical_haze(np.float32([0.2, np.nan, 0.4, 0.3])), 3)
    0.3
    """
    measured = ratios[~np.isnan(ratios)]
    return max(0.0, float(np.median(measured))) if len(measured) else 0.0


def _find_shells(
    grid: Grid, chosen: Chosen, highest: Volume, sigma_um: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the contrast and the radius in um of the shell of each blob; -1 if not hollow.

    `highest` is the maximum of the stack in each voxel of the grid, since a shell is thin.
    """
    shells = []
    for start, stop in SHELLS:
        shell, inner = (ball_of(radius * sigma_um, grid.spacing) for radius in (stop, start))
        middle = tuple(
            slice((outer - length) // 2, (outer + length) // 2)
            for outer, length in zip(shell.shape, inner.shape, strict=True)
        )
        shell[middle] &= ~inner
        shells.append((shell, (start + stop) / 2 * sigma_um))
    contrasts = np.full(len(chosen.centres), -1, np.float32)
    radii = contrasts.copy()
    selected = zip(chosen.centres.tolist(), chosen.backgrounds, chosen.contrasts, strict=True)
    for index, (centre, background, contrast) in enumerate(selected):
        best = MIN_HOLLOW_RATIO * contrast
        for shell, radius in shells:
            around = values_around(grid.smooth, centre, shell, grid.has_data)
            if len(around) and np.median(around) - background > best:
                best = float(np.median(around)) - background
                top = values_around(highest, centre, shell, grid.has_data)
                contrasts[index] = np.percentile(top, SHELL_PERCENTILE) - background
                radii[index] = radius
    return contrasts, radii


def _measure_haze(
    grid: Grid, chosen: Chosen, inside: BoolVolume, sigma_um: float
) -> NDArray[np.float32]:
    """Return the intensity beside the objects in the sample, see `MarkedBlobs`; NaN for others."""
    distance: Volume = edt.edt((~inside).view(np.uint8), anisotropy=grid.spacing)
    beside = (distance > HAZE_START * sigma_um) & (distance <= HAZE_STOP * sigma_um)
    beside &= grid.has_data
    ball = ball_of(HAZE_RADIUS * sigma_um, grid.spacing)
    ratios = np.full(len(chosen.centres), np.nan, np.float32)
    for index in np.flatnonzero(chosen.in_sample).tolist():
        around = values_around(grid.smooth, chosen.centres[index].tolist(), ball, beside)
        if len(around):
            height = float(np.median(around)) - chosen.backgrounds[index]
            ratios[index] = height / chosen.contrasts[index]
    return ratios


def _flood(
    smooth: Volume,
    markers: NDArray[np.int32],
    within_reach: BoolVolume,
    bright: BoolVolume,
    in_centre: BoolVolume,
) -> tuple[BoolVolume, NDArray[np.int32]]:
    """Watershed from the markers, limited to the regions that can end up in an object.

    These are the bright components that contain a centre. They are returned too.
    """
    wanted = keep_marked_components(within_reach & bright, in_centre)
    # Bright voxels are flooded first. Voxels darker than all of these regions change nothing there,
    # unless a region can only be reached through them.
    darkest = smooth.min(where=wanted, initial=np.inf)
    basins = watershed(-smooth, markers, mask=within_reach & (smooth >= darkest))
    if not basins[wanted].all():
        basins = watershed(-smooth, markers, mask=within_reach)
    return wanted, basins


def _enlarge(plane: Volume, factors: tuple[int, ...], shape: tuple[int, ...]) -> Volume:
    """Repeat the pixels of a plane of the grid, and crop it to a shape."""
    rows = np.repeat(plane, factors[1], axis=1)[:, : shape[1]]
    return np.repeat(rows, factors[0], axis=0)[: shape[0]]


def _voxels_of(
    marked: BoolVolume, factors: tuple[int, ...], shape: tuple[int, ...]
) -> NDArray[np.int_]:
    """Return the voxels of the stack, of a given shape, in the marked voxels of the grid."""
    within = np.moveaxis(np.indices(factors), 0, -1).reshape(-1, 3)
    voxels = (np.argwhere(marked)[:, None] * factors + within).reshape(-1, 3)
    inside: NDArray[np.int_] = voxels[(voxels < shape).all(axis=1)]
    return inside


def _noise_at_centres(noise_sd: float, blobs: Blobs, sigma_um: float) -> NDArray[np.float64]:
    """Return the standard deviation of the smoothed intensity at the centre of each blob.

    It is larger near faces, where fewer voxels are averaged.
    """
    noise = np.full(len(blobs.centres), noise_sd)
    for places, length, step, factor in zip(
        blobs.centres.T, blobs.smooth.shape, blobs.spacing, blobs.factors, strict=True
    ):
        line = np.eye(length, dtype=np.float32)[:, :, None]
        weights = filters.gaussian(line, (step, np.inf, np.inf), sigma_um=sigma_um)[:, :, 0]
        noise *= np.sqrt(np.square(weights).sum(axis=1) / factor)[places]
    return noise
