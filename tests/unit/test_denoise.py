import cv2
import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage
from skimage.restoration import denoise_bilateral, denoise_nl_means, denoise_tv_chambolle

from cellstack import denoise as module
from cellstack.denoise import (
    bilateral,
    denoise,
    estimate_noise,
    gaussian,
    median,
    non_local_means,
    separable_filter,
    total_variation,
)
from cellstack.errors import InputError

SHAPES = [(1, 1, 1), (1, 7, 1), (3, 1, 5), (1, 16, 9), (5, 17, 31)]
RATIOS = [1, 4, 8]
MEANS = {"patch_radius_um": 0.5, "search_radius_um": 1.0, "strength": 0.8, "sigma_noise": None, "fast_mode": True}
METHODS = [
    ("none", {}),
    ("gaussian", {"sigma_um": 0.4}),
    ("median", {"radius_um": 0.25, "planes": False}),
    ("median", {"radius_um": 1.0, "planes": False}),
    ("median", {"radius_um": 1.0, "planes": True}),
    ("bilateral", {"sigma_um": 0.4, "sigma_intensity": 0.2, "implementation": "opencv"}),
    ("total_variation", {"weight": 0.2, "planes": True}),
    ("total_variation", {"weight": 0.2, "planes": False}),
    ("non_local_means", MEANS),
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
def set_threads(monkeypatch):
    before = cv2.getNumThreads(), sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()

    def both(count):
        monkeypatch.setattr(module.workers, "useful_threads", lambda stack: count)
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
@pytest.mark.parametrize("planes", [False, True])
@each_shape
def test_median_against_scipy(shape, planes, radius_um, spacing, radii):
    stack = noise(shape)
    expected = ndimage.median_filter(stack, [2 * radius + 1 for radius in (0 if planes else radii[0], *radii[1:])], mode="nearest")
    assert np.array_equal(median(stack, spacing, radius_um=radius_um, planes=planes), expected)


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
    options = {"sigma_um": 0.25 * sigma, "sigma_intensity": sigma_intensity, "implementation": "opencv"}
    smoothed = bilateral(stack, (2.0, 0.25, 0.25), **options)
    assert smoothed.dtype == np.float32
    np.testing.assert_allclose(smoothed, expected, atol=5e-6)


@pytest.mark.parametrize("sigma_intensity", [None, 0.1])
@pytest.mark.parametrize("shape", SHAPES[1:], ids=str)  # of one pixel it makes not-a-number
def test_bilateral_of_scikit_image_repeats_it(shape, sigma_intensity):
    stack = noise(shape)
    expected = [denoise_bilateral(plane.copy(), sigma_color=sigma_intensity, sigma_spatial=1.2) for plane in stack]
    options = {"sigma_um": 0.3, "sigma_intensity": sigma_intensity, "implementation": "scikit-image"}
    np.testing.assert_array_equal(bilateral(stack, (2.0, 0.25, 0.25), **options), np.reshape(expected, shape))


def test_bilateral_goes_by_the_spread_of_each_plane():
    stack = noise((2, 30, 40)) * np.array([1, 0.2], "float32").reshape(2, 1, 1)
    options = {"sigma_um": 0.3, "implementation": "opencv"}
    by_plane = [bilateral(plane[None], (1.0, 0.25, 0.25), sigma_intensity=float(plane.std()), **options)[0] for plane in stack]
    np.testing.assert_array_equal(bilateral(stack, (1.0, 0.25, 0.25), sigma_intensity=None, **options), by_plane)


def test_bilateral_smooths_but_not_across_an_edge():
    step = np.where(np.arange(40) < 20, 0.2, 0.8) + 0.05 * (noise((3, 30, 40)) - 0.5)
    smoothed = bilateral(step.astype("float32"), (1.0, 0.25, 0.25), sigma_um=0.5, sigma_intensity=0.1, implementation="opencv")
    assert smoothed[:, :, :20].std() < step[:, :, :20].std() / 3
    assert np.abs(smoothed[:, :, 19].mean() - 0.2) < 0.01
    assert np.abs(smoothed[:, :, 20].mean() - 0.8) < 0.01


@pytest.mark.parametrize("method", ["bilateral", "total_variation", "non_local_means"])
def test_pixels_that_are_not_square_are_named_with_the_cure(method):
    options = dict(METHODS[:-2] + METHODS[-1:])[method]
    with pytest.raises(InputError, match=rf"{method} needs square pixels, these are 0\.3 x 0\.25 um: choose gaussian or median"):
        denoise(noise((2, 3, 4)), (1.0, 0.3, 0.25), method, options)


@pytest.mark.parametrize("weight", [0.02, 0.3])
@pytest.mark.parametrize("ratio", RATIOS)
@each_shape
def test_total_variation_against_scikit_image(shape, ratio, weight):
    stack, spacing = noise(shape), spacing_of(ratio)
    volume = total_variation(stack, spacing, weight=weight, planes=False)
    planes = total_variation(stack, spacing, weight=weight, planes=True)
    assert volume.dtype == planes.dtype == np.float32
    # scikit-image sums the energy in float32, and stops a step later where the sum comes out otherwise
    np.testing.assert_allclose(volume, denoise_tv_chambolle(stack, weight), atol=1e-6)
    np.testing.assert_allclose(planes, np.stack([denoise_tv_chambolle(plane, weight) for plane in stack]), atol=1e-6)


@pytest.mark.parametrize("weight", [0.2, 1.0])
def test_total_variation_of_a_step(weight):
    """At the optimum of Rudin, Osher and Fatemi each half of a line with a step of height 1 has moved by weight / length."""
    step = np.repeat(np.float32([0, 1]), 5)[None, None]
    expected = np.repeat([weight / 5, 1 - weight / 5], 5)
    denoised = total_variation(step, spacing_of(1), weight=weight, planes=True)
    np.testing.assert_allclose(denoised[0, 0], expected, atol=0.006)  # stops short of the optimum


def textbook_means(plane, radius, reach, h, sigma):
    """The definition of Buades, Coll and Morel, patch by patch, with the Gaussian and the correction for noise of scikit-image."""
    padded = np.pad(plane.astype(float), radius, mode="reflect")
    patches = np.lib.stride_tricks.sliding_window_view(padded, (2 * radius + 1, 2 * radius + 1))
    distances = np.hypot(*np.mgrid[-radius : radius + 1, -radius : radius + 1])
    weights = np.exp(-0.5 * (distances / (radius / 2)) ** 2)
    weights /= weights.sum()
    averaged = np.empty(plane.shape)
    for y, x in np.ndindex(plane.shape):
        near = np.s_[max(y - reach, 0) : y + reach + 1, max(x - reach, 0) : x + reach + 1]
        unlike = (weights * ((patches[near] - patches[y, x]) ** 2 - 2 * sigma**2)).sum((2, 3)) / h**2
        likeness = np.exp(-np.maximum(unlike, 0))
        averaged[y, x] = (likeness * plane[near]).sum() / likeness.sum()
    return averaged


@pytest.mark.parametrize("sizes", [(0.25, 0.75, 1, 3), (0.5, 0.5, 2, 2), (0.0, 1.0, 1, 4)], ids=str)
@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("shape", [(1, 7, 9), (3, 16, 11)], ids=str)
def test_non_local_means_against_the_textbook(shape, ratio, sizes):
    patch_um, search_um, radius, reach = sizes
    stack = noise(shape)
    options = MEANS | {"patch_radius_um": patch_um, "search_radius_um": search_um, "sigma_noise": 0.25, "fast_mode": False}
    expected = np.stack([textbook_means(plane, radius, reach, 0.2, 0.25) for plane in stack])
    # scikit-image has a fast exponential that is off by up to 4 %, and stops counting where a weight is below exp(-5)
    np.testing.assert_allclose(non_local_means(stack, spacing_of(ratio), **options), expected, atol=0.02)


@each_shape
def test_fast_non_local_means_against_scikit_image(shape):
    stack = noise(shape)
    expected = [denoise_nl_means(plane, 5, 4, 0.16, fast_mode=True, sigma=0.2).reshape(plane.shape) for plane in stack]
    assert np.array_equal(non_local_means(stack, spacing_of(4), **MEANS | {"sigma_noise": 0.2}), expected)


def test_non_local_means_and_total_variation_smooth_but_not_across_an_edge():
    clean = np.broadcast_to(np.where(np.arange(40) < 20, 0.2, 0.8), (3, 30, 40))
    stack = (clean + np.random.default_rng(0).normal(0, 0.05, clean.shape)).astype("float32")
    for method, options in (("non_local_means", MEANS), ("total_variation", {"weight": 0.1, "planes": True})):
        denoised = denoise(stack, spacing_of(4), method, options)
        assert np.std(denoised - clean) < 0.02
        assert denoised[:, :, 20].mean() - denoised[:, :, 19].mean() > 0.5


@pytest.mark.parametrize("sigma", [0.002, 0.05])
def test_noise_is_estimated_beside_edges_and_what_is_cut_off(sigma):
    clean = np.zeros((4, 120, 150))
    clean[:, 60:] = 0.1  # half of the stack has no noise, as after a stretch
    clean[:, 60:, ::30] = 0.8
    stack = np.where(clean > 0, clean + np.random.default_rng(0).normal(0, sigma, clean.shape), 0).astype("float32")
    assert estimate_noise(stack) == pytest.approx(sigma, rel=0.15)


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 2, 9), (2, 5, 5)])
def test_no_noise(shape):
    assert estimate_noise(np.full(shape, 0.3, "float32")) == 0


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("none", {}),
        ("gaussian", {"sigma_um": 0}),
        ("median", {"radius_um": 0, "planes": False}),
        ("bilateral", {"sigma_um": 0, "sigma_intensity": 0.1, "implementation": "opencv"}),
        ("non_local_means", MEANS | {"search_radius_um": 0}),
        ("non_local_means", MEANS | {"sigma_noise": 0}),
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


