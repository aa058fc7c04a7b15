"""Layout of a simulated colony: sizes, shapes and positions of its nuclei, in um."""

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from cellstack.core.counting import agree, counted
from cellstack.errors import InputError

Floats: TypeAlias = NDArray[np.floating[Any]]
Integers: TypeAlias = NDArray[np.int64]

# Lengths are fractions of the diameter of a nucleus.
DIAMETER_SD = 0.12
AXIS_LENGTHS = (0.75, 1.1)  # range of the axes of a nucleus, before they are scaled to its volume
OVERHANG = 0.25  # largest distance of a centre outside a lateral face
CELL_REACH = 0.3  # lateral distance from a nucleus to the free surface of its cell
CELL_FLATNESS = 2.0  # ratio of this distance to that above and below the nucleus
NUCLEUS_DENSITY = 0.32  # volume fraction of nuclei in an unconstrained colony
SPREADING_GAP = 0.25  # gap between nuclei while they spread
FINAL_GAP = 0.06
BOND_GAP = -0.06  # gap between nuclei in contact
BOND_FRACTION = 0.3  # fraction of nuclei that are pulled towards a neighbour


class Colony(NamedTuple):
    """The nuclei of a colony.

    Attributes
    ----------
    diameter : float
        Mean diameter in um.
    mitotic : int
        Index of the mitotic nucleus.
    centres, semiaxes : (n, 3) ndarray of float
        In um.
    rotations : (n, 3, 3) ndarray of float
        To the frame of the axes.
    dents : (n, 3, 3) ndarray of float
        Three directions that define the dents of a nucleus.
    """

    diameter: float
    mitotic: int
    centres: Floats
    semiaxes: Floats
    rotations: Floats
    dents: Floats


def lay_out(rng: np.random.Generator, field: Floats, diameter: float, count: int) -> Colony:
    """Draw sizes, shapes and positions of nuclei.

    Parameters
    ----------
    rng : numpy.random.Generator
    field : (3,) ndarray of float
        Size of the field of view along z, y, x in um.
    diameter : float
        Mean diameter of a nucleus in um.
    count : int
        Number of nuclei.

    Returns
    -------
    Colony

    Raises
    ------
    InputError
        There is not enough space for the nuclei.

    Examples
    --------
    >>> colony = lay_out(np.random.default_rng(0), np.array([20.0, 40.0, 60.0]), 8.0, 5)
    >>> colony.centres.shape
    (5, 3)
    """
    limits = 1 - 3 * DIAMETER_SD, 1 + 3 * DIAMETER_SD
    size = diameter * np.clip(rng.normal(1, DIAMETER_SD, (count, 1)), *limits)
    axes = rng.uniform(*AXIS_LENGTHS, (count, 3))
    semiaxes = size / 2 * axes / portable(np.cbrt, axes.prod(axis=1, keepdims=True))
    rotations = Rotation.from_quat(rng.normal(size=(count, 4))).as_matrix()
    dents = rng.normal(size=(count, 3, 3))
    dents /= np.linalg.norm(dents, axis=2, keepdims=True)
    # in a stack that is deep enough, no cell is cut by the first or last plane
    margin = min((0.62 + CELL_REACH / CELL_FLATNESS) * diameter, field[0] / 2)
    low = np.array([margin, -OVERHANG * diameter, -OVERHANG * diameter])
    high = field - low
    centres = _scatter(rng, low, high, field, diameter, count)
    centres = _relax(rng, centres, rotations / semiaxes[:, :, None], low, high, diameter)
    depth_in_field = np.minimum(centres, field - centres)[:, 1:].min(axis=1)
    inner = np.flatnonzero(depth_in_field >= min(diameter, depth_in_field.max()))
    return Colony(diameter, int(rng.choice(inner)), centres, semiaxes, rotations, dents)


def portable(function: np.ufunc, values: Floats) -> NDArray[np.float32]:
    """Return the values of a function such as `numpy.exp`, the same on any processor.

    The last bits of NumPy's exponentials, sines and roots depend on the processor. Here they are
    computed in float64, and rounding to float32 removes the bits that differ.

    Parameters
    ----------
    function : ufunc
        Of one argument.
    values : ndarray of float

    Returns
    -------
    ndarray of float32

    Examples
    --------
    >>> portable(np.sqrt, np.array([4.0, 9.0]))
    array([2., 3.], dtype=float32)
    """
    portable: NDArray[np.float32] = function(values, dtype=np.float64).astype(np.float32)
    return portable


