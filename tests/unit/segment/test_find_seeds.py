import fastremap
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage
from shapes import UNIT, cones, landscape, read_only, spacing_of

from cellstack.core import parallel
from cellstack.core.distance import distance_map
from cellstack.files.stacks import read_stack, write_stack
from cellstack.segment.choose_planes import choose_planes
from cellstack.segment.find_seeds import (
    distance_and_blobs,
    enlarge,
    find_seeds,
    laplacian_of_gaussian,
    peaks,
    seeds_of_mask,
)
from cellstack.segment.label_components import label_components
from find_seeds import main

RATIOS = [1, 4, 8]
METHODS = [
    ("h_maxima", {"h_um": 0.5}),
    ("h_maxima", {"h_um": 100.0}),
    ("peaks", {"min_distance_um": 0.1}),
    ("peaks", {"min_distance_um": 3.0}),
    ("peaks", {"min_distance_um": 1.0, "shape": "cube", "exclude_border": True}),
    ("laplacian_of_gaussian", {"sigma_um": 0.5, "min_distance_um": 1.0}),
    ("distance_and_blobs", {"sigma_um": 0.5, "min_distance_um": 1.0, "weight": 0.5}),
    ("points", {"path": "", "coordinates": "world"}),
]
# In um. The last two lie outside every stack used here.
POINTS = np.array([(0, 0, 0), (1, 0.5, 0.5), (-1, 0, 0), (0, 99, 0)])
MASKS = arrays("uint8", st.tuples(*[st.integers(1, 7)] * 3), elements=st.integers(0, 1))
each_ratio = pytest.mark.parametrize("ratio", RATIOS)
each_blob_method = pytest.mark.parametrize(
    ("method", "options"), [(laplacian_of_gaussian, {}), (distance_and_blobs, {"weight": 0.5})]
)


# methods


@each_ratio
@each_blob_method
def test_blobs_are_separated_in_a_mask_without_a_constriction(method, options, ratio):
    # A cuboid mask with two intensity maxima: the distance map alone has one maximum.
    spacing = spacing_of(ratio)
    shape = np.ceil(np.divide((12, 12, 20), spacing)).astype(int)
    centres = np.array([(6, 6, 5.5), (6, 6, 14.5)]) / spacing
    stack, mask = cones(shape, spacing, centres, (4, 4)), np.zeros(shape, "uint8")
    mask[1:-1, 4:-4, 4:-4] = 1
    distance = distance_map(mask, spacing)
    marked = method(distance, spacing, stack, sigma_um=2.0, min_distance_um=4.0, **options)
    found = np.argwhere(marked)
    assert len(found) == 2
    found = found[found[:, 2].argsort()]
    assert np.abs((found - centres) * spacing).max() < max(1.0, spacing[0])


def test_blobs_outside_the_mask_or_closer_than_min_distance_are_excluded():
    stack = cones((9, 20, 60), UNIT, ((4, 9, 9), (4, 9, 30), (4, 9, 50)), (5, 5, 4))
    mask = np.ones((9, 20, 60), "uint8")
    mask[:, :, 40:] = 0
    distance = distance_map(mask, UNIT)
    apart = laplacian_of_gaussian(distance, UNIT, stack, sigma_um=2.0, min_distance_um=20)
    close = laplacian_of_gaussian(distance, UNIT, stack, sigma_um=2.0, min_distance_um=22)
    assert np.argwhere(apart).tolist() == [[4, 9, 9], [4, 9, 30]]
    assert np.count_nonzero(close) == 1


@pytest.mark.parametrize("weight", [0, 1])
def test_distance_and_blobs_with_weight_0_or_1_is_either_method(weight):
    stack = landscape((9, 40, 41), 0)
    distance = distance_map((landscape((9, 40, 41), 1) > 4).astype("uint8"), UNIT, 0.5)
    found = distance_and_blobs(
        distance, UNIT, stack, sigma_um=2.0, min_distance_um=4, weight=weight
    )
    expected = (
        laplacian_of_gaussian(distance, UNIT, stack, sigma_um=2.0, min_distance_um=4)
        if weight
        else peaks(distance, UNIT, min_distance_um=4)
    )
    assert expected.sum() > 3
    assert np.array_equal(found, expected)


@each_blob_method
def test_empty_mask_or_empty_stack_has_no_blobs(method, options):
    options = options | {"sigma_um": 1.0, "min_distance_um": 2.0}
    zeros, ones = np.zeros((3, 4, 5), "float32"), np.ones((3, 4, 5), "float32")
    assert not method(zeros, UNIT, landscape((3, 4, 5), 0), **options).any()
    assert not method(ones, UNIT, zeros, **options).any()


