"""A separate threshold for each bright object, between its background and its centre.

Bright blobs are found on a coarse grid. Each blob with enough contrast gets its own threshold,
which is applied to the voxels of its watershed basin.
"""

import logging

import edt
import numpy as np
from numpy.typing import NDArray

from cellstack.core import filters, parallel, resampling
from cellstack.core.blobs import CENTRE_WIDTH, Blobs, find_blobs, typical_bright
from cellstack.core.components import keep_marked_components
from cellstack.core.types import BoolVolume, Spacing, Volume
from cellstack.core.watershed import watershed

log = logging.getLogger(__name__)
MAX_FACE_NEIGHBOURS = 9  # neighbours of a blob at a face whose median contrast is compared with


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
    face_weight: float,
    factor: float = 1.0,
) -> BoolVolume:
    """Return the mask of the bright blobs, each thresholded between its background and its centre.

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
    face_weight : float
        Weight, from 0 to 1, of the contrast of the neighbours for a blob at a face of the stack.
    factor : float
        Factor by which each threshold is multiplied.

    Returns
    -------
    (Z, Y, X) ndarray of bool
        The mask. Connected components without the centre of a blob are left out.

    Notes
    -----
    The threshold changes at the border between the watershed basins of two blobs.

    If a face cuts an object, its centre may lie outside the stack. The stack then shows only its
    blurred rim, and a threshold between rim and background would draw it too large. Therefore the
    contrast of a blob at a face is raised towards that of its neighbours if theirs is higher.
    """
    blobs = find_blobs(stack, spacing, sigma_um, min_distance_um, background_radius_um, no_data)
    centre_radius_um = sigma_um * CENTRE_WIDTH
    noise = _noise_at_centres(noise_sd, blobs, centre_radius_um)
    kept = blobs.contrasts > min_contrast_to_noise_ratio * noise
    for values in (blobs.contrasts, blobs.responses):
        kept &= values > min_contrast * typical_bright(values)
    log.info("%d blobs, %d of them with enough contrast", len(kept), kept.sum())
    if not kept.any():
        return np.zeros(stack.shape, bool)
    markers = np.zeros(blobs.smooth.shape, np.int32)
    markers[tuple(blobs.centres[kept].T)] = np.arange(1, kept.sum() + 1)
    # As uint8, because edt takes twice as long for bool.
    to_centre: Volume = edt.edt((markers == 0).view(np.uint8), anisotropy=blobs.spacing)
    contrasts = _raise_at_faces(blobs, kept, centre_radius_um, face_weight)
    thresholds = np.float32(factor) * (blobs.backgrounds[kept] + np.float32(level) * contrasts)
    basins = _flood(
        blobs.smooth,
        markers,
        within_reach=to_centre <= max_radius_um,
        bright=resampling.block_maxima(stack, blobs.factors) > thresholds.min(),
        in_centre=to_centre <= centre_radius_um,
    )
    threshold_map = np.append(np.float32(np.inf), thresholds)[basins]  # basin 0: too far away
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
    return keep_marked_components(above, in_centre)


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
