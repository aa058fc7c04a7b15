"""Bright blobs of about one size: their positions, and their contrast to their surroundings."""

from itertools import pairwise
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from cellstack.core import filters, maxima, parallel, resampling
from cellstack.core.planes import Planes, Stack
from cellstack.core.scales import CENTRE_WIDTH, FILTER_GRID, SEARCH_GRID
from cellstack.core.types import BoolVolume, Spacing, Volume
from cellstack.core.voxels import in_voxels

MAX_WITHOUT_DATA = 0.5  # of a voxel of the grid, to count as data
BACKGROUND_PERCENTILE = 20  # low enough in a crowd of blobs, high enough in noise


def blobness(stack: Stack, spacing: Spacing, sigma_um: float, out: Any = None) -> Volume:
    """Return the positive part of the negative, scale-normalized Laplacian of Gaussian.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray or stack of float32
        Denoised intensities.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    sigma_um : float
        Standard deviation of the Gaussian in um.
    out : (Z, Y, X) ndarray or scratch stack of float32, optional
        For the result, see :func:`cellstack.core.filters.separable_filter`.

    Returns
    -------
    (Z, Y, X) ndarray of float32
        Or `out`. ``-sigma**2`` times the Laplacian in um, in the unit of `stack`; 0 where that is
        negative or within rounding of 0.

    Notes
    -----
    The Laplacian is a sum of second differences of the smoothed stack, whose edge voxels are
    repeated outward. `scipy.ndimage.gaussian_laplace` samples the derivatives of the Gaussian
    instead: the same for a sigma of several voxels, wrong for one of less than a voxel, as may
    happen along z.

    For a sigma of ten voxels or more the filter is computed on a grid with voxels of at most a
    fifth of sigma, since so smooth a result hardly changes from voxel to voxel.

    Examples
    --------
    >>> stack = np.zeros((9, 9, 9), np.float32)
    >>> stack[3:6, 3:6, 3:6] = 1
    >>> response = blobness(stack, (1.0, 1.0, 1.0), 1.5)
    >>> [int(i) for i in np.unravel_index(response.argmax(), response.shape)]
    [4, 4, 4]
    """
    if is_wide(sigma_um, spacing):
        response, factors = _blobness_on_grid(stack, spacing, sigma_um)
        return resampling.enlarge(response, factors, stack.shape, out)
    smooth = filters.separable_filter(stack, filters.gaussian_kernels(sigma_um, spacing), out)
    sigmas = in_voxels(sigma_um, spacing)
    # The absolute weights of a second difference sum to 4. A smaller response may be rounding,
    # which would give maxima in a flat background.
    highest = max((plane.max(initial=0) for plane in smooth), default=np.float32(0))
    rounding = 4 * np.finfo(np.float32).eps * sum(sigma**2 for sigma in sigmas) * highest
    squares = [np.float32(sigma**2) for sigma in sigmas]
    threads = parallel.threads_for(stack)
    ends = np.linspace(0, len(smooth), threads + 1).astype(int).tolist()
    # The result replaces the smoothed stack plane by plane, so differences between the planes of
    # two threads are taken first.
    steps = {
        z: squares[0] * (smooth[z] - smooth[z - 1]) if 0 < z < len(smooth) else np.float32(0)
        for z in ends
    }

    def take_differences(planes: range) -> None:
        from_previous = steps[planes.start]
        for z in planes:
            plane = smooth[z]
            is_last = z + 1 == planes.stop
            to_next = steps[z + 1] if is_last else squares[0] * (smooth[z + 1] - plane)
            total = np.subtract(from_previous, to_next, out=np.empty_like(plane))
            for square, along, result in (
                (squares[1], plane, total),
                (squares[2], plane.T, total.T),
            ):
                step = square * np.diff(along, axis=0)
                result[:-1] -= step
                result[1:] += step
            smooth[z] = np.where(total > rounding, total, np.float32(0))
            from_previous = to_next

    parts = [range(start, stop) for start, stop in pairwise(ends)]
    parallel.map_threads(take_differences, parts, threads)
    return smooth


