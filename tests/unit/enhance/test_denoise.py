"""Denoising against SciPy, scikit-image and the definitions in the literature."""

import cv2
import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage.restoration import denoise_bilateral, denoise_nl_means, denoise_tv_chambolle

from cellstack.core import parallel
from cellstack.enhance.denoise import bilateral, denoise, median, non_local_means, total_variation
from cellstack.errors import InputError

SHAPES = [(1, 1, 1), (1, 7, 1), (3, 1, 5), (1, 16, 9), (5, 17, 31)]
RATIOS = [1, 4, 8]
MEANS = {
    "patch_radius_um": 0.5,
    "search_radius_um": 1.0,
    "strength": 0.8,
    "sigma_noise": None,
    "fast_mode": True,
}
METHODS = [
    ("none", {}),
    ("gaussian", {"sigma_um": 0.4}),
    ("median", {"radius_um": 0.25, "slice_by_slice": False}),
    ("median", {"radius_um": 1.0, "slice_by_slice": False}),
    ("median", {"radius_um": 1.0, "slice_by_slice": True}),
    ("bilateral", {"sigma_um": 0.4, "sigma_intensity": 0.2, "implementation": "opencv"}),
    ("total_variation", {"weight": 0.2, "slice_by_slice": True}),
    ("total_variation", {"weight": 0.2, "slice_by_slice": False}),
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
        monkeypatch.setattr(parallel, "threads_for", lambda stack: count)
        cv2.setNumThreads(count)
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(count)

    yield both
    cv2.setNumThreads(before[0])
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before[1])


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
    expected = ndimage.median_filter(
        stack,
        [2 * radius + 1 for radius in (0 if planes else radii[0], *radii[1:])],
        mode="nearest",
    )
    assert np.array_equal(
        median(stack, spacing, radius_um=radius_um, slice_by_slice=planes), expected
    )


def reference_bilateral(plane, radius, sigma, sigma_intensity):
    """The definition of Tomasi and Manduchi on a disc, summed neighbour by neighbour.

    `skimage.restoration.denoise_bilateral` 0.26 is not used as the reference, since its table of
    spatial weights has one row and one column too many, and it includes the corners of the square.
    """
    padded = np.pad(plane.astype(float), radius, mode="edge")
    total, weights = np.zeros(plane.shape), np.zeros(plane.shape)
    for i in range(-radius, radius + 1):
        for j in range(-radius, radius + 1):
            if i * i + j * j <= radius * radius:
                near = padded[
                    radius + i : radius + i + plane.shape[0],
                    radius + j : radius + j + plane.shape[1],
                ]
                weight = np.exp(
                    -0.5 * (i * i + j * j) / sigma**2
                    - 0.5 * ((near - plane) / sigma_intensity) ** 2
                )
                total += weight * near
                weights += weight
    return total / weights


@pytest.mark.parametrize(("sigma", "radius"), [(0.2, 1), (0.5, 2), (1.0, 3), (2.3, 7)])
@pytest.mark.parametrize("sigma_intensity", [0.05, 0.3])
@each_shape
def test_bilateral_against_its_definition(shape, sigma_intensity, sigma, radius):
    stack = noise(shape)
    expected = np.stack(
        [reference_bilateral(plane, radius, sigma, sigma_intensity) for plane in stack]
    )
    options = {
        "sigma_um": 0.25 * sigma,
        "sigma_intensity": sigma_intensity,
        "implementation": "opencv",
    }
    smoothed = bilateral(stack, (2.0, 0.25, 0.25), **options)
    assert smoothed.dtype == np.float32
    np.testing.assert_allclose(smoothed, expected, atol=5e-6)


@pytest.mark.parametrize("sigma_intensity", [None, 0.1])
@pytest.mark.parametrize("shape", SHAPES[1:], ids=str)  # NaN for a single pixel
def test_bilateral_with_scikit_image(shape, sigma_intensity):
    stack = noise(shape)
    expected = [
        denoise_bilateral(
            plane.astype(float),
            sigma_color=sigma_intensity or float(plane.std()),
            sigma_spatial=1.2,
        ).astype(np.float32)
        for plane in stack
    ]
    options = {
        "sigma_um": 0.3,
        "sigma_intensity": sigma_intensity,
        "implementation": "scikit-image",
    }
    np.testing.assert_array_equal(
        bilateral(stack, (2.0, 0.25, 0.25), **options), np.reshape(expected, shape)
    )


