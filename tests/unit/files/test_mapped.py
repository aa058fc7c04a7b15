import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellstack.core.planes import ComputedStack
from cellstack.files.mapped import keep_rows

STACK = np.arange(4 * 30 * 5).reshape(4, 30, 5)
PARTS = st.tuples(*[st.slices(length) for length in STACK.shape])


@given(st.lists(PARTS, max_size=5), st.sampled_from([1, 100, 10**6]))
def test_parts_of_kept_rows(parts, max_voxels):
    kept = keep_rows(STACK, max_voxels)
    for part in parts:
        np.testing.assert_array_equal(kept[part], STACK[part])
    np.testing.assert_array_equal(list(kept), STACK)


@pytest.mark.parametrize(("max_voxels", "count"), [(20, 10), (100, 5), (1000, 1)])
def test_rows_that_are_kept_are_not_read_again(max_voxels, count):
    boxes_read = []

    def read(box):
        boxes_read.append(box)
        return STACK[box]

    kept = keep_rows(ComputedStack(STACK.shape, STACK.dtype, read), max_voxels)
    for row in range(0, 20, 2):
        assert kept[1:3, row : row + 2, 2].tolist() == STACK[1:3, row : row + 2, 2].tolist()
    assert len(boxes_read) == count
