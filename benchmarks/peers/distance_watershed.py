"""The watershed by shape of CellProfiler 4 (module Watershed, method Distance).

Distances and sizes are numbers of voxels, the same on all axes.
"""

import numpy as np
from scipy import ndimage as ndi
from skimage import feature, filters, measure, segmentation


def segment(
    image: np.ndarray, spacing: tuple[float, float, float], diameter_um: float
) -> np.ndarray:
    """Label a (Z, Y, X) stack.

    Seeds are maxima of the smoothed distance map in a window half as wide as the diameter in
    pixels.
    """
    smooth = filters.gaussian(image.astype(np.float32), 1)
    binary = ndi.binary_fill_holes(smooth > filters.threshold_otsu(smooth))
    distance = filters.gaussian(ndi.distance_transform_edt(binary), 1)
    window = max(3, round(diameter_um / spacing[2] / 2))
    peaks = feature.peak_local_max(
        distance,
        footprint=np.ones((window,) * 3),
        labels=measure.label(binary),
        exclude_border=False,
    )
    marked = np.zeros(binary.shape, bool)
    marked[tuple(peaks.T)] = True
    return segmentation.watershed(-distance, measure.label(marked), mask=binary)
