import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.filters import threshold_li, threshold_otsu

from cellstack.binarize import BINS, METHODS, ROUNDING, binarize, find_threshold

pytestmark = pytest.mark.filterwarnings("error")
each_method = pytest.mark.parametrize("method", list(METHODS))


def noise(kind):
    rng = np.random.default_rng(0)
    draw = {
        "two classes": lambda: np.concatenate([rng.normal(0.2, 0.05, 30000), rng.normal(0.7, 0.1, 6000)]),
        "flat": lambda: rng.random(20000),
        "skewed": lambda: rng.gamma(1.5, 0.1, 20000),
        "zeros and signal": lambda: np.concatenate([np.zeros(60000), rng.gamma(2, 0.1, 20000)]),
        "one bright voxel": lambda: np.concatenate([rng.random(20000), [50]]),
        "far from zero": lambda: 100 + rng.gamma(2, 1, 20000),
    }
    stack = draw[kind]().astype("float32").reshape(1, 1, -1)
    stack.flags.writeable = False
    return stack


KINDS = pytest.mark.parametrize("kind", ["two classes", "flat", "skewed", "zeros and signal", "one bright voxel", "far from zero"])


@KINDS
def test_otsu_against_scikit_image(kind):
    # The variance is nearly flat at its maximum: which of two bins wins is known no better than to one bin of the coarser histogram.
    stack = noise(kind)
    assert abs(find_threshold(stack, "otsu", {}) - threshold_otsu(stack)) <= np.ptp(stack) / 256


@KINDS
def test_li_against_scikit_image(kind):
    # A bin holds its voxels at its centre, and the iteration ends at half a bin's step: two bins in all.
    stack = noise(kind)
    assert abs(find_threshold(stack, "li", {}) - threshold_li(stack)) <= 2 * np.ptp(stack) / BINS


def variance_between(stack, mask):
    share = mask.mean()
    return 0.0 if share in (0, 1) else share * (1 - share) * (stack[mask].mean() - stack[~mask].mean()) ** 2


@given(arrays("uint8", st.tuples(st.just(2), st.integers(1, 4), st.integers(1, 5))))
def test_otsu_is_the_best_of_all_cuts(values):
    stack = (values / 255).astype("float32")
    best = max(variance_between(stack.astype(float), stack > value) for value in np.unique(stack))
    found = binarize(stack, find_threshold(stack, "otsu", {})).astype(bool)
    assert variance_between(stack.astype(float), found) == pytest.approx(best, rel=1e-4)  # a bin is 2e-5 of the range


@given(arrays("float32", (2, 3, 4), elements=st.floats(0, 1, width=32)), st.sampled_from(list(METHODS)))
def test_threshold_leaves_voxels_on_both_sides(stack, method):
    found = binarize(stack, find_threshold(stack, method, {}))
    assert found.min() == 0
    assert found.max() == (np.ptp(stack) > ROUNDING * stack.max())


@each_method
def test_threshold_between_two_values(method):
    stack = np.full((3, 4, 5), 0.25, "float32")
    stack[1, :2] = 0.75
    assert np.array_equal(binarize(stack, find_threshold(stack, method, {})), stack > 0.5)


@each_method
def test_rounding_of_a_constant_stack_is_no_foreground(method):
    stack = np.full((3, 4, 5), 0.3, "float32")
    stack[1] = np.nextafter(np.float32(0.3), np.float32(1))
    assert not binarize(stack, find_threshold(stack, method, {})).any()


@each_method
def test_range_with_fewer_floats_than_bins(method):
    stack = np.full((3, 4, 5), 0.3, "float32")
    stack[1] = 0.30001
    assert np.array_equal(binarize(stack, find_threshold(stack, method, {})), stack > np.float32(0.3))


@each_method
@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("factor", [0.5, 1.0, 2.0])
def test_a_constant_stack_has_no_foreground(method, value, factor):
    stack = np.full((1, 7, 1), value, "float32")
    assert not binarize(stack, find_threshold(stack, method, {}, factor)).any()


@each_method
@pytest.mark.parametrize("factor", [0.5, 1.3])
def test_factor_multiplies(method, factor):
    stack = noise("two classes")
    assert find_threshold(stack, method, {}, factor) == factor * find_threshold(stack, method, {})


def test_foreground_is_above_the_threshold_and_not_at_it():
    stack = np.array([[[0.1, 0.3, 0.30000004, 0.9]]], "float32")
    mask = binarize(stack, float(stack[0, 0, 1]))
    assert mask.dtype == np.uint8
    assert mask.tolist() == [[[0, 0, 1, 1]]]
