"""Estimated diameters of spheres of known size, simulated colonies and stacks without objects."""

import itertools

import numpy as np
import pytest
import tifffile
import yaml
from study import ROOT, constant

import estimate_diameter as script
from cellstack.config import lengths, settings
from cellstack.errors import InputError
from cellstack.files.records import read_json
from cellstack.files.stacks import write_stack
from cellstack.prepare.estimate_diameter import (
    _choose,
    _diameters,
    _typical_size,
    check_diameter,
    estimate_diameter,
)
from cellstack.prepare.simulate_stack import simulate_stack

TOLERANCE = 0.2


def default_options():
    """Return the default options of the stages for a diameter of 1 um, from the schema."""
    schema = yaml.safe_load((ROOT / "config/schemas/stages.schema.yaml").read_text())
    blocks = settings.fill_defaults({}, schema)
    stages = {
        stage: settings.stage_arguments(stage, blocks[stage], 1.0, schema)
        for stage in ("denoise", "binarize", "find_seeds")
    }
    methods = [stages[stage]["method"] for stage in ("denoise", "binarize", "find_seeds")]
    assert methods == ["gaussian", "per_object", "distance_and_blobs"]
    defaults = {stage: arguments["options"] for stage, arguments in stages.items()}
    defaults["find_seeds"]["smoothing_um"] = stages["find_seeds"]["smoothing_um"]
    return defaults


DEFAULTS = default_options()


def spheres(shape, spacing, diameter, count, *, spots=0, seed=5):
    """Separate spheres of one size with noise, each with spots that are three times as bright."""
    rng = np.random.Generator(np.random.PCG64(seed))
    axes = [np.arange(size) * step for size, step in zip(shape, spacing, strict=True)]
    image, centres = np.zeros(shape), []

    def draw(centre, width, value):
        inside = [
            slice(*np.searchsorted(axis, (middle - width, middle + width)))
            for axis, middle in zip(axes, centre, strict=True)
        ]
        offsets = [
            axis[part] - middle for axis, part, middle in zip(axes, inside, centre, strict=True)
        ]
        z, y, x = np.ix_(*offsets)
        image[tuple(inside)][z**2 + y**2 + x**2 < width**2 / 4] = value

    while len(centres) < count:
        centre = rng.uniform(0, np.multiply(shape, spacing))
        if all(np.linalg.norm(centre - other) > 1.1 * diameter for other in centres):
            centres.append(centre)
            draw(centre, diameter, 100)
    for centre in centres:
        for _ in range(spots):
            direction = rng.normal(size=3)
            offset = 0.3 * diameter * direction / np.linalg.norm(direction)
            draw(centre + offset, 0.2 * diameter, 300)
    return np.clip(image + 20 + rng.normal(0, 10, shape), 0, None).astype(np.uint16)


