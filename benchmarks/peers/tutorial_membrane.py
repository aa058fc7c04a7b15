"""Cells by the tutorial's method for membranes, as one plain script.

python benchmarks/peers/tutorial_membrane.py MEMBRANE.tif NUCLEI_LABELS.tif CELLS.tif

Li's threshold marks the walls. Small objects are removed from them plane by plane, and the rest is
flooded from the nuclei, with the first and the last plane as background. The method is given the
nuclei that cellstack found, so only the use of the membrane differs.
"""

import sys

import numpy as np
import tifffile
from skimage import filters, morphology, segmentation

MAX_SPECK_PIXELS = 64  # the default of scikit-image


def segment(membrane: np.ndarray, nuclei: np.ndarray) -> np.ndarray:
    """Label the cells of a stack, each with the label of its nucleus; 0 is background."""
    walls = membrane > filters.threshold_li(membrane)
    walls = np.stack(
        [morphology.remove_small_objects(plane, max_size=MAX_SPECK_PIXELS) for plane in walls]
    )
    markers = nuclei.astype(np.int32)
    background = markers.max() + 1
    for plane in (0, -1):
        markers[plane][markers[plane] == 0] = background
    cells = segmentation.watershed(np.where(walls, membrane, 0), markers)
    cells[cells == background] = 0
    return cells.astype(np.uint16)


if __name__ == "__main__":
    image, labels, target = sys.argv[1:]
    tifffile.imwrite(target, segment(tifffile.imread(image), tifffile.imread(labels)))
