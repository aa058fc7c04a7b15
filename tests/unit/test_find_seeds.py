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

from cellstack.find_seeds import distance_map, find_seeds, h_maxima, peaks
from cellstack.label_components import label_components

RATIOS = [1, 4, 8]
UNIT = (1.0, 1.0, 1.0)
CORNERS = np.ones((3, 3, 3))
METHODS = [
    ("h_maxima", {"h_um": 0.5}),
    ("h_maxima", {"h_um": 100.0}),
    ("peaks", {"min_distance_um": 0.1}),
    ("peaks", {"min_distance_um": 3.0}),
]
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


def test_of_peaks_of_the_same_height_the_first_in_scan_order_is_kept():
    distance = np.zeros((3, 4, 600), "float32")
    distance[1, 1] = 2
    assert np.argwhere(peaks(distance, UNIT, min_distance_um=2)).tolist() == [[1, 1, x] for x in range(0, 600, 3)]


def test_nothing_has_no_peaks():
    assert not peaks(np.zeros((3, 4, 5), "float32"), UNIT, min_distance_um=2).any()


# seeds


@settings(max_examples=60, deadline=None)
@example(np.eye(4, dtype="uint8").reshape(1, 4, 4), METHODS[1], 1, 6, 0.0)  # components that touch, all of them maxima
@given(MASKS, st.sampled_from(METHODS), st.sampled_from(RATIOS), st.sampled_from([6, 18, 26]), st.sampled_from([0.0, 0.3]))
def test_each_component_has_seeds_and_each_seed_one_component(mask, method, ratio, connectivity, sigma_um):
    spacing = spacing_of(ratio)
    components = frozen(label_components(frozen(mask), connectivity))
    seeds = find_seeds(frozen(distance_map(mask, spacing, sigma_um)), components, spacing, *method)
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
@pytest.mark.parametrize(("method", "options"), [("h_maxima", {"h_um": 0.4}), ("peaks", {"min_distance_um": 5.0})])
def test_touching_spheres_get_a_seed_each(method, options, ratio):
    spacing, radius, shape = spacing_of(ratio), 4.0, np.array([16.0, 11.0, 25.0])
    centres = [np.array(centre) / spacing for centre in ((5.0, 5.5, 5.5), (5.0, 5.5, 12.7), (11.0, 5.5, 16.0))]
    mask = (cones(np.ceil(shape / spacing).astype(int), spacing, centres, [radius] * 3) > 0).astype("uint8")
    components = label_components(mask, 26)
    seeds = find_seeds(distance_map(mask, spacing, 0.5), components, spacing, method, options)
    assert components.max() == 1
    assert seeds.max() == 3
    places = np.array(ndimage.center_of_mass(seeds, seeds, range(1, 4))) * spacing
    away = np.linalg.norm(places[:, None] - np.multiply(centres, spacing), axis=2)
    assert np.all(away.min(0) < max(1.0, spacing[0]))
    assert sorted(away.argmin(0).tolist()) == [0, 1, 2]
