import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage
from scipy.spatial.distance import pdist
from shapes import UNIT, cones, landscape, read_only, spacing_of
from skimage import morphology
from skimage.feature import peak_local_max

from cellstack.core import maxima
from cellstack.core.maxima import _highest_in_boxes, _suppress_lower, find_peaks, h_maxima

RATIOS = [1, 4, 8]
CORNERS = np.ones((3, 3, 3))
each_ratio = pytest.mark.parametrize("ratio", RATIOS)


def same_components(markers, others):
    """Return whether each component of `others` lies in a different component of `markers`."""
    labels, count = ndimage.label(markers, CORNERS)
    parts, other_count = ndimage.label(others, CORNERS)
    pairs = np.unique(np.stack([labels[parts > 0], parts[parts > 0]]), axis=1)
    return (
        count == other_count == pairs.shape[1]
        and pairs.min(initial=1) > 0
        and len(np.unique(pairs[0])) == count
    )


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("h", [0.05, 0.5, 2.0])
@pytest.mark.parametrize("shape", [(1, 40, 41), (20, 30, 31)], ids=str)
def test_h_maxima_against_scikit_image(shape, h, seed):
    # scikit-image marks the tops only; here all voxels above top - h are marked, around each top.
    distance = landscape(shape, seed)
    assert same_components(h_maxima(distance, h), morphology.h_maxima(distance, h))


@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("radii", [(4.0, 4.0), (5.0, 4.0)])
@each_ratio
def test_two_spheres_have_two_maxima_up_to_the_depth_of_their_saddle(ratio, radii, axis):
    spacing = spacing_of(ratio)
    apart = {1: 16, 4: 4, 8: 2}[ratio] if axis == 0 else 16  # voxels, 4 um
    first = np.array([3 + 20 // ratio, 21, 21])
    second = first + apart * np.eye(3, dtype=int)[axis]
    distance = cones(first + second + 1, spacing, (first, second), radii)
    between = distance[tuple(slice(a, b + 1) for a, b in zip(first, second, strict=True))].ravel()
    rise = min(radii) - between.min()
    assert rise == pytest.approx(
        (radii[1] - radii[0] + 4.0) / 2, abs=spacing[axis]
    )  # where the cones meet, if a voxel lies there
    for h, count in ((0.02, 2), (0.98 * rise, 2), (1.02 * rise, 1)):
        assert ndimage.label(h_maxima(distance, h), CORNERS)[1] == count


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.lists(st.floats(0.01, 9), min_size=2, max_size=2).map(sorted))
def test_a_greater_height_leaves_fewer_maxima(seed, heights):
    distance = landscape((8, 12, 13), seed, sigma=1)
    few, many = (ndimage.label(h_maxima(distance, h), CORNERS)[1] for h in heights[::-1])
    assert 1 <= few <= many


def test_h_maxima_do_not_depend_on_threads():
    distance, before, found = (
        landscape((20, 40, 41), 0),
        sitk.ProcessObject.GetGlobalDefaultNumberOfThreads(),
        [],
    )
    try:
        for count in (1, 2, 8):
            sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(count)
            found.append(h_maxima(distance, 0.3))
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(found[0], found[2])


@pytest.mark.parametrize("min_distance", [1, 3, 5])
def test_peaks_of_distant_hills_against_scikit_image(min_distance):
    # scikit-image compares voxels in a cube, not in a ball: the same for hills that are farther
    # apart than the diagonal of the cube.
    rng = np.random.default_rng(0)
    centres = [np.array(site) * 11 + rng.integers(5, 7, 3) for site in np.ndindex(2, 3, 3)]
    distance = cones((24, 35, 36), UNIT, centres, rng.uniform(3, 5, len(centres)))
    found = np.argwhere(find_peaks(distance, UNIT, min_distance_um=min_distance))
    expected = peak_local_max(distance, min_distance=min_distance, exclude_border=False, p_norm=2)
    assert sorted(map(tuple, found)) == sorted(map(tuple, expected)) == sorted(map(tuple, centres))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(RATIOS), st.floats(0, 4))
