"""The estimate of the diameter against balls of known size, simulated colonies and stacks without objects."""

import numpy as np
import pytest
import tifffile
from study import constant

import estimate_diameter as script
from cellstack import io, sizes
from cellstack.errors import InputError
from cellstack.estimate_diameter import _diameters, _size, estimate_diameter
from cellstack.simulate_stack import simulate_stack

WITHIN = 0.2


def balls(shape, spacing, diameter, count, *, spots=0, seed=5):
    """Balls of one size apart from each other, with noise; `spots` in each that are three times as bright."""
    rng = np.random.Generator(np.random.PCG64(seed))
    z, y, x = np.meshgrid(*(np.arange(size) * step for size, step in zip(shape, spacing, strict=True)), indexing="ij", sparse=True)
    image, middles = np.zeros(shape), []

    def draw(middle, width, value):
        image[(z - middle[0]) ** 2 + (y - middle[1]) ** 2 + (x - middle[2]) ** 2 < width**2 / 4] = value

    while len(middles) < count:
        middle = rng.uniform(0, np.multiply(shape, spacing))
        if all(np.linalg.norm(middle - other) > 1.1 * diameter for other in middles):
            middles.append(middle)
            draw(middle, diameter, 100)
    for middle in middles:
        for _ in range(spots):
            way = rng.normal(size=3)
            draw(middle + 0.3 * diameter * way / np.linalg.norm(way), 0.2 * diameter, 300)
    return np.clip(image + 20 + rng.normal(0, 10, shape), 0, None).astype(np.uint16)


