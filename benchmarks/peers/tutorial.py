"""Nuclei by the steps of scikit-image's tutorials on 3D images.

:func:`segment` follows the lecture with automatic markers (SciPy 2017 to 2019),
:func:`segment_as_in_solution` the solution of its challenge "Improve the segmentation". Their
sizes, which are numbers of voxels, are scaled to the diameter.
"""

import numpy as np
from scipy import ndimage as ndi
from skimage import exposure, feature, filters, measure, morphology, restoration, segmentation

DIAMETER_VOXELS = 42  # of a nucleus in the stack for which the tutorial chose its sizes
PLANE_RATIO = 0.29 / 0.26  # distance of planes to size of pixels in this stack


def segment(
    image: np.ndarray, spacing: tuple[float, float, float], diameter_um: float
) -> np.ndarray:
    """Label a (Z, Y, X) stack of uint8 or uint16 as in the lecture."""
    scale = diameter_um / spacing[2] / DIAMETER_VOXELS
    return _segment(image, 1.0, (20 * scale) ** 3, scale)


def segment_as_in_solution(
    image: np.ndarray, spacing: tuple[float, float, float], diameter_um: float
) -> np.ndarray:
    """Label a (Z, Y, X) stack of uint8 or uint16 as in the solution.

    The number of planes with markers is scaled to the diameter too.
    """
    scale = diameter_um / spacing[2] / DIAMETER_VOXELS
    planes = 10 * diameter_um / spacing[0] / (DIAMETER_VOXELS / PLANE_RATIO)
    min_size = (20 * scale) ** 3 * spacing[2] / spacing[0]
    return _segment(image, 0.9, min_size, scale, max(1, round(planes)))


def _segment(
    image: np.ndarray, factor: float, min_size: float, scale: float, planes: int | None = None
) -> np.ndarray:
    side, max_size = max(3, 2 * round(7 * scale) + 1), max(0, int(np.ceil(min_size)) - 1)
    low, high = np.percentile(image, (0.5, 99.5))
    rescaled = exposure.rescale_intensity(image, in_range=(low, high), out_range=np.float32).astype(
        np.float32
    )
    denoised = np.stack([restoration.denoise_bilateral(plane) for plane in rescaled])
    binary = denoised >= factor * filters.threshold_li(denoised)
    filled = morphology.remove_small_holes(binary, max_size=max_size)
    cleaned = morphology.remove_small_objects(filled, max_size=max_size)
    seeded = cleaned
    if planes is not None:
        middle = int(np.argmax([np.var(plane) for plane in cleaned]))
        limits = slice(max(middle - planes, 0), middle + planes)
        seeded = np.zeros_like(cleaned)
        seeded[limits] = cleaned[limits]
    distance = ndi.distance_transform_edt(seeded)
    peaks = feature.peak_local_max(
        distance, footprint=np.ones((side,) * 3), labels=measure.label(seeded)
    )
    marked = np.zeros(cleaned.shape, bool)
    marked[tuple(peaks.T)] = True
    return segmentation.watershed(-rescaled, measure.label(marked), mask=cleaned)
