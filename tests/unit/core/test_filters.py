import cv2
import numpy as np
import pytest
from scipy import ndimage
from shapes import read_only, spacing_of

from cellstack.core import filters, parallel
from cellstack.core.filters import gaussian, gaussian_kernels, separable_filter

SHAPES = [(1, 1, 1), (1, 7, 1), (3, 1, 5), (1, 16, 9), (5, 17, 31)]
RATIOS = [1, 4, 8]
each_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)


def noise(shape):
    return read_only(np.random.default_rng(0).random(shape, "float32"))


@pytest.fixture
def set_threads(monkeypatch):
    before = cv2.getNumThreads()

    def set_both(count):
        monkeypatch.setattr(parallel, "threads_for", lambda stack: count)
        cv2.setNumThreads(count)

    yield set_both
    cv2.setNumThreads(before)


@pytest.mark.parametrize("sigma_um", [0.0, 0.02, 0.2, 0.6, 1.3])
@pytest.mark.parametrize("ratio", RATIOS)
@each_shape
def test_gaussian_against_scipy(shape, ratio, sigma_um):
    stack, spacing = noise(shape), spacing_of(ratio)
    expected = ndimage.gaussian_filter(
        stack.astype(float), np.divide(sigma_um, spacing), mode="nearest"
    )
    smoothed = gaussian(stack, spacing, sigma_um=sigma_um)
    assert smoothed.dtype == np.float32
    np.testing.assert_allclose(smoothed, expected, atol=1e-6)


def test_gaussian_of_pixels_that_are_not_square():
    stack, spacing = noise((9, 17, 31)), (0.5, 0.25, 0.4)
    expected = ndimage.gaussian_filter(stack.astype(float), np.divide(0.5, spacing), mode="nearest")
    np.testing.assert_allclose(gaussian(stack, spacing, sigma_um=0.5), expected, atol=1e-6)


@pytest.mark.parametrize("lengths", [(1, 1, 1), (3, 1, 1), (1, 5, 1), (1, 1, 7), (5, 7, 3)])
@each_shape
def test_separable_filter_against_scipy(shape, lengths):
    stack = noise(shape)
    # Not symmetric, so that a flipped kernel would fail.
    kernels = [np.arange(1.0, length + 1) / length**2 for length in lengths]
    expected = stack.astype(float)
    for axis, kernel in enumerate(kernels):
        expected = ndimage.correlate1d(expected, kernel, axis, mode="nearest")
    np.testing.assert_allclose(separable_filter(stack, kernels), expected, atol=2e-6)


@pytest.mark.parametrize("shape", [(1, 30, 40), (5, 63, 257), (40, 7, 1), (9, 100, 100)], ids=str)
def test_result_does_not_depend_on_blocks_and_threads(set_threads, monkeypatch, shape):
    stack = noise(shape)
    kernels = gaussian_kernels(0.7, spacing_of(2))
    expected = separable_filter(stack, kernels)
    for columns, threads in ((64, 1), (64, 3), (1 << 12, 2)):
        monkeypatch.setattr(filters, "COLUMNS_PER_BLOCK", columns)
        set_threads(threads)
        np.testing.assert_array_equal(separable_filter(stack, kernels), expected)


@pytest.mark.parametrize("shape", [(1, 30, 40), (5, 63, 257), (40, 7, 1)], ids=str)
def test_a_filter_may_write_in_place(set_threads, shape):
    stack = noise(shape)
    kernels = [np.array(weights) for weights in ([0.2, 0.3, 0.5], [0.1] * 15, [0.3, 0.4, 0.3])]
    expected = separable_filter(stack, kernels)
    for threads in (1, 3):
        set_threads(threads)
        target = stack.copy()
        assert separable_filter(target, kernels, out=target) is target
        np.testing.assert_array_equal(target, expected)


@pytest.mark.parametrize("ratio", RATIOS)
def test_gaussian_has_the_same_width_in_um_along_all_axes(ratio):
    spacing = spacing_of(ratio)
    stack = np.zeros([2 * round(8 / step) + 1 for step in spacing], "float32")
    centre = np.array(stack.shape) // 2
    stack[tuple(centre)] = 1
    smoothed = gaussian(stack, spacing, sigma_um=2.0)
    offsets = (np.indices(stack.shape) - centre[:, None, None, None]) * np.reshape(
        spacing, (3, 1, 1, 1)
    )
    variances = (offsets**2 * smoothed).sum((1, 2, 3))
    np.testing.assert_allclose(np.sqrt(variances), 2.0, rtol=0.01)  # cut off at 4 sigma
