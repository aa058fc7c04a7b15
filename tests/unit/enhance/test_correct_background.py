"""Background correction against scikit-image and SciPy, and the fit of the decay."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from skimage.morphology import white_tophat as reference

from cellstack.core.morphology import footprint
from cellstack.enhance.correct_background import (
    correct_background,
    depth_attenuation,
    fit_decay,
    gaussian,
    white_tophat,
)
from cellstack.files.stacks import read_stack, write_stack
from correct_background import main

TYPES = [np.uint8, np.uint16, np.float32]
SHAPES = [(7, 33, 20), (1, 15, 16), (12, 5, 40)]


def noise(shape, dtype, seed=0):
    values = np.random.default_rng(seed).random(shape)
    return (
        values.astype(dtype)
        if dtype is np.float32
        else (values * np.iinfo(dtype).max).astype(dtype)
    )


def decaying(dtype, factor=4.0, shape=(24, 64, 64), empty=()):
    """A bar on a background of 20, dimmer by `factor` in the last plane than in the first."""
    stack = np.zeros(shape)
    stack[:, 10:30, 10:50] = 200
    for plane in empty:
        stack[plane] = 0
    stack *= np.exp(-np.log(factor) * np.arange(shape[0]) / (shape[0] - 1))[:, None, None]
    return (stack + 20).astype(dtype)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("neighbourhood", ["ball", "disc", "cube", "square"])
def test_white_tophat_against_scikit_image(dtype, shape, neighbourhood):
    stack, spacing = noise(shape, dtype), (1.0, 0.5, 0.4)
    found = white_tophat(stack, spacing, shape=neighbourhood, radius_um=1.0)
    expected = reference(stack, footprint(neighbourhood, 1.0, spacing), mode="ignore")
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_gaussian_against_scipy(dtype, shape):
    stack, spacing = noise(shape, dtype), (1.0, 0.5, 0.4)
    found = gaussian(stack, spacing, sigma_um=1.5)
    values = stack.astype(np.float64)
    background = gaussian_filter(values, [1.5 / step for step in spacing], mode="nearest")
    expected = np.maximum(values - background, 0)
    assert found.dtype == dtype
    # computed in float32; integers are rounded
    np.testing.assert_allclose(found, expected, atol=1e-6 if dtype is np.float32 else 0.51)


def test_a_sloping_background_is_removed():
    z, y, x = np.ogrid[:20, :60, :60]
    ball = (z - 10) ** 2 + (y - 30) ** 2 + (x - 30) ** 2 <= 36
    stack = (50 + x + 0 * y + 0 * z + 100 * ball).astype(np.uint8)
    corrected = white_tophat(stack, (1, 1, 1), shape="cube", radius_um=9)
    assert corrected[ball].min() >= 80
    assert corrected[~ball].max() <= 20


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("empty", [(), (0, 1, 2, 23), (5, 6, 7, 8, 9)])
def test_depth_attenuation_compensates_an_exponential_decay(dtype, empty):
    stack = decaying(dtype, empty=empty)
    corrected = depth_attenuation(stack, (2.0, 0.5, 0.5), percentile=98, max_factor=10)
    assert corrected.dtype == dtype
    full = [plane for plane in range(len(stack)) if plane not in empty]
    np.testing.assert_allclose(corrected[full, 20, 20], 220, rtol=0.03)
    np.testing.assert_array_equal(corrected[:, 0, 0], 20)


def test_depth_attenuation_works_in_both_directions():
    stack = decaying(np.float32)
    args = {"percentile": 98, "max_factor": 10}
    np.testing.assert_allclose(
        depth_attenuation(stack[::-1], (2, 1, 1), **args)[::-1],
        depth_attenuation(stack, (2, 1, 1), **args),
        rtol=1e-5,
    )


def test_depth_attenuation_is_limited_to_the_maximum_factor():
    stack = decaying(np.float32, factor=9)
    corrected = depth_attenuation(stack, (2, 1, 1), percentile=98, max_factor=3)
    factors = (corrected - 20).max(axis=(1, 2)) / (stack - 20).max(axis=(1, 2))
    assert factors.max() == pytest.approx(3)


@given(st.floats(0.1, 10), st.floats(1.5, 20))
def test_the_decay_is_measured_per_um(step, factor):
    background, decay = fit_decay(decaying(np.float32, factor, (12, 64, 64)), step, 98)
    assert background == 20
    assert decay * step * 11 == pytest.approx(np.log(factor), rel=1e-3)


@pytest.mark.parametrize("shape", [(1, 8, 8), (2, 8, 8), (9, 1, 1)])
@pytest.mark.parametrize("value", [0, 7])
@pytest.mark.parametrize("step", ["white_tophat", "gaussian", "depth_attenuation"])
def test_constant_and_small_stacks(shape, value, step):
    options = {
        "white_tophat": {"shape": "cube", "radius_um": 3},
        "gaussian": {"sigma_um": 3},
        "depth_attenuation": {"percentile": 98, "max_factor": 10},
    }
    stack = np.full(shape, value, np.uint16)
    stack.flags.writeable = False
    corrected = correct_background(stack, (1, 1, 1), [[step, options[step]]])
    assert np.unique(corrected).tolist() == ([value] if step == "depth_attenuation" else [0])


def test_steps_are_applied_in_order():
    stack = decaying(np.uint16)
    steps = [
        ["depth_attenuation", {"percentile": 98, "max_factor": 10}],
        ["white_tophat", {"shape": "square", "radius_um": 30}],
    ]
    corrected = correct_background(stack, (1, 1, 1), steps)
    assert corrected[:, 0, 0].max() == 0
    np.testing.assert_allclose(corrected[:, 20, 20], 200, rtol=0.03)
    np.testing.assert_array_equal(correct_background(stack, (1, 1, 1), []), stack)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_integers_are_clipped_to_their_range(dtype):
    highest = np.iinfo(dtype).max
    stack = np.full((9, 20, 20), 10, dtype)
    stack[:, 5:15, 5:15] = np.round(0.5 * highest * 0.9 ** np.arange(9))[:, None, None]
    stack[8, 8, 8] = highest - 20  # more than twice as bright as its plane
    corrected = depth_attenuation(stack, (2.0, 0.5, 0.25), percentile=75, max_factor=10)
    assert corrected[8, 8, 8] == highest
    assert corrected[8, 6, 6] == pytest.approx(0.5 * highest, rel=0.03)


def test_the_background_is_the_lowest_median_of_a_plane():
    stack = decaying(np.float32)
    stack[3] += 60  # one plane out of 24 with stray light
    background, _ = fit_decay(stack, 2.0, 98)
    assert background == 20
    corrected = depth_attenuation(stack, (2.0, 0.5, 0.25), percentile=98, max_factor=10)
    np.testing.assert_allclose(np.delete(corrected, 3, 0)[:, 20, 20], 220, rtol=0.03)
    np.testing.assert_array_equal(np.delete(corrected, 3, 0)[:, 0, 0], 20)


def test_values_below_the_gaussian_background_are_0():
    stack = np.full((5, 20, 20), 9, np.uint8)
    stack[2, 10, 10] = 0
    corrected = gaussian(stack, (2.0, 0.5, 0.25), sigma_um=1.0)
    assert corrected.max() < 2  # and not 256 - 9
    assert corrected[2, 10, 10] == 0


def test_script_writes_the_corrected_stack(tmp_path):
    stack, spacing = noise((5, 30, 31), np.uint16), (2.0, 0.5, 0.4)
    write_stack(tmp_path / "raw.tif", stack, spacing)
    steps = [["white_tophat", {"shape": "disc", "radius_um": 1.0}]]
    main(raw=tmp_path / "raw.tif", corrected=tmp_path / "corrected.tif", steps=steps)
    found, read = read_stack(tmp_path / "corrected.tif")
    np.testing.assert_array_equal(found, correct_background(stack, spacing, steps))
    assert read == spacing


def test_the_background_is_the_median_of_the_darkest_plane():
    rng = np.random.default_rng(0)
    stack = rng.integers(0, 200, (5, 21, 21)).astype(np.uint16)
    stack[3] //= 2
    assert fit_decay(stack, 2.0, 98)[0] == np.median(stack[3])


def test_voxels_without_data_are_filled_first():
    stack = np.full((4, 20, 30), 300, np.uint16)
    no_data = np.zeros(stack.shape, bool)
    no_data[:, :, 22:] = True
    padded = np.where(no_data, 0, stack).astype(np.uint16)
    step = ("gaussian", {"sigma_um": 2.0})
    assert correct_background(padded, (1.0, 0.5, 0.4), [step])[:, :, :22].any()
    assert not correct_background(padded, (1.0, 0.5, 0.4), [step], no_data).any()
