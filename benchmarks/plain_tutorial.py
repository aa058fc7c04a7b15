"""The nuclei of one stack by the steps of scikit-image's 3D tutorial, as one plain script.

python benchmarks/plain_tutorial.py IMAGE.tif OUTDIR [--solidity] [--watershed distance]

cellstack is compared with this script. It has the parameters of the tutorial, which are numbers of
voxels, and calls scikit-image as its documentation does, neither optimized nor slowed down. The
tutorial floods the intensity from peaks of the distance map; flooding the distance map often splits
objects better. The script writes segmented.tif (all objects), labels.tif (those that no lateral
face cuts) and objects.csv (the measurements of the latter).
"""

import argparse
from pathlib import Path
from typing import Any

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


def segment(nuclei: np.ndarray, flood: str, width: int = 20, peak_width: int = 15) -> np.ndarray:
    """Label the nuclei of a stack.

    Parameters
    ----------
    nuclei : (Z, Y, X) ndarray
    flood : {"intensity", "distance"}
        What the watershed floods.
    width : int
        Side of a cube in voxels. Objects and holes of at most its volume are removed.
    peak_width : int
        Side of the cube in which a voxel must be the maximum to be a marker, in voxels.

    Returns
    -------
    (Z, Y, X) ndarray of int
    """
    vmin, vmax = np.percentile(nuclei, (0.5, 99.5))
    rescaled = exposure.rescale_intensity(
        nuclei, in_range=(vmin, vmax), out_range=np.float32
    ).astype(np.float32)

    denoised = np.empty_like(rescaled)
    for index, plane in enumerate(rescaled):
        denoised[index] = restoration.denoise_bilateral(plane)

    binary = denoised >= 0.9 * filters.threshold_li(denoised)
    filled = morphology.remove_small_holes(binary, max_size=width**3)
    cleaned = morphology.remove_small_objects(filled, max_size=width**3)

    distance = ndi.distance_transform_edt(cleaned, sampling=SPACING)
    peaks = feature.peak_local_max(
        distance, footprint=np.ones((peak_width,) * 3), labels=measure.label(cleaned)
    )
    peak_mask = np.zeros(cleaned.shape, bool)
    peak_mask[tuple(peaks.T)] = True
    landscape = {"intensity": rescaled, "distance": distance}[flood]
    return segmentation.watershed(-landscape, measure.label(peak_mask), mask=cleaned)


def clear_sides(segmented: np.ndarray) -> np.ndarray:
    """Remove objects that touch a lateral face.

    Objects may touch the first and last plane, which are padded.
    """
    padded = np.pad(segmented, ((1, 1), (0, 0), (0, 0)))
    interior = segmentation.clear_border(padded)[1:-1]
    return segmentation.relabel_sequential(interior)[0]


def surface_area(region: Any) -> float:
    """Return the surface area of an object in um2, by marching cubes."""
    vertices, faces, _, _ = measure.marching_cubes(
        np.pad(region.image, 1), level=0.5, spacing=SPACING
    )
    return measure.mesh_surface_area(vertices, faces)


def main() -> None:
    """Segment and measure the nuclei of a stack."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("image", type=Path)
    parser.add_argument("outdir", type=Path)
    parser.add_argument("--solidity", action="store_true", help="measure solidity too")
    parser.add_argument(
        "--watershed",
        choices=("intensity", "distance"),
        default="intensity",
        help="what the watershed floods",
    )
    arguments = parser.parse_args()

    nuclei = tifffile.imread(arguments.image)
    segmented = segment(nuclei, arguments.watershed)
    labels = clear_sides(segmented)
    properties = [*PROPERTIES, "solidity"] if arguments.solidity else PROPERTIES
    table = pd.DataFrame(
        measure.regionprops_table(labels, nuclei, properties=properties, spacing=SPACING)
    )
    table["surface_area"] = [surface_area(region) for region in measure.regionprops(labels)]

    arguments.outdir.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(arguments.outdir / "segmented.tif", segmented.astype(np.uint16))
    tifffile.imwrite(arguments.outdir / "labels.tif", labels.astype(np.uint16))
    table.to_csv(arguments.outdir / "objects.csv", index=False)


if __name__ == "__main__":
    main()
