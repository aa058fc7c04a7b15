"""The segmentation in blocks is that of the stack at once; what happens where blocks disagree."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from block_chain import arguments_of, default_arguments, f1, join, plan, segment, segment_in_blocks
from study import ROOT, simulated

from cellstack.blocks.join_blocks import (
    beside_core,
    find_objects,
    join_thresholds,
    planes_of_seeds,
    seeds_in_core,
)
from cellstack.config.blocks import find_obstacles
from cellstack.core.blocks import place_blocks
from cellstack.core.resampling import grid_factors
from cellstack.core.scales import SEARCH_GRID
from cellstack.files.readers.opening import open_image

DIAMETER = 8.0
SPACINGS = [(1.1, 0.45, 0.5), (0.6, 0.5, 0.45)]


@pytest.mark.slow
@pytest.mark.parametrize("spacing", SPACINGS, ids=str)
def test_blocks_give_the_labels_of_the_uncut_stack(spacing):
    shape = tuple(np.round(np.array((40, 56, 60)) / spacing).astype(int))
    raw = simulated(shape, spacing, count=45).nuclei_image
    arguments = default_arguments(DIAMETER)
    expected = segment(raw, spacing, arguments)
    assert expected.max() >= 30
    # twice the diameter, so that no block is the complete stack
    places = plan(shape, spacing, (2, 2, 2), overlap_um=2 * DIAMETER)
    assert len(places) == 8
    assert all(place.voxels < 0.7 * raw.size for place in places)
    found, record = segment_in_blocks(raw, spacing, arguments, places)
    assert found.dtype == expected.dtype
    assert found.max() == expected.max() == record["objects"]
    assert f1(expected, found, 0.9) >= 0.999
    # the numbers too
    assert np.mean(found != expected) < 1e-4
    assert record["at_seams"] >= 5
    assert [record[name] for name in ("doubled", "lost", "moved")] == [0, 0, 0]


DEPTH = {"depth_attenuation": {"percentile": 95, "max_factor": 3.0}}
OF_COMPLETE_STACK = [  # methods that depend on the complete stack, each in one of the cases
    {"binarize": {"method": "otsu"}, "correct_background": {"steps": [DEPTH]}},
    {"binarize": {"method": "li", "factor": 0.9}},
    {"binarize": {"method": "isodata"}, "find_seeds": {"method": "laplacian_of_gaussian"}},
    {"binarize": {"method": "mean", "factor": 1.6}},
    {"binarize": {"method": "triangle"}},
    {"binarize": {"method": "yen"}},
    {"binarize": {"method": "minimum"}},
    {"binarize": {"method": "fixed"}},
    {"binarize": {"method": "hysteresis", "factor": 0.95}},
    {"binarize": {"method": "local", "local": {"window_um": 12.0}}},
    {
        "binarize": {"method": "fixed", "fixed": {"value": 0.85}},
        "adjust_contrast": {"steps": ["equalize_histogram"]},
    },
    {
        "binarize": {"method": "otsu"},
        "adjust_contrast": {"steps": ["percentile_stretch", "clahe"]},
    },
]


OF_NEIGHBOURHOOD = [  # methods that depend on what is near, in the same way as the default ones
    {"find_seeds": {"method": "h_maxima"}},
    {"find_seeds": {"method": "peaks"}, "split_objects": {"method": "edges"}},
    {"find_seeds": {"method": "peaks", "peaks": {"shape": "cube", "exclude_border": True}}},
    {"find_seeds": {"z_scale": 0.7, "radius_um": "0.1 d"}},
    {"find_seeds": {"method": "laplacian_of_gaussian", "z_scale": 1.4, "radius_um": "0.3 d"}},
    {"find_seeds": {"planes": "half_filled", "plane_range_um": 3}},
    {"denoise": {"method": "median"}},
    {"denoise": {"method": "bilateral"}},
    {"denoise": {"method": "bilateral", "bilateral": {"sigma_intensity": None}}},
    {"denoise": {"method": "bilateral", "bilateral": {"implementation": "scikit-image"}}},
    {"denoise": {"method": "non_local_means"}},
]


@pytest.mark.slow
@pytest.mark.parametrize("settings", OF_NEIGHBOURHOOD, ids=str)
def test_what_depends_on_the_neighbourhood(settings):
    spacing, shape = (1.1, 0.5, 0.5), (18, 100, 96)
    raw = simulated(shape, spacing, count=35).nuclei_image
    arguments = arguments_of(DIAMETER, {"binarize": {"method": "otsu"}} | settings)
    expected = segment(raw, spacing, arguments)
    assert expected.max() >= 10
    places = plan(shape, spacing, (1, 2, 2), overlap_um=2 * DIAMETER)
    found, record = segment_in_blocks(raw, spacing, arguments, places)
    np.testing.assert_array_equal(found, expected)
    assert record["at_seams"] > 0
    assert [record[name] for name in ("doubled", "lost", "moved")] == [0, 0, 0]


@pytest.mark.parametrize("name", ["tutorial", "tutorial-solution"])
def test_the_presets_of_the_tutorial(name):
    spacing, shape = (0.58, 0.5, 0.5), (30, 100, 96)
    raw = simulated(shape, spacing, count=35).nuclei_image
    preset = yaml.safe_load((ROOT / "config" / "presets.yaml").read_text())[name]
    arguments = arguments_of(DIAMETER, preset)
    assert find_obstacles(arguments) == []
    expected = segment(raw, spacing, arguments)
    assert expected.max() >= 10
    places = plan(shape, spacing, (1, 2, 2), overlap_um=2 * DIAMETER)
    found, record = segment_in_blocks(raw, spacing, arguments, places)
    np.testing.assert_array_equal(found, expected)
    assert record["at_seams"] > 0


@pytest.mark.parametrize("coordinates", ["voxels", "world"])
def test_seed_points_are_those_of_the_complete_stack(caplog, coordinates):
    spacing, shape = SPACINGS[0], (18, 100, 96)
    colony = simulated(shape, spacing, count=35)
    settings = {
        "binarize": {"method": "otsu"},
        "find_seeds": {"method": "points", "points": {"coordinates": coordinates}},
    }
    arguments = arguments_of(DIAMETER, settings)
    labels = np.unique(colony.nuclei_labels)[1:]
    points = np.array([np.argwhere(colony.nuclei_labels == label).mean(axis=0) for label in labels])
    points = np.concatenate([points, [[-2, 40, 50], [8, 40, 300]]])
    if coordinates == "world":
        points = points * spacing
    expected = segment(colony.nuclei_image, spacing, arguments, points)
    assert expected.max() >= 10
    assert f"{points[-1, -1]:g}" in caplog.text
    caplog.clear()
    places = plan(shape, spacing, (1, 2, 2), overlap_um=2 * DIAMETER)
    found, _ = segment_in_blocks(colony.nuclei_image, spacing, arguments, places, points)
    np.testing.assert_array_equal(found, expected)
    assert "-2 " in caplog.text  # of the points in the block


@pytest.mark.slow
@pytest.mark.parametrize("settings", OF_COMPLETE_STACK, ids=str)
def test_what_depends_on_the_complete_stack_is_measured_in_it(settings):
    spacing, shape = SPACINGS[0], (18, 100, 96)
    raw = simulated(shape, spacing, count=35).nuclei_image
    arguments = arguments_of(DIAMETER, settings)
    expected = segment(raw, spacing, arguments)
    assert expected.max() >= 10
    places = plan(shape, spacing, (1, 2, 2), overlap_um=2 * DIAMETER)
    found, record = segment_in_blocks(raw, spacing, arguments, places)
    np.testing.assert_array_equal(found, expected)
    assert record["at_seams"] > 0
    assert [record[name] for name in ("doubled", "lost", "moved")] == [0, 0, 0]


def test_blocks_that_begin_within_a_voxel_of_the_coarse_grids():
    spacing, shape = (0.7, 0.19, 0.16), (20, 150, 171)
    raw = simulated(shape, spacing, count=16).nuclei_image
    arguments = arguments_of(DIAMETER, {})
    expected = segment(raw, spacing, arguments)
    assert expected.max() >= 8
    places = plan(shape, spacing, (1, 2, 2), overlap_um=10.8)
    factors = grid_factors(SEARCH_GRID * arguments("binarize")["options"]["sigma_um"], spacing)
    first = [start for start, _ in places[-1].extent]
    assert first[1] % factors[1] > 0 < first[2] % factors[2]
    found, record = segment_in_blocks(raw, spacing, arguments, places)
    assert np.mean(found != expected) < 1e-4
    assert record["at_seams"] > 0


def test_sheets_are_removed_in_blocks():
    spacing, shape = SPACINGS[0], (18, 100, 96)
    raw = simulated(shape, spacing, count=12).nuclei_image
    _, y, x = np.indices(shape) * np.reshape(spacing, (3, 1, 1, 1))
    bent = np.abs(x - 0.45 * x.max() - 0.01 * (y - 20) ** 2) < 0.06 * DIAMETER
    raw[bent] = np.percentile(raw, 99)
    arguments = arguments_of(DIAMETER, {})
    kept = {"clean_mask": {"steps": ["smooth", "fill_holes", "remove_small_objects"]}}
    expected = segment(raw, spacing, arguments)
    assert segment(raw, spacing, arguments_of(DIAMETER, kept)).max() > expected.max()
    places = plan(shape, spacing, (1, 2, 2), overlap_um=3 * DIAMETER)
    found, record = segment_in_blocks(raw, spacing, arguments, places)
    np.testing.assert_array_equal(found, expected)
    assert [record[name] for name in ("doubled", "lost", "moved")] == [0, 0, 0]


@pytest.mark.slow
def test_a_small_overlap_is_counted():
    spacing = SPACINGS[0]
    shape = tuple(np.round(np.array((40, 56, 60)) / spacing).astype(int))
    raw = simulated(shape, spacing, count=45).nuclei_image
    arguments = default_arguments(DIAMETER)
    places = plan(shape, spacing, (2, 3, 3), overlap_um=0.3 * DIAMETER)
    _, record = segment_in_blocks(raw, spacing, arguments, places)
    assert sum(record[name] for name in ("doubled", "lost", "moved", "contested_voxels")) > 0


def test_an_object_that_is_larger_than_a_block_is_counted_and_kept():
    spacing = (1.0, 0.5, 0.5)
    raw = np.full((12, 50, 240), 20, np.uint8)
    raw[3:9, 12:38, 8:-8] = 200
    settings = {"binarize": {"method": "otsu"}, "find_seeds": {"method": "h_maxima"}}
    arguments = arguments_of(DIAMETER, settings)
    assert segment(raw, spacing, arguments).max() == 1
    places = plan(raw.shape, spacing, (1, 1, 3), overlap_um=DIAMETER)
    found, record = segment_in_blocks(raw, spacing, arguments, places)
    assert record["lost"] == 2
    assert found[4:8, 14:36, 12:-12].all()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "diameter_um", "spacing"),
    [("tutorial", 10, (0.58, 0.522, 0.522)), ("ovule", 3, (0.284, 0.127, 0.127))],
)
def test_blocks_of_real_stacks(data, name, diameter_um, spacing):
    with open_image([Path(data) / name / "nuclei.tif"]) as source:
        raw = np.stack(list(source.planes(0)))
    arguments = default_arguments(diameter_um)
    expected = segment(raw, spacing, arguments)
    places = plan(raw.shape, spacing, (2, 2, 2), overlap_um=2 * diameter_um)
    found, _ = segment_in_blocks(raw, spacing, arguments, places)
    assert found.max() == expected.max()
    assert f1(expected, found, 0.9) >= 0.999


def two_blocks(*objects):
    """Return two overlapping blocks of a row of voxels with objects, given as (start, stop, seed).

    The objects are given for each block, in voxels of the stack.
    """
    places = list(place_blocks((1, 1, 20), (1, 1, 2), (0, 0, 6)).values())
    results = []
    for place, own in zip(places, objects, strict=True):
        first, last = place.extent[2]
        labels, seeds = np.zeros((2, 1, 1, last - first), np.uint16)
        for number, (start, stop, seed) in enumerate(own, 1):
            labels[0, 0, max(0, start - first) : max(0, stop - first)] = number
            if first <= seed < last:
                seeds[0, 0, seed - first] = number
        results.append((labels, labels, seeds))
    return join((1, 1, 20), places, results)


@pytest.mark.parametrize(
    ("first", "second", "expected", "counts"),
    [
        # the same in both, over the seam at 10: the one with its seed in the core
        ([(8, 13, 9)], [(8, 13, 9)], "00000000111110000000", {"at_seams": 1}),
        ([(8, 13, 11)], [(8, 13, 11)], "00000000111110000000", {"at_seams": 1}),
        # each has its seed in its own core: one of them is left out
        ([(8, 13, 9)], [(8, 13, 10)], "00000000111110000000", {"at_seams": 1, "doubled": 1}),
        # each has it in the other core: none is lost
        (
            [(8, 13, 10)],
            [(8, 13, 9)],
            "00000000111110000000",
            {"at_seams": 1, "lost": 1, "moved": 1},
        ),
        # two objects that overlap
        (
            [(6, 11, 8)],
            [(10, 15, 12)],
            "00000011111222200000",
            {"at_seams": 1, "contested_voxels": 1},
        ),
        # larger than the block that owns it: the rest is not lost in silence
        ([(1, 16, 2)], [(1, 20, 4)], "01111111111111112222", {"at_seams": 1, "lost": 1}),
        # numbers follow the seeds, not the blocks
        ([(8, 10, 8)], [(14, 16, 15), (11, 12, 11)], "00000000110200330000", {}),
    ],
)
def test_objects_at_a_seam(first, second, expected, counts):
    labels, record = two_blocks(first, second)
    assert "".join(map(str, labels.ravel())) == expected
    assert {name: count for name, count in record.items() if count and name != "objects"} == counts
    assert record["objects"] == labels.max()


def test_the_reference_of_an_object_whose_seed_is_beside_its_smooth_outline():
    seeds = np.uint16([[[1, 0, 0, 2, 0, 3, 0]]])
    merged = np.uint16([[[1, 1, 1, 2, 2, 2, 2]]])  # the last two regions are one object
    smooth = np.uint16([[[0, 1, 1, 0, 0, 0, 2]]])
    found = find_objects(smooth, merged, seeds, (4, 5, 6))
    assert found.labels.tolist() == [1, 2]
    assert found.references.tolist() == [[4, 5, 6], [4, 5, 9]]


def test_blocks_without_objects():
    labels, record = two_blocks([], [])
    assert not labels.any()
    assert set(record.values()) == {0}


def test_what_a_block_sees_beside_its_core():
    assert beside_core([(0, 8), (8, 20)], [(0, 16), (0, 24)]) == [(0, 10), (6, 21)]


def test_seeds_of_blocks_are_numbered_as_in_the_stack():
    seeds = np.zeros((3, 4, 6), np.uint16)
    seeds[0, 3, 5] = 1
    seeds[1, 0, 2:4] = 2  # over the seam
    seeds[2, 2, 1] = 3
    places = place_blocks(seeds.shape, (1, 2, 2), (0, 2, 3)).values()
    parts = [
        seeds_in_core(seeds[tuple(slice(*each) for each in place.extent)], place.core, place.extent)
        for place in places
    ]
    planes, count = planes_of_seeds(parts, seeds.shape)
    assert count == 3
    np.testing.assert_array_equal(np.stack(list(planes)), seeds)
    planes, count = planes_of_seeds([(np.zeros((0, 3), int), np.zeros(0, int))], (1, 2, 2))
    assert count == 0
    assert not planes[0].any()


def test_the_record_of_the_threshold_is_that_of_the_stack():
    core = {"voxels": 60, "foreground_voxels": 6, "haze_ratios": [0.1, 0.5], "hollow": 1}
    other = {"voxels": 40, "foreground_voxels": 14, "haze_ratios": [0.2], "hollow": 2}
    records = [
        {"method": "per_object", "factor": 1.0, "threshold": None, "core": each}
        for each in (core, other)
    ]
    joined = join_thresholds(
        records, {"dropped_dim": 4, "brightness_ratio": 1.5}, {"doubled": 2, "lost": 3}
    )
    assert joined.pop("haze_ratio") == pytest.approx(0.2)
    assert joined == {
        "method": "per_object",
        "factor": 1.0,
        "threshold": None,
        "foreground_fraction": 0.2,
        "dropped_dim": 4,
        "brightness_ratio": 1.5,
        "hollow": 3,
        "seam_disagreements": 5,
    }
