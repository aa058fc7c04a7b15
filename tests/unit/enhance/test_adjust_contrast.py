"""Contrast adjustment against NumPy and scikit-image."""

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage
from skimage import morphology as reference
from skimage.exposure import adjust_gamma, equalize_adapthist, equalize_hist, rescale_intensity
from skimage.util import img_as_float32

from cellstack.core.intensities import cumulative_distribution, interpolate, percentiles, rescale
from cellstack.core.morphology import footprint
from cellstack.enhance.adjust_contrast import (
    METHODS,
    adjust_contrast,
    clahe,
    equalize_histogram,
    gamma,
    percentile_stretch,
)
from cellstack.errors import InputError

SPACING = (4.0, 1.0, 1.0)
SHAPES = [(1, 7, 1), (3, 1, 5), (5, 16, 31)]
DTYPES = ["uint8", "uint16", "float32"]
EACH = [
    ("none", {}),
    ("gamma", {"gamma": 0.5}),
    ("equalize_histogram", {"nbins": 64}),
    ("clahe", {"tile_um": 10.0, "clip_limit": 0.01}),
]
INTEGERS = st.sampled_from(["uint8", "uint16"]).flatmap(
    lambda name: arrays(name, array_shapes(min_dims=3, max_dims=3))
)


def noise(shape, dtype):
    stack = np.random.default_rng(0).gamma(2, 0.1, shape)
    # raw floats can have any value
    stack = (
        1000 * stack - 70 if dtype == "float32" else np.minimum(stack, 1) * np.iinfo(dtype).max
    ).astype(dtype)
    stack.flags.writeable = False
    return stack


@pytest.mark.parametrize("percents", [(0, 100), (0.5, 99.5), (2, 98), (40, 60)])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_percentile_stretch_against_numpy_and_scikit_image(dtype, shape, percents):
    stack = noise(shape, dtype)
    limits = tuple(np.percentile(stack.astype(float), percents))
    expected = rescale_intensity(stack.astype(float), in_range=limits, out_range=(0, 1))
    stretched = percentile_stretch(stack, SPACING, low=percents[0], high=percents[1])
    assert stretched.dtype == np.float32
    assert stretched.min() >= 0
    assert stretched.max() <= 1
    np.testing.assert_allclose(stretched, expected, atol=2e-6)


@given(INTEGERS, st.floats(0, 49), st.floats(51, 100))
def test_percentile_stretch_keeps_the_order_of_values(stack, low, high):
    stretched = percentile_stretch(stack, SPACING, low=low, high=high)
    order = np.argsort(stack, axis=None, kind="stable")
    assert np.all(np.diff(stretched.ravel()[order]) >= 0)
    assert np.isfinite(stretched).all()


@pytest.mark.parametrize("value", [0, 7, 255])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_a_constant_stack_is_stretched_to_zeros(dtype, value):
    stretched = percentile_stretch(np.full((2, 3, 4), value, dtype), SPACING, low=0.5, high=99.5)
    assert stretched.dtype == np.float32
    assert not stretched.any()


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_limits_of_a_stack_can_be_applied_to_its_parts(dtype):
    stack = noise((5, 16, 31), dtype)
    bottom, top = percentiles(stack, (2, 98))
    parts = [rescale(part, bottom, top) for part in np.array_split(stack, 3)]
    assert np.array_equal(np.concatenate(parts), percentile_stretch(stack, SPACING, low=2, high=98))


@pytest.mark.parametrize("steps", [[], [("none", {})]])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_none_against_scikit_image(dtype, steps):
    stack = noise((3, 4, 5), dtype)
    if dtype == "float32":
        stack = (stack - stack.min()) / np.ptp(stack)
    adjusted = adjust_contrast(stack, SPACING, steps)
    assert adjusted.dtype == np.float32
    np.testing.assert_allclose(adjusted, img_as_float32(stack), rtol=2e-7)


@pytest.mark.parametrize("value", [-0.01, 1.01, 300.0])
def test_floats_out_of_range_are_an_error_that_names_the_fix(value):
    stack = np.zeros((2, 3, 4), "float32")
    stack[1, 1, 1] = value
    with pytest.raises(
        InputError, match=rf"{value:g}.*put `percentile_stretch` first in adjust_contrast\.steps"
    ):
        adjust_contrast(stack, SPACING, [("none", {})])


def in_unit_range(shape, dtype):
    stack = noise(shape, dtype)
    return (stack - stack.min()) / np.ptp(stack) if dtype == "float32" else stack


@pytest.mark.parametrize("exponent", [0.3, 1.0, 1.5, 4.0])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
def test_gamma_against_scikit_image(dtype, shape, exponent):
    stack = in_unit_range(shape, dtype)
    adjusted = gamma(stack, SPACING, gamma=exponent)
    assert adjusted.dtype == np.float32
    # the relative rounding error of float32, 6e-8, is multiplied by the exponent
    np.testing.assert_allclose(
        adjusted, adjust_gamma(img_as_float32(stack).astype(float), exponent), rtol=1e-6
    )


