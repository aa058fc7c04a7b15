"""A stack on a coarser grid, for what changes little from voxel to voxel, and back.

Halo: one block of voxels, two for the way back.
"""

import functools

import cv2
import numpy as np

from cellstack import denoise, units, workers


def coarsen(stack, spacing, width_um):
    """Take the means of blocks of voxels that are at most `width_um` wide.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of float32
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    width_um : float
        An axis on which a voxel is more than half as wide stays as it is.

    Returns
    -------
    grid : (K, J, I) ndarray of float32
    spacing : tuple of float
        Voxel size of the grid along z, y, x in um.
    factors : tuple of int
        Voxels of the stack along z, y, x in one of the grid.
    """
    factors = tuple(max(1, int(width)) for width in units.in_voxels(width_um, spacing))
    wide = tuple(factor * step for factor, step in zip(factors, spacing, strict=True))
    return block_means(stack, factors), wide, factors


def block_means(stack, factors):
    """Take the mean over blocks of voxels; at the far faces, where a block is cut, the last voxels are repeated.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of float32
    factors : (3,) sequence of int
        Voxels along z, y, x in a block.

    Returns
    -------
    (K, J, I) ndarray of float32
    """
    z, y, x = factors
    grid = _empty_grid(stack.shape, factors)

    def take_mean(index):
        block = stack[index * z : (index + 1) * z]
        mean = block.mean(axis=0) if len(block) == z else (block.sum(axis=0) + block[-1] * np.float32(z - len(block))) / np.float32(z)
        mean = _pad(mean, y, x)
        grid[index] = mean.reshape(grid.shape[1], y, -1, x).mean(axis=(1, 3))

    workers.in_threads(take_mean, range(len(grid)), workers.useful_threads(stack))
    return grid


def block_maxima(stack, factors):
    """Take the maximum over blocks of voxels, as :func:`block_means` the mean."""
    z, y, x = factors
    grid = _empty_grid(stack.shape, factors)

    def take_maximum(index):
        plane = _pad(stack[index * z : (index + 1) * z].max(axis=0), y, x)
        plane = plane.reshape(grid.shape[1], y, -1).max(axis=1)
        grid[index] = functools.reduce(np.maximum, (plane[:, column::x] for column in range(x)))

    workers.in_threads(take_maximum, range(len(grid)), workers.useful_threads(stack))
    return grid


def _empty_grid(shape, factors):
    return np.empty([-(-length // factor) for length, factor in zip(shape, factors, strict=True)], np.float32)


def _pad(plane, *factors):
    """Repeat the last pixels until all blocks are whole."""
    return np.pad(plane, [(0, -length % factor) for length, factor in zip(plane.shape, factors, strict=True)], mode="edge")


def enlarge(grid, factors, shape):
    """Bring a grid back to the voxels of a stack, by cubic interpolation; what rises from 0 nowhere falls below.

    Parameters
    ----------
    grid : (K, J, I) ndarray of float32
        0 or more.
    factors : (3,) sequence of int
        As of :func:`block_means`.
    shape : (3,) sequence of int
        That of the stack.

    Returns
    -------
    (Z, Y, X) ndarray of float32
    """
    flat = grid.reshape(len(grid), -1)
    tall = np.empty((shape[0], flat.shape[1]), np.float32)
    for start in range(0, flat.shape[1], denoise.COLUMNS):
        block = flat[:, start : start + denoise.COLUMNS]
        tall[:, start : start + denoise.COLUMNS] = _resize(block, (len(grid) * factors[0], block.shape[1]))[: shape[0]]
    large = np.empty(shape, np.float32)

    def enlarge_plane(z):
        plane = tall[z].reshape(grid.shape[1:])
        wide = _resize(plane, [length * factor for length, factor in zip(plane.shape, factors[1:], strict=True)])
        np.maximum(wide[: shape[1], : shape[2]], 0, out=large[z])

    workers.in_threads(enlarge_plane, range(shape[0]), workers.useful_threads(large))
    return large


def _resize(plane, shape):
    return cv2.resize(plane, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
