import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellstack.core import filters, parallel
from cellstack.core.resampling import block_maxima, block_means, coarsen, enlarge

SHAPES, FACTORS = st.tuples(*[st.integers(1, 9)] * 3), st.tuples(*[st.integers(1, 4)] * 3)


def blocks(stack, factors):
    """The voxels of each block along the last axis, with those at the far faces repeated."""
    padded = np.pad(
        stack,
        [(0, -length % factor) for length, factor in zip(stack.shape, factors, strict=True)],
        mode="edge",
    )
    split = padded.reshape(
        [
            each
            for length, factor in zip(padded.shape, factors, strict=True)
            for each in (length // factor, factor)
        ]
    )
    return split.transpose(0, 2, 4, 1, 3, 5).reshape(*split.shape[::2], -1)


@given(SHAPES, FACTORS, st.sampled_from([1, 3]))
def test_blocks_against_numpy(shape, factors, threads):
    stack = np.random.default_rng(0).random(shape, "float32")
    stack.flags.writeable = False
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(parallel, "threads_for", lambda stack: threads)
        assert block_means(stack, factors) == pytest.approx(
            blocks(stack, factors).mean(axis=-1), rel=1e-5
        )
        np.testing.assert_array_equal(
            block_maxima(stack, factors), blocks(stack, factors).max(axis=-1)
        )


@pytest.mark.parametrize("factors", [(1, 2, 3), (1, 9, 7), (1, 3, 8), (1, 1, 10)])
def test_means_have_the_bytes_of_those_of_numpy(factors):
    _, y, x = factors
    stack = np.random.default_rng(0).random((2, 9 * y, 11 * x), "float32")
    expected = stack.reshape(2, 9, y, 11, x).mean(axis=(2, 4))
    assert block_means(stack, factors).tobytes() == expected.tobytes()


def test_voxels_of_the_grid_have_at_most_the_given_width():
    stack = np.arange(6 * 8 * 10, dtype="float32").reshape(6, 8, 10)
    grid, spacing, factors = coarsen(stack, (2.0, 0.5, 0.4), 1.3)
    assert factors == (1, 2, 3)
    assert spacing == pytest.approx((2.0, 1.0, 1.2))
    np.testing.assert_array_equal(grid, block_means(stack, factors))


@given(SHAPES, FACTORS, st.integers(0, 9))
@settings(deadline=None)
def test_enlarged_grids_have_the_shape_and_no_negative_values(shape, factors, seed):
    grid = np.random.default_rng(seed).random(
        [-(-length // factor) for length, factor in zip(shape, factors, strict=True)], "float32"
    )
    grid[grid < 0.5] = 0
    large = enlarge(grid, factors, shape)
    assert large.shape == shape
    assert large.dtype == np.float32
    assert large.min() >= 0
    same = [factor == 1 for factor in factors]
    if all(same):
        np.testing.assert_array_equal(large, grid)
    np.testing.assert_allclose(enlarge(np.full_like(grid, 0.7), factors, shape), 0.7, rtol=1e-6)
    assert not enlarge(np.zeros_like(grid), factors, shape).any()


@pytest.mark.parametrize("factors", [(1, 2, 2), (2, 2, 2), (3, 4, 2)], ids=str)
def test_smooth_stacks_are_restored(factors, monkeypatch):
    shape = (40, 61, 90)
    z, y, x = np.indices(shape)
    stack = (2 + np.sin(z / 9) * np.cos(y / 8 + x / 13)).astype("float32")
    monkeypatch.setattr(filters, "COLUMNS_PER_BLOCK", 100)
    large = enlarge(block_means(stack, factors), factors, shape)
    inner = tuple(slice(3 * factor, -3 * factor) for factor in factors)
    np.testing.assert_allclose(large[inner], stack[inner], atol=0.03)
    assert abs(large - stack).max() < 0.3  # at the faces a constant continuation is assumed
