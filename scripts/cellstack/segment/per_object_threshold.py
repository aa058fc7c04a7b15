"""A separate threshold for each bright object, between its background and its centre.

Bright blobs are found on a coarse grid. Each blob with enough contrast gets its own threshold,
which is applied to the voxels of its watershed basin.
"""

import logging
from typing import NamedTuple

import edt
import numpy as np
from numpy.typing import NDArray

from cellstack.core import filters, parallel, resampling
from cellstack.core.blobs import (
    CENTRE_WIDTH,
    Blobs,
    ball_of,
    find_blobs,
    typical_bright,
    values_around,
)
from cellstack.core.components import keep_marked_components
from cellstack.core.counting import counted
from cellstack.core.types import BoolVolume, Spacing, Volume
from cellstack.core.watershed import watershed

log = logging.getLogger(__name__)
CLEAR_CONTRAST = 2.0  # times the minimum, for objects that are dimmer than others
MIN_SHARPNESS = 0.5  # response divided by contrast, 0.7 to 0.9 for a ball and less for haze
MIN_SHARP_FRACTION = 0.5  # of the blobs above a contrast, to be objects and not haze
MIN_USUAL_SHARPNESS = 0.7  # of the median of brighter objects
MAX_FACE_NEIGHBOURS = 9  # neighbours of a blob at a face whose median contrast is compared with
# Haze is measured at these distances from objects, in units of sigma:
HAZE_START, HAZE_STOP = 0.5, 1.2
MAX_BLOBS_FOR_HAZE = 50
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