@pytest.mark.slow
@pytest.mark.parametrize(("diameter", "ratio"), [(4, 1), (16, 4), (8, 8)])
def test_spheres(diameter, ratio):
    pixel = diameter / 24
    shape, spacing = (max(6, 60 // ratio), 110, 110), (ratio * pixel, pixel, pixel)
    found = estimate_diameter(spheres(shape, spacing, diameter, 12), spacing, DEFAULTS)
    assert found.diameter_um == pytest.approx(diameter, rel=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("planes", [1, 4])
def test_all_spheres_are_cut_in_a_few_planes(planes):
    spacing = (1, 0.4, 0.4)
    found = estimate_diameter(spheres((planes, 160, 160), spacing, 10, 14), spacing, DEFAULTS)
    assert found.diameter_um == pytest.approx(10, rel=TOLERANCE)


@pytest.mark.slow
def test_bright_spots_in_objects_are_not_taken_for_objects():
    spacing = (0.8, 0.3, 0.3)
    raw = spheres((25, 110, 110), spacing, 8, 12, spots=8)
    found = estimate_diameter(raw, spacing, DEFAULTS)
    assert found.diameter_um == pytest.approx(8, rel=TOLERANCE)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shape", "spacing", "diameter", "count", "quality"),
    [
        ((40, 130, 130), (0.4, 0.2, 0.2), 3, 40, {}),
        ((16, 150, 150), (2.4, 0.3, 0.3), 7, 25, {"signal_to_noise": 5}),
        ((30, 120, 120), (1.5, 0.5, 0.5), 12, 25, {"signal_to_noise": 3, "depth_factor": 4}),
        ((40, 140, 140), (1.0, 0.8, 0.8), 20, 22, {"depth_factor": 3}),
    ],
)
def test_simulated_colonies(shape, spacing, diameter, count, quality):
    colony = simulate_stack(shape, spacing, diameter_um=diameter, count=count, seed=2, **quality)
    labels = colony.nuclei_labels
    faces = (labels[:, 0], labels[:, -1], labels[:, :, 0], labels[:, :, -1])
    cut = np.unique(np.concatenate([face.ravel() for face in faces]))
    voxels = np.delete(np.bincount(labels.ravel()), cut)
    expected = np.median(np.cbrt(6 / np.pi * np.prod(spacing) * voxels[voxels > 0]))
    found = estimate_diameter(colony.nuclei_image, spacing, DEFAULTS)
    assert found.diameter_um == pytest.approx(expected, rel=TOLERANCE)


@pytest.mark.slow
@pytest.mark.parametrize("haze", [0, 60])
def test_the_part_of_a_large_stack_with_objects_is_used(haze):
    y, x = np.ogrid[:700, :700]
    intensity = 20 + haze * np.exp(-((y - 140) ** 2 + (x - 560) ** 2) / 2 / 90**2)
    large = np.random.default_rng(3).poisson(intensity, (20, 700, 700)).astype(np.uint16)
    large[:, 480:590, 110:220] += spheres((20, 110, 110), (0.8, 0.3, 0.3), 8, 12) - 10
    found = estimate_diameter(large, (0.8, 0.3, 0.3), DEFAULTS)
    assert found.diameter_um == pytest.approx(8, rel=TOLERANCE)


@pytest.mark.slow
def test_nuclei_are_preferred_to_embryos():
    shape, spacing, diameter = (24, 240, 240), (1.0, 0.5, 0.5), 5
    y, x = np.ogrid[:240, :240]
    raw = np.zeros(shape)
    nuclei = spheres(shape, spacing, diameter, 250).astype(float) - 20
    for row, column in itertools.product((40, 120, 200), repeat=2):
        inside = (y - row) ** 2 + (x - column) ** 2 < 32**2
        raw += inside * (40 + nuclei)
    raw = np.random.default_rng(2).poisson(20 + raw.clip(0)).astype(np.uint16)
    found = estimate_diameter(raw, spacing, DEFAULTS)
    assert found.diameter_um == pytest.approx(diameter, rel=TOLERANCE)
    assert found.doubt == ""


def test_an_estimate_from_one_object_is_uncertain():
    raw = spheres((16, 110, 110), (1, 0.4, 0.4), 12, 1)
    found = estimate_diameter(raw, (1, 0.4, 0.4), DEFAULTS)
    assert found.diameter_um == pytest.approx(12, rel=TOLERANCE)
    assert found.doubt == "it is based on 1 object"


class Search:
    """A search with given merits of scales, in which some are clusters of some others."""

    def __init__(self, merits, clusters=()):
        self.merits, self.clusters = merits, clusters

    def merit(self, finest, scale):
        assert finest == min(self.merits)
        return self.merits[scale]

    def is_cluster(self, finest, scale, smaller):
        return (scale, smaller) in self.clusters


@pytest.mark.parametrize(
    ("merits", "clusters", "best", "rival"),
    [
        ({50: 0.6, 10: 0.8}, [], 10, 50),
        ({50: 0.39, 10: 0.8}, [], 10, None),
        ({50: 0.8, 10: 0.6}, [], 50, 10),
        ({50: 0.8, 10: 0.6}, [(50, 10)], 10, None),
        ({50: 0.8, 20: 0.1, 10: 0.5}, [(50, 20), (20, 10)], 10, 50),
        ({50: 0.8, 10: 0.6, 2: 0.5}, [(50, 10)], 10, 2),
    ],
)
def test_the_choice_between_scales(merits, clusters, best, rival):
    assert _choose(Search(merits, clusters), list(merits)) == (best, rival)


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
    found = estimate_diameter(raw, (1, 0.4, 0.4), DEFAULTS)
    assert found.diameter_um is None and len(found.found_um) == 0
    assert len(found.scales_um) > 0 and np.isnan(found.sizes_um).all()


def test_limits_are_respected_and_checked():
    raw = spheres((10, 80, 80), (1, 0.4, 0.4), 8, 4)
    found = estimate_diameter(raw, (1, 0.4, 0.4), DEFAULTS, min_um=5, max_um=12)
    assert found.scales_um.min() >= 5 and found.scales_um.max() <= 12
    assert found.diameter_um == pytest.approx(8, rel=TOLERANCE)
    with pytest.raises(InputError, match="min_um 40 is above max_um, 24; give"):
        estimate_diameter(raw, (1, 0.4, 0.4), DEFAULTS, min_um=40)


@pytest.mark.slow
def test_the_input_is_not_changed_and_the_result_is_reproducible():
    raw = spheres((12, 80, 80), (1, 0.4, 0.4), 8, 6)
    before = raw.copy()
    first, second = (estimate_diameter(raw, (1, 0.4, 0.4), DEFAULTS) for _ in range(2))
    assert np.array_equal(raw, before)
    assert first.diameter_um == second.diameter_um
    for name in ("found_um", "scales_um", "sizes_um"):
        assert np.array_equal(getattr(first, name), getattr(second, name), equal_nan=True)


def test_diameters_of_uncut_and_cut_objects():
    z, y, x = np.ogrid[:30, :60, :60]
    labels = np.zeros((30, 60, 60), np.uint16)
    # not cut, cut by a side, cut by the first plane
    for label, centre in enumerate([(15, 15, 15), (15, 15, 59), (0, 45, 45)], 1):
        distance2 = (z - centre[0]) ** 2 + (y - centre[1]) ** 2 + (x - centre[2]) ** 2
        labels[distance2 < 100] = label
    # an object cut at its centre by the first plane has the diameter of its largest section
    assert _diameters(labels, (0.5, 0.5, 0.5)) == pytest.approx([10, 10], rel=0.02)
    labels[labels != 2] = 0
    labels[5, 5, 5] = 1  # a single voxel does not prevent the use of cut objects
    assert len(_diameters(labels, (0.5, 0.5, 0.5))) == 2


def test_the_typical_size_is_weighted_by_volume():
    assert _typical_size(np.array([1.0] * 100 + [10.0])) == 10
    assert np.isnan(_typical_size(np.array([])))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "spacing", "low", "high"),
    [
        ("tutorial", (0.58, 0.522, 0.522), 10.7, 12.8),
        ("embryo8", (1.75, 0.8, 0.8), 13.0, 18.9),
        ("ovule", (0.284, 0.127, 0.127), 3.6, 5.1),
        # within 25 % of the median of the nuclei that no face cuts
        ("lightsheet8", (2, 0.83, 0.83), 12.2, 20.3),
        ("embryos/emb08-t451", (1.75, 0.8, 0.8), 11.8, 19.6),
    ],
)
def test_real_stacks_between_the_smallest_and_the_largest_nucleus(data, name, spacing, low, high):
    raw = tifffile.imread(data / name / "nuclei.tif")
    assert low <= estimate_diameter(raw, spacing, DEFAULTS).diameter_um <= high