@pytest.mark.parametrize("shape", [(1, 30, 40), (5, 63, 257), (40, 7, 1), (9, 100, 100)], ids=str)
def test_blocks_and_threads_of_a_gaussian_change_nothing(set_threads, monkeypatch, shape):
    stack = noise(shape)
    whole = denoise(stack, spacing_of(2), "gaussian", {"sigma_um": 0.7})
    for columns, threads in ((64, 1), (64, 3), (1 << 12, 2)):
        monkeypatch.setattr(module, "COLUMNS", columns)
        set_threads(threads)
        np.testing.assert_array_equal(denoise(stack, spacing_of(2), "gaussian", {"sigma_um": 0.7}), whole)


@pytest.mark.parametrize("shape", [(1, 30, 40), (5, 63, 257), (40, 7, 1)], ids=str)
def test_a_filter_may_write_in_place(set_threads, shape):
    stack, kernels = noise(shape), [np.array(weights) for weights in ([0.2, 0.3, 0.5], [0.1] * 15, [0.3, 0.4, 0.3])]
    expected = module.separable_filter(stack, kernels)
    for threads in (1, 3):
        set_threads(threads)
        target = stack.copy()
        assert module.separable_filter(target, kernels, out=target) is target
        np.testing.assert_array_equal(target, expected)


def test_threads_change_no_noise(set_threads):
    stack, found = noise((7, 40, 50)), []
    for threads in (1, 3, 9):
        set_threads(threads)
        found.append(estimate_noise(stack))
    assert found == [found[0]] * 3


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


@given(
    arrays(
        "float32", st.tuples(*[st.integers(1, 8)] * 3), elements=st.sampled_from([0, 0.25, 0.5, 0.75, 1, 1e-30]) | st.floats(0, 1, width=32)
    )
)
@settings(deadline=None)
def test_noise_is_the_median_of_the_details(stack):
    second = np.array([1.0, -2.0, 1.0])
    details = np.stack([cv2.sepFilter2D(plane, cv2.CV_32F, second, second) for plane in stack])[:, 1:-1, 1:-1]
    details = np.abs(details[details != 0])
    assert estimate_noise(stack) == (float(np.median(details)) / (6 * 0.67449) if details.size else 0.0)
