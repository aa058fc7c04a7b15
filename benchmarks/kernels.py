"""Time each stage on a stack of 60 x 256 x 256, and the same work in scikit-image or SciPy.

python benchmarks/kernels.py --repeats 5

It prints a Markdown table. Everything runs in one thread. The two sides take turns, and CPU seconds
are measured, which other work on the machine affects least. No files are read or written; the last
column has the time for reading what the stage reads and writing what it writes, which is a lower
limit for any stage.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np

REPO = Path(__file__).resolve().parent.parent
SHAPE, SPACING, DIAMETER_UM, COUNT = (60, 256, 256), (0.29, 0.26, 0.26), 10.0, 34
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
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


class Chain:
    """A simulated stack and what the stages of cellstack make of it, with default settings."""

    def __init__(self) -> None:
        import numpy as np
        import yaml

        from cellstack.config import settings
        from cellstack.core.distance import distance_map
        from cellstack.core.labels import find_boxes
        from cellstack.enhance.adjust_contrast import adjust_contrast
        from cellstack.enhance.denoise import denoise
        from cellstack.prepare.simulate_stack import simulate_stack
        from cellstack.segment.binarize import binarize, find_threshold
        from cellstack.segment.clean_mask import clean_mask
        from cellstack.segment.find_seeds import find_seeds
        from cellstack.segment.label_components import label_components
        from cellstack.segment.merge_objects import merge_objects
        from cellstack.segment.select_objects import select_objects
        from cellstack.segment.smooth_outlines import smooth_outlines
        from cellstack.segment.split_objects import split_objects

        schema_file = REPO / "config/schemas/stages.schema.yaml"
        self._schema = yaml.safe_load(schema_file.read_text(encoding="utf-8"))
        self._blocks = settings.fill_defaults({}, self._schema)
        self.raw = simulate_stack(
            SHAPE, SPACING, diameter_um=DIAMETER_UM, count=COUNT, seed=1
        ).nuclei_image
        self.contrast = adjust_contrast(self.raw, SPACING, **self.settings("adjust_contrast"))
        self.denoised = denoise(self.contrast, SPACING, **self.settings("denoise"))
        threshold = find_threshold(self.denoised, **self.settings("binarize"))
        self.mask = binarize(self.denoised, threshold, SPACING, self.contrast)
        self.mask_clean = clean_mask(self.mask, SPACING, **self.settings("clean_mask"))
        self.components = label_components(self.mask_clean, **self.settings("label_components"))
        for_seeds = self.settings("find_seeds")
        self.smoothing_um = for_seeds["smoothing_um"]
        self.for_seeds = {name: for_seeds[name] for name in ("method", "options")}
        self.distance = distance_map(self.mask_clean, SPACING, self.smoothing_um)
        self.seeds = find_seeds(
            self.distance, self.components, SPACING, **self.for_seeds, stack=self.denoised
        )
        self.watershed = split_objects(
            self.seeds,
            self.mask_clean,
            self.denoised,
            self.distance,
            SPACING,
            **self.settings("split_objects"),
        )
        self.merged = merge_objects(
            self.watershed,
            self.denoised,
            self.distance,
            SPACING,
            **self.settings("merge_objects"),
        )
        self.segmentation = smooth_outlines(
            self.merged, SPACING, **self.settings("smooth_outlines")
        )
        self.for_selection = self.settings("select_objects")
        for counting in ("counting_frame", "counting_guard_um"):
            del self.for_selection[counting]
        selected = select_objects(self.segmentation, SPACING, **self.for_selection)
        self.labels = selected[0]
        self.boxes = find_boxes(self.labels)
        self.masks = [self.labels[box] == label for label, box in self.boxes.items()]
        self.inside = self.mask_clean.view(bool)
        self.voxel_um3 = float(np.prod(SPACING))

    def settings(self, stage: str, **changes: Any) -> dict[str, Any]:
        """Return the arguments of a stage: its default settings with some changes."""
        from cellstack.config import settings

        block = self._blocks[stage] | changes
        return settings.stage_arguments(stage, block, DIAMETER_UM, self._schema)


def in_voxels(length_um: float) -> list[float]:
    """Return a length in voxels, along each axis."""
    return [length_um / step for step in SPACING]


def map_planes(
    function: Callable[..., "np.ndarray"], stack: "np.ndarray", **options: Any
) -> "np.ndarray":
    """Apply a function to each plane of a stack."""
    import numpy as np

    return np.stack([function(plane, **options) for plane in stack])


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


def agreement(ours: object, theirs: object) -> str:
    """Return how much two images differ, as text; empty if the results cannot be compared."""
    import numpy as np

    if isinstance(ours, float) and isinstance(theirs, float | np.floating):
        return f"{abs(ours - theirs):.1g} apart"
    if not (isinstance(ours, np.ndarray) and isinstance(theirs, np.ndarray)):
        return ""
    if ours.shape != theirs.shape:
        return ""
    if ours.dtype.kind == "f":
        return f"at most {np.abs(ours - theirs).max():.1g} apart"
    differing = np.count_nonzero(ours != theirs)
    return f"{differing} voxels differ" if differing else "identical"


def timed(function: Callable[[], Any]) -> float:
    """Return the CPU milliseconds that a function takes."""
    start = time.process_time()
    function()
    return 1000 * (time.process_time() - start)


def time_files(repeats: int) -> dict[str, tuple[float, float]]:
    """Return the milliseconds of reading and of writing a stack, by type code."""
    import numpy as np

    from cellstack.files.stacks import read_stack, write_stack

    milliseconds = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stack.tif"
        read = partial(read_stack, path)
        for code in "BHf":
            write = partial(write_stack, path, np.zeros(SHAPE, code), SPACING)
            writes, reads = [], []
            for _ in range(repeats):
                writes.append(timed(write))
                reads.append(timed(read))
            milliseconds[code] = statistics.median(reads), statistics.median(writes)
    return milliseconds


def minimum_and_median(milliseconds: list[float]) -> str:
    """Return the minimum, and in brackets the median, as text."""
    shortest, median = min(milliseconds), statistics.median(milliseconds)
    digits = 1 if median < 100 else 0
    return f"{shortest:.{digits}f} ({median:.{digits}f})"


def table_row(kernel: Kernel, repeats: int, files: dict[str, tuple[float, float]]) -> str:
    """Time both sides of a kernel, and return its row of the table."""
    sides = [kernel.ours, *filter(None, [kernel.theirs])]
    results = [side() for side in sides]  # also imports what is imported late
    rounds = [[timed(side) for side in sides] for _ in range(repeats)]
    times = [list(each) for each in zip(*rounds, strict=True)]
    cells = [kernel.work, minimum_and_median(times[0])]
    if kernel.theirs:
        ratio = min(times[0]) / min(times[1])
        cells += [kernel.peer, minimum_and_median(times[1]), f"{ratio:.2f}", agreement(*results)]
    else:
        cells += ["none", "", "", ""]
    limit = sum(files[code][0] for code in kernel.read)
    limit += sum(files[code][1] for code in kernel.written)
    return f"| {' | '.join([*cells, f'{limit:.0f}'])} |"


def time_kernels(repeats: int) -> str:
    """Time all kernels, and return the table."""
    import cv2  # noqa: F401
    import SimpleITK  # noqa: F401

    from cellstack.core import parallel

    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # one core for both sides
    parallel.limit_threads(1)  # of the libraries that are imported
    files = time_files(repeats)
    side = "CPU ms, min (median)"
    titles = ("stage", side, "scikit-image, SciPy", side, "ratio", "result")
    lines = [f"| {' | '.join(titles)} | read + write ms |", "|---|--:|---|--:|--:|---|--:|"]
    chain = Chain()
    kernels = enhance_kernels(chain) + mask_kernels(chain)
    kernels += object_kernels(chain) + measure_kernels(chain)
    for kernel in kernels:
        lines.append(table_row(kernel, repeats, files))
        print(lines[-1], file=sys.stderr, flush=True)
    return "\n".join([*lines, ""])


def kernel_table(repeats: int = 5) -> str:
    """Time all kernels in a separate process, and return the Markdown table.

    Parameters
    ----------
    repeats : int
        How often each side runs.
    """
    command = [sys.executable, __file__, "--repeats", str(repeats)]
    environment = os.environ | ONE_THREAD
    process = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    return process.stdout


def main() -> None:
    """Time all kernels, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--repeats", type=int, default=5, help="how often each side runs (%(default)s)"
    )
    arguments = parser.parse_args()
    if any(os.environ.get(name) != value for name, value in ONE_THREAD.items()):
        # these variables are read when NumPy is imported
        again = subprocess.run([sys.executable, *sys.argv], env=os.environ | ONE_THREAD)
        sys.exit(again.returncode)
    sys.path.insert(0, str(REPO / "scripts"))
    print(time_kernels(arguments.repeats), end="")


if __name__ == "__main__":
    main()
