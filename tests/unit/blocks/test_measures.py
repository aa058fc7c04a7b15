"""What is measured in a complete stack, from its planes or its blocks, is that of the stack."""

import json

import numpy as np
import pytest
from block_chain import add_maps, default_arguments, plan
from study import simulated

from cellstack.blocks.binarize_block import binarize_block, cut_mask, threshold_block
from cellstack.blocks.choose_blobs import choose_from_blocks, chosen_in_block, join_candidates
from cellstack.blocks.connect_mask import connect_mask, join_cores
from cellstack.blocks.cut_block import cut_block, describe_block, within
from cellstack.blocks.find_blobs import as_record, find_blobs_in_core
from cellstack.blocks.find_block_seeds import find_block_seeds
from cellstack.blocks.measure_intensities import measure_intensities
from cellstack.blocks.measure_threshold import measure_threshold
from cellstack.blocks.measure_watershed import measure_watershed, typical_of_blocks
from cellstack.core.blobs import find_blobs
from cellstack.core.labels import count_voxels
from cellstack.core.noise import estimate_noise
from cellstack.core.planes import ComputedStack
from cellstack.enhance.adjust_contrast import adjust_contrast
from cellstack.enhance.correct_background import correct_background
from cellstack.enhance.denoise import denoise
from cellstack.errors import InputError
from cellstack.segment.binarize import binarize, find_threshold
from cellstack.segment.find_seeds import seeds_of_mask
from cellstack.segment.label_components import label_components
from cellstack.segment.merge_objects import describe_typical
from cellstack.segment.per_object_threshold import choose_blobs, describe_candidates, mark_blobs

SPACING, SHAPE, DIAMETER = (1.1, 0.45, 0.5), (36, 110, 120), 8.0
ARGUMENTS = default_arguments(DIAMETER)
OPTIONS = ARGUMENTS("binarize")["options"]


@pytest.fixture(scope="module")
def stack():
    """Raw, adjusted and denoised intensities."""
    raw = simulated(SHAPE, SPACING, count=30).nuclei_image
    contrast = adjust_contrast(raw, SPACING, ARGUMENTS("adjust_contrast")["steps"])
    return raw, contrast, denoise(contrast, SPACING, **ARGUMENTS("denoise"))


@pytest.fixture(scope="module")
def places():
    return plan(SHAPE, SPACING, (2, 2, 2), overlap_um=2.6 * DIAMETER)


def part(values, place):
    return values[tuple(slice(*each) for each in place.extent)]


def test_intensities_of_planes(stack):
    raw, contrast, _ = stack
    planes = ComputedStack(raw.shape, raw.dtype, raw.__getitem__)
    steps = ARGUMENTS("adjust_contrast")["steps"]
    measured, _ = measure_intensities(planes, SPACING, [], steps)
    assert measured["corrections"] == []
    assert measured["steps"] == [np.percentile(raw, (0.5, 99.5)).tolist()]
    assert measured["noise_sd"] == estimate_noise(contrast)


DEPTH = ("depth_attenuation", {"percentile": 95, "max_factor": 3.0})
TOPHAT = ("white_tophat", {"shape": "cube", "radius_um": 2.0})
STRETCH = ("percentile_stretch", {"low": 1, "high": 99})
EQUALIZE = ("equalize_histogram", {"nbins": 200})
CLAHE = ("clahe", {"tile_um": 9.0, "clip_limit": 0.03})
OPENING = ("opening", {"shape": "ball", "radius_um": 0.6})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("corrections", "steps"),
    [
        ([TOPHAT, ("gaussian", {"sigma_um": 1.0})], [STRETCH, ("gamma", {"gamma": 0.7}), OPENING]),
        ([DEPTH], [EQUALIZE]),
        ([TOPHAT, DEPTH], [STRETCH]),
        ([DEPTH, TOPHAT], [STRETCH, OPENING, EQUALIZE]),
        ([], [OPENING, STRETCH]),
        ([TOPHAT], [STRETCH, CLAHE, OPENING]),
        ([], [CLAHE, ("gamma", {"gamma": 0.7}), EQUALIZE]),
        ([], []),
    ],
    ids=lambda steps: "-".join(name for name, _ in steps) or "nothing",
)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_the_contrast_of_blocks_is_that_of_the_stack(stack, places, dtype, corrections, steps):
    dimmer = np.exp(-0.03 * np.arange(SHAPE[0]))[:, None, None]
    raw = (stack[0] * dimmer / stack[0].max() * (1 if dtype == np.float32 else 250)).astype(dtype)
    corrected = correct_background(raw, SPACING, corrections)
    contrast = adjust_contrast(corrected, SPACING, steps)
    # slabs of three planes
    measured, maps = measure_intensities(
        raw, SPACING, corrections, steps, slab_voxels=3 * raw[0].size
    )
    assert measured["noise_sd"] == estimate_noise(contrast) > 0
    known = json.loads(json.dumps(measured))
    for place in places:
        block = correct_background(
            part(raw, place), SPACING, corrections, None, known["corrections"], place.extent[0][0]
        )
        first = [start for start, _ in place.extent]
        of_steps = add_maps(steps, known["steps"], maps) if steps else known["steps"]
        found = adjust_contrast(block, SPACING, steps, None, of_steps, first)
        inside = within(place.core, place.extent)
        np.testing.assert_array_equal(found[inside], part(contrast, place)[inside])


