import numpy as np
import pytest

from cellstack.core.planes import ComputedPlanes


def test_planes_are_computed_when_they_are_taken():
    stack = np.arange(24).reshape(2, 3, 4)
    taken = []

    def plane(z):
        taken.append(z)
        return -stack[z]

    planes = ComputedPlanes(stack.shape, plane)
    assert (planes.shape, planes.size, len(planes), taken) == ((2, 3, 4), 24, 2, [])
    np.testing.assert_array_equal(np.stack(list(planes)), -stack)
    assert taken == [0, 1]
    with pytest.raises(IndexError):
        planes[2]


@pytest.mark.parametrize("several", [False, True])
def test_slices_are_stacks_of_planes(several):
    stack = np.arange(120).reshape(6, 4, 5)
    read = (lambda planes: stack[planes.start : planes.stop]) if several else None
    planes = ComputedPlanes(stack.shape, lambda z: stack[z], read)
    for part in (slice(None), slice(1, 3), slice(4, 9), slice(0, 6, 2)):
        np.testing.assert_array_equal(planes[part], stack[part])