def test_gamma_below_one_brightens_and_above_darkens():
    stack = in_unit_range((5, 16, 31), "float32")
    inner = (stack > 0) & (stack < 1)
    assert np.all(gamma(stack, SPACING, gamma=0.5)[inner] > stack[inner])
    assert np.all(gamma(stack, SPACING, gamma=1.5)[inner] < stack[inner])


@pytest.mark.filterwarnings("ignore:This might be a color image")
@pytest.mark.parametrize("nbins", [2, 17, 256])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
def test_equalize_histogram_against_scikit_image(dtype, shape, nbins):
    stack = noise(shape, dtype)
    equalized = equalize_histogram(stack, SPACING, nbins=nbins)
    assert equalized.dtype == np.float32
    # fractions or results are rounded to float32
    np.testing.assert_allclose(equalized, equalize_hist(stack, nbins), atol=2e-6)


@given(INTEGERS)
def test_equalized_integers_are_their_ranks(stack):
    equalized = equalize_histogram(stack, SPACING, nbins=256)
    if np.ptp(stack):
        expected = [np.mean(stack <= value) for value in stack.ravel()]
        np.testing.assert_allclose(equalized.ravel(), expected, rtol=1e-6)
    else:
        assert not equalized.any()


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_distribution_of_a_stack_can_be_applied_to_its_parts(dtype):
    stack = noise((5, 16, 31), dtype)
    distribution = cumulative_distribution(stack, nbins=256)
    parts = [interpolate(part, *distribution) for part in np.array_split(stack, 3)]
    assert np.array_equal(np.concatenate(parts), equalize_histogram(stack, SPACING, nbins=256))


@pytest.mark.parametrize(
    ("shape", "spacing", "kernel"),
    [
        ((1, 40, 30), (4.0, 1.0, 1.0), (1, 10, 10)),
        ((7, 44, 33), (4.0, 1.0, 1.0), (3, 11, 11)),  # three tiles of about 10 um in 7 planes
        ((4, 24, 20), (8.0, 1.0, 0.5), (2, 12, 20)),  # three tiles would have 1.33 planes each
        ((4, 24, 20), (16.0, 1.0, 0.5), (1, 12, 20)),  # each plane is a tile
        ((9, 8, 25), (1.0, 1.0, 1.0), (9, 8, 9)),  # a tile is larger than the stack
        ((5, 31, 3), (4.0, 1.0, 1.0), (3, 11, 3)),  # not a colour image
    ],
)
@pytest.mark.parametrize("dtype", DTYPES)
def test_clahe_against_scikit_image(dtype, shape, spacing, kernel):
    stack = in_unit_range(shape, dtype)
    adjusted = clahe(stack, spacing, tile_um=10.0, clip_limit=0.02)
    assert adjusted.dtype == np.float32
    assert adjusted.min() == 0
    assert adjusted.max() == 1
    # the last axis, of length 1, is not taken for colours and has no effect
    expected = equalize_adapthist(img_as_float32(stack)[..., None], (*kernel, 1), 0.02)[..., 0]
    np.testing.assert_allclose(adjusted, expected, atol=1e-6)


