"""Voronoi-Otsu labelling as in pyclesperanto.

Sigmas are numbers of voxels, the same on all axes.
"""

import numpy as np
from scipy import ndimage as ndi
from skimage import filters, measure, segmentation


def segment(
    image: np.ndarray, spacing: tuple[float, float, float], diameter_um: float
) -> np.ndarray:
    """Label a (Z, Y, X) stack.

    The sigma of spots is a quarter of the diameter in pixels, that of outlines is 1.
    """
    image = image.astype(np.float32)
    blurred = filters.gaussian(image, diameter_um / spacing[2] / 4)
    spots = (blurred == ndi.maximum_filter(blurred, 3)) & (blurred > blurred.min())
    outlined = filters.gaussian(image, 1)
    binary = outlined > filters.threshold_otsu(outlined)
    return segmentation.watershed(-blurred, measure.label(spots & binary), mask=binary)
