"""The blobs of a stack that are objects, selected by contrast, sharpness and noise."""

import logging
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cellstack.core.counting import counted
from cellstack.core.thresholds import typical_bright

log = logging.getLogger(__name__)
CLEAR_CONTRAST = 2.0  # times the minimum, for objects that are dimmer than others
MIN_SHARPNESS = 0.5  # response divided by contrast, 0.7 to 0.9 for a ball and less for haze
MIN_SHARP_FRACTION = 0.5  # of the blobs above a contrast, to be objects and not haze
MIN_USUAL_SHARPNESS = 0.7  # of the median of brighter objects
MAX_FACE_NEIGHBOURS = 9  # neighbours of a blob at a face whose median contrast is compared with
MAX_BLOBS_FOR_HAZE = 50


class Candidates(NamedTuple):
    """The blobs of a stack, or of a block of it, of which :func:`choose_blobs` chooses objects.

    Attributes
    ----------
    spacing : tuple of float
        Voxel size of the grid along z, y, x in um.
    centres : (n, 3) ndarray of int
        Voxel of the grid at the centre of each blob.
    backgrounds, contrasts, responses : (n,) ndarray of float32
        See :class:`cellstack.core.blobs.Blobs`.
    noise : (n,) ndarray of float64
        Standard deviation of the noise of the smoothed intensity at each centre.
    at_face : (n,) ndarray of bool
        Whether each centre is so near to a face of the stack, or to a region without data, that the
        object may be cut.
    """

    spacing: tuple[float, ...]
    centres: NDArray[np.intp]
    backgrounds: NDArray[np.float32]
    contrasts: NDArray[np.float32]
    responses: NDArray[np.float32]
    noise: NDArray[np.float64]
    at_face: NDArray[np.bool_]


class Chosen(NamedTuple):
    """The blobs that are objects.

    Attributes
    ----------
    centres : (n, 3) ndarray of int
        Voxel of the grid at the centre of each blob.
    backgrounds, contrasts : (n,) ndarray of float32
        See :class:`cellstack.core.blobs.Blobs`.
    raised : (n,) ndarray of float32
        Contrast by which each blob is thresholded, which is higher at faces.
    in_sample : (n,) ndarray of bool
        Blobs beside which the haze is measured.
    """

    centres: NDArray[np.intp]
    backgrounds: NDArray[np.float32]
    contrasts: NDArray[np.float32]
    raised: NDArray[np.float32]
    in_sample: NDArray[np.bool_]


def choose_blobs(
    candidates: Candidates,
    *,
    min_contrast: float,
    min_contrast_to_noise_ratio: float,
    min_dim_objects: int,
    face_weight: float,
) -> tuple[Chosen, int, float]:
    """Choose the blobs that are objects, by what is typical of the whole stack.

    Parameters
    ----------
    candidates : Candidates
        All blobs of the stack, in the order of their centres.
    min_contrast, min_contrast_to_noise_ratio, min_dim_objects, face_weight
        See :func:`cellstack.segment.per_object_threshold.mark_blobs`.

    Returns
    -------
    chosen : Chosen
    dropped_dim : int
    brightness_ratio : float
        See :class:`cellstack.segment.per_object_threshold.MarkedBlobs`.
    """
    kept, dropped_dim, brightness_ratio = select_blobs(
        candidates, min_contrast_to_noise_ratio * candidates.noise, min_contrast, min_dim_objects
    )
    log.info(
        "%s, %d kept, %d dropped as too dim", counted(len(kept), "blobs"), kept.sum(), dropped_dim
    )
    in_sample = np.zeros(np.count_nonzero(kept), bool)
    in_sample[:: max(1, -(-len(in_sample) // MAX_BLOBS_FOR_HAZE))] = True
    chosen = Chosen(
        candidates.centres[kept],
        candidates.backgrounds[kept],
        candidates.contrasts[kept],
        _raise_at_faces(candidates, kept, face_weight),
        in_sample,
    )
    return chosen, dropped_dim, brightness_ratio


def select_blobs(
    blobs: Candidates,
    min_heights: NDArray[np.float64],
    min_contrast: float,
    min_dim_objects: int,
) -> tuple[NDArray[np.bool_], int, float]:
    """Select the blobs that are objects.

    Parameters
    ----------
    blobs : Candidates
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


def _raise_at_faces(
    candidates: Candidates, kept: NDArray[np.bool_], weight: float
) -> NDArray[np.float32]:
    """Return the contrasts of the blobs kept, raised for those at a face.

    They are raised towards the median of the nearest blobs that are not at a face.
    """
    centres = candidates.centres[kept] * candidates.spacing
    contrasts, at_face = candidates.contrasts[kept], candidates.at_face[kept]
    count = min(MAX_FACE_NEIGHBOURS, np.count_nonzero(~at_face))
    if count and at_face.any():
        nearest = [
            np.argsort(np.sum(np.square(centres[~at_face] - each), axis=1), kind="stable")[:count]
            for each in centres[at_face]
        ]
        typical, own = np.median(contrasts[~at_face][nearest], axis=1), contrasts[at_face]
        contrasts[at_face] = own + np.float32(weight) * np.maximum(typical - own, 0)
    return contrasts
