import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cellstack.core.boundaries import (
    _unique,
    contact_areas,
    find_faces,
    measure_contact_areas,
    pair_keys,
)

SPACING = (2.0, 0.5, 0.25)
LABELS = arrays("uint16", (3, 4, 5), elements=st.integers(0, 3))


def faces_one_by_one(labels):
    """List axis, indices of both voxels and area of each face between different labels."""
    faces = []
    for axis in range(3):
        step = np.eye(3, dtype=int)[axis]
        for index in np.ndindex(labels.shape):
            other = tuple(index + step)
            if other[axis] < labels.shape[axis] and labels[index] != labels[other]:
                faces.append((axis, index, other, np.prod(SPACING) / SPACING[axis]))
    return faces


@given(LABELS, st.booleans())
def test_all_faces_are_found(labels, background):
    faces = find_faces(labels, SPACING, background)
    found = zip(
        faces.axis.tolist(),
        np.stack(np.unravel_index(faces.before, labels.shape), axis=1).tolist(),
        np.stack(np.unravel_index(faces.after, labels.shape), axis=1).tolist(),
        faces.area.tolist(),
        strict=True,
    )
    expected = [
        (axis, list(before), list(after), area)
        for axis, before, after, area in faces_one_by_one(labels)
        if background or (labels[before] and labels[after])
    ]
    assert sorted(found) == sorted(expected)


@given(LABELS)
def test_faces_are_grouped_by_pair(labels):
    faces = find_faces(labels, SPACING)
    totals = {}
    for _, before, after, area in faces_one_by_one(labels):
        pair = tuple(sorted((int(labels[before]), int(labels[after]))))
        totals[pair] = totals.get(pair, 0) + area
    pairs = list(zip(faces.lower.tolist(), faces.upper.tolist(), strict=True))
    assert pairs == sorted(totals)
    np.testing.assert_allclose(faces.sum_by_pair(faces.area), [totals[pair] for pair in pairs])
    flat = labels.ravel()
    np.testing.assert_array_equal(
        faces.lower[faces.pair], np.minimum(flat[faces.before], flat[faces.after])
    )


def test_faces_of_one_axis_are_in_scan_order_along_it():
    labels = np.arange(24, dtype=np.uint16).reshape(2, 3, 4)
    faces = find_faces(labels, SPACING)
    assert faces.before[faces.axis == 0].tolist() == list(range(12))
    assert faces.before[faces.axis == 1].tolist() == [
        0,
        1,
        2,
        3,
        12,
        13,
        14,
        15,
        4,
        5,
        6,
        7,
        *range(16, 20),
    ]


def test_no_faces():
    for labels in (np.zeros((2, 3, 4), np.uint16), np.zeros((0, 3, 4), np.uint16)):
        faces = find_faces(labels, SPACING)
        assert len(faces.lower) == len(faces.before) == 0


def test_keys_of_large_labels_do_not_overflow():
    first, second = np.array([3_000_000], np.uint32), np.array([2_000_000], np.uint32)
    assert divmod(int(pair_keys(first, second, 3_000_001)[0]), 3_000_001) == (2_000_000, 3_000_000)


@given(arrays("uint16", (13, 4, 5), elements=st.integers(0, 3)))
def test_areas_are_the_same_slab_by_slab(labels):
    spacing = (0.5, 0.25, 0.2)  # tiles of 2 planes
    faces = find_faces(labels, spacing)
    pairs, areas = measure_contact_areas(labels, spacing)
    assert pairs.tolist() == np.stack([faces.lower, faces.upper], axis=1).tolist()
    assert areas.tolist() == contact_areas(labels, faces, spacing).tolist()


def test_areas_are_the_same_for_any_number_of_threads():
    labels = np.random.default_rng(0).integers(0, 4, (13, 9, 8)).astype(np.uint16)
    alone, together = (measure_contact_areas(labels, SPACING, threads) for threads in (1, 3))
    np.testing.assert_array_equal(alone[0], together[0])
    np.testing.assert_array_equal(alone[1], together[1])


@pytest.mark.parametrize("stop", [40, 10**9])
def test_unique_values_by_table_or_by_sorting(stop):
    values = np.random.default_rng(4).integers(0, 40, 200)
    found, index = _unique(values, stop)
    expected, expected_index = np.unique(values, return_inverse=True)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(index, expected_index)
