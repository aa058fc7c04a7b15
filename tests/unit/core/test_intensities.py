import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from skimage.exposure import rescale_intensity

from cellstack.core.intensities import (
    count_values,
    cumulative_distribution,
    divide_by_sd,
    exact_sum,
    interpolate,
    percentile_of_parts,
    percentiles,
    percentiles_of_parts,
    percentiles_of_planes,
    rescale,
)
from cellstack.core.planes import ComputedPlanes

INTEGERS = st.sampled_from(["uint8", "uint16"]).flatmap(
    lambda name: arrays(name, array_shapes(min_dims=3, max_dims=3))
)


@given(INTEGERS, st.lists(st.floats(0, 100), min_size=1, max_size=4))
def test_percentiles_of_integers_against_numpy(stack, percents):
    np.testing.assert_allclose(
        percentiles(stack, percents), np.percentile(stack, percents), rtol=1e-12, atol=1e-9
    )


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_percentiles_of_many_values(dtype):
    stack = (np.random.default_rng(0).random((3, 700, 701)) ** 4 * np.iinfo(dtype).max).astype(
        dtype
    )
    expected = np.percentile(stack, (0, 0.5, 50, 99.5, 100))
    np.testing.assert_allclose(percentiles(stack, (0, 0.5, 50, 99.5, 100)), expected, rtol=1e-12)


@given(INTEGERS)
def test_count_values_against_numpy(stack):
    np.testing.assert_array_equal(count_values(stack), np.bincount(stack.ravel()))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_rescale_against_scikit_image(dtype):
    stack = (np.random.default_rng(0).random((3, 9, 10)) * 200).astype(dtype)
    expected = rescale_intensity(stack.astype(float), in_range=(20, 150), out_range=(0, 1))
    rescaled = rescale(stack, 20, 150)
    assert rescaled.dtype == np.float32
    np.testing.assert_allclose(rescaled, expected, atol=1e-6)
    assert not rescale(stack, 20, 20).any()


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_interpolate_against_numpy(dtype):
    stack = (np.random.default_rng(0).random((3, 9, 10)) * 200).astype(dtype)
    levels, fractions = cumulative_distribution(stack, nbins=64)
    assert fractions[-1] == 1
    mapped = interpolate(stack, levels, fractions)
    assert mapped.dtype == np.float32
    np.testing.assert_allclose(mapped, np.interp(stack, levels, fractions), rtol=1e-6)


def test_distribution_of_a_constant_stack_is_zero():
    for dtype in ("uint8", "float32"):
        assert not cumulative_distribution(np.full((2, 3, 4), 7, dtype), nbins=64)[1].any()


def test_sums_of_integers_are_exact():
    total = exact_sum(np.full(1 << 20, 65535, "uint16"))
    assert total == 65535 << 20
    assert isinstance(total, int)


def test_sums_of_floats_are_in_float64():
    values = np.full(1 << 20, 0.1, "float32")
    total = exact_sum(values)
    assert isinstance(total, float)
    assert total == values.sum(dtype=np.float64)


def test_division_by_a_standard_deviation_of_zero_is_zero():
    values = np.ones((1, 2, 3), "float32")
    np.testing.assert_array_equal(divide_by_sd(values, 0.5), 2 * values)
    assert not divide_by_sd(values, 0.0).any()


def test_high_values_of_16_bits_are_mapped():
    stack = np.array([[[0, 255, 600, 40_000, 65_535]]], "uint16")
    expected = [[[0, 0, 0, 39_000 / 64_000, 1]]]
    np.testing.assert_allclose(rescale(stack, 1000, 65_000), expected, rtol=1e-6)
    levels, fractions = np.array([0.0, 70_000.0]), np.array([0.0, 1.0])
    np.testing.assert_allclose(interpolate(stack, levels, fractions), stack / 70_000, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("with_gaps", [False, True])
def test_percentiles_of_planes_are_those_of_the_stack(dtype, with_gaps):
    generator = np.random.default_rng(0)
    # the first planes have fewer values than the last
    stack = (generator.random((5, 9, 11)) * np.reshape([3, 9, 90, 40, 250], (5, 1, 1))).astype(
        dtype
    )
    if dtype == "float32":
        stack -= 30
    no_data = generator.random(stack.shape) < 0.3 if with_gaps else None
    data = stack if no_data is None else stack[~no_data]
    planes = ComputedPlanes(stack.shape, stack.dtype, stack.__getitem__)
    percents = (0, 0.5, 37, 99.5, 100)
    assert percentiles_of_planes(planes, percents, no_data) == percentiles(data, percents)
    assert percentiles_of_planes(stack, percents, no_data) == percentiles(data, percents)


@given(
    arrays("float32", st.integers(1, 40), elements=st.floats(-4, 4, width=32)),
    st.lists(st.floats(0, 100), min_size=1, max_size=4),
)
def test_percentiles_of_parts_are_those_of_numpy(values, percents):
    def parts():
        return iter(np.array_split(values, 3))

    assert percentiles_of_parts(parts, percents) == np.percentile(values, percents).tolist()
    for percent in percents:  # of a number, numpy.percentile is rounded to float32
        assert percentile_of_parts(parts, percent) == np.percentile(values, percent)


def test_there_are_no_percentiles_without_values():
    none = np.zeros(0, np.float32)
    assert np.isnan(
        [*percentiles_of_parts(lambda: [none], (0, 50)), percentile_of_parts(list, 9)]
    ).all()
