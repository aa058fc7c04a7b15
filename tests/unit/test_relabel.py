import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import find_objects

from cellstack import workers
from cellstack.relabel import count_voxels, find_boxes, relabel

LABELS = arrays(st.sampled_from(["uint8", "uint16", "uint32"]), st.tuples(*[st.integers(0, 5)] * 3), elements=st.integers(0, 9))


@given(
    LABELS,
    arrays(st.sampled_from(["uint16", "uint32", "bool"]), 10),
    st.sampled_from([1, 3]),
)
def test_each_label_is_looked_up(labels, table, threads):
    labels.flags.writeable = False
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(workers, "useful_threads", lambda stack: threads)
        found = relabel(labels, table)
    assert found.dtype == table.dtype
    np.testing.assert_array_equal(found, table[labels])


@given(LABELS)
def test_voxels_are_counted(labels):
    np.testing.assert_array_equal(count_voxels(labels), np.bincount(labels.ravel(), minlength=1))


@given(LABELS)
def test_boxes_hold_their_labels(labels):
    found = find_objects(labels.astype(int)) if labels.size else []
    expected = {label: box for label, box in enumerate(found, start=1) if box}
    assert find_boxes(labels) == expected
    assert list(find_boxes(labels)) == list(expected)
