"""The watershed on shape of CellProfiler 4 (module Watershed, method Distance): voxels counted alike on all axes."""

import numpy as np
from scipy import ndimage as ndi
from skimage import feature, filters, measure, segmentation


def segment(image, spacing, diameter_um):
    """Label a stack of (Z, Y, X) voxels; maxima of the smoothed distance in a window as wide as half the diameter in pixels."""
    smooth = filters.gaussian(image.astype(np.float32), 1)
    binary = ndi.binary_fill_holes(smooth > filters.threshold_otsu(smooth))
    distance = filters.gaussian(ndi.distance_transform_edt(binary), 1)
    window = max(3, round(diameter_um / spacing[2] / 2))
    peaks = feature.peak_local_max(distance, footprint=np.ones((window,) * 3), labels=measure.label(binary), exclude_border=False)
    marked = np.zeros(binary.shape, bool)
    marked[tuple(peaks.T)] = True
    return segmentation.watershed(-distance, measure.label(marked), mask=binary)
