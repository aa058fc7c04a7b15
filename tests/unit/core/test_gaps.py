import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellstack.core.gaps import box_gaps, find_surfaces, gap, surface_corners
from cellstack.core.labels import find_boxes

SPACING = (2.0, 0.7, 0.3)


def corners_of(labels, spacing=SPACING):
    surfaces = find_surfaces(labels, find_boxes(labels), spacing)
    return [(surface.corners - 0.5) * spacing for surface in surfaces]


def gap_of_voxels(first, second, spacing=SPACING):
    """Return the distance between two masks: the minimum over all pairs of voxels, as boxes."""
    offsets = np.abs(np.argwhere(first)[:, None] - np.argwhere(second)[None])
    return np.linalg.norm(np.maximum(0, offsets - 1) * spacing, axis=-1).min()


def two_blobs(seed, shape=(7, 12, 14)):
    """Return labels of two random objects of any shape, which may touch."""
    rng = np.random.default_rng(seed)
    labels = np.zeros(shape, np.uint16)
    for label in (1, 2):
        start = [rng.integers(0, size - 2) for size in shape]
        box = tuple(slice(low, low + rng.integers(2, 7)) for low in start)
        labels[box] = np.where(rng.random(labels[box].shape) < 0.4, label, labels[box])
    return labels


@given(st.integers(0, 2**32 - 1))
def test_gap_is_the_minimum_over_all_pairs_of_voxels(seed):
    labels = two_blobs(seed)
    if len(find_boxes(labels)) < 2:
        return
    first, second = corners_of(labels)
    expected = gap_of_voxels(labels == 1, labels == 2)
    assert gap(first, second) == pytest.approx(expected, abs=1e-9)
    assert gap(second, first) == pytest.approx(expected, abs=1e-9)


@given(st.integers(0, 2**32 - 1), st.floats(0, 6))
def test_gap_below_a_limit_is_exact_and_others_are_not_below_it(seed, limit):
    labels = two_blobs(seed)
    if len(find_boxes(labels)) < 2:
        return
    first, second = corners_of(labels)
    expected = gap_of_voxels(labels == 1, labels == 2)
    found = gap(first, second, limit)
    if expected < limit - 1e-6:
        assert found == pytest.approx(expected, abs=1e-9)
    else:
        assert found >= min(limit, expected) - 1e-6


def test_gap_along_each_axis_is_the_number_of_voxels_between():
    for axis, step in enumerate(SPACING):
        labels = np.zeros((9, 9, 9), np.uint16)
        along = np.moveaxis(labels, axis, 0)
        along[1, 4, 4], along[6, 3:6, 3:6] = 1, 2
        assert gap(*corners_of(labels)) == pytest.approx(4 * step)


def test_gap_of_objects_that_share_a_face_an_edge_or_a_corner_is_zero():
    for place in ((0, 0, 1), (0, 1, 1), (1, 1, 1)):
        labels = np.zeros((2, 2, 2), np.uint16)
        labels[0, 0, 0], labels[place] = 1, 2
        assert gap(*corners_of(labels)) == 0


@pytest.mark.parametrize("step_z", [0.6, 1.4])
def test_gap_of_an_object_within_a_shell(step_z):
    spacing, shape = (step_z, 0.6, 0.5), (int(20 / step_z), 32, 38)
    offsets = [
        (np.arange(size) - (size - 1) / 2) * step for size, step in zip(shape, spacing, strict=True)
    ]
    radius = np.sqrt(sum(np.square(each) for each in np.ix_(*offsets)))
    labels = np.zeros(shape, np.uint16)
    labels[radius < 4.2] = 1
    labels[(radius > 6.1) & (radius < 9)] = 2
    near = [np.argwhere((labels == 1) & (radius > 3)), np.argwhere((labels == 2) & (radius < 7.5))]
    offsets_um = [np.maximum(0, np.abs(near[1] - voxel) - 1) * spacing for voxel in near[0]]
    expected = min(np.linalg.norm(each, axis=1).min() for each in offsets_um)
    assert 0.5 < expected < 1.9
    assert gap(*corners_of(labels, spacing)) == pytest.approx(expected)


def test_gap_of_an_object_that_encloses_another_off_centre():
    labels = np.full((12, 40, 60), 2, np.uint16)
    labels[2:10, 5:35, 5:55] = 0
    labels[4:6, 10:14, 40:44] = 1
    first, second = corners_of(labels)
    assert gap(first, second) == pytest.approx(min(2 * 2.0, 5 * 0.7, 11 * 0.3))


@given(st.integers(0, 2**32 - 1))
def test_corners_on_the_surface(seed):
    mask = np.random.default_rng(seed).random((3, 4, 5)) < 0.6
    counts = sum(
        np.pad(mask, [(z, 1 - z), (y, 1 - y), (x, 1 - x)]).astype(int)
        for z, y, x in np.ndindex(2, 2, 2)
    )
    np.testing.assert_array_equal(surface_corners(mask), (counts > 0) & (counts < 8))


def test_surface_has_centroid_and_box_in_um():
    labels = np.zeros((4, 5, 6), np.uint16)
    labels[1:3, 2, 3:6] = 7
    labels[1, 2, 3] = 0
    (surface,) = find_surfaces(labels, find_boxes(labels), SPACING)
    np.testing.assert_allclose(surface.centroid, np.argwhere(labels).mean(axis=0) * SPACING)
    np.testing.assert_allclose(surface.low, np.array([0.5, 1.5, 2.5]) * SPACING)
    np.testing.assert_allclose(surface.high, np.array([2.5, 2.5, 5.5]) * SPACING)


def test_surfaces_do_not_depend_on_the_number_of_threads():
    labels = np.random.default_rng(0).integers(0, 9, (4, 6, 8)).astype(np.uint16)
    one, two = (find_surfaces(labels, find_boxes(labels), SPACING, threads) for threads in (1, 2))
    for first, second in zip(one, two, strict=True):
        for each, other in zip(first, second, strict=True):
            np.testing.assert_array_equal(each, other)


@given(st.integers(0, 2**32 - 1))
def test_box_gaps_are_not_above_the_gaps_of_their_contents(seed):
    labels = two_blobs(seed)
    if len(find_boxes(labels)) < 2:
        return
    first, second = find_surfaces(labels, find_boxes(labels), SPACING)
    of_boxes = box_gaps(first.low, first.high, second.low, second.high)
    assert of_boxes <= gap_of_voxels(labels == 1, labels == 2) + 1e-9


@pytest.mark.parametrize("seed", range(4))
def test_gap_of_many_points_that_are_mixed(seed):
    rng = np.random.default_rng(seed)
    first, second = rng.random((2000, 3)) * 90, rng.random((1500, 3)) * 90
    expected = np.linalg.norm(first[:, None] - second, axis=-1).min()
    assert gap(first, second) == pytest.approx(expected)
