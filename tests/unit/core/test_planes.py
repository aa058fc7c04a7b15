import numpy as np
import pytest

from cellstack.core.planes import ComputedPlanes


def test_planes_are_computed_when_they_are_taken():
    stack = np.arange(24).reshape(2, 3, 4)
    taken = []

    def plane(z):
        taken.append(z)
        return -stack[z]

    planes = ComputedPlanes(stack.shape, stack.dtype, plane)
    assert (planes.shape, planes.size, len(planes), taken) == ((2, 3, 4), 24, 2, [])
    np.testing.assert_array_equal(np.stack(list(planes)), -stack)
    assert taken == [0, 1]
    with pytest.raises(IndexError):
        planes[2]
