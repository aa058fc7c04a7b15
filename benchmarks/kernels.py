"""Time each stage on a stack of 60 x 256 x 256 beside scikit-image and SciPy as a user would call them, on one thread.

python benchmarks/kernels.py --repeats 5

Prints a Markdown table. Both sides take turns; what counts are CPU seconds, since a busy machine changes them least. Neither reads or
writes a file: the time of one read of what the stage takes and one write of what it gives stands beside, the limit of any stage.
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
from typing import Any, NamedTuple

REPO = Path(__file__).resolve().parent.parent
SHAPE, SPACING, DIAMETER_UM, COUNT = (60, 256, 256), (0.29, 0.26, 0.26), 10.0, 34
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
SHAPES = ("area", "equivalent_diameter_area", "area_filled", "centroid", "bbox", "inertia_tensor", "euler_number", "extent")


class Kernel(NamedTuple):
    """One line of the table: the work, both ways to do it, and the types of the arrays that the stage reads and writes."""

    work: str
    ours: Callable[[], Any]
    peer: str
    theirs: Callable[[], Any] | None
    files: str


def kernel_table(repeats=5):
    """Time all kernels in a process of their own, and give the Markdown table.

    Parameters
    ----------
    repeats : int
        How often each side runs.

    Returns
    -------
    str
    """
    command = [sys.executable, __file__, "--repeats", str(repeats)]
    return subprocess.run(command, env=os.environ | ONE_THREAD, stdout=subprocess.PIPE, text=True, check=True).stdout


def list_kernels():
    """Make a stack, take it through the stages, and list the kernels on what each stage gets."""
    import numpy as np
    import yaml
    from scipy import ndimage
    from skimage import exposure, feature, filters, measure, morphology, restoration, segmentation

    from cellstack import binarize, convex_hull, find_seeds, measure_objects, merge_objects, outline_objects, select_objects, settings
    from cellstack import clean_mask as clean
    from cellstack import denoise as noise
    from cellstack import morphology as shapes
    from cellstack.adjust_contrast import adjust_contrast
    from cellstack.detect_edges import detect_edges
    from cellstack.label_components import label_components
    from cellstack.relabel import find_boxes
    from cellstack.simulate_stack import simulate_stack
    from cellstack.split_objects import split_objects
    from cellstack.surface_area import surface_area
    from cellstack.topology import euler_number

    schema = yaml.safe_load((REPO / "config/schemas/stages.schema.yaml").read_text(encoding="utf-8"))
    blocks = settings.fill_defaults({}, schema)

    def of(stage, **changes):
        return settings.stage_arguments(stage, blocks[stage] | changes, DIAMETER_UM, schema)

    def per_plane(function, stack, **options):
        return np.stack([function(plane, **options) for plane in stack])

    raw = simulate_stack(SHAPE, SPACING, diameter_um=DIAMETER_UM, count=COUNT, seed=1).nuclei_image
    contrast = adjust_contrast(raw, SPACING, **of("adjust_contrast"))
    denoised = noise.denoise(contrast, SPACING, **of("denoise"))
    to_mask, to_clean, to_seeds = of("binarize"), of("clean_mask"), of("find_seeds")
    mask = binarize.binarize(denoised, binarize.find_threshold(denoised, **to_mask), SPACING, contrast)
    cleaned = clean.clean_mask(mask, SPACING, **to_clean)
    inside = cleaned.view(bool)
    components = label_components(cleaned, **of("label_components"))
    smoothing_um = to_seeds.pop("smoothing_um")
    distance = find_seeds.distance_map(cleaned, SPACING, smoothing_um)
    seeds = find_seeds.find_seeds(distance, components, SPACING, **to_seeds, stack=denoised)
    parts = split_objects(seeds, cleaned, denoised, distance, **of("split_objects"))
    merged = merge_objects.merge_objects(parts, denoised, SPACING, **of("merge_objects"))
    split = outline_objects.outline_objects(merged, SPACING, **of("outline_objects"))
    labels = select_objects.select_objects(split, SPACING, **of("select_objects"))[0]
    boxes = find_boxes(labels)
    masks = [labels[box] == label for label, box in boxes.items()]

    sigmas = [of("denoise")["options"]["sigma_um"] / step for step in SPACING]
    ball, wide = morphology.ball(3), 0.8  # um: the same ball
    blobs = to_seeds["options"]
    blob_sigmas = [blobs["sigma_um"] / step for step in SPACING]
    apart = int(blobs["min_distance_um"] / min(SPACING))
    holes = int(dict(to_clean["steps"])["fill_holes"]["max_volume_um3"] / np.prod(SPACING))
    threshold = to_mask["options"]

    def blobs_of_scikit_image():
        response = -ndimage.gaussian_laplace(denoised, [threshold["sigma_um"] / step for step in SPACING], mode="nearest")
        middles = feature.peak_local_max(response, min_distance=int(threshold["min_distance_um"] / min(SPACING)), exclude_border=False)
        markers = np.zeros(SHAPE, np.int32)
        markers[tuple(middles.T)] = np.arange(1, len(middles) + 1)
        smooth = filters.gaussian(denoised, [threshold["sigma_um"] / 2 / step for step in SPACING])
        basins = segmentation.watershed(-smooth, markers)
        return smooth > threshold["level"] * ndimage.maximum(smooth, basins, np.arange(basins.max() + 1))[basins]

    def clean_of_scikit_image():
        smooth = ndimage.gaussian_filter(mask.astype(np.float32), [0.06 * DIAMETER_UM / step for step in SPACING], mode="nearest") > 0.5
        return morphology.remove_small_objects(morphology.remove_small_holes(smooth, max_size=holes), max_size=holes)

    def seeds_of_scikit_image():
        to_background = ndimage.distance_transform_edt(inside, sampling=SPACING)
        to_background = filters.gaussian(to_background, [smoothing_um / step for step in SPACING]) * inside
        response = -ndimage.gaussian_laplace(denoised, blob_sigmas, mode="nearest").clip(max=0)
        found = feature.peak_local_max(np.sqrt(to_background * response), min_distance=apart, labels=components, exclude_border=False)
        marked = np.zeros(SHAPE, bool)
        marked[tuple(found.T)] = True
        return measure.label(marked)

    def select_of_scikit_image():
        whole = segmentation.clear_border(np.pad(split, ((1, 1), (0, 0), (0, 0))))[1:-1]  # objects may touch the first and last plane
        return segmentation.relabel_sequential(whole)[0]

    def areas_by_meshes():
        meshes = (measure.marching_cubes(np.pad(each, 1), 0.5, spacing=SPACING) for each in masks)
        return [measure.mesh_surface_area(corners, faces) for corners, faces, _, _ in meshes]

    def measured(*properties, **more):
        return measure.regionprops_table(labels, properties=properties, spacing=SPACING, **more)

    def contrast_of(*steps):
        return lambda: adjust_contrast(raw, SPACING, **of("adjust_contrast", steps=list(steps)))

    def denoised_by(method, options):
        return lambda: noise.denoise(contrast, SPACING, method, options)

    def seeds_by(method, options):
        return lambda: find_seeds.METHODS[method](distance, SPACING, denoised, None, **options)

    def find_default_seeds():
        to_background = find_seeds.distance_map(cleaned, SPACING, smoothing_um)
        return find_seeds.find_seeds(to_background, components, SPACING, **to_seeds, stack=denoised)

    def stretch_of_scikit_image():
        limits = tuple(np.percentile(raw, (0.5, 99.5)))
        return exposure.rescale_intensity(raw, in_range=limits, out_range=(0, 1)).astype(np.float32)

    footprint = shapes.footprint("ball", wide, SPACING)
    median = {"radius_um": 0.3}
    return [
        Kernel(
            "adjust_contrast: stretch (default)", contrast_of("stretch"), "percentile, rescale_intensity", stretch_of_scikit_image, "Hf"
        ),
        Kernel("adjust_contrast: equalize", contrast_of("equalize"), "equalize_hist", lambda: exposure.equalize_hist(raw), "Hf"),
        Kernel(
            "denoise: gaussian (default)",
            lambda: noise.denoise(contrast, SPACING, **of("denoise")),
            "gaussian",
            lambda: filters.gaussian(contrast, sigmas, mode="nearest"),
            "ff",
        ),
        Kernel(
            "denoise: median, 3 x 3 x 3",
            denoised_by("median", median | {"planes": False}),
            "ndimage.median_filter",
            lambda: ndimage.median_filter(contrast, 3, mode="nearest"),
            "ff",
        ),
        Kernel(
            "denoise: median of planes, 3 x 3",
            denoised_by("median", median | {"planes": True}),
            "filters.median",
            lambda: per_plane(filters.median, contrast, footprint=np.ones((3, 3)), mode="nearest"),
            "ff",
        ),
        Kernel(
            "denoise: bilateral of planes",
            denoised_by("bilateral", {"sigma_um": 0.26, "sigma_intensity": 0.1, "implementation": "opencv"}),
            "denoise_bilateral",
            lambda: per_plane(restoration.denoise_bilateral, contrast, sigma_color=0.1, sigma_spatial=1),
            "ff",
        ),
        Kernel(
            "detect_edges: sobel (default)",
            lambda: detect_edges(denoised, (1, 1, 1), "sobel", {}),
            "sobel",
            lambda: np.sqrt(3) / 2 * filters.sobel(denoised),
            "ff",
        ),
        Kernel(
            "binarize: otsu",
            lambda: binarize.find_threshold(denoised, "otsu", {}),
            "threshold_otsu",
            lambda: filters.threshold_otsu(denoised),
            "fB",
        ),
        Kernel(
            "binarize: li",
            lambda: binarize.find_threshold(denoised, "li", {}),
            "threshold_li",
            lambda: filters.threshold_li(denoised),
            "fB",
        ),
        Kernel(
            "binarize: half_height (default)",
            lambda: binarize.binarize(denoised, binarize.find_threshold(denoised, **to_mask), SPACING, contrast),
            "gaussian_laplace, peak_local_max, watershed",
            blobs_of_scikit_image,
            "ffB",
        ),
        Kernel(
            "clean_mask: smooth, fill_holes, remove_small_objects (default)",
            lambda: clean.clean_mask(mask, SPACING, **to_clean),
            "gaussian_filter, remove_small_holes, remove_small_objects",
            clean_of_scikit_image,
            "BB",
        ),
        Kernel(
            "clean_mask: closing, ball of 3",
            lambda: shapes.closing(mask, footprint),
            "closing",
            lambda: morphology.closing(mask.view(bool), ball, mode="ignore"),
            "BB",
        ),
        Kernel(
            "clean_mask: fill_holes",
            lambda: clean.METHODS["fill_holes"](mask, SPACING, **dict(to_clean["steps"])["fill_holes"]),
            "remove_small_holes",
            lambda: morphology.remove_small_holes(mask.view(bool), max_size=holes),
            "BB",
        ),
        Kernel(
            "clean_mask: remove_small_objects",
            lambda: clean.METHODS["remove_small_objects"](mask, SPACING, **dict(to_clean["steps"])["remove_small_objects"]),
            "remove_small_objects",
            lambda: morphology.remove_small_objects(mask.view(bool), max_size=holes),
            "BB",
        ),
        Kernel(
            "label_components",
            lambda: label_components(cleaned, **of("label_components")),
            "label",
            lambda: measure.label(cleaned, connectivity=3),
            "BH",
        ),
        Kernel(
            "find_seeds: distance map",
            lambda: find_seeds.distance_map(cleaned, SPACING),
            "distance_transform_edt",
            lambda: ndimage.distance_transform_edt(inside, sampling=SPACING),
            "Bf",
        ),
        Kernel("find_seeds: h_maxima", seeds_by("h_maxima", {"h_um": 0.4}), "h_maxima", lambda: morphology.h_maxima(distance, 0.4), "fH"),
        Kernel(
            "find_seeds: peaks",
            seeds_by("peaks", {"min_distance_um": blobs["min_distance_um"]}),
            "peak_local_max",
            lambda: feature.peak_local_max(distance, min_distance=apart, exclude_border=False),
            "fH",
        ),
        Kernel(
            "find_seeds: combined (default), distance map included",
            find_default_seeds,
            "distance_transform_edt, gaussian_laplace, peak_local_max",
            seeds_of_scikit_image,
            "BHffH",
        ),
        Kernel(
            "split_objects: distance (default)",
            lambda: split_objects(seeds, cleaned, denoised, distance, **of("split_objects")),
            "watershed",
            lambda: segmentation.watershed(-distance, seeds.astype(np.int32), mask=inside, connectivity=3),
            "HBfH",
        ),
        Kernel(
            "merge_objects: convexity (default)",
            lambda: merge_objects.merge_objects(parts, denoised, SPACING, **of("merge_objects")),
            "",
            None,
            "HfH",
        ),
        Kernel(
            "outline_objects: smooth (default)",
            lambda: outline_objects.outline_objects(merged, SPACING, **of("outline_objects")),
            "",
            None,
            "HH",
        ),
        Kernel(
            "select_objects",
            lambda: select_objects.select_objects(split, SPACING, **of("select_objects"))[0],
            "clear_border, relabel_sequential",
            select_of_scikit_image,
            "HH",
        ),
        Kernel(
            "measure_objects: shapes, all columns",
            lambda: measure_objects.measure_shapes(labels, boxes, SPACING),
            "regionprops and mesh areas; no solidity, no Feret diameter",
            lambda: (measured(*SHAPES), areas_by_meshes()),
            "H",
        ),
        Kernel(
            "measure_objects: solidity",
            lambda: [np.count_nonzero(each) / convex_hull.count_voxels(convex_hull.convex_hull(each), each.shape) for each in masks],
            "regionprops",
            lambda: measured("solidity"),
            "H",
        ),
        Kernel(
            "measure_objects: surface area",
            lambda: [surface_area(each, SPACING) for each in masks],
            "marching_cubes, mesh_surface_area",
            areas_by_meshes,
            "H",
        ),
        Kernel(
            "measure_objects: Euler number",
            lambda: [euler_number(each) for each in masks],
            "euler_number",
            lambda: [measure.euler_number(each, connectivity=3) for each in masks],
            "H",
        ),
        Kernel(
            "measure_objects: intensities",
            lambda: measure_objects.measure_intensities(labels, boxes, raw, SPACING, "nuclei"),
            "regionprops, without percentiles",
            lambda: measured(
                *(f"intensity_{name}" for name in ("mean", "std", "median", "min", "max")), "centroid_weighted", intensity_image=raw
            ),
            "HH",
        ),
    ]


def agreement(ours, theirs):
    """Say how far two images agree; nothing where the results are of different kinds."""
    import numpy as np

    if isinstance(ours, float) and isinstance(theirs, float | np.floating):
        return f"{abs(ours - theirs):.1g} apart"
    if not (isinstance(ours, np.ndarray) and isinstance(theirs, np.ndarray) and ours.shape == theirs.shape):
        return ""
    if ours.dtype.kind == "f":
        return f"at most {np.abs(ours - theirs).max():.1g} apart"
    differing = np.count_nonzero(ours != theirs)
    return f"{differing} voxels differ" if differing else "identical"


def time_of(function):
    """Return what a function returns, and its CPU milliseconds."""
    start = time.process_time()
    result = function()
    return result, 1000 * (time.process_time() - start)


def time_files(repeats):
    """Give the milliseconds of one read and of one write of a stack, by type."""
    import numpy as np

    from cellstack import io

    took = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stack.tif"
        for code in "BHf":
            write, read = partial(io.write_stack, path, np.zeros(SHAPE, code), SPACING), partial(io.read_stack, path)
            writes, reads = zip(*[(time_of(write)[1], time_of(read)[1]) for _ in range(repeats)], strict=True)
            took[code] = statistics.median(reads), statistics.median(writes)
    return took


def time_kernels(repeats):
    """Time all kernels and write the table."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # passes over a stack take the cores that they may use
    import cv2
    import SimpleITK as sitk

    cv2.setNumThreads(1)
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    files = time_files(repeats)
    lines = [
        "| stage | CPU ms, min (median) | scikit-image, SciPy | CPU ms, min (median) | ours / theirs | result | read + write ms |",
        "|---|--:|---|--:|--:|---|--:|",
    ]
    for kernel in list_kernels():
        sides = [kernel.ours, *filter(None, [kernel.theirs])]
        results = [side() for side in sides]  # which also imports what is imported late
        times = [[time_of(side)[1] for side in sides] for _ in range(repeats)]
        costs = [[min(side), statistics.median(side)] for side in zip(*times, strict=True)]
        *read, written = kernel.files if len(kernel.files) > 1 and not kernel.work.startswith("measure") else (*kernel.files, None)
        limit = sum(files[code][0] for code in read) + (files[written][1] if written else 0)
        said = ["{:.1f} ({:.1f})".format(*side) if side[1] < 100 else "{:.0f} ({:.0f})".format(*side) for side in costs]
        peer = (kernel.peer, said[1], f"{costs[0][0] / costs[1][0]:.2f}", agreement(*results)) if kernel.theirs else ("none", "", "", "")
        lines.append(f"| {' | '.join((kernel.work, said[0], *peer, f'{limit:.0f}'))} |")
        print(lines[-1], file=sys.stderr, flush=True)
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5, help="how often each side runs (%(default)s)")
    arguments = parser.parse_args()
    if any(os.environ.get(name) != value for name, value in ONE_THREAD.items()):  # these are read when NumPy starts
        sys.exit(subprocess.run([sys.executable, *sys.argv], env=os.environ | ONE_THREAD).returncode)
    sys.path.insert(0, str(REPO / "scripts"))
    print(time_kernels(arguments.repeats), end="")


if __name__ == "__main__":
    main()
