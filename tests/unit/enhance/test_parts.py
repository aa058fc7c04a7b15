"""Stages of which a few planes are in memory have the results of the complete stack."""

import numpy as np
import pytest

from cellstack.core.planes import ComputedStack
from cellstack.enhance.adjust_contrast import adjust_contrast, adjust_contrast_in_parts
from cellstack.enhance.correct_background import correct_background, correct_background_in_parts
from cellstack.enhance.denoise import denoise, denoise_in_parts
from cellstack.enhance.detect_edges import detect_edges, detect_edges_in_parts
from cellstack.files.scratch import scratch_stacks

SPACING, SHAPE = (0.9, 0.5, 0.4), (27, 30, 26)
SLAB_VOXELS = 3 * 30 * 26
DEPTH = ("depth_attenuation", {"percentile": 95, "max_factor": 3.0})
TOPHAT = ("white_tophat", {"shape": "ball", "radius_um": 1.5})
STRETCH = ("percentile_stretch", {"low": 1, "high": 99})
CORRECTIONS = [
    [],
    [DEPTH],
    [TOPHAT, DEPTH],
    [("white_tophat", {"shape": "disc", "radius_um": 1.5}), ("gaussian", {"sigma_um": 1.0})],
]
STEPS = [
    [],
    [STRETCH, ("gamma", {"gamma": 0.7}), ("opening", {"shape": "ball", "radius_um": 1.2})],
    [("equalize_histogram", {"nbins": 200}), ("dilation", {"shape": "square", "radius_um": 1.0})],
    [("erosion", {"shape": "cube", "radius_um": 1.0}), STRETCH],
    [STRETCH, ("clahe", {"tile_um": 8.0, "clip_limit": 0.02})],
]
MEANS = {"patch_radius_um": 0.4, "search_radius_um": 0.8, "strength": 0.8, "fast_mode": True}
METHODS = [
    ("none", {}),
    ("gaussian", {"sigma_um": 0.8}),
    ("median", {"radius_um": 1.0, "slice_by_slice": False}),
    ("median", {"radius_um": 0.5, "slice_by_slice": True}),
    (
        "bilateral",
        {"sigma_um": 0.8, "sigma_intensity": None, "implementation": "opencv"},
    ),
    ("total_variation", {"weight": 0.1, "slice_by_slice": False}),
    ("total_variation", {"weight": 0.1, "slice_by_slice": True}),
    ("non_local_means", MEANS | {"sigma_noise": None}),
]
SQUARE = (0.9, 0.4, 0.4)


@pytest.fixture
def allocate(tmp_path):
    with scratch_stacks(tmp_path) as allocate:
        yield allocate


def in_parts(stack):
    """Return a stack of which no part can be read that is larger than a slab with its halo."""

    def part(box):
        found = stack[box]
        assert found.shape[0] < SHAPE[0]
        return found

    return ComputedStack(stack.shape, stack.dtype, part)


def image(dtype):
    values = np.random.default_rng(0).random(SHAPE) * np.exp(-0.1 * np.arange(27))[:, None, None]
    return (values * (1 if dtype == np.float32 else 250)).astype(dtype)


def no_data():
    without = np.zeros(SHAPE, bool)
    without[:3], without[:, :9, 20:] = True, True
    return without


@pytest.mark.parametrize("without", [None, no_data()], ids=["data", "no data"])
@pytest.mark.parametrize(
    "steps", CORRECTIONS, ids=lambda steps: "-".join(name for name, _ in steps)
)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_correction(dtype, steps, without, allocate):
    raw = image(dtype)
    whole = correct_background(raw, SPACING, steps, without)
    without = None if without is None else in_parts(without)
    parts = correct_background_in_parts(
        in_parts(raw), SPACING, steps, without, None, 0, allocate, SLAB_VOXELS
    )
    assert parts.dtype == whole.dtype == dtype
    np.testing.assert_array_equal(np.stack(list(parts)), whole)


@pytest.mark.parametrize("without", [None, no_data()], ids=["data", "no data"])
@pytest.mark.parametrize("steps", STEPS, ids=lambda steps: "-".join(name for name, _ in steps))
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_contrast(dtype, steps, without, allocate):
    raw = image(dtype)
    whole = adjust_contrast(raw, SPACING, steps, without)
    without = None if without is None else in_parts(without)
    at_once = any(name == "clahe" for name, _ in steps)
    stack = ComputedStack(SHAPE, dtype, raw.__getitem__) if at_once else in_parts(raw)
    parts = adjust_contrast_in_parts(stack, SPACING, steps, without, None, allocate, SLAB_VOXELS)
    assert parts.dtype == np.float32
    np.testing.assert_array_equal(np.stack(list(parts)), whole)


def test_a_block_is_given_what_was_measured_in_the_stack(allocate):
    block = image(np.uint16)
    known = [(3.0, np.linspace(1, 2, 40).tolist())]
    whole = correct_background(block, SPACING, [DEPTH], None, known, 11)
    parts = correct_background_in_parts(
        in_parts(block), SPACING, [DEPTH], None, known, 11, allocate, SLAB_VOXELS
    )
    np.testing.assert_array_equal(np.stack(list(parts)), whole)
    known = [(20.0, 200.0)]
    whole = adjust_contrast(block, SPACING, [STRETCH], None, known)
    parts = adjust_contrast_in_parts(
        in_parts(block), SPACING, [STRETCH], None, known, allocate, SLAB_VOXELS
    )
    np.testing.assert_array_equal(np.stack(list(parts)), whole)


@pytest.mark.parametrize(("method", "options"), METHODS)
def test_denoising(method, options):
    stack = image(np.float32)
    whole = denoise(stack, SQUARE, method, options)
    at_once = method == "total_variation" and not options["slice_by_slice"]
    source = ComputedStack(SHAPE, np.float32, stack.__getitem__) if at_once else in_parts(stack)
    parts = denoise_in_parts(source, SQUARE, method, options, SLAB_VOXELS)
    np.testing.assert_array_equal(np.stack(list(parts)), whole)
    if method != "none":
        assert (whole != stack).any()


@pytest.mark.parametrize("method", ["sobel", "sobel_2d"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_edges(dtype, method):
    stack = image(dtype)
    parts = detect_edges_in_parts(in_parts(stack), SPACING, method, {}, SLAB_VOXELS)
    assert parts.dtype == np.float32
    np.testing.assert_array_equal(np.stack(list(parts)), detect_edges(stack, SPACING, method, {}))