def test_clahe_compensates_a_loss_of_contrast_with_depth():
    z, y, x = np.indices((24, 48, 48))
    bright = ((y // 6 + x // 6) % 2).astype(bool)
    stack = (np.where(bright, 200, 100) / (1 + z / 4)).astype("uint8")
    adjusted = clahe(stack, (1.0, 1.0, 1.0), tile_um=8.0, clip_limit=0.5)

    def contrast(plane):
        return plane[bright[0]].mean() - plane[~bright[0]].mean()

    assert contrast(stack[-1]) < 0.2 * contrast(stack[0])
    assert contrast(adjusted[-1]) > 0.5 * contrast(adjusted[0])


def test_a_tile_that_is_too_small_is_an_error_that_names_the_fix():
    with pytest.raises(InputError, match=r"tile_um 3 is less than 8 pixels; give at least 4"):
        clahe(noise((3, 16, 16), "uint8"), (1.0, 0.5, 0.4), tile_um=3.0, clip_limit=0.01)


@pytest.mark.parametrize("method", ["gamma", "clahe"])
def test_methods_that_need_the_unit_range_raise_an_error(method):
    with pytest.raises(
        InputError, match=r"put `percentile_stretch` first in adjust_contrast\.steps"
    ):
        adjust_contrast(noise((3, 16, 16), "float32"), SPACING, [(method, dict(EACH)[method])])


@pytest.mark.parametrize("method", ["equalize_histogram", "clahe"])
@pytest.mark.parametrize("value", [0, 1])
@pytest.mark.parametrize("dtype", DTYPES)
def test_constant_stacks_are_equalized_to_zeros(dtype, value, method):
    adjusted = adjust_contrast(
        np.full((2, 9, 10), value, dtype), SPACING, [(method, dict(EACH)[method])]
    )
    assert adjusted.dtype == np.float32
    assert not adjusted.any()


@pytest.mark.parametrize("second", EACH, ids=lambda step: step[0])
@pytest.mark.parametrize("first", EACH, ids=lambda step: step[0])
@pytest.mark.parametrize("dtype", DTYPES)
def test_any_two_steps_stay_in_the_unit_range(dtype, first, second):
    adjusted = adjust_contrast(in_unit_range((3, 17, 31), dtype), SPACING, [first, second])
    assert adjusted.dtype == np.float32
    assert adjusted.min() >= 0
    assert adjusted.max() <= 1
    assert np.ptp(adjusted) > 0.5


def test_clahe_of_a_real_stack(data):
    raw = tifffile.imread(data / "tutorial" / "nuclei.tif")
    expected = equalize_adapthist(raw, (15, 18, 18), 0.01)  # 2 x 7 x 7 tiles
    np.testing.assert_allclose(
        clahe(raw, (0.58, 0.522, 0.522), tile_um=10.0, clip_limit=0.01), expected, atol=1e-6
    )


def test_steps_are_applied_in_order():
    stack = noise((5, 16, 31), "uint16")
    steps = [
        ("percentile_stretch", {"low": 0, "high": 90}),
        ("percentile_stretch", {"low": 30, "high": 100}),
    ]
    expected = percentile_stretch(
        percentile_stretch(stack, SPACING, low=0, high=90), SPACING, low=30, high=100
    )
    assert np.array_equal(adjust_contrast(stack, SPACING, steps), expected)
    assert not np.array_equal(adjust_contrast(stack, SPACING, steps[::-1]), expected)


def test_percentile_stretch_uses_the_full_range_if_both_percentiles_are_equal():
    stack = np.zeros((4, 20, 20), np.uint16)
    stack[1, 2, 3:6] = 10, 20, 40  # too few for the 99.5th percentile
    stretched = percentile_stretch(stack, (1, 1, 1), low=0.5, high=99.5)
    np.testing.assert_allclose(stretched[1, 2, 3:6], [0.25, 0.5, 1])
    assert np.count_nonzero(stretched) == 3


@pytest.mark.parametrize("operation", ["erosion", "dilation", "opening", "closing"])
@pytest.mark.parametrize("neighbourhood", ["ball", "disc", "cube", "square"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
def test_grey_morphology_against_scikit_image(dtype, shape, neighbourhood, operation):
    stack = in_unit_range(shape, dtype)
    found = METHODS[operation](stack, SPACING, shape=neighbourhood, radius_um=4.0)
    expected = getattr(reference, operation)(
        img_as_float32(stack), footprint(neighbourhood, 4.0, SPACING), mode="ignore"
    )
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=2e-7)


def test_grey_opening_and_closing_in_any_order():
    stack = np.full((9, 20, 20), 0.5, np.float32)
    stack[4, 5, 5], stack[4, 15, 15] = 1, 0
    options = {"shape": "ball", "radius_um": 1.0}
    for steps in (["opening", "closing"], ["closing", "opening"]):
        assert np.unique(
            adjust_contrast(stack, (1, 1, 1), [[step, options] for step in steps])
        ).tolist() == [0.5]


@pytest.mark.parametrize("method", ["erosion", "dilation"])
def test_radii_are_in_um_along_each_axis(method):
    stack = np.random.default_rng(0).random((7, 20, 30), np.float32)
    found = METHODS[method](stack, (0.9, 0.5, 0.2), shape="cube", radius_um=0.6)
    extreme = ndimage.minimum_filter if method == "erosion" else ndimage.maximum_filter
    np.testing.assert_array_equal(found, extreme(stack, (3, 3, 7), mode="nearest"))


@pytest.mark.parametrize(
    "step",
    [
        ("percentile_stretch", {"low": 5, "high": 95}),
        ("equalize_histogram", {"nbins": 64}),
    ],
)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_voxels_without_data_do_not_change_the_others(step, dtype):
    stack = noise((4, 12, 30), dtype)
    no_data = np.zeros(stack.shape, bool)
    no_data[:, :, 21:] = True
    expected = adjust_contrast(np.ascontiguousarray(stack[:, :, :21]), SPACING, [step])
    for value in (0, stack.max()):
        padded = np.where(no_data, value, stack).astype(dtype)
        adjusted = adjust_contrast(padded, SPACING, [step], no_data)
        assert np.array_equal(adjusted[:, :, :21], expected)
        assert 0.2 < adjusted[no_data].mean() < 0.8
