"""The nuclei of one stack by the steps of scikit-image's 3D tutorial, as one plain script: what cellstack is timed against.

python benchmarks/plain_tutorial.py IMAGE.tif OUTDIR [--solidity] [--watershed distance]

It takes the numbers of the tutorial, which count voxels, and calls scikit-image as its documentation shows: neither tuned nor slowed.
The tutorial floods the intensity; its markers are peaks of the distance map, and flooding that in its place often splits better.
It writes segmented.tif (all objects), labels.tif (those that no lateral face cuts) and objects.csv (measurements of the latter).
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import tifffile
from scipy import ndimage as ndi
from skimage import exposure, feature, filters, measure, morphology, restoration, segmentation

SPACING = (0.29, 0.26, 0.26)  # z, y, x in um
PROPERTIES = (
    "label",
    "area",
    "bbox",
    "centroid",
    "equivalent_diameter_area",
    "intensity_mean",
    "intensity_min",
    "intensity_max",
    "intensity_std",
)


def segment(nuclei, flood, width=20, peak_width=15):
    """Label the nuclei of a stack; `width` is that of the smallest object and hole, `peak_width` that of the cube around a peak."""
    vmin, vmax = np.percentile(nuclei, (0.5, 99.5))
    rescaled = exposure.rescale_intensity(nuclei, in_range=(vmin, vmax), out_range=np.float32).astype(np.float32)

    denoised = np.empty_like(rescaled)
    for index, plane in enumerate(rescaled):
        denoised[index] = restoration.denoise_bilateral(plane)

    binary = denoised >= 0.9 * filters.threshold_li(denoised)
    filled = morphology.remove_small_holes(binary, max_size=width**3)
    cleaned = morphology.remove_small_objects(filled, max_size=width**3)

    distance = ndi.distance_transform_edt(cleaned, sampling=SPACING)
    peaks = feature.peak_local_max(distance, footprint=np.ones((peak_width,) * 3), labels=measure.label(cleaned))
    peak_mask = np.zeros(cleaned.shape, bool)
    peak_mask[tuple(peaks.T)] = True
    relief = {"intensity": rescaled, "distance": distance}[flood]
    return segmentation.watershed(-relief, measure.label(peak_mask), mask=cleaned)


def clear_sides(segmented):
    """Remove the objects cut by a lateral face; top and bottom are padded, so that objects may touch them."""
    padded = np.pad(segmented, ((1, 1), (0, 0), (0, 0)))
    interior = segmentation.clear_border(padded)[1:-1]
    return segmentation.relabel_sequential(interior)[0]


def surface_area(region):
    """Measure the surface of an object by marching cubes, in um2."""
    vertices, faces, _, _ = measure.marching_cubes(np.pad(region.image, 1), level=0.5, spacing=SPACING)
    return measure.mesh_surface_area(vertices, faces)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("image", type=Path)
    parser.add_argument("outdir", type=Path)
    parser.add_argument("--solidity", action="store_true", help="measure also the solidity of each object")
    parser.add_argument("--watershed", choices=("intensity", "distance"), default="intensity", help="what the watershed floods")
    arguments = parser.parse_args()

    nuclei = tifffile.imread(arguments.image)
    segmented = segment(nuclei, arguments.watershed)
    labels = clear_sides(segmented)
    properties = [*PROPERTIES, "solidity"] if arguments.solidity else PROPERTIES
    table = pd.DataFrame(measure.regionprops_table(labels, nuclei, properties=properties, spacing=SPACING))
    table["surface_area"] = [surface_area(region) for region in measure.regionprops(labels)]

    arguments.outdir.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(arguments.outdir / "segmented.tif", segmented.astype(np.uint16))
    tifffile.imwrite(arguments.outdir / "labels.tif", labels.astype(np.uint16))
    table.to_csv(arguments.outdir / "objects.csv", index=False)


if __name__ == "__main__":
    main()
