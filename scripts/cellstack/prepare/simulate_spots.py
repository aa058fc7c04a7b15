"""Simulate a channel of bright spots, with the position of each."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from cellstack.core.planes import Allocate, Planes, Stack, slabs
from cellstack.core.types import Spacing
from cellstack.errors import InputError

FWHM = 2.354820045  # full width at half maximum of a Gaussian in standard deviations
BACKGROUND = 100.0  # photons
INTENSITY_SD = 0.2  # relative to the mean intensity of the spots
INTENSITY_RANGE = (0.5, 1.5)
CANDIDATES_PER_SPOT = 8
REACH = 4.0  # of a painted spot, in standard deviations
SLAB_VOXELS = 1 << 22  # that are painted at once


class SimulatedSpots(NamedTuple):
    """A simulated channel and its ground truth.

    Attributes
    ----------
    image : (Z, Y, X) ndarray or stack of uint16
    positions_um : (n, 3) ndarray of float
        Centres of the spots along z, y, x in um; the centre of the first voxel is at 0.
    intensities : (n,) ndarray of float
        Height of each spot above the background.
    """

    image: Stack
    positions_um: NDArray[np.float64]
    intensities: NDArray[np.float64]


def simulate_spots(
    shape: Sequence[int],
    spacing: Spacing,
    *,
    count: int,
    diameter_um: float,
    signal_to_noise: float,
    seed: int,
    diameter_z_um: float | None = None,
    inside: Planes | None = None,
    allocate: Allocate = np.empty,
) -> SimulatedSpots:
    """Simulate spots with photon noise, such as single molecules of RNA.

    Parameters
    ----------
    shape : (3,) sequence of int
        Numbers of planes, rows, columns.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    count : int
        Number of spots. Two of them are at least one diameter apart.
    diameter_um : float
        Full width at half maximum of a spot along y and x in um.
    signal_to_noise : float
        Mean height of the spots above the background, divided by the standard deviation of the
        noise of the background. The heights have a standard deviation of 20 %.
    seed : int
        Seed of the random numbers.
    diameter_z_um : float, optional
        Full width at half maximum along z in um; by default `diameter_um`.
    inside : (Z, Y, X) ndarray or planes of unsigned int, optional
        Labels of the objects in which the spots lie; by default they lie anywhere.
    allocate : callable
        Provides the image, which is painted a few planes at a time.

    Returns
    -------
    SimulatedSpots

    Raises
    ------
    InputError
        There is not enough space for the spots.

    Examples
    --------
    >>> options = {"count": 4, "diameter_um": 0.5, "signal_to_noise": 8, "seed": 0}
    >>> spots = simulate_spots((8, 30, 40), (0.4, 0.1, 0.1), **options)
    >>> spots.image.shape, spots.positions_um.shape
    ((8, 30, 40), (4, 3))
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    steps = np.asarray(spacing, float)
    diameters = np.array([diameter_z_um or diameter_um, diameter_um, diameter_um])
    positions = _scatter(rng, shape, steps, count, diameters, inside)
    relative = np.clip(rng.normal(1, INTENSITY_SD, len(positions)), *INTENSITY_RANGE)
    intensities = signal_to_noise * BACKGROUND**0.5 * relative
    image = allocate(shape, np.uint16)
    sigmas = diameters / FWHM
    starts, stops = _reach(positions, steps, sigmas, shape)
    painted: dict[int, list[NDArray[np.float64]]] = {}  # profiles of the spots in a slab
    for slab in slabs(shape, max_voxels=SLAB_VOXELS):
        first, end = slab.planes.start, slab.planes.stop
        signal = np.full([end - first, *shape[1:]], BACKGROUND)
        reaching = np.flatnonzero((starts[:, 0] < end) & (stops[:, 0] > first)).tolist()
        painted = {
            i: painted.get(i) or _profiles(positions[i], starts[i], stops[i], steps, sigmas)
            for i in reaching
        }
        for i, (z, y, x) in painted.items():
            top, bottom = max(starts[i, 0], first), min(stops[i, 0], end)
            part = z[top - starts[i, 0] : bottom - starts[i, 0]]
            box = [slice(*side) for side in zip(starts[i, 1:], stops[i, 1:], strict=True)]
            signal[top - first : bottom - first, *box] += (
                intensities[i] * part[:, None, None] * y[:, None] * x
            )
        image[slab.planes] = rng.poisson(signal).astype(np.uint16)
    return SimulatedSpots(image, positions, intensities)


def _reach(
    positions: NDArray[np.float64],
    spacing: NDArray[np.float64],
    sigmas: NDArray[np.float64],
    shape: Sequence[int],
) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
    """Return the first voxel of each spot along each axis, and the one after its last."""
    starts = np.floor((positions - REACH * sigmas) / spacing).astype(int)
    stops = np.ceil((positions + REACH * sigmas) / spacing).astype(int) + 1
    return np.maximum(starts, 0), np.minimum(stops, shape)


def _profiles(
    position: NDArray[np.float64],
    starts: NDArray[np.int_],
    stops: NDArray[np.int_],
    spacing: NDArray[np.float64],
    sigmas: NDArray[np.float64],
) -> list[NDArray[np.float64]]:
    """Return the profile of a spot along each axis."""
    return [
        np.exp(-0.5 * ((np.arange(start, stop) * step - at) / sigma) ** 2)
        for at, start, stop, step, sigma in zip(
            position, starts, stops, spacing, sigmas, strict=True
        )
    ]


def _scatter(
    rng: np.random.Generator,
    shape: Sequence[int],
    spacing: NDArray[np.float64],
    count: int,
    diameters: NDArray[np.float64],
    inside: Planes | None,
) -> NDArray[np.float64]:
    """Draw positions that are at least one diameter apart."""
    drawn = CANDIDATES_PER_SPOT * count
    if inside is None:
        places = rng.uniform(0, np.subtract(shape, 1), (drawn, 3))
    else:
        counts = [int(np.count_nonzero(plane)) for plane in inside]
        if sum(counts) == 0:
            raise InputError(f"count={count}: there are no objects to hold the spots; use 0")
        places = _voxels_of(rng.integers(sum(counts), size=drawn), inside, counts)
        places = np.clip(places + rng.uniform(-0.5, 0.5, (drawn, 3)), 0, np.subtract(shape, 1))
    positions: NDArray[np.float64] = places * spacing
    taken = np.zeros(drawn, bool)  # by an earlier position
    pairs = cKDTree(positions / diameters).query_pairs(1, output_type="ndarray")
    for earlier, later in pairs[np.lexsort(pairs.T[::-1])].tolist():
        taken[later] |= not taken[earlier]
    positions = positions[~taken][:count]
    if len(positions) < count:
        raise InputError(
            f"count={count}: there is space for about {len(positions)} spots that are one diameter "
            "apart; use fewer spots, or smaller ones"
        )
    return positions


def _voxels_of(
    chosen: NDArray[np.int_], inside: Planes, counts: Sequence[int]
) -> NDArray[np.float64]:
    """Return the places z, y, x of some of the voxels in objects, which are numbered in order."""
    places = np.empty((len(chosen), 3))
    stops = np.cumsum(counts)
    plane_of = np.searchsorted(stops, chosen, side="right")
    for z in np.unique(plane_of).tolist():
        own = plane_of == z
        numbers = chosen[own] - (stops[z] - counts[z])
        places[own] = np.column_stack([np.full(len(numbers), z), np.argwhere(inside[z])[numbers]])
    return places
