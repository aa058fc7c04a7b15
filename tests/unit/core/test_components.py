import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage
from shapes import read_only

from cellstack.core.components import keep_marked_components

SHAPES = st.tuples(*[st.integers(1, 6)] * 3)


@given(SHAPES.flatmap(lambda shape: st.tuples(arrays(bool, shape), arrays(bool, shape))))
def test_components_against_scipy(arrays):
    mask, markers = (read_only(array) for array in arrays)
    expected = ndimage.binary_propagation(markers & mask, mask=mask)
    np.testing.assert_array_equal(keep_marked_components(mask, markers), expected)
