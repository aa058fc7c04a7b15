import cc3d
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage
from shapes import read_only

from cellstack.core import components
from cellstack.core.components import (
    find_components,
    find_divided,
    keep_components_at,
    keep_components_with,
    keep_large_components,
    keep_marked_components,
    number_groups,
)
from cellstack.core.labels import find_boxes

SHAPES = st.tuples(*[st.integers(1, 6)] * 3)


@given(SHAPES.flatmap(lambda shape: st.tuples(arrays(bool, shape), arrays(bool, shape))))
def test_components_against_scipy(arrays):
    mask, markers = (read_only(array) for array in arrays)
    expected = ndimage.binary_propagation(markers & mask, mask=mask)
    np.testing.assert_array_equal(keep_marked_components(mask, markers), expected)


@given(SHAPES.flatmap(lambda shape: arrays(np.uint16, shape, elements=st.integers(0, 3))))
def test_divided_objects_against_scipy(labels):
    expected = []
    for label in np.unique(labels[labels > 0]).tolist():
        parts, count = ndimage.label(labels == label, np.ones((3, 3, 3)))
        sizes = ndimage.sum_labels(parts > 0, parts, range(1, count + 1))
        if np.sum(sizes >= 0.05 * sizes.sum()) > 1:
            expected.append(label)
    assert find_divided(read_only(labels), find_boxes(labels)) == expected


def test_small_fragments_do_not_divide_an_object():
    labels = np.zeros((3, 9, 20), np.uint16)
    labels[:, :, :4], labels[0, 0, 10], labels[0, 0, 8] = 1, 1, 2
    labels[:, 4:6, 16], labels[:, 0, 16] = 3, 3
    assert find_divided(labels, find_boxes(labels)) == [3]


@given(
    SHAPES.flatmap(
        lambda shape: st.tuples(
            arrays(np.uint8, shape, elements=st.integers(0, 1)), arrays(bool, shape)
        )
    )
)
def test_components_in_slabs_of_one_plane_against_scipy(arrays):
    mask, markers = arrays
    labels, count = ndimage.label(mask)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    before, components.SLAB_VOXELS = components.SLAB_VOXELS, 1
    try:
        found = find_components(read_only(mask))
        kept = keep_large_components(mask, 2)
        marked = keep_components_with(mask, markers)
    finally:
        components.SLAB_VOXELS = before
    assert sorted(found.sizes[1:]) == sorted(sizes[1:])
    assert found.sizes[0] == sizes[0]
    np.testing.assert_array_equal(kept, mask & (sizes[labels] > 2))
    np.testing.assert_array_equal(marked, keep_marked_components(mask.astype(bool), markers))


@given(SHAPES.flatmap(lambda shape: st.tuples(arrays(bool, shape), arrays(bool, shape))))
def test_components_at_voxels_in_slabs_of_one_plane_against_scipy(arrays):
    mask, markers = (read_only(array) for array in arrays)
    expected = ndimage.binary_propagation(markers & mask, mask=mask)
    before, components.SLAB_VOXELS = components.SLAB_VOXELS, 1
    try:
        kept = keep_components_at(mask, np.argwhere(markers))
        in_place = mask.copy()
        keep_components_at(in_place, np.argwhere(markers), out=in_place)
    finally:
        components.SLAB_VOXELS = before
    np.testing.assert_array_equal(kept, expected)
    np.testing.assert_array_equal(in_place, expected)


@given(SHAPES.flatmap(lambda shape: arrays(np.uint16, shape, elements=st.integers(0, 2))))
def test_groups_of_voxels_against_cc3d(labels):
    voxels = np.flatnonzero(labels)
    found = np.zeros(labels.shape, int)
    found.ravel()[voxels] = number_groups(voxels, labels.ravel()[voxels], labels.shape)
    np.testing.assert_array_equal(found, cc3d.connected_components(labels, connectivity=26))
