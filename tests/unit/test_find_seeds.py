import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage
from scipy.spatial.distance import pdist
from skimage import morphology
from skimage.feature import peak_local_max

from cellstack import find_seeds as module
from cellstack.denoise import gaussian
from cellstack.find_seeds import _highest_in_boxes, _without_lower_ones, blobness, combined, distance_map, find_seeds, h_maxima, log, peaks
from cellstack.label_components import label_components

RATIOS = [1, 4, 8]
UNIT = (1.0, 1.0, 1.0)
CORNERS = np.ones((3, 3, 3))
METHODS = [
    ("h_maxima", {"h_um": 0.5}),
    ("h_maxima", {"h_um": 100.0}),
    ("peaks", {"min_distance_um": 0.1}),
    ("peaks", {"min_distance_um": 3.0}),
    ("peaks", {"min_distance_um": 1.0, "shape": "cube", "exclude_border": True}),
    ("log", {"sigma_um": 0.5, "min_distance_um": 1.0}),
    ("combined", {"sigma_um": 0.5, "min_distance_um": 1.0, "weight": 0.5}),
    ("points", {"path": "", "coordinates": "world"}),
]
BY_HAND = np.array([(0, 0, 0), (1, 0.5, 0.5), (-1, 0, 0), (0, 99, 0)])  # in um; the last two lie outside of every stack here
MASKS = arrays("uint8", st.tuples(*[st.integers(1, 7)] * 3), elements=st.integers(0, 1))
each_ratio = pytest.mark.parametrize("ratio", RATIOS)


def spacing_of(ratio):
    return (ratio * 0.25, 0.25, 0.25)


def frozen(array):
    array.flags.writeable = False
    return array


def landscape(shape, seed, sigma=2.0):
    """Smooth hills of which no two have the same height."""
    field = ndimage.gaussian_filter(np.random.default_rng(seed).random(shape), sigma)
    return frozen((10 * (field - field.min()) / np.ptp(field)).astype("float32"))


def cones(shape, spacing, centres, radii):
    """For each centre in voxels the distance in um to a sphere around it, where inside; the higher one where they overlap."""
    grid = np.indices(shape)
    away = [np.sqrt(sum(((axis - c) * step) ** 2 for axis, c, step in zip(grid, centre, spacing, strict=True))) for centre in centres]
    return frozen(np.maximum(0, np.max([radius - each for radius, each in zip(radii, away, strict=True)], axis=0)).astype("float32"))


# distance map


@pytest.mark.parametrize("fill", [0.3, 0.9, 0.999])
@pytest.mark.parametrize("shape", [(1, 7, 1), (1, 20, 21), (3, 1, 5), (9, 17, 31)], ids=str)
@each_ratio
def test_distance_against_scipy(ratio, shape, fill):
    # At the faces too: neither takes what lies beyond them for background.
    mask = (np.random.default_rng(0).random(shape) < fill).astype("uint8")
    mask.flat[0] = 0
    found = distance_map(frozen(mask), spacing_of(ratio))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, ndimage.distance_transform_edt(mask, spacing_of(ratio)), rtol=1e-6)


@each_ratio
def test_distance_within_a_slab_is_counted_in_um(ratio):
    mask = np.zeros((9, 40, 3), "uint8")
    mask[2:7], mask[:, :4] = 1, 0
    mask[:, 36:] = 0
    found = distance_map(mask, spacing_of(ratio))
    z, y = np.minimum(np.arange(9) - 1, 7 - np.arange(9)), np.minimum(np.arange(40) - 3, 36 - np.arange(40))
    expected = np.minimum(z[:, None] * 0.25 * ratio, y[None] * 0.25).clip(0)
    np.testing.assert_allclose(found, np.repeat(expected[:, :, None], 3, 2), rtol=1e-6)


@pytest.mark.parametrize(("shape", "half"), [((4, 40, 40), 2.0), ((9, 5, 40), 0.625), ((1, 7, 1), 0.125)])
def test_without_background_the_distance_is_half_the_smallest_extent(shape, half):
    found = distance_map(np.ones(shape, "uint8"), spacing_of(4))
    assert found.dtype == np.float32
    assert np.all(found == np.float32(half))