@pytest.mark.parametrize("shape", [(1, 9, 9), (2, 1, 9), (8, 21, 22)])
def test_distance_and_blobs_does_not_depend_on_threads(monkeypatch, shape):
    stack = read_only(np.random.default_rng(0).random(shape, "float32"))
    distance = read_only(np.random.default_rng(1).random(shape, "float32") - np.float32(0.5))
    options = {"sigma_um": 0.6, "min_distance_um": 0.5, "weight": 0.3}
    results = []
    for threads in (1, 2, 3, 20):
        monkeypatch.setattr(parallel, "threads_for", lambda stack, threads=threads: threads)
        results.append(distance_and_blobs(distance.clip(0), UNIT, stack, **options))
    assert results[0].any()
    assert all(np.array_equal(result, results[0]) for result in results)


# seeds


@settings(max_examples=60, deadline=None)
@example(  # components that touch, all of them maxima
    np.eye(4, dtype="uint8").reshape(1, 4, 4), METHODS[1], 1, 6, 0.0
)
@given(
    MASKS,
    st.sampled_from(METHODS),
    st.sampled_from(RATIOS),
    st.sampled_from([6, 18, 26]),
    st.sampled_from([0.0, 0.3]),
)
def test_each_component_has_a_seed_and_each_seed_is_in_one_component(
    mask, method, ratio, connectivity, sigma_um
):
    spacing = spacing_of(ratio)
    components = read_only(label_components(read_only(mask), connectivity))
    distance = read_only(distance_map(mask, spacing, sigma_um))
    stack = read_only(np.random.default_rng(mask.size).random(mask.shape, "float32"))
    seeds = find_seeds(distance, components, spacing, *method, stack, read_only(POINTS))
    assert seeds.dtype == np.uint16
    assert np.array_equal(np.unique(seeds[seeds > 0]), np.arange(1, seeds.max() + 1))
    pairs = np.unique(np.stack([seeds[seeds > 0], components[seeds > 0]]), axis=1)
    assert pairs.min(initial=1) > 0
    assert pairs.shape[1] == seeds.max()
    assert np.array_equal(np.unique(pairs[1]), np.arange(1, components.max() + 1))


def test_a_component_without_h_maxima_has_a_seed_at_its_highest_voxel():
    distance = cones((9, 20, 40), UNIT, ((4, 9, 9), (4, 9, 30)), (5.0, 2.5))
    components = label_components((distance > 0).astype("uint8"), 26)
    seeds = find_seeds(distance, components, UNIT, "h_maxima", {"h_um": 3.0})
    assert seeds.max() == 2
    assert np.argwhere(seeds == seeds[4, 9, 30]).tolist() == [[4, 9, 30]]


@each_ratio
@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("h_maxima", {"h_um": 0.4}),
        ("peaks", {"min_distance_um": 5.0}),
        # 0.33 and 0.6 of the diameter
        ("laplacian_of_gaussian", {"sigma_um": 2.64, "min_distance_um": 4.8}),
        ("distance_and_blobs", {"sigma_um": 2.64, "min_distance_um": 4.8, "weight": 0.5}),
    ],
)
def test_touching_spheres_have_one_seed_each(method, options, ratio):
    spacing = np.array(spacing_of(ratio))
    shape = np.ceil((16.0, 11.0, 25.0) / spacing).astype(int)
    centres = np.array([(5.0, 5.5, 5.5), (5.0, 5.5, 12.7), (11.0, 5.5, 16.0)])
    mask = (cones(shape, spacing, centres / spacing, [4.0] * 3) > 0).astype("uint8")
    components, distance = label_components(mask, 26), distance_map(mask, spacing, 0.5)
    seeds = find_seeds(distance, components, spacing, method, options, mask.astype("float32"))
    assert components.max() == 1
    assert seeds.max() == 3
    places = np.array(ndimage.center_of_mass(seeds, seeds, range(1, 4))) * spacing
    distances = np.linalg.norm(places[:, None] - centres, axis=2)
    assert np.all(distances.min(0) < max(1.0, spacing[0]))
    assert sorted(distances.argmin(0).tolist()) == [0, 1, 2]


def test_the_half_filled_plane_has_the_highest_variance():
    mask = (np.random.default_rng(0).random((12, 9, 9)) < np.linspace(0, 1, 12)[:, None, None]) + 0
    highest = int(np.argmax([np.var(plane) for plane in mask]))
    chosen = choose_planes(mask.astype("uint8"), (2.0, 0.5, 0.25), "half_filled", 5.0)
    assert chosen == slice(highest - 3, highest + 3)  # 2.5 planes, rounded


