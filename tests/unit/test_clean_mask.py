import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.morphology import remove_small_holes
from skimage.morphology import remove_small_objects as remove_small

from cellstack.clean_mask import clean_mask, fill_holes, remove_small_objects

RATIOS = [1, 4, 8]
REFERENCES = [(fill_holes, remove_small_holes), (remove_small_objects, remove_small)]
MASKS = arrays("uint8", st.tuples(*[st.integers(1, 7)] * 3), elements=st.integers(0, 1))
each_method = pytest.mark.parametrize(("method", "reference"), REFERENCES)


def voxel(ratio):
    """A spacing, and the volume of a voxel that is no binary fraction."""
    spacing = (0.1 * ratio, 0.1, 0.1)
    return spacing, 0.001 * ratio


@each_method
@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("fill", [0.2, 0.5, 0.8])
@pytest.mark.parametrize("shape", [(1, 7, 1), (3, 1, 5), (1, 30, 31), (9, 17, 31)], ids=str)
def test_against_scikit_image(method, reference, shape, fill, ratio):
    mask = (np.random.default_rng(0).random(shape) < fill).astype("uint8")
    mask.flags.writeable = False
    spacing, one = voxel(ratio)
    for size in (0, 1, 2, 5, 40, 10**6):
        cleaned = method(mask, spacing, max_volume_um3=size * one)
        assert cleaned.dtype == np.uint8
        assert np.array_equal(cleaned, reference(mask.astype(bool), connectivity=1, max_size=size)), size


@each_method
@given(mask=MASKS, size=st.integers(0, 30), ratio=st.sampled_from(RATIOS))
def test_any_mask_against_scikit_image(method, reference, mask, size, ratio):
    spacing, one = voxel(ratio)
    expected = reference(mask.astype(bool), connectivity=1, max_size=size)
    assert np.array_equal(method(mask, spacing, max_volume_um3=size * one), expected)


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize(("size", "gone"), [(26.99, False), (27, True), (27.01, True)])
def test_the_limit_itself_is_small(ratio, size, gone):
    spacing, one = voxel(ratio)
    cube = np.zeros((5, 6, 7), "uint8")
    cube[1:4, 1:4, 1:4] = 1
    assert remove_small_objects(cube, spacing, max_volume_um3=size * one).any() == (not gone)
    assert fill_holes(1 - cube, spacing, max_volume_um3=size * one).all() == gone


def test_holes_in_a_face_are_filled_and_corners_do_not_connect():
    mask = np.ones((4, 4, 4), "uint8")
    mask[0, 0, 0] = mask[1, 1, 1] = 0
    assert fill_holes(mask, (1.0, 1.0, 1.0), max_volume_um3=1).all()
    assert not remove_small_objects(1 - mask, (1.0, 1.0, 1.0), max_volume_um3=1).any()


def test_steps_follow_each_other():
    ring = np.zeros((1, 5, 5), "uint8")
    ring[0, 1:4, 1:4] = 1
    ring[0, 2, 2] = 0
    fill, remove = ("fill_holes", {"max_volume_um3": 1}), ("remove_small_objects", {"max_volume_um3": 8})
    assert clean_mask(ring, (1, 1, 1), [fill, remove]).sum() == 9
    assert clean_mask(ring, (1, 1, 1), [remove, fill]).sum() == 0
    assert np.array_equal(clean_mask(ring, (1, 1, 1), []), ring)


@pytest.mark.parametrize("value", [0, 1])
@pytest.mark.parametrize("shape", [(1, 7, 1), (3, 4, 5)], ids=str)
def test_all_or_nothing(shape, value):
    mask = np.full(shape, value, "uint8")
    steps = [("fill_holes", {"max_volume_um3": 1}), ("remove_small_objects", {"max_volume_um3": 1})]
    assert np.array_equal(clean_mask(mask, (1, 1, 1), steps), mask)
