import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cellstack.relabel import count_voxels, relabel


@given(
    arrays(st.sampled_from(["uint8", "uint16", "uint32"]), st.tuples(*[st.integers(0, 5)] * 3), elements=st.integers(0, 9)),
    arrays(st.sampled_from(["uint16", "uint32", "bool"]), 10),
)
def test_each_label_is_looked_up(labels, table):
    labels.flags.writeable = False
    found = relabel(labels, table)
    assert found.dtype == table.dtype
    np.testing.assert_array_equal(found, table[labels])


@given(arrays(st.sampled_from(["uint8", "uint16", "uint32"]), st.tuples(*[st.integers(0, 5)] * 3), elements=st.integers(0, 9)))
def test_voxels_are_counted(labels):
    np.testing.assert_array_equal(count_voxels(labels), np.bincount(labels.ravel(), minlength=1))
