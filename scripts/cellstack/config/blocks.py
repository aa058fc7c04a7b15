"""Settings with which stacks can be cut into blocks, and the overlap that blocks need.

What the stages compute in the core must not depend on the faces at which the block is cut.
"""

import math
from collections.abc import Callable
from typing import Any

from cellstack.core.scales import (
    CENTRE_WIDTH,
    FILTER_GRID,
    SEARCH_GRID,
    TRUNCATE,
    reach_of_steps,
)

Settings = dict[str, Any]

METHODS_IN_BLOCKS = {  # those whose result depends on what is near, or on what is measured before
    "denoise": ("none", "gaussian", "median", "bilateral", "non_local_means"),
    "binarize": (
        "per_object",
        "otsu",
        "li",
        "isodata",
        "mean",
        "minimum",
        "triangle",
        "yen",
        "fixed",
        "hysteresis",
        "local",
    ),
    "find_seeds": (
        "distance_and_blobs",
        "laplacian_of_gaussian",
        "h_maxima",
        "peaks",
        "points",
    ),
    "split_objects": ("distance", "intensity", "undenoised_intensity", "edges"),
}
REFUSED = {  # why the result of other methods depends on what is far away
    "total_variation": "which ends when a complete plane or stack has converged",
    "blend": "which divides by standard deviations within the complete mask",
}
STEPS_IN_BLOCKS = {
    "correct_background": ("white_tophat", "gaussian", "depth_attenuation"),
    "adjust_contrast": (
        "none",
        "percentile_stretch",
        "equalize_histogram",
        "clahe",
        "gamma",
        "erosion",
        "dilation",
        "opening",
        "closing",
    ),
}
AUTO_MAX_VOXELS = 300_000_000  # of a block: 14 bytes per voxel are 4.2 GB
AUTO_MAX_VOXELS_OF_CELLS = 90_000_000  # of a block with cells: 45 bytes per voxel
CELL_REACH = 2.5  # diameters of cells: a block must contain all neighbours of those in its core


def find_obstacles(arguments: Callable[[str], Settings]) -> list[str]:
    """Return the settings with which a stack cannot be cut into blocks.

    Parameters
    ----------
    arguments : callable
        Returns the params of a stage.

    Returns
    -------
    list of str
        For each what to set instead.
    """
    found = []
    for stage, allowed in METHODS_IN_BLOCKS.items():
        method = arguments(stage)["method"]
        if method not in allowed:
            reason = f", {REFUSED[method]}" if method in REFUSED else ""
            found.append(
                f"{stage}.method is {method}{reason}: set it to one of {', '.join(allowed)}"
            )
    if [name for name, _ in arguments("adjust_contrast")["steps"]].count("clahe") > 1:
        found.append("adjust_contrast.steps has clahe several times: use it once")
    for stage, steps in STEPS_IN_BLOCKS.items():
        for name, _ in arguments(stage)["steps"]:
            if name not in steps:
                found.append(f"{stage}.steps has {name}: use only {', '.join(steps)}")
    return found


def reach_um(arguments: Callable[[str], Settings], radius_um: float) -> float:
    """Return how far beyond its core a block must extend, in um.

    Parameters
    ----------
    arguments : callable
        Returns the params of a stage, with sizes in um.
    radius_um : float
        How far an object can extend from its centre: `max_radius_um` of the threshold per object.

    Returns
    -------
    float
        The larger of two distances, the sums of the radii of all filters involved. The first is
        that at which a voxel can change the position or the contrast of a bright blob in the core.
        The second is that at which it can change the outline, or the seed, of an object that
        extends by `radius_um` beyond the core.
    """
    denoise, threshold = arguments("denoise")["options"], arguments("binarize")["options"]
    seeds, outlines = arguments("find_seeds"), arguments("smooth_outlines")["options"]
    seed_sigma_um = seeds["options"].get("sigma_um", 0.0)
    seeding = max(TRUNCATE * seed_sigma_um, seeds["options"].get("min_distance_um", 0.0))
    z_scale = seeds["z_scale"]
    before = sum(
        reach_of_steps(arguments(stage)["steps"])
        for stage in ("correct_background", "adjust_contrast")
    )
    denoising = (
        TRUNCATE * denoise.get("sigma_um", 0.0)
        + 2 * denoise.get("radius_um", 0.0)
        + denoise.get("patch_radius_um", 0.0)
        + denoise.get("search_radius_um", 0.0)
    )
    if arguments("binarize")["method"] == "per_object":
        marking = TRUNCATE * CENTRE_WIDTH * threshold["sigma_um"]
        search = max(
            TRUNCATE * threshold["sigma_um"] + threshold["min_distance_um"],
            marking + threshold["background_radius_um"],
        )
        grid = SEARCH_GRID * threshold["sigma_um"]
    else:  # the window of a local threshold is six standard deviations
        marking, search = TRUNCATE * threshold.get("window_um", 0.0) / 6, 0.0
        grid = FILTER_GRID * seed_sigma_um
    cleaning = sum(_reach_of_step(options) for _, options in arguments("clean_mask")["steps"])
    drawing = (
        marking
        + cleaning
        + TRUNCATE * seeds["smoothing_um"] * max(1.0, 1 / z_scale)
        + seeds["radius_um"]
        + TRUNCATE * outlines.get("sigma_um", 0.0)
    )
    # The voxel of the background that is nearest with a scaled z can be that much farther away.
    objects = radius_um * max(z_scale, 1 / z_scale) + max(drawing, seeding)
    return float(before + denoising + grid + max(search, objects))


def cell_reach_um(arguments: Callable[[str], Settings], diameter_um: float) -> float:
    """Return how far beyond its core a block must extend for the cells in it, in um.

    Parameters
    ----------
    arguments : callable
        Returns the params of a stage for the membrane channel, with sizes in um.
    diameter_um : float
        Diameter of the cells.

    Returns
    -------
    float
        The radius of the discs of background, and :data:`CELL_REACH`. Filters of the membrane are
        computed in the complete stack.
    """
    seeds = arguments("find_cell_seeds")
    discs = max(seeds["background_radius_um"], seeds["background_radius_beside_nuclei_um"])
    return float(discs + CELL_REACH * diameter_um)


def _reach_of_step(options: Settings) -> float:
    """Return the reach in um of a step of clean_mask.

    The width of a sheet is not included: a sheet that extends beyond a block is wide in the block.
    """
    hole_um = math.cbrt(6 * options.get("max_volume_um3", 0.0) / math.pi)
    smoothing_um = float(TRUNCATE * options.get("sigma_um", 0.0))
    thickness_um = float(options.get("max_thickness_um", 0.0))
    return hole_um + smoothing_um + thickness_um + float(4 * options.get("radius_um", 0.0))