def blobness_of_planes(stack: Stack, spacing: Spacing, sigma_um: float) -> Planes:
    """Return the response of :func:`blobness`, whose planes may be computed when they are read.

    Parameters
    ----------
    stack, spacing, sigma_um
        See :func:`blobness`.

    Returns
    -------
    (Z, Y, X) ndarray or planes of float32

    Examples
    --------
    >>> blobness_of_planes(np.ones((4, 9, 9), np.float32), (1.0, 0.1, 0.1), 2.0)[3].max()
    np.float32(0.0)
    """
    if is_wide(sigma_um, spacing):
        response, factors = _blobness_on_grid(stack, spacing, sigma_um)
        return resampling.enlarged_planes(response, factors, stack.shape)
    return blobness(stack, spacing, sigma_um)


def _blobness_on_grid(
    stack: Stack, spacing: Spacing, sigma_um: float
) -> tuple[Volume, tuple[int, ...]]:
    """Return the response on a coarse grid, and the voxels of the stack in one of its voxels."""
    coarse, wide, factors = resampling.coarsen(stack, spacing, sigma_um * FILTER_GRID)
    return blobness(coarse, wide, sigma_um), factors


def is_wide(sigma_um: float, spacing: Spacing) -> bool:
    """Return whether :func:`blobness` is computed on a coarse grid."""
    return sigma_um * FILTER_GRID >= 2 * min(spacing)


class Grid(NamedTuple):
    """A smoothed stack on a coarse grid, on which blobs are described.

    Attributes
    ----------
    factors : tuple of int
        Voxels of the stack in one voxel of the grid, along z, y, x.
    spacing : tuple of float
        Voxel size of the grid along z, y, x in um.
    means : (K, J, I) ndarray of float32
        Mean intensities of the voxels of the stack in each voxel of the grid.
    smooth : (K, J, I) ndarray of float32
        Smoothed intensities on the grid.
    has_data : (K, J, I) ndarray of bool
        Whether at least half of the voxels in a voxel of the grid have data.
    """

    factors: tuple[int, ...]
    spacing: tuple[float, ...]
    means: Volume
    smooth: Volume
    has_data: BoolVolume


class Blobs(NamedTuple):
    """Bright blobs of a stack, found on a coarse grid.

    Attributes
    ----------
    factors, spacing, means, smooth, has_data
        See :class:`Grid`.
    centres : (n, 3) ndarray of int
        Voxel of the grid at the centre of each blob.
    backgrounds : (n,) ndarray of float32
        Intensity of the surroundings of each blob.
    contrasts : (n,) ndarray of float32
        Intensity at the centre of each blob minus its background.
    responses : (n,) ndarray of float32
        Response of the blob filter at each centre, see :func:`blobness`.
    """

    factors: tuple[int, ...]
    spacing: tuple[float, ...]
    means: Volume
    smooth: Volume
    has_data: BoolVolume
    centres: NDArray[np.intp]
    backgrounds: NDArray[np.float32]
    contrasts: NDArray[np.float32]
    responses: NDArray[np.float32]

    @property
    def grid(self) -> Grid:
        """The smoothed stack."""
        return Grid(self.factors, self.spacing, self.means, self.smooth, self.has_data)


