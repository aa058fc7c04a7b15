import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage
from skimage.segmentation import watershed

from cellstack.find_seeds import distance_map, find_seeds
from cellstack.label_components import label_components
from cellstack.split_objects import split_objects

RATIOS = [1, 4, 8]
MASKS = arrays("uint8", st.tuples(*[st.integers(1, 7)] * 3), elements=st.integers(0, 1))
each_ratio = pytest.mark.parametrize("ratio", RATIOS)


def frozen(array):
    array.flags.writeable = False
    return array


def split(seeds, mask, landscape, method="distance"):
    """Split by one landscape, given as the one that `method` uses."""
    nothing = frozen(np.zeros(mask.shape, "float32"))
    stack, distance = (nothing, frozen(landscape)) if method == "distance" else (frozen(landscape), nothing)
    return split_objects(frozen(seeds), frozen(mask), stack, distance, method, {})


def ellipsoids(spacing, semi_axes, axis, squeeze=0.9):
    """Two ellipsoids that overlap a little along `axis`; the mask, and which voxel lies on the side of which."""
    semi_axes, spacing = np.array(semi_axes), np.array(spacing)
    shift = np.eye(3)[axis] * semi_axes * squeeze
    shape = np.ceil(2 * (semi_axes + shift + spacing) / spacing).astype(int)
    at = (np.indices(shape) - (shape - 1).reshape(3, 1, 1, 1) / 2) * spacing.reshape(3, 1, 1, 1)
    inside = [sum(((at[i] - sign * shift[i]) / semi_axes[i]) ** 2 for i in range(3)) <= 1 for sign in (-1, 1)]
    return (inside[0] | inside[1]).astype("uint8"), np.where(at[axis] < 0, 1, 2)


@pytest.mark.parametrize("semi_axes", [(4.0, 4.0, 4.0), (6.0, 4.0, 5.0)], ids=str)
@pytest.mark.parametrize("axis", range(3))
@each_ratio
def test_touching_ellipsoids_are_cut_at_their_contact(ratio, axis, semi_axes):
    spacing = (0.25 * ratio, 0.25, 0.25)
    mask, truth = ellipsoids(spacing, semi_axes, axis)
    components, distance = label_components(mask, 26), distance_map(mask, spacing, 0.4)
    assert components.max() == 1
    labels = split(find_seeds(distance, components, spacing, "h_maxima", {"h_um": 0.3}), mask, distance)
    assert labels.max() == 2
    assert np.array_equal(labels > 0, mask > 0)
    # A plane that lies on the contact itself belongs to neither: at most half of that plane may be on the wrong side.
    assert (labels[mask > 0] == truth[mask > 0]).mean() > (0.99 if axis else 0.98)


def test_intensity_cuts_where_it_is_dark_and_not_where_it_is_narrow():
    bar = np.ones((3, 9, 40), "uint8")
    bar[:, [0, 1, 7, 8], 12] = 0  # narrow
    stack = np.abs(np.arange(40) - 28.0).astype("float32") * np.ones(bar.shape, "float32")  # dark at 28
    seeds = np.zeros(bar.shape, "uint16")
    seeds[1, 4, 4], seeds[1, 4, 36] = 1, 2
    distance = distance_map(bar, (1.0, 1.0, 1.0))
    by_intensity, by_distance = split(seeds, bar, stack, "intensity"), split(seeds, bar, distance)
    for labels, cut in ((by_intensity, 28), (by_distance, 12)):
        right = np.where(np.arange(40) < cut, 1, 2) * np.ones(bar.shape, int)
        assert (labels == right)[bar > 0].mean() > 0.95


@given(MASKS, st.sampled_from([6, 18, 26]), st.integers(0, 2**32 - 1), st.sampled_from(["distance", "intensity"]))
def test_seeds_keep_their_labels_and_fill_their_components(mask, connectivity, seed, method):
    rng = np.random.default_rng(seed)
    components = label_components(mask, connectivity)
    places = rng.permutation(np.flatnonzero(mask))[:4]
    seeds = np.zeros(mask.shape, "uint16")
    seeds.ravel()[places] = np.arange(1, len(places) + 1)
    labels = split(seeds, mask, rng.random(mask.shape, "float32"), method)
    assert labels.dtype == np.uint16
    assert not labels[mask == 0].any()
    assert np.array_equal(labels[seeds > 0], seeds[seeds > 0])
    assert np.array_equal(np.unique(labels[labels > 0]), np.arange(1, len(places) + 1))
    seeded = np.isin(components, components[seeds > 0]) & (mask > 0)
    assert labels[seeded].all()


@each_ratio
def test_against_scikit_image(ratio):
    # Across faces, as scikit-image does by default, and across corners, as here: the same but for ties on flat ground.
    shape, spacing = (16, 40, 41), (0.25 * ratio, 0.25, 0.25)
    field = ndimage.gaussian_filter(np.random.default_rng(0).random(shape), 2.5)
    mask = (field > np.median(field)).astype("uint8")
    components, distance = label_components(mask, 26), distance_map(mask, spacing, 0.3)
    seeds = find_seeds(distance, components, spacing, "h_maxima", {"h_um": 0.1})
    labels = split(seeds, mask, distance)
    expected = watershed(-distance, seeds.astype("int32"), mask=mask.astype(bool))
    assert seeds.max() > 5
    assert (labels == expected)[mask > 0].mean() > 0.95


def test_parts_joined_by_a_corner_alone_are_labelled():
    mask = np.zeros((2, 4, 4), "uint8")
    mask[0, :2, :2] = mask[1, 2:, 2:] = 1
    seeds = np.zeros(mask.shape, "uint16")
    seeds[0, 0, 0] = 1
    assert np.array_equal(split(seeds, mask, mask.astype("float32")), mask)


def test_labels_follow_the_seeds_and_not_the_scan():
    mask = np.ones((5, 5, 20), "uint8")
    seeds = np.zeros(mask.shape, "uint16")
    seeds[1, 2, 15], seeds[3, 2, 3] = 1, 2
    labels = split(seeds, mask, np.ones(mask.shape, "float32"))
    assert (labels[1, 2, 15], labels[3, 2, 3], labels[0, 0, 0]) == (1, 2, 2)


@pytest.mark.parametrize(("count", "dtype"), [(0, "uint16"), (65535, "uint16"), (65536, "uint32")])
def test_type_of_many_labels(count, dtype):
    seeds = np.zeros((1, 2, 2 * max(count, 1)), "uint32")
    seeds[0, 0, : 2 * count : 2] = np.arange(1, count + 1)
    labels = split(seeds, (seeds > 0).astype("uint8"), np.zeros(seeds.shape, "float32"))
    assert labels.dtype == dtype
    assert np.array_equal(labels, seeds)