def test_voxels_without_data_do_not_count(stack):
    raw = stack[0].copy()
    no_data = np.zeros(SHAPE, bool)
    no_data[:4], no_data[:, :20, 30:] = True, True
    raw[no_data] = 0
    steps = [EQUALIZE, CLAHE, STRETCH]
    planes = ComputedStack(SHAPE, bool, no_data.__getitem__)
    measured, maps = measure_intensities(raw, SPACING, [DEPTH], steps, planes)
    corrected = correct_background(raw, SPACING, [DEPTH], no_data)
    expected = adjust_contrast(corrected, SPACING, steps, no_data)
    found = correct_background(raw, SPACING, [DEPTH], None, measured["corrections"])
    known = add_maps(steps, measured["steps"], maps)
    found = adjust_contrast(found, SPACING, steps, None, known)
    np.testing.assert_array_equal(found[~no_data], expected[~no_data])


THRESHOLDS = ["otsu", "li", "isodata", "mean", "triangle", "yen", "minimum"]


@pytest.mark.parametrize("with_gaps", [False, True])
def test_thresholds_of_blocks_are_those_of_the_stack(stack, places, with_gaps):
    denoised, no_data = stack[2], None
    if with_gaps:
        no_data = np.zeros(SHAPE, bool)
        no_data[:, 40:70, :30], no_data[denoised > 0.8] = True, True
    geometry = [{"core": place.core, "extent": place.extent} for place in places]
    parts = [part(denoised, place) for place in places]
    for method in THRESHOLDS:
        found = measure_threshold(geometry, parts.__getitem__, method, {}, 0.9, no_data)
        assert found == find_threshold(denoised, method, {}, 0.9, no_data), method
    mask = denoised > np.float32(found)
    expected = mask if no_data is None else mask & ~no_data
    voxels = 0
    for place, values in zip(places, parts, strict=True):
        without = None if no_data is None else part(no_data, place)
        inside = place.core, place.extent
        drawn, core = threshold_block(values, SPACING, found, without, *inside)
        np.testing.assert_array_equal(drawn, part(expected, place))
        voxels += core["foreground_voxels"]
    assert voxels == expected.sum() > 0


def test_a_constant_stack_has_an_empty_mask_in_blocks(places):
    constant = np.full(SHAPE, 0.4, np.float32)
    geometry = [{"core": place.core, "extent": place.extent} for place in places]
    options = {"window_um": 5.0, "offset": -0.1}

    def read(index):
        return part(constant, places[index])

    assert measure_threshold(geometry, read, "local", options, 1.0) == constant[0, 0, 0]
    constant[0, 0, 0] = 0.5
    assert measure_threshold(geometry, read, "local", options, 1.0) is None


@pytest.mark.slow
def test_blobs_of_blocks(stack, places):
    noise_sd, denoised = estimate_noise(stack[1]), stack[2]
    sizes = [OPTIONS[f"{name}_um"] for name in ("sigma", "min_distance", "background_radius")]
    expected = describe_candidates(
        find_blobs(denoised, SPACING, *sizes), noise_sd, OPTIONS["sigma_um"]
    )
    records = [
        as_record(
            find_blobs_in_core(
                part(denoised, place), SPACING, noise_sd, OPTIONS, place.core, place.extent
            )
        )
        for place in places
    ]
    found = join_candidates(records[::-1])
    assert len(found.centres) > 40
    np.testing.assert_array_equal(found.centres, expected.centres)
    for name in ("backgrounds", "contrasts", "responses", "noise", "at_face"):
        np.testing.assert_allclose(
            getattr(found, name), getattr(expected, name), rtol=1e-4, atol=1e-6
        )
    record = choose_from_blocks(records, OPTIONS)
    names = ("min_contrast", "min_contrast_to_noise_ratio", "min_dim_objects", "face_weight")
    chosen, dropped_dim, ratio = choose_blobs(expected, **{name: OPTIONS[name] for name in names})
    assert record["centres"] == chosen.centres.tolist()
    assert record["dropped_dim"] == dropped_dim
    assert record["brightness_ratio"] == pytest.approx(ratio)
    whole = mark_blobs(denoised, SPACING, noise_sd, **OPTIONS)
    voxels, hollow, haze, owned = 0, 0, [], 0
    for place in places:
        inside = place.core, place.extent
        mask, core = binarize_block(
            part(denoised, place), SPACING, record, OPTIONS, 1.0, None, *inside
        )
        here = within(*inside)
        assert np.mean(mask[here] != part(whole.mask, place)[here]) < 1e-4
        voxels += core["foreground_voxels"]
        hollow += core["hollow"]
        haze += core["haze_ratios"]
        factors = tuple(round(a / b) for a, b in zip(expected.spacing, SPACING, strict=True))
        owned += int(chosen_in_block(record, *inside, factors)[1].sum())
    assert owned == len(chosen.centres)
    assert voxels == pytest.approx(whole.mask.sum(), rel=1e-4)
    assert hollow == whole.hollow
    assert np.median(haze) == pytest.approx(whole.haze_ratio, rel=1e-4)