def test_bilateral_uses_the_standard_deviation_of_each_plane():
    stack = noise((2, 30, 40)) * np.array([1, 0.2], "float32").reshape(2, 1, 1)
    options = {"sigma_um": 0.3, "implementation": "opencv"}
    by_plane = [
        bilateral(plane[None], (1.0, 0.25, 0.25), sigma_intensity=float(plane.std()), **options)[0]
        for plane in stack
    ]
    np.testing.assert_array_equal(
        bilateral(stack, (1.0, 0.25, 0.25), sigma_intensity=None, **options), by_plane
    )


def test_bilateral_keeps_edges():
    step = np.where(np.arange(40) < 20, 0.2, 0.8) + 0.05 * (noise((3, 30, 40)) - 0.5)
    smoothed = bilateral(
        step.astype("float32"),
        (1.0, 0.25, 0.25),
        sigma_um=0.5,
        sigma_intensity=0.1,
        implementation="opencv",
    )
    assert smoothed[:, :, :20].std() < step[:, :, :20].std() / 3
    assert np.abs(smoothed[:, :, 19].mean() - 0.2) < 0.01
    assert np.abs(smoothed[:, :, 20].mean() - 0.8) < 0.01


@pytest.mark.parametrize("method", ["bilateral", "total_variation", "non_local_means"])
def test_pixels_that_are_not_square_are_an_error(method):
    options = dict(METHODS[:-2] + METHODS[-1:])[method]
    with pytest.raises(
        InputError,
        match=rf"{method} needs square pixels, but they are 0\.3 x 0\.25 um: choose gaussian or",
    ):
        denoise(noise((2, 3, 4)), (1.0, 0.3, 0.25), method, options)


@pytest.mark.parametrize("weight", [0.02, 0.3])
@pytest.mark.parametrize("ratio", RATIOS)
@each_shape
def test_total_variation_against_scikit_image(shape, ratio, weight):
    stack, spacing = noise(shape), spacing_of(ratio)
    volume = total_variation(stack, spacing, weight=weight, slice_by_slice=False)
    planes = total_variation(stack, spacing, weight=weight, slice_by_slice=True)
    assert volume.dtype == planes.dtype == np.float32
    # scikit-image sums the energy in float32, so rounding can delay its stop by one iteration
    np.testing.assert_allclose(volume, denoise_tv_chambolle(stack, weight), atol=1e-6)
    np.testing.assert_allclose(
        planes, np.stack([denoise_tv_chambolle(plane, weight) for plane in stack]), atol=1e-6
    )


@pytest.mark.parametrize("weight", [0.2, 1.0])
def test_total_variation_of_a_step(weight):
    """At the optimum, each half of a line with a step of height 1 moves by weight / length."""
    step = np.repeat(np.float32([0, 1]), 5)[None, None]
    expected = np.repeat([weight / 5, 1 - weight / 5], 5)
    denoised = total_variation(step, spacing_of(1), weight=weight, slice_by_slice=True)
    np.testing.assert_allclose(denoised[0, 0], expected, atol=0.006)  # stops before the optimum


def reference_means(plane, radius, reach, h, sigma):
    """The definition of Buades, Coll and Morel, patch by patch.

    The Gaussian weights and the noise correction are those of scikit-image.
    """
    padded = np.pad(plane.astype(float), radius, mode="reflect")
    patches = np.lib.stride_tricks.sliding_window_view(padded, (2 * radius + 1, 2 * radius + 1))
    distances = np.hypot(*np.mgrid[-radius : radius + 1, -radius : radius + 1])
    weights = np.exp(-0.5 * (distances / (radius / 2)) ** 2)
    weights /= weights.sum()
    averaged = np.empty(plane.shape)
    for y, x in np.ndindex(plane.shape):
        near = np.s_[max(y - reach, 0) : y + reach + 1, max(x - reach, 0) : x + reach + 1]
        differences = (patches[near] - patches[y, x]) ** 2 - 2 * sigma**2
        distance2 = (weights * differences).sum((2, 3)) / h**2
        similarity = np.exp(-np.maximum(distance2, 0))
        averaged[y, x] = (similarity * plane[near]).sum() / similarity.sum()
    return averaged


