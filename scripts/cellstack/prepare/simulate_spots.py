"""Simulate a channel of bright spots, with the position of each."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from cellstack.core.types import Labels, Spacing
from cellstack.errors import InputError

FWHM = 2.354820045  # full width at half maximum of a Gaussian in standard deviations
BACKGROUND = 100.0  # photons
INTENSITY_SD = 0.2  # relative to the mean intensity of the spots
INTENSITY_RANGE = (0.5, 1.5)
CANDIDATES_PER_SPOT = 8
REACH = 4.0  # of a painted spot, in standard deviations


class SimulatedSpots(NamedTuple):
    """A simulated channel and its ground truth.

    Attributes
    ----------
    image : (Z, Y, X) ndarray of uint16
    positions_um : (n, 3) ndarray of float
        Centres of the spots along z, y, x in um; the centre of the first voxel is at 0.
    intensities : (n,) ndarray of float
        Height of each spot above the background.
    """

    image: NDArray[np.uint16]
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
    inside: Labels | None = None,
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
    inside : (Z, Y, X) ndarray of unsigned int, optional
        Labels of the objects in which the spots lie; by default they lie anywhere.

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
    signal = np.full(shape, BACKGROUND)
    sigmas = diameters / FWHM
    for position, intensity in zip(positions, intensities, strict=True):
        box, profiles = [], []
        for at, step, sigma, length in zip(position, steps, sigmas, shape, strict=True):
            start = max(0, int(np.floor((at - REACH * sigma) / step)))
            stop = min(length, int(np.ceil((at + REACH * sigma) / step)) + 1)
            box.append(slice(start, stop))
            profiles.append(np.exp(-0.5 * ((np.arange(start, stop) * step - at) / sigma) ** 2))
        z, y, x = profiles
        signal[tuple(box)] += intensity * z[:, None, None] * y[:, None] * x
    return SimulatedSpots(rng.poisson(signal).astype(np.uint16), positions, intensities)


def _scatter(
    rng: np.random.Generator,
    shape: Sequence[int],
    spacing: NDArray[np.float64],
    count: int,
    diameters: NDArray[np.float64],
    inside: Labels | None,
) -> NDArray[np.float64]:
    """Draw positions that are at least one diameter apart."""
    drawn = CANDIDATES_PER_SPOT * count
    if inside is None:
        places = rng.uniform(0, np.subtract(shape, 1), (drawn, 3))
    else:
        voxels = np.flatnonzero(inside)
        if len(voxels) == 0:
            raise InputError(f"count={count}: there are no objects to hold the spots; use 0")
        chosen = rng.choice(voxels, drawn)
        places = np.column_stack(np.unravel_index(chosen, shape)).astype(float)
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
