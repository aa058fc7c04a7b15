import cv2
import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from cellstack.denoise import bilateral, denoise, gaussian, median, separable_filter
from cellstack.errors import InputError

SHAPES = [(1, 1, 1), (1, 7, 1), (3, 1, 5), (1, 16, 9), (5, 17, 31)]
RATIOS = [1, 4, 8]
METHODS = [
    ("none", {}),
    ("gaussian", {"sigma_um": 0.4}),
    ("median", {"radius_um": 0.25}),
    ("median", {"radius_um": 1.0}),
    ("bilateral", {"sigma_um": 0.4, "sigma_intensity": 0.2}),
]
each_method = pytest.mark.parametrize(("method", "options"), METHODS)
each_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)


def noise(shape, seed=0):
    stack = np.random.default_rng(seed).random(shape, "float32")
    stack.flags.writeable = False
    return stack


def spacing_of(ratio):
    return (ratio * 0.25, 0.25, 0.25)


@pytest.fixture
def set_threads():
    before = cv2.getNumThreads(), sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()

    def both(count):
        cv2.setNumThreads(count)
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(count)

    yield both
    cv2.setNumThreads(before[0])
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before[1])


@pytest.mark.parametrize("sigma_um", [0.0, 0.02, 0.2, 0.6, 1.3])
@pytest.mark.parametrize("ratio", RATIOS)
@each_shape
def test_gaussian_against_scipy(shape, ratio, sigma_um):
    stack, spacing = noise(shape), spacing_of(ratio)
    expected = ndimage.gaussian_filter(stack.astype(float), np.divide(sigma_um, spacing), mode="nearest")
    smoothed = gaussian(stack, spacing, sigma_um=sigma_um)
    assert smoothed.dtype == np.float32
    np.testing.assert_allclose(smoothed, expected, atol=1e-6)


def test_gaussian_of_unequal_pixels():
    stack, spacing = noise((9, 17, 31)), (0.5, 0.25, 0.4)
    expected = ndimage.gaussian_filter(stack.astype(float), np.divide(0.5, spacing), mode="nearest")
    np.testing.assert_allclose(gaussian(stack, spacing, sigma_um=0.5), expected, atol=1e-6)


@pytest.mark.parametrize("lengths", [(1, 1, 1), (3, 1, 1), (1, 5, 1), (1, 1, 7), (5, 7, 3)])
@each_shape
def test_separable_filter_against_scipy(shape, lengths):
    stack = noise(shape)
    kernels = [np.arange(1.0, length + 1) / length**2 for length in lengths]  # not symmetric: a flip would show
    expected = stack.astype(float)
    for axis, kernel in enumerate(kernels):
        expected = ndimage.correlate1d(expected, kernel, axis, mode="nearest")
    np.testing.assert_allclose(separable_filter(stack, kernels), expected, atol=2e-6)


@pytest.mark.parametrize(
    ("radius_um", "spacing", "radii"),
    [
        (0.1, (1.0, 0.25, 0.25), (0, 0, 0)),
        (0.25, (1.0, 0.25, 0.25), (0, 1, 1)),
        (0.5, (2.0, 0.25, 0.25), (0, 2, 2)),
        (0.75, (2.0, 0.25, 0.25), (0, 3, 3)),
        (0.5, (0.5, 0.25, 0.25), (1, 2, 2)),
        (0.5, (2.0, 1.0, 0.25), (0, 1, 2)),
    ],
)
@each_shape
def test_median_against_scipy(shape, radius_um, spacing, radii):
    stack = noise(shape)
    expected = ndimage.median_filter(stack, [2 * radius + 1 for radius in radii], mode="nearest")
    assert np.array_equal(median(stack, spacing, radius_um=radius_um), expected)


def textbook_bilateral(plane, radius, sigma, sigma_intensity):
    """The definition of Tomasi and Manduchi on a disc, summed up neighbour by neighbour.

    `skimage.restoration.denoise_bilateral` 0.26 is no reference here. Its range weights are these, but its table of spatial weights has
    one row and one column too many and is then read as if it had not, so that neighbours get the weights of others: up to .37 off on noise.
    It also weighs the corners of the square.
    """
    padded = np.pad(plane.astype(float), radius, mode="edge")
    total, weights = np.zeros(plane.shape), np.zeros(plane.shape)
    for i in range(-radius, radius + 1):
        for j in range(-radius, radius + 1):
            if i * i + j * j <= radius * radius:
                near = padded[radius + i : radius + i + plane.shape[0], radius + j : radius + j + plane.shape[1]]
                weight = np.exp(-0.5 * (i * i + j * j) / sigma**2 - 0.5 * ((near - plane) / sigma_intensity) ** 2)
                total += weight * near
                weights += weight
    return total / weights