@pytest.mark.parametrize("sigma_um", [0.0, 0.5])
def test_without_foreground_all_is_zero(sigma_um):
    assert not distance_map(np.zeros((3, 4, 5), "uint8"), spacing_of(4), sigma_um).any()


@each_ratio
def test_smoothed_distance_is_scipys_within_the_mask(ratio):
    mask, spacing = (landscape((12, 30, 31), 0) > 4).astype("uint8"), spacing_of(ratio)
    expected = ndimage.gaussian_filter(ndimage.distance_transform_edt(mask, spacing), np.divide(0.5, spacing), mode="nearest") * mask
    np.testing.assert_allclose(distance_map(mask, spacing, 0.5), expected, atol=1e-5)


@pytest.mark.parametrize("sigma_um", [0.0, 0.5])
def test_threads_change_no_distance(sigma_um):
    mask = (landscape((20, 70, 61), 0) > 4).astype("uint8")
    first, *others = (distance_map(mask, spacing_of(4), sigma_um, threads) for threads in (1, 2, 3, 8))
    assert all(np.array_equal(first, other) for other in others)


# h-maxima


def same_components(markers, others):
    """Tell whether the parts of `others` (connected across corners) lie one to one within those of `markers`."""
    labels, count = ndimage.label(markers, CORNERS)
    parts, other_count = ndimage.label(others, CORNERS)
    pairs = np.unique(np.stack([labels[parts > 0], parts[parts > 0]]), axis=1)
    return count == other_count == pairs.shape[1] and pairs.min(initial=1) > 0 and len(np.unique(pairs[0])) == count


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("h", [0.05, 0.5, 2.0])
@pytest.mark.parametrize("shape", [(1, 40, 41), (20, 30, 31)], ids=str)
def test_h_maxima_against_scikit_image(shape, h, seed):
    # scikit-image marks the tops alone, here the parts above top - h are marked: the same number, one in each.
    distance = landscape(shape, seed)
    assert same_components(h_maxima(distance, UNIT, h_um=h), morphology.h_maxima(distance, h))


@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("radii", [(4.0, 4.0), (5.0, 4.0)])
@each_ratio
def test_two_spheres_count_as_two_up_to_the_depth_of_their_saddle(ratio, radii, axis):
    spacing = spacing_of(ratio)
    apart = {1: 16, 4: 4, 8: 2}[ratio] if axis == 0 else 16  # voxels, 4 um
    first = np.array([3 + 20 // ratio, 21, 21])
    second = first + apart * np.eye(3, dtype=int)[axis]
    distance = cones(first + second + 1, spacing, (first, second), radii)
    between = distance[tuple(slice(a, b + 1) for a, b in zip(first, second, strict=True))].ravel()
    rise = min(radii) - between.min()
    assert rise == pytest.approx((radii[1] - radii[0] + 4.0) / 2, abs=spacing[axis])  # where the cones meet, if a voxel lies there
    for h, count in ((0.02, 2), (0.98 * rise, 2), (1.02 * rise, 1)):
        assert ndimage.label(h_maxima(distance, spacing, h_um=h), CORNERS)[1] == count


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.lists(st.floats(0.01, 9), min_size=2, max_size=2).map(sorted))
def test_a_greater_h_leaves_fewer(seed, heights):
    distance = landscape((8, 12, 13), seed, sigma=1)
    few, many = (ndimage.label(h_maxima(distance, UNIT, h_um=h), CORNERS)[1] for h in heights[::-1])
    assert 1 <= few <= many


def test_threads_change_no_h_maxima():
    distance, before, found = landscape((20, 40, 41), 0), sitk.ProcessObject.GetGlobalDefaultNumberOfThreads(), []
    try:
        for count in (1, 2, 8):
            sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(count)
            found.append(h_maxima(distance, UNIT, h_um=0.3))
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(found[0], found[2])


# peaks


@pytest.mark.parametrize("min_distance", [1, 3, 5])
def test_peaks_of_hills_apart_against_scikit_image(min_distance):
    # scikit-image looks for higher voxels in a cube, here in a sphere: the same where the hills are further apart than the cube's diagonal.
    rng = np.random.default_rng(0)
    centres = [np.array(site) * 11 + rng.integers(5, 7, 3) for site in np.ndindex(2, 3, 3)]
    distance = cones((24, 35, 36), UNIT, centres, rng.uniform(3, 5, len(centres)))
    found = np.argwhere(peaks(distance, UNIT, min_distance_um=min_distance))
    expected = peak_local_max(distance, min_distance=min_distance, exclude_border=False, p_norm=2)
    assert sorted(map(tuple, found)) == sorted(map(tuple, expected)) == sorted(map(tuple, centres))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(RATIOS), st.floats(0, 4))