@pytest.mark.parametrize(
    ("plane_range_um", "expected"), [(0.1, (3, 5)), (2.0, (3, 5)), (4.0, (2, 6)), (99, (0, 8))]
)
def test_planes_around_the_middle(plane_range_um, expected):
    mask = np.zeros((8, 2, 2), "uint8")
    assert choose_planes(mask, (2.0, 0.5, 0.25), "middle", plane_range_um) == slice(*expected)
    assert choose_planes(mask, (2.0, 0.5, 0.25), "all", plane_range_um) is None


@each_ratio
def test_seeds_outside_a_range_of_planes_are_excluded(ratio):
    spacing = np.array(spacing_of(ratio))
    shape = np.ceil((30.0, 11.0, 22.0) / spacing).astype(int)
    # one below the other, touching, and one beside the upper one
    centres = np.array([(8.0, 5.5, 5.5), (20.0, 5.5, 5.5), (8.0, 5.5, 16.5)])
    mask = (cones(shape, spacing, centres / spacing, [6.5, 6.5, 3.0]) > 0).astype("uint8")
    components = label_components(mask, 26)
    assert components.max() == 2
    options = {"h_um": 0.5}
    allowed = slice(round(16 / spacing[0]), round(24 / spacing[0]))
    distance, seeds = seeds_of_mask(mask, components, spacing, "h_maxima", options, allowed=allowed)
    assert np.array_equal(distance, distance_map(mask, spacing))  # that of the complete mask
    assert seeds.max() == 1
    found = ndimage.center_of_mass(seeds) * spacing
    assert np.linalg.norm(found - centres[1]) < max(1.0, spacing[0])
    _, everywhere = seeds_of_mask(mask, components, spacing, "h_maxima", options)
    assert everywhere.max() == 3


@pytest.mark.parametrize("ratio", [4, 8])
def test_z_scale_multiplies_the_voxel_size_of_the_distance_map(ratio):
    spacing = spacing_of(ratio)
    mask = (landscape((9, 30, 31), 1) > 4).astype("uint8")
    components = label_components(mask, 26)
    options = {"h_um": 0.1}
    distance, _ = seeds_of_mask(mask, components, spacing, "h_maxima", options, z_scale=0.5)
    scaled = (spacing[0] / 2, *spacing[1:])
    expected = ndimage.distance_transform_edt(mask, sampling=scaled)
    np.testing.assert_allclose(distance, expected, rtol=1e-5)


def test_enlarged_seeds_equal_a_grey_dilation_within_their_component():
    seeds = np.zeros((9, 31, 40), "uint16")
    seeds[4, 10, 8], seeds[4, 10, 18], seeds[3:5, 22, 29], seeds[1, 2, 39] = 1, 2, 3, 4
    components = np.ones(seeds.shape, "uint16")
    components[:, :, 32:] = 2
    spacing, radius_um = (2.0, 0.5, 0.5), 4.0
    reach = ndimage.distance_transform_edt(np.pad([[[0]]], 12, constant_values=1), sampling=spacing)
    ball = reach <= radius_um
    expected = ndimage.grey_dilation(seeds, footprint=ball, mode="constant")
    own = np.array([0, 1, 1, 1, 2])
    expected[own[expected] != components] = 0
    expected, _ = fastremap.renumber(expected)
    enlarged = enlarge(seeds, components, spacing, radius_um)
    assert enlarged.dtype == seeds.dtype
    assert np.array_equal(enlarged, expected)
    assert (enlarged[:, :, 31] == enlarged[3, 22, 29]).any()  # ends at the next component
    assert enlarge(seeds, components, spacing, 0) is seeds


def test_a_seed_within_the_ball_of_another_one_is_kept():
    seeds = np.zeros((1, 1, 9), "uint16")
    seeds[0, 0, 4:6] = 1, 2
    enlarged = enlarge(seeds, np.ones_like(seeds), (1.0, 1.0, 1.0), 3.0)
    assert enlarged.tolist() == [[[0, 1, 2, 2, 1, 2, 2, 2, 2]]]


@pytest.mark.parametrize(
    ("coordinates", "step"), [("voxels", (1, 1, 1)), ("world", (2, 0.5, 0.25))]
)
def test_points_are_rounded_to_the_nearest_voxel(coordinates, step):
    spacing, distance = (2.0, 0.5, 0.25), np.ones((9, 10, 11), "float32")
    distance[5] = 0
    points = np.array([(1.4, 2.6, 3.49), (6.51, 0, 10.4), (5, 1, 1), (9, 1, 1), (-0.6, 1, 1)])
    options = {"path": "points.csv", "coordinates": coordinates}
    components = (distance > 0).astype("uint16")
    seeds = find_seeds(distance, components, spacing, "points", options, None, points * step)
    assert np.argwhere(seeds).tolist() == [[1, 3, 3], [7, 0, 10]]


