"""Distinction of spots from edges and lines."""

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cellstack.core.planes import Stack
from cellstack.core.scales import TRUNCATE
from cellstack.core.types import Spacing
from cellstack.spots.boxes import read_boxes
from cellstack.spots.fit_spots import FWHM, VOXELS_PER_BATCH


def measure_roundness(
    raw: Stack,
    spacing: Spacing,
    voxels: NDArray[np.intp],
    diameters_um: Sequence[float],
    filter_sigma: float,
) -> NDArray[np.float64]:
    """Return how similar bright places are to a spot, instead of an edge or a line.

    Parameters
    ----------
    raw, spacing, voxels, diameters_um
        See :func:`cellstack.spots.fit_spots.fit_spots`.
    filter_sigma : float
        Sigma of the Gaussian that smooths the image, in standard deviations of a spot.

    Returns
    -------
    (n,) ndarray of float
        The least curvature of the smoothed image in any direction, divided by the mean of all
        directions: 1 for a spot, about 0 on an edge or a line, and below 0 at a saddle. Along each
        axis, curvature is measured in units of that of a spot. An axis of one voxel is left out.

    Examples
    --------
    >>> stack = np.zeros((3, 15, 15), np.float32)
    >>> stack[:, 5] = 1  # a line
    >>> stack[1, 11, 7] = 1
    >>> voxels = np.array([[1, 5, 7], [1, 11, 7]])
    >>> roundness = measure_roundness(stack, (1, 1, 1), voxels, (2.0, 2.0, 2.0), 1.0)
    >>> roundness.round(1).tolist()
    [-0.0, 1.0]
    """
    kernels, units = [], []  # of each axis
    for step, diameter in zip(spacing, diameters_um, strict=True):
        sigma = diameter / FWHM / step
        width = filter_sigma * sigma
        radius = int(TRUNCATE * width + 0.5) + 1
        offsets = np.arange(-radius, radius + 1)
        kernel = np.exp(-0.5 * ((offsets[:, None] - (-1, 0, 1)) / width) ** 2)
        kernel /= kernel.sum(axis=0)
        before, at, after = np.exp(-0.5 * (offsets / sigma) ** 2) @ kernel
        kernels.append(kernel)
        units.append(2 - (before + after) / at)
    radii = [len(kernel) // 2 for kernel in kernels]
    size = max(1, VOXELS_PER_BATCH // int(np.prod([len(kernel) for kernel in kernels])))
    axes = [axis for axis in range(3) if raw.shape[axis] > 1]
    found = [np.empty(0)]
    for start in range(0, len(voxels), size):
        values, _, _ = read_boxes(raw, voxels[start : start + size], radii)
        # the smoothed image at the voxel and its neighbours, of shape (n, 3, 3, 3)
        smooth = np.einsum(
            "nzyx,zc,yb,xa->ncba",
            values,
            *kernels,
            optimize=["einsum_path", (0, 3), (0, 2), (0, 1)],
        )
        curvatures = np.empty((len(values), len(axes), len(axes)))
        for (i, one), (j, other) in itertools.product(enumerate(axes), repeat=2):
            second = _second_difference(smooth, one, other)
            curvatures[:, i, j] = second / np.sqrt(units[one] * units[other])
        principal = np.linalg.eigvalsh(curvatures)
        mean = principal.mean(axis=1)
        found.append(np.where(mean > 0, principal[:, 0] / np.where(mean > 0, mean, 1), 0))
    return np.concatenate(found)


def _second_difference(smooth: NDArray[np.float64], one: int, other: int) -> NDArray[np.float64]:
    """Return the negative second difference along two axes, at the middle of each box."""
    weights = [np.array([0.0, 1.0, 0.0])] * 3
    if one == other:
        weights[one] = np.array([-1.0, 2.0, -1.0])
    else:
        weights[one], weights[other] = np.array([0.5, 0.0, -0.5]), np.array([-0.5, 0.0, 0.5])
    difference: NDArray[np.float64] = np.einsum("nzyx,z,y,x->n", smooth, *weights)
    return difference
