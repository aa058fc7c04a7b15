"""What is measured in a complete stack, from its planes or its blocks, is that of the stack."""

import numpy as np
import pytest
from block_chain import default_arguments, plan
from study import simulated

from cellstack.blocks.binarize_block import binarize_block
from cellstack.blocks.choose_blobs import choose_from_blocks, chosen_in_block, join_candidates
from cellstack.blocks.cut_block import cut_block, describe_block, within
from cellstack.blocks.find_blobs import as_record, find_blobs_in_core
from cellstack.blocks.measure_intensities import measure_intensities, measure_processed
from cellstack.blocks.measure_watershed import measure_watershed, typical_of_blocks
from cellstack.core.blobs import find_blobs
from cellstack.core.labels import count_voxels
from cellstack.core.noise import estimate_noise
from cellstack.core.planes import ComputedPlanes
from cellstack.enhance.adjust_contrast import adjust_contrast
from cellstack.enhance.correct_background import correct_background
from cellstack.enhance.denoise import denoise
from cellstack.errors import InputError
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
    return plan(SHAPE, SPACING, ARGUMENTS, (2, 2, 2), overlap_um=2.6 * DIAMETER)


def part(values, place):
    return values[tuple(slice(*each) for each in place.extent)]


def test_intensities_of_planes(stack):
    raw, contrast, _ = stack
    planes = ComputedPlanes(raw.shape, raw.dtype, raw.__getitem__)
    measured = measure_intensities(planes, {"low": 0.5, "high": 99.5})
    bottom, top = measured["bottom"], measured["top"]
    assert [bottom, top] == np.percentile(raw, (0.5, 99.5)).tolist()
    assert measured["noise_sd"] == estimate_noise(contrast)


def test_intensities_with_further_steps(stack):
    raw = stack[0]
    corrections = [("white_tophat", {"shape": "cube", "radius_um": 5.0})]
    corrections.append(("gaussian", {"sigma_um": 3.0}))
    steps = [("percentile_stretch", {"low": 1, "high": 99}), ("gamma", {"gamma": 0.7})]
    steps.append(("opening", {"shape": "ball", "radius_um": 0.6}))
    corrected = correct_background(raw, SPACING, corrections)
    contrast = adjust_contrast(corrected, SPACING, steps)
    # slabs of three planes
    measured = measure_processed(raw, SPACING, corrections, steps, slab_voxels=3 * raw[0].size)
    assert [measured["bottom"], measured["top"]] == np.percentile(corrected, (1, 99)).tolist()
    assert measured["noise_sd"] == estimate_noise(contrast) > 0
    # one slab is not affected by the missing planes of another
    block = corrected[4:20, :50], (measured["bottom"], measured["top"])
    in_block = adjust_contrast(block[0], SPACING, steps, measured=block[1])
    np.testing.assert_array_equal(in_block[2:-2, :48], contrast[6:18, :48])


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