def test_peaks_are_maxima_at_the_minimum_distance_in_um(seed, ratio, min_distance):
    spacing, distance = spacing_of(ratio), landscape((8, 16, 17), seed, sigma=(0.7, 1.5, 1.5))
    found = np.argwhere(find_peaks(distance, spacing, min_distance_um=min_distance))
    heights = distance[tuple(found.T)]
    assert heights.max() == distance.max()
    assert np.array_equal(heights, ndimage.maximum_filter(distance, 3)[tuple(found.T)])
    assert np.all(pdist(found * spacing) > min_distance)


@each_ratio
@pytest.mark.parametrize(("min_distance", "count"), [(3.9, 2), (4.1, 1)])
@pytest.mark.parametrize("axis", range(3))
def test_the_higher_one_of_two_near_peaks_is_kept(axis, min_distance, count, ratio):
    spacing = spacing_of(ratio)
    first = np.array([20 // ratio, 21, 21])
    second = first + np.array([16 // ratio, 16, 16]) * np.eye(3, dtype=int)[axis]  # 4 um
    distance = cones(first + second + 1, spacing, (first, second), (4.0, 3.9))
    found = np.argwhere(find_peaks(distance, spacing, min_distance_um=min_distance)).tolist()
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
    expected = peak_local_max(
        distance, footprint=np.ones(width), labels=labels, exclude_border=exclude_border
    )
    found = find_peaks(
        distance, spacing, min_distance_um=min_distance, shape="cube", exclude_border=exclude_border
    )
    assert set(map(tuple, np.argwhere(found))) == set(map(tuple, expected))


def test_the_first_one_of_equal_peaks_in_scan_order_is_kept():
    distance = np.zeros((3, 4, 600), "float32")
    distance[1, 1] = 2
    assert np.argwhere(find_peaks(distance, UNIT, min_distance_um=2)).tolist() == [
        [1, 1, x] for x in range(0, 600, 3)
    ]


def test_an_empty_image_has_no_peaks():
    assert not find_peaks(np.zeros((3, 4, 5), "float32"), UNIT, min_distance_um=2).any()


@settings(deadline=None)
@given(
    arrays(
        "float32", st.tuples(*[st.integers(1, 9)] * 3), elements=st.sampled_from([-1, 0, 0.5, 1, 2])
    ),
    st.tuples(*[st.integers(0, 4)] * 3),
)
def test_highest_in_boxes_against_scipy(values, radii):
    highest = ndimage.maximum_filter(
        values, [2 * radius + 1 for radius in radii], mode="constant", cval=-np.inf
    )
    expected = np.argwhere((values == highest) & (values > 0))
    found, heights = _highest_in_boxes(read_only(values), radii)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(heights, values[tuple(found.T)])


@given(
    arrays("uint8", st.tuples(st.integers(0, 40), st.just(3)), elements=st.integers(0, 9)),
    st.sampled_from([0.5, 1, 1.5, 2, 2.5, 5]),
)
@settings(deadline=None)
def test_suppression_is_the_same_with_and_without_a_tree(places, distance):
    places = np.unique(places, axis=0) * (0.5, 0.25, 0.25)
    few = _suppress_lower(places, distance)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(maxima, "MAX_PLACES_WITHOUT_TREE", -1)
        np.testing.assert_array_equal(_suppress_lower(places, distance), few)
    assert not len(places) or few[0]
    assert (pdist(places[few]) > distance).all()


def test_many_peaks_of_a_few_heights_are_kept_in_scan_order():
    # Peaks are 3, 1 and 1 um apart along z, y and x.
    spacing, rng = (1.5, 0.5, 0.25), np.random.default_rng(0)
    values = np.zeros((6, 20, 40), "float32")
    values[::2, ::2, ::4] = rng.integers(1, 4, (3, 10, 10))
    places = sorted(np.argwhere(values).tolist(), key=lambda place: -values[tuple(place)])
    kept = []
    for place in places:
        if all(np.linalg.norm(np.subtract(place, each) * spacing) > 1.6 for each in kept):
            kept.append(place)
    found = find_peaks(values, spacing, min_distance_um=1.6)
    assert np.argwhere(found).tolist() == sorted(kept)
    assert len(kept) > 50
