"""Cells by the tutorial's own way with the membrane channel, as one plain script: what the cells of cellstack are compared with.

python benchmarks/peers/tutorial_membrane.py MEMBRANE.tif NUCLEI_LABELS.tif CELLS.tif

The threshold of Li marks the walls, small objects are removed from it plane by plane, and the rest is flooded from the nuclei, with the
first and the last plane as background. It takes the same nuclei as cellstack, so what differs is what is done with the membrane.
"""

import sys

import numpy as np
import tifffile
from skimage import filters, morphology, segmentation

SMALL = 64  # pixels, scikit-image's own default


def segment(membrane, nuclei):
    """Label the cells of a stack; each bears the label of its nucleus, 0 is background."""
    walls = membrane > filters.threshold_li(membrane)
    walls = np.stack([morphology.remove_small_objects(plane, max_size=SMALL) for plane in walls])
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