@pytest.mark.parametrize("sizes", [(0.25, 0.75, 1, 3), (0.5, 0.5, 2, 2), (0.0, 1.0, 1, 4)], ids=str)
@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("shape", [(1, 7, 9), (3, 16, 11)], ids=str)
def test_non_local_means_against_its_definition(shape, ratio, sizes):
    patch_um, search_um, radius, reach = sizes
    stack = noise(shape)
    options = MEANS | {
        "patch_radius_um": patch_um,
        "search_radius_um": search_um,
        "sigma_noise": 0.25,
        "fast_mode": False,
    }
    expected = np.stack([reference_means(plane, radius, reach, 0.2, 0.25) for plane in stack])
    # scikit-image approximates the exponential to 4 % and ignores weights below exp(-5)
    np.testing.assert_allclose(
        non_local_means(stack, spacing_of(ratio), **options), expected, atol=0.02
    )


@each_shape
def test_fast_non_local_means_against_scikit_image(shape):
    stack = noise(shape)
    expected = [
        denoise_nl_means(plane, 5, 4, 0.16, fast_mode=True, sigma=0.2).reshape(plane.shape)
        for plane in stack
    ]
    assert np.array_equal(
        non_local_means(stack, spacing_of(4), **MEANS | {"sigma_noise": 0.2}), expected
    )


def test_non_local_means_and_total_variation_keep_edges():
    clean = np.broadcast_to(np.where(np.arange(40) < 20, 0.2, 0.8), (3, 30, 40))
    stack = (clean + np.random.default_rng(0).normal(0, 0.05, clean.shape)).astype("float32")
    for method, options in (
        ("non_local_means", MEANS),
        ("total_variation", {"weight": 0.1, "slice_by_slice": True}),
    ):
        denoised = denoise(stack, spacing_of(4), method, options)
        assert np.std(denoised - clean) < 0.02
        assert denoised[:, :, 20].mean() - denoised[:, :, 19].mean() > 0.5


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("none", {}),
        ("gaussian", {"sigma_um": 0}),
        ("median", {"radius_um": 0, "slice_by_slice": False}),
        ("bilateral", {"sigma_um": 0, "sigma_intensity": 0.1, "implementation": "opencv"}),
        ("non_local_means", MEANS | {"search_radius_um": 0}),
        ("non_local_means", MEANS | {"sigma_noise": 0}),
    ],
)
def test_a_size_of_zero_changes_nothing(method, options):
    stack = noise((3, 8, 9))
    denoised = denoise(stack, spacing_of(4), method, options)
    assert np.array_equal(denoised, stack)
    assert denoised.flags.writeable  # a new stack, since the input is read-only


@each_method
@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
def test_a_constant_stack_does_not_change(value, method, options):
    stack = np.full((3, 16, 37), value, "float32")
    np.testing.assert_allclose(denoise(stack, spacing_of(4), method, options), stack, rtol=3e-7)


@settings(max_examples=25)
@given(
    st.tuples(*[st.integers(1, 12)] * 3),
    st.sampled_from(METHODS),
    st.sampled_from(RATIOS),
    st.integers(0, 2**32 - 1),
)
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
    assert np.array_equal(
        denoise(np.asfortranarray(stack), spacing_of(4), method, options),
        denoise(stack, spacing_of(4), method, options),
    )


def test_patches_have_at_least_three_pixels():
    stack = np.random.default_rng(0).random((2, 20, 21), np.float32)
    options = MEANS | {"search_radius_um": 1.0, "sigma_noise": 0.2}
    tiny, one = (
        non_local_means(stack, (2.0, 0.5, 0.5), **options | {"patch_radius_um": radius})
        for radius in (0.1, 0.5)
    )
    np.testing.assert_array_equal(tiny, one)
