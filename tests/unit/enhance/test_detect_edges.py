"""Edge strength against SciPy and scikit-image."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from skimage import filters

from cellstack.enhance.detect_edges import METHODS, detect_edges
from cellstack.files.stacks import read_stack, write_stack
from detect_edges import main

RATIOS = [1, 4, 8]
SHAPES = [(1, 1, 1), (1, 7, 1), (2, 1, 9), (5, 12, 13)]
TOLERANCE = 2e-6  # float32, relative to the maximum
each_ratio = pytest.mark.parametrize("ratio", RATIOS)
each_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)
each_method = pytest.mark.parametrize("method", METHODS)


def spacing_of(ratio):
    return (ratio * 0.25, 0.25, 0.3)


def noise(shape, dtype="float32", seed=0):
    stack = np.random.default_rng(seed).random(shape)
    stack = (
        stack.astype(dtype) if dtype == "float32" else (stack * np.iinfo(dtype).max).astype(dtype)
    )
    stack.flags.writeable = False
    return stack


def assert_close(found, expected):
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCE * max(expected.max(), 1))


@pytest.mark.parametrize("dtype", ["float32", "uint8", "uint16"])
@each_shape
@each_ratio
def test_sobel_against_scipy(ratio, shape, dtype):
    stack, spacing = noise(shape, dtype), spacing_of(ratio)
    slopes = [
        ndimage.sobel(stack.astype(float), axis, mode="nearest") / (32 * step)
        for axis, step in enumerate(spacing)
    ]
    assert_close(detect_edges(stack, spacing, "sobel", {}), np.sqrt(np.square(slopes).sum(0)))


@pytest.mark.parametrize("dtype", ["float32", "uint8", "uint16"])
@each_shape
@each_ratio
def test_sobel_2d_against_scipy(ratio, shape, dtype):
    stack, spacing = noise(shape, dtype), spacing_of(ratio)
    slopes = []
    for axis in (0, 1):
        planes = [ndimage.sobel(plane.astype(float), axis, mode="nearest") for plane in stack]
        slopes.append(np.array(planes) / (8 * spacing[1 + axis]))
    assert_close(detect_edges(stack, spacing, "sobel_2d", {}), np.sqrt(np.square(slopes).sum(0)))


@each_shape
def test_against_scikit_image_at_unit_spacing(shape):
    # scikit-image takes the mean over the axes instead of the sum, and the difference over two
    # voxels instead of the slope
    stack = noise(shape)
    assert_close(
        detect_edges(stack, (1, 1, 1), "sobel", {}),
        3**0.5 / 2 * filters.sobel(stack, axis=(0, 1, 2)),
    )
    planes = np.stack([filters.sobel(plane, axis=(0, 1)) for plane in stack])
    assert_close(detect_edges(stack, (1, 1, 1), "sobel_2d", {}), 2**0.5 / 2 * planes)


@given(st.tuples(*[st.floats(-1, 1)] * 3), st.sampled_from(RATIOS))
def test_the_edge_strength_of_a_ramp_is_its_slope_per_um(slope, ratio):
    spacing = spacing_of(ratio)
    positions = np.moveaxis(np.indices((5, 6, 7)), 0, -1) * spacing
    stack = (positions @ np.array(slope)).astype("float32")
    inner = (slice(1, -1),) * 3
    np.testing.assert_allclose(
        detect_edges(stack, spacing, "sobel", {})[inner], np.linalg.norm(slope), atol=1e-4
    )
    np.testing.assert_allclose(
        detect_edges(stack, spacing, "sobel_2d", {})[inner], np.linalg.norm(slope[1:]), atol=1e-4
    )


@each_method
def test_brightness_differences_between_planes_are_edges_in_3d_only(method):
    stack = np.ones((6, 8, 9), "float32") * np.arange(6, dtype="float32").reshape(-1, 1, 1)
    assert detect_edges(stack, spacing_of(4), method, {}).any() == (method == "sobel")


@pytest.mark.parametrize("value", [0, 0.7])
@each_method
def test_a_constant_stack_has_no_edges(method, value):
    assert (
        detect_edges(np.full((3, 20, 37), value, "float32"), spacing_of(8), method, {}).max() < 1e-6
    )


def test_the_script_keeps_the_spacing(tmp_path):
    stack, spacing = noise((4, 9, 11)), spacing_of(4)
    write_stack(tmp_path / "denoised.tif", stack, spacing)
    main(
        denoised=tmp_path / "denoised.tif", edges=tmp_path / "edges.tif", method="sobel", options={}
    )
    edges, kept = read_stack(tmp_path / "edges.tif")
    assert kept == spacing
    assert np.array_equal(edges, detect_edges(stack, spacing, "sobel", {}))
