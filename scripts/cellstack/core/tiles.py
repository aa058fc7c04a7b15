"""Histogram equalization in tiles of a stack, with limited contrast.

Intensities are divided into levels, and each tile maps levels to grey values, by the distribution
of its intensities. A voxel gets the grey value that is interpolated between those of the eight
tiles around it. All functions work plane by plane, on a stack or on a part of one.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cellstack.core import parallel
from cellstack.core.planes import Planes, Stack

LEVELS = 256
MAX_INTEGER = 65535  # intensities from 0 to 1 are rounded to integers up to it, as in scikit-image
MAX_GREY = (1 << 14) - 1
GREYS_PER_LEVEL = 1 + (MAX_GREY + 1) // LEVELS


class Tiles(NamedTuple):
    """The tiles of a stack.

    Attributes
    ----------
    sides : tuple of int
        Voxels of a tile along z, y and x. The last tiles can extend beyond the stack.
    low, high : int
        Lowest and highest intensity, as integers.
    maps : (K, J, I * LEVELS) ndarray or stack of uint16
        Grey value of each level, for the tiles along z, y and x.
    """

    sides: tuple[int, ...]
    low: int
    high: int
    maps: Stack


def measure_tiles(
    stack: Planes, sides: Sequence[int], clip_limit: float, no_data: Planes | None = None
) -> Tiles:
    """Measure the distribution of intensities in each tile of a stack.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray or planes of float32
        Intensities in [0, 1]. Each plane is read several times, and one is in memory at a time.
    sides : (3,) sequence of int
        Voxels of a tile along z, y and x.
    clip_limit : float
        Largest fraction of the voxels of a tile in one level. Those above it are distributed over
        all levels.
    no_data : (Z, Y, X) ndarray or planes of bool, optional
        Voxels that are left out, not all. A tile without data is like the nearest one with data.

    Returns
    -------
    Tiles

    Notes
    -----
    The same as in `skimage.exposure.equalize_adapthist`: tiles that extend beyond the stack contain
    its reflection.

    Examples
    --------
    >>> stack = np.float32([[[0, 0.1, 0.2, 1]]])
    >>> tiles = measure_tiles(stack, (1, 1, 2), clip_limit=1.0)
    >>> tiles.low, tiles.high, tiles.maps.shape
    (0, 65535, (1, 1, 512))
    >>> tiles.maps[0, 0, [0, 25, 252]]
    array([ 8191, 16383, 16383], dtype=uint16)
    """
    from skimage.exposure._adapthist import clip_histogram, map_histogram  # slow to import

    low, high = _range(stack, no_data)
    counts = [-(-length // side) for length, side in zip(stack.shape, sides, strict=True)]
    z_of, y_of, x_of = (
        np.pad(np.arange(length), (0, count * side - length), mode="reflect")
        for length, count, side in zip(stack.shape, counts, sides, strict=True)
    )
    layers, rows, columns = counts
    first_level = LEVELS * (
        (np.arange(len(y_of)) // sides[1] * columns)[:, None] + np.arange(len(x_of)) // sides[2]
    )
    table = _level_table(low, high)
    maps = np.zeros((layers, rows * columns, LEVELS), np.uint16)
    is_empty = np.zeros((layers, rows * columns), bool)
    for layer in range(layers):
        histograms = np.zeros(rows * columns * LEVELS, np.int64)
        for z in z_of[layer * sides[0] : (layer + 1) * sides[0]].tolist():
            keys = first_level + table[_integers(stack[z])][y_of][:, x_of]
            if no_data is not None:
                keys = keys[~no_data[z][y_of][:, x_of]]
            histograms += np.bincount(keys.ravel(), minlength=len(histograms))
        for tile, histogram in enumerate(histograms.reshape(-1, LEVELS)):
            voxels = int(histogram.sum())
            is_empty[layer, tile] = voxels == 0
            if voxels:
                limit = max(1, int(clip_limit * voxels))
                clipped = clip_histogram(histogram, limit)
                maps[layer, tile] = map_histogram(clipped, 0, MAX_GREY, voxels)
    if is_empty.any():
        from scipy.ndimage import distance_transform_edt  # slow to import

        places = distance_transform_edt(
            is_empty.reshape(counts), sides, return_distances=False, return_indices=True
        )
        maps = maps.reshape(*counts, LEVELS)[tuple(places)]
    return Tiles(tuple(sides), low, high, maps.reshape(layers, rows, columns * LEVELS))


def map_greys(part: Planes, tiles: Tiles, first: Sequence[int] = (0, 0, 0)) -> NDArray[np.uint16]:
    """Return the grey values of a part of a stack.

    Parameters
    ----------
    part : (Z, Y, X) ndarray or planes of float32
        Intensities in [0, 1]. Each plane is read once.
    tiles : Tiles
        Of the complete stack.
    first : (3,) sequence of int
        Voxel of the complete stack at which the part begins.

    Returns
    -------
    (Z, Y, X) ndarray of uint16
        From 0 to ``MAX_GREY``.

    Examples
    --------
    >>> stack = np.float32([[[0, 0.1, 0.2, 1]]])
    >>> tiles = measure_tiles(stack, (1, 1, 2), clip_limit=1.0)
    >>> map_greys(stack, tiles)
    array([[[ 8191, 16383, 12287, 16383]]], dtype=uint16)
    >>> map_greys(stack[:, :, 2:], tiles, (0, 0, 2))
    array([[[12287, 16383]]], dtype=uint16)
    """
    shape = tiles.maps.shape
    counts = (*shape[:2], shape[2] // LEVELS)
    before, weights = [], []  # for each axis, of the tiles before and after each voxel
    for start, length, side, count in zip(first, part.shape, tiles.sides, counts, strict=True):
        place, rest = np.divmod(np.arange(start, start + length) + side // 2, side)
        before.append(np.clip([place - 1, place], 0, count - 1))
        weights.append(np.array([1 - rest / side, rest / side]))
    ends = [(int(tile.min()), int(tile.max()) + 1) for tile in before]
    box = (slice(*ends[0]), slice(*ends[1]), slice(ends[2][0] * LEVELS, ends[2][1] * LEVELS))
    maps = np.ascontiguousarray(tiles.maps[box])
    of_z, of_y, of_x = (tile - start for tile, (start, _) in zip(before, ends, strict=True))
    table = _level_table(tiles.low, tiles.high)
    greys = np.empty(part.shape, np.uint16)

    def map_plane(z: int) -> None:
        levels = table[_integers(part[z])]
        total = np.zeros(levels.shape, np.float32)
        for beyond_z, beyond_y, beyond_x in np.ndindex(2, 2, 2):
            layer = maps[of_z[beyond_z, z]]
            mapped = layer[of_y[beyond_y][:, None], of_x[beyond_x] * LEVELS + levels]
            # in the order of scikit-image, so that sums are rounded in the same way
            weight = weights[2][beyond_x] * weights[1][beyond_y][:, None] * weights[0][beyond_z, z]
            total += (mapped * weight).astype(np.float32)
        greys[z] = total

    parallel.map_threads(map_plane, range(len(part)), parallel.threads_for(part))
    return greys


def _range(stack: Planes, no_data: Planes | None) -> tuple[int, int]:
    """Return the lowest and the highest intensity, as integers."""
    low, high = MAX_INTEGER, 0
    for z, plane in enumerate(stack):
        integers = _integers(plane if no_data is None else plane[~no_data[z]])
        low = min(low, int(integers.min(initial=MAX_INTEGER)))
        high = max(high, int(integers.max(initial=0)))
    return low, high


def _integers(values: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Round intensities from 0 to 1 to integers."""
    integers: NDArray[np.uint16] = np.rint(values * np.float32(MAX_INTEGER)).astype(np.uint16)
    return integers


def _level_table(low: int, high: int) -> NDArray[Any]:
    """Return the level of each integer."""
    integers = np.clip(np.arange(MAX_INTEGER + 1), low, high)
    greys = np.round((integers - low) / max(1, high - low) * MAX_GREY).astype(int)
    return greys // GREYS_PER_LEVEL