@pytest.mark.parametrize(("sigma", "radius"), [(0.2, 1), (0.5, 2), (1.0, 3), (2.3, 7)])
@pytest.mark.parametrize("sigma_intensity", [0.05, 0.3])
@each_shape
def test_bilateral_against_the_textbook(shape, sigma_intensity, sigma, radius):
    stack = noise(shape)
    expected = np.stack([textbook_bilateral(plane, radius, sigma, sigma_intensity) for plane in stack])
    smoothed = bilateral(stack, (2.0, 0.25, 0.25), sigma_um=0.25 * sigma, sigma_intensity=sigma_intensity)
    assert smoothed.dtype == np.float32
    np.testing.assert_allclose(smoothed, expected, atol=5e-6)


def test_bilateral_smooths_but_not_across_an_edge():
    step = np.where(np.arange(40) < 20, 0.2, 0.8) + 0.05 * (noise((3, 30, 40)) - 0.5)
    smoothed = bilateral(step.astype("float32"), (1.0, 0.25, 0.25), sigma_um=0.5, sigma_intensity=0.1)
    assert smoothed[:, :, :20].std() < step[:, :, :20].std() / 3
    assert np.abs(smoothed[:, :, 19].mean() - 0.2) < 0.01
    assert np.abs(smoothed[:, :, 20].mean() - 0.8) < 0.01


def test_bilateral_names_pixels_that_are_not_square_and_the_cure():
    with pytest.raises(InputError, match=r"0\.3 x 0\.25 um: choose gaussian or median"):
        bilateral(noise((2, 3, 4)), (1.0, 0.3, 0.25), sigma_um=1, sigma_intensity=0.1)


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("none", {}),
        ("gaussian", {"sigma_um": 0}),
        ("median", {"radius_um": 0}),
        ("bilateral", {"sigma_um": 0, "sigma_intensity": 0.1}),
    ],
)
def test_no_size_no_change(method, options):
    stack = noise((3, 8, 9))
    denoised = denoise(stack, spacing_of(4), method, options)
    assert np.array_equal(denoised, stack)
    assert denoised.flags.writeable  # a stack of its own, the input is read-only


@each_method
@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
def test_a_constant_stays_constant(value, method, options):
    stack = np.full((3, 16, 37), value, "float32")
    np.testing.assert_allclose(denoise(stack, spacing_of(4), method, options), stack, rtol=3e-7)


@settings(max_examples=25)
@given(st.tuples(*[st.integers(1, 12)] * 3), st.sampled_from(METHODS), st.sampled_from(RATIOS), st.integers(0, 2**32 - 1))
def test_results_stay_within_the_range_of_the_input(shape, method, ratio, seed):
    stack = noise(shape, seed)
    denoised = denoise(stack, spacing_of(ratio), *method)
    assert denoised.shape == shape
    assert denoised.min() >= stack.min() - 1e-6
    assert denoised.max() <= stack.max() + 1e-6


@each_method
@pytest.mark.parametrize("shape", [(1, 7, 1), (5, 63, 257)], ids=str)
def test_threads_change_nothing(set_threads, shape, method, options):
    stack, results = noise(shape), []
    for count in (1, 2, 3, 8):
        set_threads(count)
        results.append(denoise(stack, spacing_of(4), method, options))
    assert all(np.array_equal(result, results[0]) for result in results)


@each_method
def test_memory_order_changes_nothing(method, options):
    stack = noise((5, 17, 31))
    assert np.array_equal(denoise(np.asfortranarray(stack), spacing_of(4), method, options), denoise(stack, spacing_of(4), method, options))


@pytest.mark.parametrize("ratio", RATIOS)
def test_gaussian_spreads_a_point_evenly_in_um(ratio):
    spacing = spacing_of(ratio)
    stack = np.zeros([2 * round(8 / step) + 1 for step in spacing], "float32")
    centre = np.array(stack.shape) // 2
    stack[tuple(centre)] = 1
    smoothed = gaussian(stack, spacing, sigma_um=2.0)
    offsets = (np.indices(stack.shape) - centre[:, None, None, None]) * np.reshape(spacing, (3, 1, 1, 1))
    variances = (offsets**2 * smoothed).sum((1, 2, 3))
    np.testing.assert_allclose(np.sqrt(variances), 2.0, rtol=0.01)  # cut off at 4 sigma
