import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from skimage.exposure import rescale_intensity
from skimage.util import img_as_float32

from cellstack.adjust_contrast import adjust_contrast, percentiles, rescale, stretch
from cellstack.errors import InputError

SPACING = (4.0, 1.0, 1.0)
SHAPES = [(1, 7, 1), (3, 1, 5), (5, 16, 31)]
INTEGERS = st.sampled_from(["uint8", "uint16"]).flatmap(lambda name: arrays(name, array_shapes(min_dims=3, max_dims=3)))


def noise(shape, dtype):
    stack = np.random.default_rng(0).gamma(2, 0.1, shape)
    # a raw float stack may lie anywhere
    stack = (1000 * stack - 70 if dtype == "float32" else np.minimum(stack, 1) * np.iinfo(dtype).max).astype(dtype)
    stack.flags.writeable = False
    return stack


@pytest.mark.parametrize("percents", [(0, 100), (0.5, 99.5), (2, 98), (40, 60)])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_stretch_against_numpy_and_scikit_image(dtype, shape, percents):
    stack = noise(shape, dtype)
    limits = tuple(np.percentile(stack.astype(float), percents))
    expected = rescale_intensity(stack.astype(float), in_range=limits, out_range=(0, 1))
    stretched = stretch(stack, SPACING, low=percents[0], high=percents[1])
    assert stretched.dtype == np.float32
    assert stretched.min() >= 0
    assert stretched.max() <= 1
    np.testing.assert_allclose(stretched, expected, atol=2e-6)


@given(INTEGERS, st.lists(st.floats(0, 100), min_size=1, max_size=4))
def test_percentiles_by_counting_are_those_of_numpy(stack, percents):
    np.testing.assert_allclose(percentiles(stack, percents), np.percentile(stack, percents), rtol=1e-12, atol=1e-9)


@given(INTEGERS, st.floats(0, 49), st.floats(51, 100))
def test_stretch_keeps_the_order_of_values(stack, low, high):
    stretched = stretch(stack, SPACING, low=low, high=high)
    order = np.argsort(stack, axis=None, kind="stable")
    assert np.all(np.diff(stretched.ravel()[order]) >= 0)
    assert np.array_equal(stack.astype("float32") * 0, stretched * 0)  # all finite


@pytest.mark.parametrize("value", [0, 7, 255])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_no_contrast_gives_zeros(dtype, value):
    stretched = stretch(np.full((2, 3, 4), value, dtype), SPACING, low=0.5, high=99.5)
    assert stretched.dtype == np.float32
    assert not stretched.any()


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_limits_found_on_the_whole_serve_its_parts(dtype):
    stack = noise((5, 16, 31), dtype)
    bottom, top = percentiles(stack, (2, 98))
    parts = [rescale(part, bottom, top) for part in np.array_split(stack, 3)]
    assert np.array_equal(np.concatenate(parts), stretch(stack, SPACING, low=2, high=98))


@pytest.mark.parametrize("steps", [[], [("none", {})]])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_none_is_the_convention_of_scikit_image(dtype, steps):
    stack = noise((3, 4, 5), dtype)
    if dtype == "float32":
        stack = (stack - stack.min()) / np.ptp(stack)
    adjusted = adjust_contrast(stack, SPACING, steps)
    assert adjusted.dtype == np.float32
    np.testing.assert_allclose(adjusted, img_as_float32(stack), rtol=2e-7)


@pytest.mark.parametrize("value", [-0.01, 1.01, 300.0])
def test_none_names_floats_out_of_range_and_the_cure(value):
    stack = np.zeros((2, 3, 4), "float32")
    stack[1, 1, 1] = value
    with pytest.raises(InputError, match=rf"{value:g}.*put `stretch` into adjust_contrast.steps"):
        adjust_contrast(stack, SPACING, [("none", {})])


def test_steps_follow_each_other():
    stack = noise((5, 16, 31), "uint16")
    steps = [("stretch", {"low": 0, "high": 90}), ("stretch", {"low": 30, "high": 100})]
    expected = stretch(stretch(stack, SPACING, low=0, high=90), SPACING, low=30, high=100)
    assert np.array_equal(adjust_contrast(stack, SPACING, steps), expected)
    assert not np.array_equal(adjust_contrast(stack, SPACING, steps[::-1]), expected)
