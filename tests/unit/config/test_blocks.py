"""How far blocks overlap, and which stacks can be cut."""

import math

import numpy as np
import pytest
from block_chain import arguments_of, default_arguments

from cellstack.config.blocks import (
    cell_reach_um,
    find_obstacles,
    reach_um,
)
from cellstack.core.blobs import find_blobs

DIAMETER = 10.0


def test_the_overlap_is_the_sum_of_the_radii():
    arguments = default_arguments(DIAMETER)
    denoising, grid, centre = 4 * 0.75, 3.0 / 3, 4 * 3.0 / 2
    volume = 4 / 3 * math.pi * 5**3
    balls = sum(2 * (3 * part * volume / (4 * math.pi)) ** (1 / 3) for part in (0.05, 0.03))
    drawing = centre + 0.4 * 10 + 4 * 0.6 + balls + 4 * 0.5
    outlines = default_arguments(10.0)("smooth_outlines")["options"]["sigma_um"]
    assert reach_um(arguments, 1.2 * DIAMETER) == pytest.approx(
        denoising + grid + 1.2 * 10 + drawing + 4 * outlines
    )

    def wide_background(stage):
        block = arguments(stage)
        if stage == "binarize":
            block["options"]["background_radius_um"] = 90.0
        return block

    assert reach_um(wide_background, 12.0) == pytest.approx(denoising + grid + centre + 90)


@pytest.mark.parametrize(("method", "window_um"), [("otsu", 0.0), ("local", 30.0)])
def test_the_overlap_without_a_threshold_per_object(method, window_um):
    arguments = default_arguments(DIAMETER)

    def other(stage):
        options = {"window_um": window_um} if window_um else {}
        return {"method": method, "options": options} if stage == "binarize" else arguments(stage)

    per_object = arguments("binarize")["options"]["sigma_um"]
    seeds = arguments("find_seeds")["options"]["sigma_um"]
    less = 4 * per_object / 2 + per_object / 3
    assert reach_um(other, 12.0) == pytest.approx(
        reach_um(arguments, 12.0) - less + 4 * window_um / 6 + seeds / 5
    )


@pytest.mark.parametrize("name", ["position", "contrast"])
def test_no_voxel_beyond_the_reach_changes_a_blob(name):
    """The overlap is enough for the part of it that describes blobs, whatever lies beyond."""
    arguments, spacing = default_arguments(DIAMETER), (1.1, 0.6, 0.5)
    options = arguments("binarize")["options"]
    sizes = [options[f"{size}_um"] for size in ("sigma", "min_distance", "background_radius")]
    generator = np.random.default_rng(2)
    stack = generator.normal(0.2, 0.02, (12, 20, 240)).astype("float32")
    stack[4:9, 7:14, 8:18] += 0.5
    changed = stack.copy()
    first = 13 + math.ceil(reach_um(arguments, 1.2 * DIAMETER) / spacing[2])
    changed[:, :, first:] = generator.random(changed[:, :, first:].shape) * 5
    found = [find_blobs(each, spacing, *sizes) for each in (stack, changed)]
    columns = []
    for blobs in found:
        index = int(np.argmin(np.abs(blobs.centres[:, 2] * blobs.factors[2] - 12)))
        values = {"position": blobs.centres, "contrast": blobs.contrasts}[name]
        columns.append(values[index])
    assert stack.shape[2] - first > 80
    np.testing.assert_allclose(columns[0], columns[1], rtol=1e-5)


def test_settings_that_need_the_complete_stack_are_named():
    assert find_obstacles(default_arguments(10.0)) == []

    def other(stage):
        block = default_arguments(10.0)(stage)
        if stage == "denoise":
            block["method"] = "total_variation"
        if stage == "split_objects":
            block["method"] = "blend"
        if stage == "binarize":
            block["method"] = "unknown"
        if stage == "adjust_contrast":
            block["steps"] = [("clahe", {}), ("unknown", {}), ("clahe", {})]
        if stage == "correct_background":
            block["steps"] = [("gaussian", {}), ("depth_attenuation", {}), ("unknown", {})]
        if stage == "find_seeds":
            block |= {"planes": "middle", "radius_um": 1.5, "z_scale": 2}
        return block

    assert find_obstacles(other) == [
        "denoise.method is total_variation, which ends when a complete plane or stack has "
        "converged: set it to one of none, gaussian, median, bilateral, non_local_means",
        "binarize.method is unknown: set it to one of per_object, otsu, li, isodata, mean, "
        "minimum, triangle, yen, fixed, hysteresis, local",
        "split_objects.method is blend, which divides by standard deviations within the complete "
        "mask: set it to one of distance, intensity, undenoised_intensity, edges",
        "adjust_contrast.steps has clahe several times: use it once",
        "correct_background.steps has unknown: use only white_tophat, gaussian, depth_attenuation",
        "adjust_contrast.steps has unknown: use only none, percentile_stretch, equalize_histogram, "
        "clahe, gamma, erosion, dilation, opening, closing",
    ]


def test_seeds_and_denoising_make_blocks_overlap_more():
    expected = reach_um(default_arguments(DIAMETER), 12.0)

    def reach_with(**given):
        return reach_um(arguments_of(DIAMETER, given), 12.0)

    assert reach_with(find_seeds={"radius_um": 2.5}) == pytest.approx(expected + 2.5)
    # the distance map: smoothing by 0.5 um reaches twice as far along z, and so does the mask
    found = reach_with(find_seeds={"z_scale": 0.5})
    assert found == pytest.approx(expected + 4 * 0.5 + 12.0)
    assert reach_with(find_seeds={"z_scale": 1.5}) == pytest.approx(expected + 0.5 * 12.0)
    blobs = {"method": "distance_and_blobs", "distance_and_blobs": {"min_distance_um": 30.0}}
    peaks = {"method": "peaks", "peaks": {"min_distance_um": 30.0}}
    assert reach_with(find_seeds=peaks) == pytest.approx(reach_with(find_seeds=blobs))
    assert reach_with(find_seeds=peaks) > expected
    filtered = {"method": "non_local_means", "non_local_means": {"search_radius_um": 20.0}}
    assert reach_with(denoise=filtered) > expected + 20 - 4 * 0.75


def test_background_corrections_make_blocks_overlap_more():
    arguments = default_arguments(DIAMETER)
    steps = [("white_tophat", {"radius_um": 7.5}), ("gaussian", {"sigma_um": 20.0})]

    def corrected(stage):
        return arguments(stage) | ({"steps": steps} if stage == "correct_background" else {})

    assert reach_um(corrected, 12.0) == pytest.approx(reach_um(arguments, 1.2 * DIAMETER) + 15 + 80)
    assert cell_reach_um(arguments, 14.0) > 35
