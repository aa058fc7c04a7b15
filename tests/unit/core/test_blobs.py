import numpy as np
import pytest
from scipy import ndimage
from shapes import UNIT, landscape, read_only, row_of_balls, spacing_of
from skimage.filters import threshold_otsu

from cellstack.core import blobs, parallel
from cellstack.core.blobs import blobness, find_blobs
from cellstack.core.filters import gaussian
from cellstack.core.thresholds import typical_bright

each_ratio = pytest.mark.parametrize("ratio", [1, 4, 8])
each_spacing = pytest.mark.parametrize(
    "spacing", [*((0.5 * ratio, 0.5, 0.5) for ratio in (1.1, 4, 8)), (1.6, 0.9, 0.4)], ids=str
)


@pytest.mark.parametrize("value", [1 / 3, 0.7, 1.0])
@each_ratio
def test_a_constant_stack_has_no_blobs(ratio, value):
    # Smoothing rounds the same value differently at different places.
    stack = np.full((33, 130, 131), value, "float32")
    assert not blobness(stack, spacing_of(ratio), 3.3).any()


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 20, 21), (3, 1, 5), (9, 17, 31)], ids=str)
@each_ratio
def test_blobness_against_scipy(ratio, shape):
    stack, spacing = read_only(np.random.default_rng(0).random(shape, "float32")), spacing_of(ratio)
    sigma = np.divide(0.8, spacing)
    smooth = ndimage.gaussian_filter(stack.astype(float), sigma, mode="nearest")
    curvatures = [
        ndimage.correlate1d(smooth, [1, -2, 1], axis, mode="nearest") * sigma[axis] ** 2
        for axis in range(3)
    ]
    found = blobness(stack, spacing, 0.8)
    assert found.dtype == np.float32
    # The tolerance is that of float32 times sigma squared in voxels.
    np.testing.assert_allclose(found, np.maximum(-np.sum(curvatures, axis=0), 0), atol=2e-5)


def test_blobness_with_three_different_voxel_sides():
    stack = read_only(np.random.default_rng(0).random((9, 17, 31), "float32"))
    sigma = np.divide(0.8, (1.2, 0.5, 0.3))
    smooth = ndimage.gaussian_filter(stack.astype(float), sigma, mode="nearest")
    curvatures = [
        ndimage.correlate1d(smooth, [1, -2, 1], axis, mode="nearest") * sigma[axis] ** 2
        for axis in range(3)
    ]
    expected = np.maximum(-np.sum(curvatures, axis=0), 0)
    np.testing.assert_allclose(blobness(stack, (1.2, 0.5, 0.3), 0.8), expected, atol=2e-5)


def test_blobness_is_near_that_of_sampled_derivatives():
    # A second difference is smaller than the derivative by 1 / (4 sigma**2) in voxels, here 3 % at
    # most. The borders differ.
    stack = landscape((30, 40, 41), 0)
    expected = -9 * ndimage.gaussian_laplace(stack, 3.0, mode="nearest").clip(max=0)
    inner = (slice(12, -12),) * 3
    np.testing.assert_allclose(
        blobness(stack, UNIT, 3.0)[inner], expected[inner], atol=0.03 * expected.max()
    )


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (4.0, 1.0, 1.0), (1.0, 2.0, 1.0)], ids=str)
def test_blobness_on_a_coarse_grid_is_that_of_the_fine_one(monkeypatch, spacing):
    rng, shape = np.random.default_rng(0), [round(90 / step) for step in spacing]
    place = [axis * step for axis, step in zip(np.indices(shape), spacing, strict=True)]
    stack = rng.normal(0, 0.05, shape)
    for middle in rng.uniform(10, 80, (8, 3)):
        stack += (
            sum((axis - centre) ** 2 for axis, centre in zip(place, middle, strict=True)) < 14**2
        )
    stack = read_only(stack.astype("float32"))
    coarse = blobness(stack, spacing, 12.0)
    monkeypatch.setattr(blobs, "FILTER_GRID", 0)
    fine = blobness(stack, spacing, 12.0)
    assert not np.array_equal(coarse, fine)
    # They differ near faces, where the curvature is largest.
    inner = tuple(slice(round(8 / step), -round(8 / step)) for step in spacing)
    np.testing.assert_allclose(coarse[inner], fine[inner], atol=0.03 * fine[inner].max())


