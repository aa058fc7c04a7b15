import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.exposure import equalize_adapthist

from cellstack.core.tiles import LEVELS, map_greys, measure_tiles

SIDES = st.tuples(*[st.integers(1, 12)] * 3)


def noise(shape, seed=0):
    return np.random.default_rng(seed).random(shape, "float32") ** 2


@given(st.tuples(*[st.integers(2, 14)] * 3), SIDES, st.floats(0.01, 1))
def test_tiles_against_scikit_image(shape, sides, clip_limit):
    stack = noise(shape)
    greys = map_greys(stack, measure_tiles(stack, sides, clip_limit)).astype(np.float32)
    # without its decorator, which interprets a last axis of 3 or 4 voxels as colour channels
    expected = equalize_adapthist.__wrapped__(stack, sides, clip_limit)
    scaled = (greys - greys.min()) / max(1, np.ptp(greys))
    if np.ptp(greys) > 0:
        np.testing.assert_allclose(scaled, expected, atol=1e-6)


@given(SIDES, st.tuples(*[st.integers(0, 8)] * 3), st.tuples(*[st.integers(1, 4)] * 3))
def test_a_part_has_the_greys_of_the_stack(sides, first, size):
    stack = noise((12, 12, 12))
    tiles = measure_tiles(stack, sides, 0.1)
    part = tuple(slice(start, start + length) for start, length in zip(first, size, strict=True))
    np.testing.assert_array_equal(
        map_greys(stack[part], tiles, first), map_greys(stack, tiles)[part]
    )


def test_voxels_without_data_do_not_count():
    stack = noise((4, 20, 30))
    no_data = np.zeros(stack.shape, bool)
    no_data[:, :, 13:] = True
    no_data[1, 5:9] = True
    changed = np.where(no_data, np.float32(0.7), stack)
    changed[no_data & (noise(stack.shape, 1) > 0.3)] = 1
    found, other = (measure_tiles(each, (2, 10, 10), 0.02, no_data) for each in (stack, changed))
    assert (found.low, found.high) == (other.low, other.high)
    np.testing.assert_array_equal(found.maps, other.maps)
    # the last tile of each row is without data, and like the one before it
    of_tiles = found.maps.reshape(2, 2, 3, LEVELS)
    np.testing.assert_array_equal(of_tiles[:, :, 2], of_tiles[:, :, 1])
    assert (of_tiles[:, :, 1] != of_tiles[:, :, 0]).any()
    alone = measure_tiles(stack[:, :, :13], (2, 10, 10), 0.02, no_data[:, :, :13])
    assert (alone.low, alone.high) == (found.low, found.high)
    np.testing.assert_array_equal(alone.maps[:, :, :LEVELS], found.maps[:, :, :LEVELS])


@pytest.mark.parametrize("value", [0.0, 0.4, 1.0])
def test_a_constant_stack_has_one_level(value):
    tiles = measure_tiles(np.full((2, 9, 9), value, np.float32), (2, 9, 9), 0.5)
    assert tiles.low == tiles.high == round(value * 65535)