def test_peaks_are_maxima_and_keep_their_distance_in_um(seed, ratio, min_distance):
    spacing, distance = spacing_of(ratio), landscape((8, 16, 17), seed, sigma=(0.7, 1.5, 1.5))
    found = np.argwhere(peaks(distance, spacing, min_distance_um=min_distance))
    heights = distance[tuple(found.T)]
    assert heights.max() == distance.max()
    assert np.array_equal(heights, ndimage.maximum_filter(distance, 3)[tuple(found.T)])
    assert np.all(pdist(found * spacing) > min_distance)


@each_ratio
@pytest.mark.parametrize(("min_distance", "count"), [(3.9, 2), (4.1, 1)])
@pytest.mark.parametrize("axis", range(3))
def test_peaks_nearer_than_the_distance_leave_the_higher(axis, min_distance, count, ratio):
    spacing = spacing_of(ratio)
    first = np.array([20 // ratio, 21, 21])
    second = first + np.array([16 // ratio, 16, 16]) * np.eye(3, dtype=int)[axis]  # 4 um
    distance = cones(first + second + 1, spacing, (first, second), (4.0, 3.9))
    found = np.argwhere(peaks(distance, spacing, min_distance_um=min_distance)).tolist()
    assert found == [first.tolist(), second.tolist()][:count]


@pytest.mark.parametrize("exclude_border", [True, False])
@pytest.mark.parametrize("min_distance", [0.5, 1.25])
@pytest.mark.parametrize("seed", range(5))
@each_ratio
def test_peaks_in_cubes_against_scikit_image(ratio, seed, min_distance, exclude_border):
    shape, spacing = (9, 40, 41), spacing_of(ratio)
    mask = ndimage.gaussian_filter(np.random.default_rng(seed).random(shape), (0.5, 2, 2)) > 0.5
    distance = landscape(shape, seed, 1.0) * mask
    width = [2 * int(min_distance / step + 0.5) + 1 for step in spacing]
    labels, _ = ndimage.label(mask, CORNERS)
    expected = peak_local_max(distance, footprint=np.ones(width), labels=labels, exclude_border=exclude_border)
    found = peaks(distance, spacing, min_distance_um=min_distance, shape="cube", exclude_border=exclude_border)
    assert set(map(tuple, np.argwhere(found))) == set(map(tuple, expected))


def test_of_peaks_of_the_same_height_the_first_in_scan_order_is_kept():
    distance = np.zeros((3, 4, 600), "float32")
    distance[1, 1] = 2
    assert np.argwhere(peaks(distance, UNIT, min_distance_um=2)).tolist() == [[1, 1, x] for x in range(0, 600, 3)]


def test_nothing_has_no_peaks():
    assert not peaks(np.zeros((3, 4, 5), "float32"), UNIT, min_distance_um=2).any()


# blobs


@pytest.mark.parametrize("value", [1 / 3, 0.7, 1.0])
@each_ratio
def test_flat_ground_has_no_blobs(ratio, value):
    # Smoothing rounds the same value in different ways at different places.
    stack = np.full((33, 130, 131), value, "float32")
    assert not blobness(stack, spacing_of(ratio), 3.3).any()


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 20, 21), (3, 1, 5), (9, 17, 31)], ids=str)
@each_ratio
def test_blobness_against_scipy(ratio, shape):
    stack, spacing = frozen(np.random.default_rng(0).random(shape, "float32")), spacing_of(ratio)
    sigma = np.divide(0.8, spacing)
    smooth = ndimage.gaussian_filter(stack.astype(float), sigma, mode="nearest")
    bends = [ndimage.correlate1d(smooth, [1, -2, 1], axis, mode="nearest") * sigma[axis] ** 2 for axis in range(3)]
    found = blobness(stack, spacing, 0.8)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, np.maximum(-np.sum(bends, axis=0), 0), atol=2e-5)  # float32, times sigma in voxels squared