def test_regions_of_blocks(places):
    generator = np.random.default_rng(3)
    labels, seeds = np.zeros((2, *SHAPE), np.uint16)
    corners = [(z, y, x) for z in (2, 15, 28) for y in range(2, 100, 9) for x in range(2, 110, 9)]
    for number, (z, y, x) in enumerate(corners, 1):
        depth, height, width = generator.integers(2, 8, 3)
        labels[z : z + depth, y : y + height, x : x + width] = number
        seeds[z + 1, y + 1, x : x + 2] = number
    stack = generator.random(SHAPE, "float32")
    records = [
        measure_watershed(
            part(seeds, place), part(labels, place), part(stack, place), place.core, place.extent
        )
        for place in places
    ]
    found = typical_of_blocks(records)
    background = stack[labels == 0].astype(float)
    expected = describe_typical(count_voxels(labels)[1:], background.sum(), background.size)
    assert found.large_voxels == expected.large_voxels
    assert found.background == pytest.approx(expected.background)


def test_a_block_is_cut_out_with_its_record(places):
    stack = np.arange(np.prod(SHAPE)).reshape(SHAPE)
    np.testing.assert_array_equal(cut_block(stack, places[3].extent), part(stack, places[3]))
    block = {"core": [[0, 1]], "extent": [[0, 2]]}
    record = describe_block({"no_data": {"value": 0.0, "limit": 9.0}, "flags": []}, block)
    assert record == {"no_data": {"value": 0.0, "limit": 9.0}, "flags": [], "block": block}
    with pytest.raises(InputError, match="the image was replaced while it was processed"):
        cut_block(stack[:20], places[-1].extent)


def test_hysteresis_connects_over_any_number_of_blocks():
    """A dim thread that winds through all blocks is kept: it has one bright voxel, at its end."""
    shape, spacing = (6, 40, 41), (1.0, 0.5, 0.5)
    denoised = np.random.default_rng(1).random(shape, "float32") * 0.2
    for row in range(2, 36, 4):
        denoised[3, row, 1:40] = 0.5
        denoised[3, row : row + 4, 39 if row % 8 == 2 else 1] = 0.5
    other = denoised.copy()
    denoised[3, 2, 1] = 0.9
    places = plan(shape, spacing, (2, 3, 3), overlap_um=2.0)
    geometry = [{"core": place.core, "extent": place.extent} for place in places]
    options = {"low": 0.3, "high": 0.7, "scale": "intensity"}
    no_data = np.zeros(shape, bool)
    no_data[:, 38:] = True
    for stack, voxels in ((denoised, 9 * 39), (other, 0)):
        expected = binarize(
            stack, find_threshold(stack, "hysteresis", options), None, None, no_data
        )
        assert expected.sum() >= voxels
        assert expected.any() == bool(voxels)
        parts = [part(stack, place) for place in places]
        joined = join_cores(geometry, parts.__getitem__)
        np.testing.assert_array_equal(joined[1:, ::2, -5:], stack[1:, ::2, -5:])
        connected = connect_mask(joined, options, 1.0)
        for place, block in zip(places, geometry, strict=True):
            found, core = cut_mask(connected, part(no_data, place), **block)
            np.testing.assert_array_equal(found, part(expected, place))
            assert core["foreground_voxels"] == found[within(**block)].sum()
        assert connect_mask(np.full(shape, 0.4, np.float32), options, 1.0).sum() == 0


@pytest.mark.parametrize("allowed", [(2, 9), (11, 17), (30, 36)])
def test_planes_with_seeds_are_those_of_the_stack(stack, allowed):
    mask = (stack[2] > 0.2).astype(np.uint8)
    options = {"min_distance_um": 2.0}
    given = {"smoothing_um": 0.5, "z_scale": 1.0, "radius_um": 0.0}
    components = label_components(mask, 26)
    expected = seeds_of_mask(
        mask, components, SPACING, "peaks", options, allowed=slice(*allowed), **given
    )[1]
    assert expected.max() >= 3
    for place in plan(SHAPE, SPACING, (3, 1, 1), overlap_um=1.2 * DIAMETER):
        inside = within(place.core, place.extent)
        own = part(mask, place)
        _, found = find_block_seeds(
            own,
            label_components(own, 26),
            SPACING,
            "peaks",
            options,
            part(stack[2], place),
            core=place.core,
            extent=place.extent,
            allowed=allowed,
            **given,
        )
        np.testing.assert_array_equal(found[inside] > 0, part(expected, place)[inside] > 0)