def test_the_script_records_a_fallback_for_an_empty_stack(tmp_path):
    write_stack(tmp_path / "raw.tif", constant(3), (1.0, 0.4, 0.4))
    script.main(raw=tmp_path / "raw.tif", record=tmp_path / "diameter.json", defaults=DEFAULTS)
    found = lengths.read_diameter(tmp_path / "diameter.json")
    assert (found["diameter_um"], found["source"], found["found_um"]) == (12, "fallback", [])
    assert read_json(tmp_path / "diameter.json")["doubt"] == ""


@pytest.mark.parametrize(("given", "doubt"), [(None, "it is based on 1 object"), (12, "")])
def test_the_script_records_why_an_estimate_is_uncertain(tmp_path, given, doubt):
    raw = spheres((16, 110, 110), (1, 0.4, 0.4), 12, 1)
    write_stack(tmp_path / "raw.tif", raw, (1.0, 0.4, 0.4))
    record = tmp_path / "diameter.json"
    script.main(raw=tmp_path / "raw.tif", record=record, defaults=DEFAULTS, given_um=given)
    assert read_json(record)["doubt"] == doubt


@pytest.mark.slow
@pytest.mark.parametrize("given", [6.4, 8, 10])
def test_a_given_diameter_is_confirmed_at_two_scales(given):
    raw = spheres((16, 110, 110), (1, 0.4, 0.4), 8, 12)
    found = check_diameter(raw, (1, 0.4, 0.4), DEFAULTS, given)
    assert found.scales_um == pytest.approx([1.5 * given, given / 1.5])
    assert found.diameter_um == pytest.approx(8, rel=TOLERANCE)


@pytest.mark.slow
@pytest.mark.parametrize("given", [1.5, 3, 16, 30])
def test_a_wrong_diameter_is_not_confirmed(given):
    raw = spheres((16, 110, 110), (1, 0.4, 0.4), 8, 12)
    found = check_diameter(raw, (1, 0.4, 0.4), DEFAULTS, given)
    assert len(found.scales_um) > 2
    assert found.diameter_um == pytest.approx(8, rel=TOLERANCE)


def test_nothing_confirms_a_diameter_in_an_empty_stack():
    assert check_diameter(constant(7), (1, 0.4, 0.4), DEFAULTS, 8).diameter_um is None


@pytest.mark.parametrize("objects", [False, True])
def test_the_script_records_a_given_diameter_and_the_estimate(tmp_path, objects):
    raw = spheres((10, 80, 80), (1, 0.4, 0.4), 8, 4) if objects else constant(3)
    write_stack(tmp_path / "raw.tif", raw, (1.0, 0.4, 0.4))
    record = tmp_path / "diameter.json"
    script.main(raw=tmp_path / "raw.tif", record=record, defaults=DEFAULTS, given_um=7)
    found = read_json(record)
    assert (found["diameter_um"], found["source"]) == (7, "given")
    assert found["estimated_um"] == (pytest.approx(8, rel=TOLERANCE) if objects else None)