def test_blobness_is_nearly_that_of_sampled_derivatives():
    # A second difference bends less than the derivative by 1 / (4 sigma**2) in voxels, here 3 % at most, and the borders differ.
    stack = landscape((30, 40, 41), 0)
    expected = -9 * ndimage.gaussian_laplace(stack, 3.0, mode="nearest").clip(max=0)
    inner = (slice(12, -12),) * 3
    np.testing.assert_allclose(blobness(stack, UNIT, 3.0)[inner], expected[inner], atol=0.03 * expected.max())


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (4.0, 1.0, 1.0), (1.0, 2.0, 1.0)], ids=str)
def test_blobs_on_a_coarse_grid_are_those_of_the_fine_one(monkeypatch, spacing):
    rng, shape = np.random.default_rng(0), [round(90 / step) for step in spacing]
    place = [axis * step for axis, step in zip(np.indices(shape), spacing, strict=True)]
    stack = rng.normal(0, 0.05, shape)
    for middle in rng.uniform(10, 80, (8, 3)):
        stack += sum((axis - centre) ** 2 for axis, centre in zip(place, middle, strict=True)) < 14**2
    stack = frozen(stack.astype("float32"))
    coarse = blobness(stack, spacing, 12.0)
    monkeypatch.setattr(module, "GRID", 0)
    fine = blobness(stack, spacing, 12.0)
    assert not np.array_equal(coarse, fine)
    inner = tuple(slice(round(8 / step), -round(8 / step)) for step in spacing)  # near faces, where it bends most, they differ
    np.testing.assert_allclose(coarse[inner], fine[inner], atol=0.03 * fine[inner].max())


