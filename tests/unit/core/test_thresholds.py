import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.filters import threshold_otsu

from cellstack.core.thresholds import BINS, histogram, is_constant, otsu_of_stack


@given(
    arrays(
        "float32",
        st.tuples(*[st.integers(1, 6)] * 3),
        elements=st.floats(-3, 1000, width=32) | st.sampled_from([0, 0.1, 0.5, 1]),
    ),
    st.floats(1e-3, 1e3),
)
@settings(deadline=None)
def test_histogram_against_numpy(stack, scale):
    stack = stack * np.float32(scale)
    low, high = float(stack.min()), float(stack.max())
    assume(high - low > 1e-6 * max(abs(low), abs(high)))
    counts, centres = histogram(stack, low, high)
    expected, edges = np.histogram(stack, BINS, (np.float64(low), np.float64(high)))
    np.testing.assert_array_equal(centres, (edges[1:] + edges[:-1]) / 2)
    assert counts.sum() == stack.size
    for edge in np.flatnonzero(np.cumsum(counts - expected)) + 1:
        assert np.abs(stack - edges[edge]).min() <= 1e-12 * max(abs(low), abs(high))


def test_otsu_of_a_stack_against_scikit_image():
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(0.2, 0.05, 3000), rng.normal(0.7, 0.1, 600)])
    stack = values.astype("float32").reshape(4, 30, 30)
    bin_width = float(np.ptp(stack)) / 256
    assert otsu_of_stack(stack) == pytest.approx(threshold_otsu(stack), abs=bin_width)


@pytest.mark.parametrize("value", [0.01, 0.3, 100.0])
def test_nothing_is_above_otsus_threshold_of_a_constant_stack(value):
    stack = np.full((2, 3, 4), value, "float32")
    stack[1] = np.nextafter(stack[0], np.float32(np.inf))
    assert is_constant(float(stack.min()), float(stack.max()))
    assert not (stack > otsu_of_stack(stack)).any()


def test_otsus_threshold_of_an_empty_stack_is_zero():
    assert otsu_of_stack(np.zeros((0, 3, 4), "float32")) == 0
