"""The stages that kernels.py times, and the same work in scikit-image or SciPy."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np

from kernel_chain import DIAMETER_UM, SHAPE, SPACING, Chain, in_voxels, map_planes

BALL_RADIUS_UM = 0.8  # in voxels morphology.ball(3)
SHAPES = (
    "area",
    "equivalent_diameter_area",
    "area_filled",
    "centroid",
    "bbox",
    "inertia_tensor",
    "euler_number",
    "extent",
)
INTENSITIES = ("mean", "std", "median", "min", "max")


class Kernel(NamedTuple):
    """A row of the table: the same work done by cellstack and by others."""

    work: str
    ours: Callable[[], Any]
    peer: str
    theirs: Callable[[], Any] | None
    read: str
    """Type codes of the stacks that the stage reads."""
    written: str = ""
    """Type code of the stack that it writes."""


def enhance_kernels(chain: Chain) -> list[Kernel]:
    """Return the kernels from the raw stack to edges."""
    import numpy as np
    from scipy import ndimage
    from skimage import exposure, filters, restoration

    from cellstack.enhance.adjust_contrast import adjust_contrast
    from cellstack.enhance.denoise import denoise
    from cellstack.enhance.detect_edges import detect_edges

    raw, contrast, denoised = chain.raw, chain.contrast, chain.denoised
    sigmas = in_voxels(chain.settings("denoise")["options"]["sigma_um"])

    def contrast_by(step: str) -> Callable[[], "np.ndarray"]:
        arguments = chain.settings("adjust_contrast", steps=[step])
        return lambda: adjust_contrast(raw, SPACING, **arguments)

    def denoised_by(method: str, **options: Any) -> Callable[[], "np.ndarray"]:
        return lambda: denoise(contrast, SPACING, method, options)

    def stretch_of_scikit_image() -> "np.ndarray":
        limits = tuple(np.percentile(raw, (0.5, 99.5)))
        stretched = exposure.rescale_intensity(raw, in_range=limits, out_range=(0, 1))
        return stretched.astype(np.float32)

    return [
        Kernel(
            "adjust_contrast: percentile_stretch (default)",
            contrast_by("percentile_stretch"),
            "percentile, rescale_intensity",
            stretch_of_scikit_image,
            read="H",
            written="f",
        ),
        Kernel(
            "adjust_contrast: equalize_histogram",
            contrast_by("equalize_histogram"),
            "equalize_hist",
            lambda: exposure.equalize_hist(raw),
            read="H",
            written="f",
        ),
        Kernel(
            "denoise: gaussian (default)",
            lambda: denoise(contrast, SPACING, **chain.settings("denoise")),
            "gaussian",
            lambda: filters.gaussian(contrast, sigmas, mode="nearest"),
            read="f",
            written="f",
        ),
        Kernel(
            "denoise: median, 3 x 3 x 3",
            denoised_by("median", radius_um=0.3, slice_by_slice=False),
            "ndimage.median_filter",
            lambda: ndimage.median_filter(contrast, 3, mode="nearest"),
            read="f",
            written="f",
        ),
        Kernel(
            "denoise: median of planes, 3 x 3",
            denoised_by("median", radius_um=0.3, slice_by_slice=True),
            "filters.median",
            lambda: map_planes(filters.median, contrast, footprint=np.ones((3, 3)), mode="nearest"),
            read="f",
            written="f",
        ),
        Kernel(
            "denoise: bilateral of planes",
            denoised_by("bilateral", sigma_um=0.26, sigma_intensity=0.1, implementation="opencv"),
            "denoise_bilateral",
            lambda: map_planes(
                restoration.denoise_bilateral, contrast, sigma_color=0.1, sigma_spatial=1
            ),
            read="f",
            written="f",
        ),
        Kernel(
            "detect_edges: sobel (default)",
            lambda: detect_edges(denoised, (1, 1, 1), "sobel", {}),
            "sobel",
            lambda: np.sqrt(3) / 2 * filters.sobel(denoised),
            read="f",
            written="f",
        ),
    ]


def mask_kernels(chain: Chain) -> list[Kernel]:
    """Return the kernels from the denoised stack to labelled components."""
    import numpy as np
    from scipy import ndimage
    from skimage import feature, filters, measure, morphology, segmentation

    from cellstack.core import morphology as ours
    from cellstack.segment import clean_mask as cleaning
    from cellstack.segment.binarize import binarize, find_threshold
    from cellstack.segment.label_components import label_components

    denoised, mask = chain.denoised, chain.mask
    options = chain.settings("binarize")["options"]
    cleaning_steps = dict(chain.settings("clean_mask")["steps"])
    other_steps = [step for step in cleaning_steps.items() if step[0] != "remove_sheets"]
    max_hole = int(cleaning_steps["fill_holes"]["max_volume_um3"] / chain.voxel_um3)
    ball, our_ball = morphology.ball(3), ours.footprint("ball", BALL_RADIUS_UM, SPACING)

    def threshold_by(method: str) -> Callable[[], Any]:
        return lambda: find_threshold(denoised, method, {})

    def default_mask() -> "np.ndarray":
        threshold = find_threshold(denoised, **chain.settings("binarize"))
        return binarize(denoised, threshold, SPACING, chain.contrast)

    def mask_of_scikit_image() -> "np.ndarray":
        sigmas = in_voxels(options["sigma_um"])
        response = -ndimage.gaussian_laplace(denoised, sigmas, mode="nearest")
        min_distance = int(options["min_distance_um"] / min(SPACING))
        centres = feature.peak_local_max(response, min_distance=min_distance, exclude_border=False)
        markers = np.zeros(SHAPE, np.int32)
        markers[tuple(centres.T)] = np.arange(1, len(centres) + 1)
        smooth = filters.gaussian(denoised, in_voxels(options["sigma_um"] / 2))
        basins = segmentation.watershed(-smooth, markers)
        maxima = ndimage.maximum(smooth, basins, np.arange(basins.max() + 1))
        return smooth > options["level"] * maxima[basins]

    def clean_by(step: str) -> Callable[[], "np.ndarray"]:
        return lambda: cleaning.METHODS[step](mask, SPACING, **cleaning_steps[step])

    def clean_of_scikit_image() -> "np.ndarray":
        sigmas = in_voxels(0.06 * DIAMETER_UM)
        smooth = ndimage.gaussian_filter(mask.astype(np.float32), sigmas, mode="nearest") > 0.5
        filled = morphology.remove_small_holes(smooth, max_size=max_hole)
        return morphology.remove_small_objects(filled, max_size=max_hole)

    return [
        Kernel(
            "binarize: otsu",
            threshold_by("otsu"),
            "threshold_otsu",
            lambda: filters.threshold_otsu(denoised),
            read="f",
            written="B",
        ),
        Kernel(
            "binarize: li",
            threshold_by("li"),
            "threshold_li",
            lambda: filters.threshold_li(denoised),
            read="f",
            written="B",
        ),
        Kernel(
            "binarize: per_object (default)",
            default_mask,
            "gaussian_laplace, peak_local_max, watershed",
            mask_of_scikit_image,
            read="ff",
            written="B",
        ),
        Kernel(
            "clean_mask: remove_sheets (default)",
            clean_by("remove_sheets"),
            "",
            None,
            read="B",
            written="B",
        ),
        Kernel(
            "clean_mask: smooth, fill_holes, remove_small_objects (default)",
            lambda: cleaning.clean_mask(mask, SPACING, other_steps),
            "gaussian_filter, remove_small_holes, remove_small_objects",
            clean_of_scikit_image,
            read="B",
            written="B",
        ),
        Kernel(
            "clean_mask: closing, ball of 3",
            lambda: ours.closing(mask, our_ball),
            "closing",
            lambda: morphology.closing(mask.view(bool), ball, mode="ignore"),
            read="B",
            written="B",
        ),
        Kernel(
            "clean_mask: fill_holes",
            clean_by("fill_holes"),
            "remove_small_holes",
            lambda: morphology.remove_small_holes(mask.view(bool), max_size=max_hole),
            read="B",
            written="B",
        ),
        Kernel(
            "clean_mask: remove_small_objects",
            clean_by("remove_small_objects"),
            "remove_small_objects",
            lambda: morphology.remove_small_objects(mask.view(bool), max_size=max_hole),
            read="B",
            written="B",
        ),
        Kernel(
            "label_components",
            lambda: label_components(chain.mask_clean, **chain.settings("label_components")),
            "label",
            lambda: measure.label(chain.mask_clean, connectivity=3),
            read="B",
            written="H",
        ),
    ]


def object_kernels(chain: Chain) -> list[Kernel]:
    """Return the kernels from the distance map to the selected objects."""
    import numpy as np
    from scipy import ndimage
    from skimage import feature, filters, measure, morphology, segmentation

    from cellstack.core.distance import distance_map
    from cellstack.segment.find_seeds import METHODS, find_seeds
    from cellstack.segment.merge_objects import merge_objects
    from cellstack.segment.select_objects import select_objects
    from cellstack.segment.smooth_outlines import smooth_outlines
    from cellstack.segment.split_objects import split_objects

    mask, inside, components = chain.mask_clean, chain.inside, chain.components
    distance, denoised, segmented = chain.distance, chain.denoised, chain.segmentation
    options = chain.for_seeds["options"]
    min_distance = int(options["min_distance_um"] / min(SPACING))

    def seeds_by(method: str, **its_options: Any) -> Callable[[], "np.ndarray"]:
        return lambda: METHODS[method](distance, SPACING, denoised, None, **its_options)

    def default_seeds() -> "np.ndarray":
        to_background = distance_map(mask, SPACING, chain.smoothing_um)
        return find_seeds(to_background, components, SPACING, **chain.for_seeds, stack=denoised)

    def seeds_of_scikit_image() -> "np.ndarray":
        to_background = ndimage.distance_transform_edt(inside, sampling=SPACING)
        to_background = filters.gaussian(to_background, in_voxels(chain.smoothing_um)) * inside
        sigmas = in_voxels(options["sigma_um"])
        response = -ndimage.gaussian_laplace(denoised, sigmas, mode="nearest").clip(max=0)
        found = feature.peak_local_max(
            np.sqrt(to_background * response),
            min_distance=min_distance,
            labels=components,
            exclude_border=False,
        )
        marked = np.zeros(SHAPE, bool)
        marked[tuple(found.T)] = True
        return measure.label(marked)

    def watershed_of_scikit_image() -> "np.ndarray":
        markers = chain.seeds.astype(np.int32)
        return segmentation.watershed(-distance, markers, mask=inside, connectivity=3)

    def select_of_scikit_image() -> "np.ndarray":
        padded = np.pad(segmented, ((1, 1), (0, 0), (0, 0)))  # the first and last plane may be cut
        return segmentation.relabel_sequential(segmentation.clear_border(padded)[1:-1])[0]

    return [
        Kernel(
            "find_seeds: distance map",
            lambda: distance_map(mask, SPACING),
            "distance_transform_edt",
            lambda: ndimage.distance_transform_edt(inside, sampling=SPACING),
            read="B",
            written="f",
        ),
        Kernel(
            "find_seeds: h_maxima",
            seeds_by("h_maxima", h_um=0.4),
            "h_maxima",
            lambda: morphology.h_maxima(distance, 0.4),
            read="f",
            written="H",
        ),
        Kernel(
            "find_seeds: peaks",
            seeds_by("peaks", min_distance_um=options["min_distance_um"]),
            "peak_local_max",
            lambda: feature.peak_local_max(
                distance, min_distance=min_distance, exclude_border=False
            ),
            read="f",
            written="H",
        ),
        Kernel(
            "find_seeds: distance_and_blobs (default), with distance map",
            default_seeds,
            "distance_transform_edt, gaussian_laplace, peak_local_max",
            seeds_of_scikit_image,
            read="BHff",
            written="H",
        ),
        Kernel(
            "split_objects: distance (default)",
            lambda: split_objects(
                chain.seeds, mask, denoised, distance, SPACING, **chain.settings("split_objects")
            ),
            "watershed",
            watershed_of_scikit_image,
            read="HBf",
            written="H",
        ),
        Kernel(
            "merge_objects: convexity (default)",
            lambda: merge_objects(
                chain.watershed,
                denoised,
                chain.distance,
                SPACING,
                **chain.settings("merge_objects"),
            ),
            "",
            None,
            read="Hff",
            written="H",
        ),
        Kernel(
            "smooth_outlines: smooth (default)",
            lambda: smooth_outlines(chain.merged, SPACING, **chain.settings("smooth_outlines")),
            "",
            None,
            read="H",
            written="H",
        ),
        Kernel(
            "select_objects",
            lambda: select_objects(segmented, SPACING, **chain.for_selection)[0],
            "clear_border, relabel_sequential",
            select_of_scikit_image,
            read="H",
            written="H",
        ),
    ]


def measure_kernels(chain: Chain) -> list[Kernel]:
    """Return the kernels of the measurements."""
    import numpy as np
    from skimage import measure

    from cellstack.core.convex_hull import convex_hull, count_voxels
    from cellstack.core.surface_area import surface_area
    from cellstack.core.topology import euler_number
    from cellstack.measure.measure_objects import measure_intensities, measure_shapes

    labels, boxes, masks, raw = chain.labels, chain.boxes, chain.masks, chain.raw

    def solidity(mask: "np.ndarray") -> float:
        return np.count_nonzero(mask) / count_voxels(convex_hull(mask), mask.shape)

    def area_by_mesh(mask: "np.ndarray") -> float:
        padded = np.pad(mask, 1)
        vertices, faces, _, _ = measure.marching_cubes(padded, 0.5, spacing=SPACING)
        return measure.mesh_surface_area(vertices, faces)

    def areas_by_meshes() -> list[float]:
        return [area_by_mesh(mask) for mask in masks]

    def properties(*names: str, **options: Any) -> dict[str, "np.ndarray"]:
        return measure.regionprops_table(labels, properties=names, spacing=SPACING, **options)

    def intensities_of_scikit_image() -> dict[str, "np.ndarray"]:
        names = [f"intensity_{name}" for name in INTENSITIES]
        return properties(*names, "centroid_weighted", intensity_image=raw)

    return [
        Kernel(
            "measure_objects: shapes, all columns",
            lambda: measure_shapes(labels, boxes, SPACING),
            "regionprops and mesh areas; no solidity, no Feret diameter",
            lambda: (properties(*SHAPES), areas_by_meshes()),
            read="H",
        ),
        Kernel(
            "measure_objects: solidity",
            lambda: [solidity(mask) for mask in masks],
            "regionprops",
            lambda: properties("solidity"),
            read="H",
        ),
        Kernel(
            "measure_objects: surface area",
            lambda: [surface_area(mask, SPACING) for mask in masks],
            "marching_cubes, mesh_surface_area",
            areas_by_meshes,
            read="H",
        ),
        Kernel(
            "measure_objects: Euler number",
            lambda: [euler_number(mask) for mask in masks],
            "euler_number",
            lambda: [measure.euler_number(mask, connectivity=3) for mask in masks],
            read="H",
        ),
        Kernel(
            "measure_objects: intensities",
            lambda: measure_intensities(labels, boxes, raw, SPACING, "nuclei"),
            "regionprops, without percentiles",
            intensities_of_scikit_image,
            read="HH",
        ),
    ]
