"""Synthetic volumes with known maxima, sizes and contrasts."""

import numpy as np
from scipy import ndimage

UNIT = (1.0, 1.0, 1.0)


def spacing_of(ratio):
    """Voxel size in um for a ratio of z to y and x."""
    return (ratio * 0.25, 0.25, 0.25)


def read_only(array):
    array.flags.writeable = False
    return array


def landscape(shape, seed, sigma=2.0):
    """Smooth hills, no two of the same height."""
    field = ndimage.gaussian_filter(np.random.default_rng(seed).random(shape), sigma)
    return read_only((10 * (field - field.min()) / np.ptp(field)).astype("float32"))


def cones(shape, spacing, centres, radii):
    """Distance in um to the surface of the sphere that a voxel lies in, the larger one of two.

    Centres are in voxels, radii in um.
    """
    grid = np.indices(shape)
    heights = []
    for centre, radius in zip(centres, radii, strict=True):
        squares = [
            ((axis - c) * step) ** 2 for axis, c, step in zip(grid, centre, spacing, strict=True)
        ]
        heights.append(radius - np.sqrt(sum(squares)))
    return read_only(np.maximum(0, np.max(heights, axis=0)).astype("float32"))


def row_of_balls(spacing, heights, diameter=8.0, slope=0.0, blur=0.8):
    """Blurred balls in a row along x, 2.5 diameters apart, and their labels.

    The background rises by `slope` per um along x. Intensity at the surface of a ball is half of
    its height.
    """
    field = np.array([2.5, 2.5, 2.5 * len(heights)]) * diameter
    shape = np.round(field / spacing).astype(int)
    z, y, x = (
        ((np.arange(length) + 0.5) * step).reshape(np.roll((-1, 1, 1), axis))
        for axis, (length, step) in enumerate(zip(shape, spacing, strict=True))
    )
    stack = (np.zeros(shape, "float32") + slope * x).astype("float32")
    labels = np.zeros(shape, int)
    for number, height in enumerate(heights):
        distance = np.sqrt(
            (z - field[0] / 2) ** 2
            + (y - field[1] / 2) ** 2
            + (x - 2.5 * diameter * (number + 0.5)) ** 2
        )
        ball = height / (1 + np.exp((distance - diameter / 2) * 4 / blur))
        stack += ball.astype("float32")
        labels[distance < diameter / 2] = number + 1
    return read_only(stack), labels
