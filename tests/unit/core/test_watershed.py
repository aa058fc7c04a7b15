import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage import segmentation

from cellstack.core.watershed import watershed


@settings(deadline=None)
@given(
    arrays(
        "float32",
        st.tuples(*[st.integers(1, 7)] * 3),
        elements=st.integers(-3, 3) | st.floats(-1, 1, width=32),
    ),
    st.integers(0, 2**32 - 1),
    st.sampled_from([1, 2, 3]),
    st.sampled_from([0, 0.1, 10]),
)
def test_against_scikit_image(landscape, seed, connectivity, compactness):
    rng = np.random.default_rng(seed)
    mask = rng.random(landscape.shape) < 0.8
    markers = (rng.integers(1, 5, landscape.shape) * (rng.random(landscape.shape) < 0.2)).astype(
        "uint16"
    )
    how = {"connectivity": connectivity, "compactness": compactness}
    for array in (landscape, mask, markers):
        array.flags.writeable = False
    for where in (mask, None):
        expected = segmentation.watershed(landscape, markers.astype("int32"), mask=where, **how)
        np.testing.assert_array_equal(watershed(landscape, markers, mask=where, **how), expected)


@pytest.mark.parametrize("shape", [(1, 60, 61), (12, 40, 41)])
def test_noise_against_scikit_image(shape):
    rng = np.random.default_rng(0)
    landscape, markers = rng.random(shape, "float32"), np.zeros(shape, "uint16")
    markers.ravel()[rng.permutation(markers.size)[:50]] = np.arange(1, 51)
    for connectivity in (1, 2, 3):
        expected = segmentation.watershed(
            landscape, markers.astype("int32"), connectivity=connectivity
        )
        np.testing.assert_array_equal(watershed(landscape, markers, connectivity), expected)
