"""Triangles drawn into an image, the nearest one at each pixel."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FARTHEST = 2.0**31  # depths are compared as integers from 0 on
NO_FACE = np.uint64(np.iinfo(np.uint64).max)


class Raster(NamedTuple):
    """The triangles that are seen, and the pixels that show them."""

    pixels: NDArray[np.intp]
    """Of shape (k,): pixels in the flattened image, in ascending order."""
    faces: NDArray[np.intp]
    """Of shape (k,): index of the nearest triangle."""
    weights: NDArray[np.float64]
    """Of shape (k, 3): weights of the three vertices at the middle of the pixel; they sum to 1."""


def rasterize(
    points: NDArray[np.float64], faces: NDArray[np.integer], shape: tuple[int, int]
) -> Raster:
    """Draw triangles with a depth buffer.

    Parameters
    ----------
    points : (n, 3) ndarray of float64
        Row, column and depth of each vertex. Pixel centres are at whole numbers, and the smallest
        depth is the nearest. Triangles are clipped at the borders of the image.
    faces : (m, 3) ndarray of int
        Vertices of each triangle. Those that run counter-clockwise, with rows downwards, face the
        viewer; all others are left out.
    shape : (2,) tuple of int
        Rows and columns of the image.

    Returns
    -------
    Raster

    Examples
    --------
    >>> points = np.array([[0, 0, 5], [4, 0, 5], [0, 4, 5.0]])
    >>> seen = rasterize(points, np.array([[0, 1, 2]]), (2, 3))
    >>> seen.pixels.tolist(), seen.weights[5].tolist()
    ([0, 1, 2, 3, 4, 5], [0.25, 0.25, 0.5])
    """
    corners = points[faces]
    rows, columns, depths = corners[..., 0], corners[..., 1], corners[..., 2]
    # twice the area
    area = (rows[:, 1] - rows[:, 0]) * (columns[:, 2] - columns[:, 0]) - (
        rows[:, 2] - rows[:, 0]
    ) * (columns[:, 1] - columns[:, 0])
    top, left = (np.maximum(np.ceil(c.min(axis=1)), 0).astype(int) for c in (rows, columns))
    bottom, right = (
        np.minimum(np.floor(c.max(axis=1)), size - 1).astype(int)
        for c, size in ((rows, shape[0]), (columns, shape[1]))
    )
    extent = np.maximum(bottom - top, right - left)
    seen = np.flatnonzero((area > 0) & (bottom >= top) & (right >= left))
    low = depths.min(initial=np.inf)
    factor = (FARTHEST - 1) / max(depths.max(initial=0) - low, 1e-9) if len(faces) else 1.0
    nearest = np.full(shape[0] * shape[1], NO_FACE)
    size = 1
    # triangles of similar size together, pixel by pixel of their boxes
    while len(seen):
        own, seen = seen[extent[seen] < size], seen[extent[seen] >= size]
        r, c, d = rows[own], columns[own], (depths[own] - low) * factor
        for i in range(size) if len(own) else ():
            for j in range(size):
                row, column = top[own] + i, left[own] + j
                weights = _weights(r, c, row, column, area[own])
                inside = (weights[0] >= 0) & (weights[1] >= 0) & (weights[2] >= 0)
                inside &= (row <= bottom[own]) & (column <= right[own])
                hit = np.flatnonzero(inside)
                depth = sum(weights[k][hit] * d[hit, k] for k in range(3))
                key = (np.asarray(depth).astype(np.uint64) << np.uint64(32)) | own[hit].astype(
                    np.uint64
                )
                np.minimum.at(nearest, row[hit] * shape[1] + column[hit], key)
        size *= 2
    pixels = np.flatnonzero(nearest != NO_FACE)
    found = (nearest[pixels] & np.uint64(0xFFFFFFFF)).astype(np.intp)
    row, column = np.divmod(pixels, shape[1])
    weights = _weights(rows[found], columns[found], row, column, area[found])
    return Raster(pixels, found, np.stack(weights, axis=1))


def _weights(
    rows: NDArray[np.float64],
    columns: NDArray[np.float64],
    row: NDArray[np.intp],
    column: NDArray[np.intp],
    area: NDArray[np.float64],
) -> list[NDArray[np.float64]]:
    """Return the weights of the three vertices at one point of each triangle."""
    found = []
    for k in range(3):
        a, b = (k + 1) % 3, (k + 2) % 3
        part = (rows[:, a] - row) * (columns[:, b] - column) - (rows[:, b] - row) * (
            columns[:, a] - column
        )
        found.append(part / area)
    return found