@pytest.mark.parametrize("size_um", [3.0, 4.0, 6.0])
@each_ratio
def test_blobness_of_a_gaussian_ball_is_the_same_at_each_spacing(ratio, size_um):
    sigma_um, spacing = 4.0, (ratio * 0.25, 1.0, 0.5)
    grid = [np.arange(-20, 20 + step / 2, step) for step in spacing]
    squared = sum(axis**2 for axis in np.meshgrid(*grid, indexing="ij", sparse=True))
    stack = np.exp(-squared / (2 * size_um**2)).astype("float32")
    expected = 3 * sigma_um**2 * size_um**3 / (size_um**2 + sigma_um**2) ** 2.5
    found = blobness(stack, spacing, sigma_um)
    assert np.unravel_index(found.argmax(), found.shape) == tuple(n // 2 for n in stack.shape)
    # The tolerance is for second differences over planes of 2 um.
    assert found.max() == pytest.approx(expected, rel=0.04)


@pytest.mark.parametrize("shape", [(1, 9, 9), (2, 1, 9), (9, 9, 1), (8, 21, 22)])
@each_ratio
def test_blobness_is_the_sum_of_second_differences(ratio, shape):
    stack, spacing = (
        landscape(shape, 0, 1.0)
        if min(shape) > 1
        else read_only(np.random.default_rng(0).random(shape, "float32")),
        spacing_of(ratio),
    )
    smooth = gaussian(stack, spacing, sigma_um=0.6).astype(float)
    total = np.zeros(shape)
    for axis, step in enumerate(spacing):
        padded = np.pad(smooth, [(int(each == axis),) * 2 for each in range(3)], mode="edge")
        total -= (0.6 / step) ** 2 * np.diff(padded, 2, axis=axis)
    np.testing.assert_allclose(blobness(stack, spacing, 0.6), total.clip(0), atol=1e-4)


def test_blobs_are_found_in_the_balls():
    spacing = (2.0, 0.5, 0.5)
    stack, labels = row_of_balls(spacing, [1.0, 0.5], slope=0.001)
    found = find_blobs(stack, spacing, 2.4, 4.0, 12.0)
    bright = found.contrasts > 0.1
    voxels = found.centres[bright] * found.factors
    assert sorted(labels[tuple(voxels.T)]) == [1, 2]
    assert np.sort(found.contrasts[bright]) == pytest.approx([0.5, 1.0], rel=0.1)


@pytest.mark.parametrize("seed", range(5))
def test_typical_bright_is_the_median_above_otsus_threshold(seed):
    rng = np.random.default_rng(seed)
    values = np.concatenate([rng.normal(0.1, 0.02, 300), rng.normal(1, 0.1, 20)]).astype("float32")
    assert typical_bright(values) == pytest.approx(
        np.median(values[values > threshold_otsu(values)]), rel=1e-5
    )


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], 0.0),
        ([2.0], 2.0),
        ([3.0, 3.0, 3.0], 3.0),
        ([0.0, 0.0, 5.0], 5.0),
        # Otsu's criterion: 1 * 5 * 6.4**2 above 3 * 3 * 4**2 and 4 * 2 * 4**2
        ([9.0, 4.0, 4.0, 3.0, 1.0, 1.0], 9.0),
        ([0.0, 1.0, 4.0, 4.0, 5.0, 5.0, 8.0, 9.0, 9.0], 9.0),
    ],
)
def test_typical_bright_of_few_values(values, expected):
    assert typical_bright(np.array(values, "float32")) == expected


@each_spacing
def test_backgrounds_are_percentiles_in_a_ball(spacing):
    stack, _ = row_of_balls(spacing, [0.9, 0.5, 0.7], slope=0.01)
    found = find_blobs(stack, spacing, 2.4, 4.0, 12.0)
    grid = np.indices(found.smooth.shape).reshape(3, -1).T
    assert len(found.centres) >= 3
    for centre, background in zip(found.centres, found.backgrounds, strict=True):
        near = np.sum(np.square((grid - centre) * found.spacing), axis=1) <= 12.0**2
        assert background == np.percentile(found.smooth.ravel()[near], 20).astype(np.float32)


@pytest.mark.parametrize("shape", [(1, 9, 9), (2, 1, 9), (8, 21, 22)])
def test_blobness_does_not_depend_on_threads(monkeypatch, shape):
    stack = read_only(np.random.default_rng(0).random(shape, "float32"))
    results = []
    for threads in (1, 2, 3, 20):
        monkeypatch.setattr(parallel, "threads_for", lambda stack, threads=threads: threads)
        results.append(blobness(stack, UNIT, 0.6))
    assert results[0].any()
    assert all(np.array_equal(result, results[0]) for result in results)


def test_a_flat_stack_without_blobs():
    found = find_blobs(np.zeros((4, 9, 9), "float32"), UNIT, 1.0, 2.0, 3.0)
    assert len(found.centres) == len(found.contrasts) == 0


def test_blobs_are_not_searched_for_in_voxels_without_data_nor_is_background():
    spacing = (1.0, 0.5, 0.4)
    stack, _ = row_of_balls(spacing, [1.0, 1.0], diameter=6.0)
    stack = stack + np.float32(0.3)
    no_data = np.zeros(stack.shape, bool)
    edge = round(1.9 * 6.0 / 0.4)
    no_data[:, :, edge:] = True
    padded = np.where(no_data, 0, stack).astype("float32")
    blind = find_blobs(padded, spacing, 1.8, 3.0, 9.0)
    blobs = find_blobs(padded, spacing, 1.8, 3.0, 9.0, no_data)
    assert len(find_blobs(stack, spacing, 1.8, 3.0, 9.0).centres) == 2
    best = blobs.contrasts.argmax()
    assert blobs.backgrounds[best] == pytest.approx(0.3, abs=0.02)
    assert blind.backgrounds[blind.contrasts.argmax()] < 0.2
    assert ((blobs.centres[:, 2] + 0.5) * blobs.spacing[2] < edge * spacing[2]).all()