def _scatter(
    rng: np.random.Generator, low: Floats, high: Floats, field: Floats, diameter: float, count: int
) -> Floats:
    """Draw centres in a lobed region, just large enough for `count` nuclei, near the middle."""
    candidates = rng.uniform(low, high, (50 * count, 3))
    middle = field * np.append(0.5, rng.uniform(0.3, 0.7, 2))
    z, y, x = ((candidates - middle) / (field / 2)).T
    phases = rng.uniform(0, 2 * np.pi, 2)
    angle = np.arctan2(y, x)
    outline = 1 + 0.12 * np.sin(2 * angle + phases[0]) + 0.08 * np.sin(3 * angle + phases[1])
    outwards = np.argsort((y**2 + x**2) / outline**2 + z**2, kind="stable")
    available = float(np.prod(high - low + (diameter, 0, 0)))
    needed = count * np.pi / 6 * diameter**3 / NUCLEUS_DENSITY
    region = outwards[: max(count, int(len(candidates) * min(1, needed / available)))]
    centres: Floats = candidates[rng.choice(region, count, replace=False)]
    return centres


def _relax(
    rng: np.random.Generator,
    centres: Floats,
    shapes: Floats,
    low: Floats,
    high: Floats,
    diameter: float,
    spread_steps: int = 60,
    steps: int = 400,
) -> Floats:
    """Push nuclei apart until none overlap, and pull the pairs in contact together."""
    count = len(centres)
    bonds = np.empty(0, int)
    for step in range(spread_steps + steps):
        pairs, gaps, directions = _gaps(centres, shapes, diameter)
        keys = pairs[:, 0] * count + pairs[:, 1]
        if step == spread_steps:
            bonds = _choose_bonds(rng, pairs, gaps, keys, count, diameter)
        is_bond = np.isin(keys, bonds)
        free_gap = SPREADING_GAP if step < spread_steps else FINAL_GAP
        target = np.where(is_bond, BOND_GAP, free_gap) * diameter
        move = np.where(is_bond, target - gaps, np.maximum(target - gaps, 0))
        if step > spread_steps and np.abs(move).max(initial=0) < 0.01 * diameter:
            break
        push = np.zeros_like(centres)
        np.add.at(push, pairs[:, 1], 0.4 * move[:, None] * directions)
        np.add.at(push, pairs[:, 0], -0.4 * move[:, None] * directions)
        centres = np.clip(centres + push, low, high)
    else:
        overlapping = gaps < 1.5 * BOND_GAP * diameter
        if overlapping.any():
            fitting = count - _count_surplus(pairs[overlapping])
            raise InputError(
                f"nuclei_count={count}: only {counted(fitting, 'nuclei')} of {diameter:g} um "
                f"{agree(fitting, 'fits', 'fit')}; "
                "use fewer nuclei or a larger shape"
            )
    return centres


def _count_surplus(overlapping: Integers) -> int:
    """Return how many nuclei must be removed, the worst first, until no pair overlaps."""
    count = 0
    while len(overlapping):
        worst = np.bincount(overlapping.ravel()).argmax()
        overlapping = overlapping[(overlapping != worst).all(axis=1)]
        count += 1
    return count


def _gaps(centres: Floats, shapes: Floats, diameter: float) -> tuple[Integers, Floats, Floats]:
    """Return neighbours (first < second), the gaps between their surfaces, and their directions.

    Gaps are measured along the line that connects the centres.
    """
    pairs = cKDTree(centres).query_pairs(2 * diameter, output_type="ndarray")
    pairs = pairs[np.lexsort(pairs.T)]
    # the small offset gives a direction to two nuclei at the same position, as in a corner
    lines = centres[pairs[:, 1]] - centres[pairs[:, 0]] + (0, 0, 1e-9)
    lengths = np.linalg.norm(lines, axis=1)
    directions = lines / lengths[:, None]
    radii = [
        1 / np.linalg.norm((shapes[each] * directions[:, None]).sum(axis=2), axis=1)
        for each in pairs.T
    ]
    return pairs, lengths - radii[0] - radii[1], directions


def _choose_bonds(
    rng: np.random.Generator,
    pairs: Integers,
    gaps: Floats,
    keys: Integers,
    count: int,
    diameter: float,
) -> Integers:
    """Return the keys of the pairs in contact: some nuclei, each with its nearest neighbour."""
    nuclei = pairs.ravel()
    pair_of = np.repeat(np.arange(len(pairs)), 2)
    order = np.lexsort((gaps[pair_of], nuclei))
    nuclei, first = np.unique(nuclei[order], return_index=True)
    nearest = pair_of[order][first]
    seeking = (rng.random(count) < BOND_FRACTION)[nuclei] & (gaps[nearest] < diameter / 2)
    return keys[nearest[seeking]]
