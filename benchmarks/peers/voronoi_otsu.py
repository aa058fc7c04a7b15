"""Voronoi-Otsu labelling as pyclesperanto has it: sigmas in voxels, alike on all axes."""

import numpy as np
from scipy import ndimage as ndi
from skimage import filters, measure, segmentation


def segment(image, spacing, diameter_um):
    """Label a stack of (Z, Y, X) voxels; spot sigma a quarter of the diameter in pixels, outline sigma 1."""
    image = image.astype(np.float32)
    blurred = filters.gaussian(image, diameter_um / spacing[2] / 4)
    spots = (blurred == ndi.maximum_filter(blurred, 3)) & (blurred > blurred.min())
    outlined = filters.gaussian(image, 1)
    binary = outlined > filters.threshold_otsu(outlined)
    return segmentation.watershed(-blurred, measure.label(spots & binary), mask=binary)