@pytest.mark.parametrize(("diameter", "ratio"), [(4, 1), (16, 4), (8, 8)])
def test_balls_have_their_diameter(diameter, ratio):
    pixel = diameter / 24
    shape, spacing = (max(6, 60 // ratio), 110, 110), (ratio * pixel, pixel, pixel)
    found = estimate_diameter(balls(shape, spacing, diameter, 12), spacing)
    assert found.diameter_um == pytest.approx(diameter, rel=0.1)


@pytest.mark.parametrize("planes", [1, 4])
def test_few_planes_that_cut_every_ball(planes):
    found = estimate_diameter(balls((planes, 160, 160), (1, 0.4, 0.4), 10, 14), (1, 0.4, 0.4))
    assert found.diameter_um == pytest.approx(10, rel=WITHIN)


def test_bright_spots_within_are_not_taken_for_the_objects():
    spacing = (0.8, 0.3, 0.3)
    found = estimate_diameter(balls((25, 110, 110), spacing, 8, 12, spots=8), spacing)
    assert found.diameter_um == pytest.approx(8, rel=WITHIN)


@pytest.mark.parametrize(
    ("shape", "spacing", "diameter", "count", "quality"),
    [
        ((40, 130, 130), (0.4, 0.2, 0.2), 3, 40, {}),
        ((16, 150, 150), (2.4, 0.3, 0.3), 7, 25, {"signal_to_noise": 5}),
        ((30, 120, 120), (1.5, 0.5, 0.5), 12, 25, {"signal_to_noise": 3, "depth_factor": 4}),
        ((40, 140, 140), (1.0, 0.8, 0.8), 20, 22, {"depth_factor": 3}),
    ],
)
def test_simulated_colonies_within_a_fifth(shape, spacing, diameter, count, quality):
    colony = simulate_stack(shape, spacing, diameter_um=diameter, count=count, seed=2, **quality)
    labels = colony.nuclei_labels
    cut = np.unique(np.concatenate([each.ravel() for each in (labels[:, 0], labels[:, -1], labels[:, :, 0], labels[:, :, -1])]))
    voxels = np.delete(np.bincount(labels.ravel()), cut)
    truth = np.median(np.cbrt(6 / np.pi * np.prod(spacing) * voxels[voxels > 0]))
    assert estimate_diameter(colony.nuclei_image, spacing).diameter_um == pytest.approx(truth, rel=WITHIN)


def test_of_a_large_stack_the_brightest_part_is_enough():
    one = balls((20, 110, 110), (0.8, 0.3, 0.3), 8, 12)
    large = np.full((20, 440, 440), 20, np.uint16)
    large[:, 220:330, 110:220] = one
    assert estimate_diameter(large, (0.8, 0.3, 0.3)).diameter_um == pytest.approx(8, rel=WITHIN)


@pytest.mark.parametrize(
    "raw",
    [
        constant(7),
        constant(0.0, dtype=np.float32),
        constant(0, (1, 1, 1)),
        np.random.default_rng(1).poisson(20, (8, 60, 60)).astype(np.uint16),
    ],
    ids=["constant", "dark", "voxel", "noise"],
)
def test_nothing_is_found_in_a_stack_without_objects(raw):
    found = estimate_diameter(raw, (1, 0.4, 0.4))
    assert found.diameter_um is None and len(found.found_um) == 0
    assert len(found.scales_um) > 0 and np.isnan(found.sizes_um).all()


def test_limits_are_kept_and_checked():
    raw = balls((10, 80, 80), (1, 0.4, 0.4), 8, 4)
    found = estimate_diameter(raw, (1, 0.4, 0.4), min_um=5, max_um=12)
    assert found.scales_um.min() >= 5 and found.scales_um.max() <= 12
    assert found.diameter_um == pytest.approx(8, rel=WITHIN)
    with pytest.raises(InputError, match="min_um 40 is above max_um, 24; give"):
        estimate_diameter(raw, (1, 0.4, 0.4), min_um=40)


def test_the_input_stays_and_the_answer_too():
    raw = balls((12, 80, 80), (1, 0.4, 0.4), 8, 6)
    before = raw.copy()
    first, second = (estimate_diameter(raw, (1, 0.4, 0.4)) for _ in range(2))
    assert np.array_equal(raw, before)
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(first[1:], second[1:], strict=True)) and first[0] == second[0]


def test_diameters_of_whole_and_of_cut_objects():
    z, y, x = np.ogrid[:30, :60, :60]
    labels = np.zeros((30, 60, 60), np.uint16)
    for label, middle in enumerate([(15, 15, 15), (15, 15, 59), (0, 45, 45)], 1):  # whole, cut by a side, cut by the first plane
        labels[(z - middle[0]) ** 2 + (y - middle[1]) ** 2 + (x - middle[2]) ** 2 < 100] = label
    whole = _diameters(labels, (0.5, 0.5, 0.5))
    assert whole == pytest.approx([10, 10], rel=0.02)  # the one that is cut at its middle has the diameter of its widest plane
    labels[labels != 2] = 0
    labels[5, 5, 5] = 1  # a speck is no whole object beside a cut one
    assert len(_diameters(labels, (0.5, 0.5, 0.5))) == 2
    assert _size(np.array([1.0] * 100 + [10.0])) == 10
    assert np.isnan(_size(np.array([])))


@pytest.mark.parametrize(
    ("name", "spacing", "low", "high"),
    [("tutorial", (0.58, 0.522, 0.522), 10.7, 12.8), ("embryo8", (1.75, 0.8, 0.8), 13.0, 18.9), ("ovule", (0.284, 0.127, 0.127), 3.6, 5.1)],
)
def test_real_stacks_between_the_smallest_and_the_largest_whole_nucleus(data, name, spacing, low, high):
    raw = tifffile.imread(data / name / "nuclei.tif")
    assert low <= estimate_diameter(raw, spacing).diameter_um <= high


def test_script_records_a_stand_in_for_an_empty_stack(tmp_path):
    io.write_stack(tmp_path / "raw.tif", constant(3), (1.0, 0.4, 0.4))
    script.main(raw=tmp_path / "raw.tif", record=tmp_path / "diameter.json")
    found = sizes.read_diameter(tmp_path / "diameter.json")
    assert (found["diameter_um"], found["source"], found["found_um"]) == (12, "stand-in", [])
