import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import find_objects

from cellstack.core import parallel
from cellstack.core.labels import count_voxels, find_boxes, label_type, relabel

LABELS = arrays(
    st.sampled_from(["uint8", "uint16", "uint32"]),
    st.tuples(*[st.integers(0, 5)] * 3),
    elements=st.integers(0, 9),
)


@given(
    LABELS,
    arrays(st.sampled_from(["uint16", "uint32", "bool"]), 10),
    st.sampled_from([1, 3]),
)
def test_relabel_against_numpy(labels, table, threads):
    labels.flags.writeable = False
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(parallel, "threads_for", lambda stack: threads)
        found = relabel(labels, table)
    assert found.dtype == table.dtype
    np.testing.assert_array_equal(found, table[labels])


@given(LABELS)
def test_count_voxels_against_numpy(labels):
    np.testing.assert_array_equal(count_voxels(labels), np.bincount(labels.ravel(), minlength=1))


@given(LABELS)
def test_find_boxes_against_scipy(labels):
    found = find_objects(labels.astype(int)) if labels.size else []
    expected = {label: box for label, box in enumerate(found, start=1) if box}
    assert find_boxes(labels) == expected
    assert list(find_boxes(labels)) == list(expected)


@pytest.mark.parametrize(
    ("count", "expected"),
    [(0, np.uint16), (65535, np.uint16), (65536, np.uint32), (np.uint16(65535), np.uint16)],
)
def test_label_type_is_the_smallest_one(count, expected):
    assert label_type(count) is expected