def mark_blobs(
    stack: Volume,
    spacing: Spacing,
    noise_sd: float,
    no_data: BoolVolume | None = None,
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
    """Mark the bright blobs, each thresholded between its background and its centre.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of float32
        Denoised intensities.
    spacing : (3,) sequence of float
        Voxel size along z, y and x in um.
    noise_sd : float
        Standard deviation of the noise of a voxel before denoising, see
        :func:`cellstack.core.noise.estimate_noise`.
    no_data : (Z, Y, X) ndarray of bool, optional
        Voxels without data, which are not marked. Their border counts as a face of the stack.
    level : float
        Position of the threshold between the intensity of the background, 0, and that of the
        centre, 1.
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
    centre_radius_um = sigma_um * CENTRE_WIDTH
    noise = _noise_at_centres(noise_sd, blobs, centre_radius_um)
    kept, dropped_dim, brightness_ratio = select_blobs(
        blobs, min_contrast_to_noise_ratio * noise, min_contrast, min_dim_objects
    )
    log.info(
        "%s, %d kept, %d dropped as too dim", counted(len(kept), "blobs"), kept.sum(), dropped_dim
    )
    if not kept.any():
        return MarkedBlobs(np.zeros(stack.shape, bool), dropped_dim, brightness_ratio, 0.0, 0)
    markers = np.zeros(blobs.smooth.shape, np.int32)
    markers[tuple(blobs.centres[kept].T)] = np.arange(1, kept.sum() + 1)
    # As uint8, because edt takes twice as long for bool.
    to_centre: Volume = edt.edt((markers == 0).view(np.uint8), anisotropy=blobs.spacing)
    highest = resampling.block_maxima(stack, blobs.factors)
    shells, radii = _find_shells(blobs, kept, highest, sigma_um)
    contrasts = _raise_at_faces(blobs, kept, centre_radius_um, face_weight)
    contrasts = np.maximum(contrasts, shells)
    thresholds = np.float32(factor) * (blobs.backgrounds[kept] + np.float32(level) * contrasts)
    basins = _flood(
        blobs.smooth,
        markers,
        within_reach=to_centre <= max_radius_um,
        bright=(highest > thresholds.min()) | (to_centre <= radii.max()),
        in_centre=to_centre <= centre_radius_um,
    )
    threshold_map = np.append(np.float32(np.inf), thresholds)[basins]  # basin 0: too far away
    is_inside = to_centre <= np.append(np.float32(-1), radii)[basins]
    threshold_map[is_inside] = -np.inf
    above = np.empty(stack.shape, bool)
    in_centre = np.empty(stack.shape, bool)

    def compare(index: int) -> None:
        planes = slice(index * blobs.factors[0], (index + 1) * blobs.factors[0])
        threshold = _enlarge(threshold_map[index], blobs.factors[1:], stack.shape[1:])
        distance = _enlarge(to_centre[index], blobs.factors[1:], stack.shape[1:])
        np.greater(stack[planes], threshold, out=above[planes])
        if no_data is not None:
            above[planes] &= ~no_data[planes]
        in_centre[planes] = distance <= centre_radius_um

    parallel.map_threads(compare, range(len(threshold_map)), parallel.threads_for(stack))
    haze_ratio = _measure_haze(blobs, kept, blobs.smooth > threshold_map, sigma_um)
    mask = keep_marked_components(above, in_centre)
    hollow = int(np.count_nonzero(radii > 0))
    return MarkedBlobs(mask, dropped_dim, brightness_ratio, haze_ratio, hollow)


def select_blobs(
    blobs: Blobs,
    min_heights: NDArray[np.float64],
    min_contrast: float,
    min_dim_objects: int,
) -> tuple[NDArray[np.bool_], int, float]:
    """Select the blobs that are objects.

    Parameters
    ----------
    blobs : Blobs
    min_heights : (n,) ndarray of float
        Minimum contrast of each blob, given by the noise.
    min_contrast : float
        Minimum contrast and response, as a fraction of those of typical bright blobs.
    min_dim_objects : int
        Minimum number of dimmer blobs that are kept.

    Returns
    -------
    kept : (n,) ndarray of bool
    dropped_dim : int
        Number of blobs in groups that are too small to be kept.
    brightness_ratio : float
        Typical contrast of bright blobs divided by that of the dimmest group that is kept; 1 if
        there is one group.

    Notes
    -----
    A few bright objects or debris would hide all others, if contrasts were compared with the
    brightest ones only. Therefore the remaining blobs are compared with each other, if they have
    twice the minimum contrast and are sharp: the ratio of response and contrast is 0.7 to 0.9 for
    separate balls, higher in a crowd, and lower for haze. Those above `min_contrast` of the typical
    one form a group, which is kept if it is large enough. This is repeated with dimmer blobs, until
    most of those that stand out from the noise are not sharp.
    """
    contrasts, responses = blobs.contrasts, blobs.responses
    typical = typical_bright(contrasts)
    is_bright = contrasts > min_contrast * typical
    kept = (contrasts > min_heights) & is_bright
    kept &= responses > min_contrast * typical_bright(responses)
    clear = contrasts > CLEAR_CONTRAST * min_heights
    sharpness = responses / np.where(clear, contrasts, np.inf)
    usual = float(np.median(sharpness[kept])) if kept.any() else np.inf
    sharp = (sharpness > MIN_SHARPNESS) & ~is_bright | (sharpness > MIN_USUAL_SHARPNESS * usual)
    rest = clear & sharp & ~kept
    dropped_dim, dimmest = 0, typical
    while rest.any():
        limit = min_contrast * typical_bright(contrasts[rest])
        group = rest & (contrasts > limit)
        group &= responses > min_contrast * typical_bright(responses[rest])
        count = int(np.count_nonzero(group))
        similar = (contrasts > min_heights) & (contrasts > limit) & ~kept
        if count < MIN_SHARP_FRACTION * np.count_nonzero(similar):
            break
        if count >= min_dim_objects:
            kept |= group
            dimmest = float(np.median(contrasts[group]))
        else:
            dropped_dim += count
        rest = rest & (contrasts <= limit)
    ratio = max(1.0, typical / dimmest) if dimmest > 0 else 1.0
    return kept, dropped_dim, ratio


def _find_shells(
    blobs: Blobs, kept: NDArray[np.bool_], highest: Volume, sigma_um: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the contrast and the radius in um of the shell of each blob kept; -1 if not hollow.

    `highest` is the maximum of the stack in each voxel of the grid, since a shell is thin.
    """
    shells = []
    for start, stop in SHELLS:
        shell, inner = (ball_of(radius * sigma_um, blobs.spacing) for radius in (stop, start))
        middle = tuple(
            slice((outer - length) // 2, (outer + length) // 2)
            for outer, length in zip(shell.shape, inner.shape, strict=True)
        )
        shell[middle] &= ~inner
        shells.append((shell, (start + stop) / 2 * sigma_um))
    contrasts = np.full(np.count_nonzero(kept), -1, np.float32)
    radii = contrasts.copy()
    selected = zip(
        blobs.centres[kept].tolist(), blobs.backgrounds[kept], blobs.contrasts[kept], strict=True
    )
    for index, (centre, background, contrast) in enumerate(selected):
        best = MIN_HOLLOW_RATIO * contrast
        for shell, radius in shells:
            around = values_around(blobs.smooth, centre, shell, blobs.has_data)
            if len(around) and np.median(around) - background > best:
                best = float(np.median(around)) - background
                top = values_around(highest, centre, shell, blobs.has_data)
                contrasts[index] = np.percentile(top, SHELL_PERCENTILE) - background
                radii[index] = radius
    return contrasts, radii


def _measure_haze(
    blobs: Blobs, kept: NDArray[np.bool_], inside: BoolVolume, sigma_um: float
) -> float:
    """Return the median over the blobs kept of the intensity beside objects, see `MarkedBlobs`.

    Of many blobs only some are measured.
    """
    distance: Volume = edt.edt((~inside).view(np.uint8), anisotropy=blobs.spacing)
    beside = (distance > HAZE_START * sigma_um) & (distance <= HAZE_STOP * sigma_um)
    beside &= blobs.has_data
    ball = ball_of(HAZE_RADIUS * sigma_um, blobs.spacing)
    ratios = []
    sample = np.flatnonzero(kept)
    sample = sample[:: -(-len(sample) // MAX_BLOBS_FOR_HAZE)]
    for centre, background, contrast in zip(
        blobs.centres[sample].tolist(),
        blobs.backgrounds[sample],
        blobs.contrasts[sample],
        strict=True,
    ):
        around = values_around(blobs.smooth, centre, ball, beside)
        if len(around):
            ratios.append((float(np.median(around)) - background) / contrast)
    return max(0.0, float(np.median(ratios))) if ratios else 0.0


def _flood(
    smooth: Volume,
    markers: NDArray[np.int32],
    within_reach: BoolVolume,
    bright: BoolVolume,
    in_centre: BoolVolume,
) -> NDArray[np.int32]:
    """Watershed from the markers, limited to the regions that can end up in an object.

    These are the bright components that contain a centre.
    """
    wanted = keep_marked_components(within_reach & bright, in_centre)
    # Bright voxels are flooded first. Voxels darker than all of these regions change nothing there,
    # unless a region can only be reached through them.
    darkest = smooth.min(where=wanted, initial=np.inf)
    basins = watershed(-smooth, markers, mask=within_reach & (smooth >= darkest))
    return basins if basins[wanted].all() else watershed(-smooth, markers, mask=within_reach)


def _enlarge(plane: Volume, factors: tuple[int, ...], shape: tuple[int, ...]) -> Volume:
    """Repeat the pixels of a plane of the grid, and crop it to a shape."""
    rows = np.repeat(plane, factors[1], axis=1)[:, : shape[1]]
    return np.repeat(rows, factors[0], axis=0)[: shape[0]]


def _raise_at_faces(blobs: Blobs, kept: NDArray[np.bool_], rim_um: float, weight: float) -> Volume:
    """Return the contrasts of the blobs kept, raised for those within `rim_um` of a face.

    They are raised towards the median of the nearest blobs that are not at a face.
    """
    centres, contrasts = blobs.centres[kept] * blobs.spacing, blobs.contrasts[kept]
    far_face = (np.array(blobs.smooth.shape) - 1) * blobs.spacing
    at_face = (np.minimum(centres, far_face - centres) < rim_um).any(axis=1)
    if not blobs.has_data.all():
        to_no_data = edt.edt(blobs.has_data.view(np.uint8), anisotropy=blobs.spacing)
        at_face |= to_no_data[tuple(blobs.centres[kept].T)] <= rim_um
    count = min(MAX_FACE_NEIGHBOURS, np.count_nonzero(~at_face))
    if count and at_face.any():
        nearest = [
            np.argsort(np.sum(np.square(centres[~at_face] - each), axis=1), kind="stable")[:count]
            for each in centres[at_face]
        ]
        typical, own = np.median(contrasts[~at_face][nearest], axis=1), contrasts[at_face]
        contrasts[at_face] = own + np.float32(weight) * np.maximum(typical - own, 0)
    return contrasts


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
