import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.ndimage import binary_fill_holes, generate_binary_structure
from skimage.measure import euler_number as reference

from cellstack.core.topology import euler_number, fill_cavities, filled_count

MASKS = arrays(bool, array_shapes(min_dims=3, max_dims=3, max_side=6), elements=st.booleans())


def ball():
    z, y, x = np.ogrid[-5:6, -5:6, -5:6]
    return z**2 + y**2 + x**2 <= 25


def hollow_ball():
    mask = ball()
    mask[4:7, 4:7, 4:7] = False
    return mask


def ring():
    mask = ball()
    mask[:, 4:7, 4:7] = False
    return mask


@pytest.mark.parametrize(
    ("mask", "number"),
    [(ball(), 1), (hollow_ball(), 2), (ring(), 0), (np.zeros((3, 3, 3), bool), 0)],
)
def test_euler_number_of_simple_objects(mask, number):
    assert euler_number(mask) == number


@given(MASKS)
def test_euler_number_against_scikit_image(mask):
    assert euler_number(mask) == reference(mask, connectivity=3)


def test_only_cavities_are_filled():
    assert filled_count(hollow_ball()) == np.count_nonzero(ball())
    assert filled_count(ring()) == np.count_nonzero(ring())


@given(MASKS)
def test_filled_count_against_scipy(mask):
    assert filled_count(mask) == np.count_nonzero(binary_fill_holes(mask, np.ones((3, 3, 3))))


@given(MASKS, st.sampled_from([6, 26]))
def test_fill_cavities_against_scipy(mask, connectivity):
    structure = generate_binary_structure(3, {6: 1, 26: 3}[connectivity])
    np.testing.assert_array_equal(
        fill_cavities(mask, connectivity), binary_fill_holes(mask, structure)
    )
