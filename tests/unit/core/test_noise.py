import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cellstack.core import noise, parallel
from cellstack.core.noise import estimate_noise
from cellstack.core.planes import ComputedPlanes


@pytest.mark.parametrize("sigma", [0.002, 0.05])
def test_noise_of_a_stack_with_edges_and_clipped_values(sigma):
    clean = np.zeros((4, 120, 150))
    clean[:, 60:] = 0.1  # half of the stack is clipped, without noise
    clean[:, 60:, ::30] = 0.8
    stack = np.where(
        clean > 0, clean + np.random.default_rng(0).normal(0, sigma, clean.shape), 0
    ).astype("float32")
    assert estimate_noise(stack) == pytest.approx(sigma, rel=0.15)


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 2, 9), (2, 5, 5)])
def test_constant_and_small_stacks_have_no_noise(shape):
    assert estimate_noise(np.full(shape, 0.3, "float32")) == 0


def test_result_does_not_depend_on_threads(monkeypatch):
    stack, found = np.random.default_rng(0).random((7, 40, 50), "float32"), []
    for threads in (1, 3, 9):
        monkeypatch.setattr(parallel, "threads_for", lambda stack, threads=threads: threads)
        found.append(estimate_noise(stack))
    assert found == [found[0]] * 3


@given(
    stack=arrays(
        "float32",
        st.tuples(*[st.integers(1, 8)] * 3),
        elements=st.sampled_from([0, 0.25, 0.5, 0.75, 1, 1e-30]) | st.floats(0, 1, width=32),
    ),
    sampled=st.sampled_from([(0.47, 0.53), (0.1, 0.1), (0.8, 0.9)]),
    bits=st.sampled_from([22, 6]),
)
@settings(deadline=None)
def test_noise_is_the_median_of_the_differences(stack, sampled, bits):
    # also if the median is not within the range of the sample, or bins have several values
    second = np.array([1.0, -2.0, 1.0])
    planes = [cv2.sepFilter2D(plane, cv2.CV_32F, second, second) for plane in stack]
    differences = np.stack(planes)[:, 1:-1, 1:-1]
    differences = np.abs(differences[differences != 0])
    median = float(np.median(differences)) if differences.size else 0.0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(noise, "SAMPLED_RANGE", sampled)
        patch.setattr(noise, "BITS_OF_BINS", bits)
        assert estimate_noise(stack) == median / (6 * 0.67449)


def test_voxels_without_data_are_left_out():
    stack = np.random.default_rng(3).normal(0.5, 0.1, (6, 60, 70)).astype("float32")
    no_data = np.zeros(stack.shape, bool)
    no_data[:, :, 20:] = True
    stack[no_data] = np.random.default_rng(4).normal(0.5, 0.01, no_data.sum())
    assert estimate_noise(stack) < 0.05
    assert estimate_noise(stack, no_data) == pytest.approx(0.1, rel=0.05)


def test_noise_of_planes_is_that_of_the_stack():
    stack = np.random.default_rng(1).random((7, 40, 50), "float32")
    no_data = np.zeros(stack.shape, bool)
    no_data[:, :, :9] = True
    planes, without = (
        ComputedPlanes(each.shape, each.dtype, each.__getitem__) for each in (stack, no_data)
    )
    assert estimate_noise(planes, without) == estimate_noise(stack, no_data)
