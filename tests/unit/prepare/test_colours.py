"""Luminance of colour images."""

import numpy as np
from skimage.color import rgb2gray

from cellstack.prepare.colours import luminance


def test_luminance_against_scikit_image():
    colours = np.random.default_rng(3).random((6, 7, 3)).astype("float32")
    # scikit-image rounds its weights differently: 0.2125, 0.7154, 0.0721
    np.testing.assert_allclose(luminance(colours), rgb2gray(colours), atol=3e-4)
    assert luminance(np.full((1, 1, 4), 255, "uint8")) == 255
    assert luminance(np.full((1, 1, 3), 65535, "uint16")) == 65535


def test_luminance_is_rounded_exactly():
    colours = np.stack(np.meshgrid(*[np.arange(0, 255, 2)] * 3), axis=-1).reshape(128, -1, 3)
    whole, rest = np.divmod(colours @ np.array([2126, 7152, 722]), 10_000)
    assert (rest == 5000).any()  # halfway between two values, of which the even one is taken
    expected = whole + ((rest > 5000) | ((rest == 5000) & (whole % 2 == 1)))
    np.testing.assert_array_equal(luminance(colours.astype(np.uint8)), expected)