@pytest.mark.parametrize("size_um", [3.0, 4.0, 6.0])
@each_ratio
def test_blobness_of_a_gaussian_ball_is_the_same_at_each_spacing(ratio, size_um):
    sigma_um, spacing = 4.0, (ratio * 0.25, 1.0, 0.5)
    grid = [np.arange(-20, 20 + step / 2, step) for step in spacing]
    squared = sum(axis**2 for axis in np.meshgrid(*grid, indexing="ij", sparse=True))
    stack = np.exp(-squared / (2 * size_um**2)).astype("float32")
    expected = 3 * sigma_um**2 * size_um**3 / (size_um**2 + sigma_um**2) ** 2.5
    found = blobness(stack, spacing, sigma_um)
    assert np.unravel_index(found.argmax(), found.shape) == tuple(n // 2 for n in stack.shape)
    assert found.max() == pytest.approx(expected, rel=0.04)  # by second differences over planes of 2 um


@each_ratio
@pytest.mark.parametrize(("method", "options"), [(log, {}), (combined, {"weight": 0.5})])
def test_blobs_are_told_apart_where_the_mask_does_not(method, options, ratio):
    # One block of a mask, brightest at two places: the distance alone sees one object.
    spacing = spacing_of(ratio)
    shape = np.ceil(np.divide((12, 12, 20), spacing)).astype(int)
    centres = np.array([(6, 6, 5.5), (6, 6, 14.5)]) / spacing
    stack, mask = cones(shape, spacing, centres, (4, 4)), np.zeros(shape, "uint8")
    mask[1:-1, 4:-4, 4:-4] = 1
    found = np.argwhere(method(distance_map(mask, spacing), spacing, stack, sigma_um=2.0, min_distance_um=4.0, **options))
    assert len(found) == 2
    found = found[found[:, 2].argsort()]
    assert np.abs((found - centres) * spacing).max() < max(1.0, spacing[0])


def test_blobs_outside_the_mask_and_nearer_than_the_distance_are_left_out():
    stack, mask = cones((9, 20, 60), UNIT, ((4, 9, 9), (4, 9, 30), (4, 9, 50)), (5, 5, 4)), np.ones((9, 20, 60), "uint8")
    mask[:, :, 40:] = 0
    distance = distance_map(mask, UNIT)
    assert np.argwhere(log(distance, UNIT, stack, sigma_um=2.0, min_distance_um=20)).tolist() == [[4, 9, 9], [4, 9, 30]]
    assert len(np.argwhere(log(distance, UNIT, stack, sigma_um=2.0, min_distance_um=22))) == 1


@pytest.mark.parametrize("weight", [0, 1])
def test_combined_has_the_distance_and_the_blobs_at_its_ends(weight):
    stack, distance = landscape((9, 40, 41), 0), distance_map((landscape((9, 40, 41), 1) > 4).astype("uint8"), UNIT, 0.5)
    found = combined(distance, UNIT, stack, sigma_um=2.0, min_distance_um=4, weight=weight)
    expected = log(distance, UNIT, stack, sigma_um=2.0, min_distance_um=4) if weight else peaks(distance, UNIT, min_distance_um=4)
    assert expected.sum() > 3
    assert np.array_equal(found, expected)


@pytest.mark.parametrize(("method", "options"), [(log, {}), (combined, {"weight": 0.5})])
def test_an_empty_mask_and_an_empty_stack_have_no_blobs(method, options):
    options = options | {"sigma_um": 1.0, "min_distance_um": 2.0}
    nothing, something = np.zeros((3, 4, 5), "float32"), np.ones((3, 4, 5), "float32")
    assert not method(nothing, UNIT, landscape((3, 4, 5), 0), **options).any()
    assert not method(something, UNIT, nothing, **options).any()


# seeds


@settings(max_examples=60, deadline=None)
@example(np.eye(4, dtype="uint8").reshape(1, 4, 4), METHODS[1], 1, 6, 0.0)  # components that touch, all of them maxima
@given(MASKS, st.sampled_from(METHODS), st.sampled_from(RATIOS), st.sampled_from([6, 18, 26]), st.sampled_from([0.0, 0.3]))
def test_each_component_has_seeds_and_each_seed_one_component(mask, method, ratio, connectivity, sigma_um):
    spacing = spacing_of(ratio)
    components = frozen(label_components(frozen(mask), connectivity))
    stack = frozen(np.random.default_rng(mask.size).random(mask.shape, "float32"))
    seeds = find_seeds(frozen(distance_map(mask, spacing, sigma_um)), components, spacing, *method, stack, frozen(BY_HAND))
    assert seeds.dtype == np.uint16
    assert np.array_equal(np.unique(seeds[seeds > 0]), np.arange(1, seeds.max() + 1))
    pairs = np.unique(np.stack([seeds[seeds > 0], components[seeds > 0]]), axis=1)
    assert pairs.min(initial=1) > 0
    assert pairs.shape[1] == seeds.max()
    assert np.array_equal(np.unique(pairs[1]), np.arange(1, components.max() + 1))


def test_a_component_below_h_gets_a_seed_at_its_highest_voxel():
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
        ("log", {"sigma_um": 2.64, "min_distance_um": 4.8}),  # 0.33 and 0.6 of the diameter, the defaults
        ("combined", {"sigma_um": 2.64, "min_distance_um": 4.8, "weight": 0.5}),
    ],
)
def test_touching_spheres_get_a_seed_each(method, options, ratio):
    spacing, radius, shape = spacing_of(ratio), 4.0, np.array([16.0, 11.0, 25.0])
    centres = [np.array(centre) / spacing for centre in ((5.0, 5.5, 5.5), (5.0, 5.5, 12.7), (11.0, 5.5, 16.0))]
    mask = (cones(np.ceil(shape / spacing).astype(int), spacing, centres, [radius] * 3) > 0).astype("uint8")
    components = label_components(mask, 26)
    seeds = find_seeds(distance_map(mask, spacing, 0.5), components, spacing, method, options, mask.astype("float32"))
    assert components.max() == 1
    assert seeds.max() == 3
    places = np.array(ndimage.center_of_mass(seeds, seeds, range(1, 4))) * spacing
    away = np.linalg.norm(places[:, None] - np.multiply(centres, spacing), axis=2)
    assert np.all(away.min(0) < max(1.0, spacing[0]))
    assert sorted(away.argmin(0).tolist()) == [0, 1, 2]


