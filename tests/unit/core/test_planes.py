import numpy as np
import pytest

from cellstack.core.planes import ComputedPlanes, ComputedStack, as_type


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


def test_parts_are_computed_like_those_of_an_array():
    stack = np.arange(60).reshape(3, 4, 5)
    computed = ComputedStack(stack.shape, stack.dtype, lambda box: stack[box].copy())
    assert (computed.shape, computed.size, len(computed)) == (stack.shape, 60, 3)
    for where in np.s_[1, -1, 1:, ::-2, (0, 2), (slice(1, 9), slice(3, 0, -1), -2), (2, 3, 4)]:
        np.testing.assert_array_equal(computed[where], stack[where])
    np.testing.assert_array_equal(np.stack(list(computed)), stack)
    with pytest.raises(IndexError):
        computed[0, 4]


def test_types_are_converted_when_a_part_is_taken():
    stack = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    computed = ComputedStack(stack.shape, stack.dtype, lambda box: stack[box])
    converted = as_type(computed, np.dtype(np.uint8))
    assert converted.dtype == converted[:, 1].dtype == np.uint8
    np.testing.assert_array_equal(converted[:, 1], stack[:, 1])
    assert as_type(computed, stack.dtype) is computed