def find_blobs(
    stack: Stack,
    spacing: Spacing,
    sigma_um: float,
    min_distance_um: float,
    background_radius_um: float,
    no_data: BoolVolume | None = None,
) -> Blobs:
    """Find bright blobs of about one size, and measure their contrast.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray or stack of float32
        Denoised intensities.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    sigma_um : float
        Standard deviation of the blob filter in um, see :func:`blobness`.
    min_distance_um : float
        Minimum distance between the centres of two blobs in um.
    background_radius_um : float
        Radius in um of the ball around the centre of a blob in which its background is measured,
        as a low percentile.
    no_data : (Z, Y, X) ndarray of bool, optional
        Voxels without data. No blob is searched for there, and they do not count as background.

    Returns
    -------
    Blobs

    Examples
    --------
    >>> stack = np.full((12, 12, 24), 0.1, np.float32)
    >>> stack[4:8, 4:8, 4:8] = 0.5
    >>> stack[4:8, 4:8, 16:20] = 0.9
    >>> blobs = find_blobs(stack, (1.0, 1.0, 1.0), 2.0, 4.0, 6.0)
    >>> len(blobs.centres)
    2
    >>> blobs.backgrounds.round(1)
    array([0.1, 0.1], dtype=float32)
    """
    coarse, wide, factors = resampling.coarsen(stack, spacing, sigma_um * SEARCH_GRID)
    response = blobness(coarse, wide, sigma_um)
    grid = _smooth_grid(coarse, wide, factors, sigma_um, no_data)
    response[~grid.has_data] = 0
    centres, responses = maxima.list_peaks(response, wide, min_distance_um=min_distance_um)
    ball = ball_of(background_radius_um, wide)
    backgrounds = np.empty(len(centres), np.float32)
    for index, centre in enumerate(centres.tolist()):
        around = values_around(grid.smooth, centre, ball, grid.has_data)
        backgrounds[index] = np.percentile(around, BACKGROUND_PERCENTILE)
    heights = grid.smooth[tuple(centres.T)]
    return Blobs(*grid, centres, backgrounds, heights - backgrounds, responses)


def smooth_on_grid(
    stack: Stack, spacing: Spacing, sigma_um: float, no_data: BoolVolume | None = None
) -> Grid:
    """Return the grid on which :func:`find_blobs` describes blobs, without a search for them.

    Parameters
    ----------
    stack, spacing, sigma_um, no_data
        See :func:`find_blobs`.

    Examples
    --------
    >>> smooth_on_grid(np.ones((4, 9, 9), np.float32), (1.0, 0.5, 0.5), 3.0).factors
    (1, 2, 2)
    """
    return _smooth_grid(
        *resampling.coarsen(stack, spacing, sigma_um * SEARCH_GRID), sigma_um, no_data
    )


def _smooth_grid(
    coarse: Volume,
    wide: tuple[float, ...],
    factors: tuple[int, ...],
    sigma_um: float,
    no_data: BoolVolume | None,
) -> Grid:
    has_data = np.ones(coarse.shape, bool)
    if no_data is not None:
        has_data = resampling.block_means(cast(Volume, no_data), factors) <= MAX_WITHOUT_DATA
    smooth = filters.gaussian(coarse, wide, sigma_um=sigma_um * CENTRE_WIDTH)
    return Grid(factors, wide, coarse, smooth, has_data)


def ball_of(radius_um: float, spacing: Spacing) -> BoolVolume:
    """Return the voxels within a radius of the centre voxel, without rounding the radius."""
    reaches = [int(length) for length in in_voxels(radius_um, spacing)]
    offsets = np.ogrid[tuple(slice(-reach, reach + 1) for reach in reaches)]
    squares = [(along * step) ** 2 for along, step in zip(offsets, spacing, strict=True)]
    return np.asarray(sum(squares) <= radius_um**2)


def values_around(
    values: Volume, centre: list[int], ball: BoolVolume, selected: BoolVolume
) -> NDArray[np.float32]:
    """Return the values in the part of a ball that lies within an image and is selected."""
    in_values, in_ball = [], []
    for place, length, width in zip(centre, values.shape, ball.shape, strict=True):
        reach = width // 2
        start, stop = max(place - reach, 0), min(place + reach + 1, length)
        in_values.append(slice(start, stop))
        in_ball.append(slice(start - place + reach, stop - place + reach))
    counted = ball[tuple(in_ball)] & selected[tuple(in_values)]
    return values[tuple(in_values)][counted]
