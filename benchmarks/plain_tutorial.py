"""The nuclei of one stack by the steps of scikit-image's 3D tutorial, as one plain script.

python benchmarks/plain_tutorial.py IMAGE.tif OUTDIR [--solution] [--solidity]
                                    [--watershed distance]

cellstack is compared with this script. It has the steps and the parameters, which are numbers of
voxels, of the lecture on 3D images in its version with automatic markers (SciPy 2017 to 2019) or,
with ``--solution``, of the solution of its challenge "Improve the segmentation". It calls
scikit-image as its documentation does, neither optimized nor slowed down. The tutorial floods the
intensity from peaks of the distance map; flooding the distance map often splits objects better. The
script writes segmented.tif (all objects), labels.tif (those that no face of the stack cuts) and
objects.csv (the measurements of the latter).
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


def segment(nuclei: np.ndarray, flood: str = "intensity", *, solution: bool = False) -> np.ndarray:
    """Label the nuclei of a stack.

    Parameters
    ----------
    nuclei : (Z, Y, X) ndarray
    flood : {"intensity", "distance"}
        What the watershed floods.
    solution : bool
        Whether to follow the solution of the challenge instead of the lecture.

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

    threshold = filters.threshold_li(denoised)
    binary = denoised >= (0.9 * threshold if solution else threshold)
    # min_size of the lecture: structures below it are removed, those of max_size too
    min_size = np.prod(np.divide(20, np.divide(SPACING, SPACING[1]))) if solution else 20**3
    max_size = int(np.ceil(min_size)) - 1
    filled = morphology.remove_small_holes(binary, max_size=max_size)
    cleaned = morphology.remove_small_objects(filled, max_size=max_size)

    seeded = cleaned
    if solution:
        middle = int(np.argmax([np.var(plane) for plane in cleaned]))
        seeded = np.zeros_like(cleaned)
        planes = slice(max(middle - 10, 0), middle + 10)
        seeded[planes] = cleaned[planes]

    distance = ndi.distance_transform_edt(seeded)
    peaks = feature.peak_local_max(
        distance, footprint=np.ones((15, 15, 15)), labels=measure.label(seeded)
    )
    peak_mask = np.zeros(cleaned.shape, bool)
    peak_mask[tuple(peaks.T)] = True
    landscape = {"intensity": rescaled, "distance": distance}[flood]
    return segmentation.watershed(-landscape, measure.label(peak_mask), mask=cleaned)


def clear_faces(segmented: np.ndarray) -> np.ndarray:
    """Remove objects that touch a face of the stack, and renumber the others."""
    return segmentation.relabel_sequential(segmentation.clear_border(segmented))[0]


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
    parser.add_argument(
        "--solution", action="store_true", help="follow the solution of the challenge"
    )
    arguments = parser.parse_args()

    nuclei = tifffile.imread(arguments.image)
    segmented = segment(nuclei, arguments.watershed, solution=arguments.solution)
    labels = clear_faces(segmented)
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