# kernels that work plane by plane, against the whole stack at once


@settings(deadline=None)
@given(
    arrays("float32", st.tuples(*[st.integers(1, 9)] * 3), elements=st.sampled_from([-1, 0, 0.5, 1, 2])),
    st.tuples(*[st.integers(0, 4)] * 3),
)
def test_highest_in_boxes_as_by_scipy(values, radii):
    highest = ndimage.maximum_filter(values, [2 * radius + 1 for radius in radii], mode="constant", cval=-np.inf)
    expected = np.argwhere((values == highest) & (values > 0))
    np.testing.assert_array_equal(_highest_in_boxes(frozen(values), radii), expected)


@pytest.mark.parametrize("shape", [(1, 9, 9), (2, 1, 9), (9, 9, 1), (8, 21, 22)])
@each_ratio
def test_blobness_is_the_sum_of_second_differences(ratio, shape):
    stack, spacing = (
        landscape(shape, 0, 1.0) if min(shape) > 1 else frozen(np.random.default_rng(0).random(shape, "float32")),
        spacing_of(ratio),
    )
    smooth = gaussian(stack, spacing, sigma_um=0.6).astype(float)
    total = np.zeros(shape)
    for axis, step in enumerate(spacing):
        padded = np.pad(smooth, [(int(each == axis),) * 2 for each in range(3)], mode="edge")
        total -= (0.6 / step) ** 2 * np.diff(padded, 2, axis=axis)
    np.testing.assert_allclose(blobness(stack, spacing, 0.6), total.clip(0), atol=1e-4)


@pytest.mark.parametrize("shape", [(1, 9, 9), (2, 1, 9), (8, 21, 22)])
def test_threads_change_no_blobs(monkeypatch, shape):
    stack = frozen(np.random.default_rng(0).random(shape, "float32"))
    distance = frozen(np.random.default_rng(1).random(shape, "float32") - np.float32(0.5))
    options = {"sigma_um": 0.6, "min_distance_um": 0.5, "weight": 0.3}
    results = []
    for threads in (1, 2, 3, 20):
        monkeypatch.setattr(module.workers, "useful_threads", lambda stack, threads=threads: threads)
        results.append((blobness(stack, UNIT, 0.6), combined(distance.clip(0), UNIT, stack, **options)))
    assert results[0][1].any()
    assert all(np.array_equal(one, first) for result in results for one, first in zip(result, results[0], strict=True))


@given(arrays("uint8", st.tuples(st.integers(0, 40), st.just(3)), elements=st.integers(0, 9)), st.sampled_from([0.5, 1, 1.5, 2, 2.5, 5]))
@settings(deadline=None)
def test_few_and_many_places_are_thinned_alike(places, distance):
    places = np.unique(places, axis=0) * (0.5, 0.25, 0.25)
    few = _without_lower_ones(places, distance)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "FEW", -1)
        np.testing.assert_array_equal(_without_lower_ones(places, distance), few)
    assert not len(places) or few[0]
    assert (pdist(places[few]) > distance).all()