def test_combined_seeds_depend_on_the_weight():
    # Two places: one bright and near the background, the other deep and dim.
    distance, stack = np.ones((5, 20, 60), "float32"), np.zeros((5, 20, 60), "float32")
    distance[2, 10, 15], distance[2, 10, 45] = 1.5, 3.0
    stack[2, 10, 15], stack[2, 10, 45] = 1.0, 0.4
    options = {"sigma_um": 0.6, "min_distance_um": 20.0}
    for weight, column in ((0.2, 45), (0.9, 15)):  # 3 / 1.5 against 1 / 0.4
        marked = distance_and_blobs(distance, (2.0, 0.5, 0.4), stack, weight=weight, **options)
        assert np.argwhere(marked).tolist() == [[2, 10, column]]


def test_script_writes_distance_and_seeds(tmp_path):
    spacing = (2.0, 0.5, 0.4)
    mask = np.zeros((7, 30, 40), "uint8")
    mask[2:5, 5:25, 5:18], mask[2:5, 5:25, 20:38] = 1, 1
    stacks = {
        "mask_clean": mask,
        "components": label_components(mask, 6),
        "denoised": np.random.default_rng(0).random(mask.shape, np.float32),
    }
    for name, stack in stacks.items():
        write_stack(tmp_path / f"{name}.tif", stack, spacing)
    files = {name: tmp_path / f"{name}.tif" for name in (*stacks, "distance", "seeds")}
    options = {"sigma_um": 1.0, "min_distance_um": 4.0, "weight": 0.6}
    limits = {"z_scale": 1, "planes": "all", "plane_range_um": 1.0, "radius_um": 0}
    main(**files, **limits, smoothing_um=0.3, method="distance_and_blobs", options=options)
    distance = distance_map(mask, spacing, 0.3)
    expected = find_seeds(
        distance, stacks["components"], spacing, "distance_and_blobs", options, stacks["denoised"]
    )
    np.testing.assert_allclose(read_stack(files["distance"])[0], distance, rtol=1e-6)
    np.testing.assert_array_equal(read_stack(files["seeds"])[0], expected)
    assert read_stack(files["seeds"])[1] == read_stack(files["distance"])[1] == spacing
    assert expected.max() > 2


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("peaks", {"min_distance_um": 5.0}),
        ("laplacian_of_gaussian", {"sigma_um": 2.64, "min_distance_um": 4.8}),
        ("distance_and_blobs", {"sigma_um": 2.64, "min_distance_um": 4.8, "weight": 0.5}),
    ],
)
def test_lengths_count_in_um_along_each_axis(method, options):
    # Balls of 8 um in a row along each axis, with voxels of three different sides.
    spacing = np.array([1.6, 0.8, 0.4])
    for axis in range(3):
        size = np.full(3, 11.0) + 14.4 * np.eye(3)[axis]
        centres = np.array([5.5, 5.5, 5.5]) + np.outer([0, 7.2, 14.4], np.eye(3)[axis])
        shape = np.ceil(size / spacing).astype(int)
        mask = (cones(shape, spacing, centres / spacing, [4.0] * 3) > 0).astype("uint8")
        components, distance = label_components(mask, 26), distance_map(mask, spacing, 0.5)
        seeds = find_seeds(distance, components, spacing, method, options, mask.astype("float32"))
        assert seeds.max() == 3
        places = np.array(ndimage.center_of_mass(seeds, seeds, range(1, 4))) * spacing
        assert np.abs(places[places[:, axis].argsort()] - centres).max() < 1.7


def test_h_maxima_of_shallow_components_do_not_depend_on_deeper_ones():
    distance = np.float32([[[0, 0.5, 0.4, 0, 0, 2, 0.8, 0]]])
    components = np.uint16([[[0, 1, 1, 0, 0, 2, 2, 0]]])
    options = (1, 1, 1), "h_maxima", {"h_um": 1}
    both = find_seeds(distance, components, *options)
    assert both.tolist() == [[[0, 1, 0, 0, 0, 2, 0, 0]]]
    shallow = find_seeds(distance[:, :, :4], components[:, :, :4], *options)
    np.testing.assert_array_equal(shallow, both[:, :, :4])
