"""Cells by the solution of scikit-image's tutorials for membranes, as one plain script.

python benchmarks/peers/tutorial_membrane.py MEMBRANE.tif NUCLEI_LABELS.tif CELLS.tif

Li's threshold marks the walls, from which small objects are removed plane by plane. The rest is
flooded from the nuclei, with the first and the last plane as background; walls belong to no cell.
The method is given the nuclei that cellstack found, so only the use of the membrane differs.
"""

import sys

import numpy as np
import tifffile
from skimage import exposure, filters, morphology, segmentation

MIN_WALL_PIXELS = 40**2  # smaller objects are removed


def segment(membrane: np.ndarray, nuclei: np.ndarray) -> np.ndarray:
    """Label the cells of a stack, each with the label of its nucleus; 0 is background."""
    low, high = np.percentile(membrane, (0.5, 99.5))
    rescaled = exposure.rescale_intensity(
        membrane, in_range=(low, high), out_range=np.float32
    ).astype(np.float32)
    walls = rescaled >= filters.threshold_li(rescaled)
    walls = np.stack(
        [morphology.remove_small_objects(plane, max_size=MIN_WALL_PIXELS - 1) for plane in walls]
    )
    markers = nuclei.astype(np.int32)
    bottom, top = markers.max() + 1, markers.max() + 2
    markers[0], markers[-1] = bottom, top
    cells = segmentation.watershed(rescaled, markers, mask=~walls)
    cells[cells >= bottom] = 0
    return cells.astype(np.uint16)


if __name__ == "__main__":
    image, labels, target = sys.argv[1:]
    tifffile.imwrite(target, segment(tifffile.imread(image), tifffile.imread(labels)))
