"""Compare planes with those beside them: their order, shifts, and steps of the brightness."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cellstack.core.planes import Stack

Correlations = NDArray[np.float64]

# Correlation of the planes on both sides of a plane, minus the higher one with this plane: at most
# 0 in real stacks, and 0.4 in simulated ones with few objects in a plane
MAX_OUT_OF_ORDER = 0.5
# These were chosen on real stacks, some without every second or third plane, and simulated ones:
MIN_CORRELATION = 0.75  # of planes that are alike enough to find a shift or a step
MIN_GAIN = 0.05  # of the correlation of shifted planes
PARTS = 3  # along y and x, of the field of view
MIN_PARTS = 3  # whose correlation is higher, so that not only one object is in another place
MIN_SHARE = 0.1  # of a part, of the higher covariance
MIN_CORRELATION_AROUND = 0.85  # of the planes beside an abrupt change
MIN_DROP = 0.4  # of the correlation, by an abrupt change
MIN_STEP, MIN_STEP_OF_BACKGROUND = 0.6, 0.08  # logarithms of the ratio
BACKGROUND_PERCENTILE = 5
MIN_PLANES_TO_ORDER = 8
MAX_SIDE = 128  # blocks along y and x, of which planes are compared with all others
MIN_ADVANTAGE = 0.02  # of the correlation with another plane over that with those beside a plane
MAX_MISPLACED = (
    0.4  # of the planes: at most 0.36 in simulated stacks with few objects, 0 in real ones
)
NEIGHBOURS = 2  # pairs of planes on each side with which a pair is compared


class Compared(NamedTuple):
    """Planes that differ from those beside them, from 0.

    Attributes
    ----------
    misplaced : list of int
        Most like a plane that is not beside it. Empty unless this is true of many planes.
    displaced : list of int
        Unlike both neighbours, which are alike.
    shifted : list of int
        Shifted along y or x relative to the plane before.
    unlike : list of int
        Unlike the plane before, although the planes before it are alike, and those after it too.
    brighter : list of int
        Much brighter or darker than the plane before.
    """

    misplaced: list[int]
    displaced: list[int]
    shifted: list[int]
    unlike: list[int]
    brighter: list[int]


def compare_planes(blocks: Stack, is_sharp: NDArray[np.bool_]) -> Compared:
    """Compare each plane with those beside it.

    Parameters
    ----------
    blocks : (Z, J, I) array of float32
        Means of blocks of pixels; NaN where there are no data.
    is_sharp : (Z,) ndarray of bool
        Planes that can be compared, because they have enough signal and are in focus.

    Returns
    -------
    Compared
        A plane is in one of the lists at most, except that a shifted one can be brighter. The
        others are empty if planes are misplaced.

    Notes
    -----
    Planes are misplaced if more than 40 % of them have a correlation of at least 0.75 with a plane
    that is not beside them, 0.02 higher than with those beside them.

    A plane is displaced if the planes on both sides of it are correlated with each other more, by
    0.5, than with it, positively or negatively. The others are compared with the plane before, and
    this pair of planes with the two pairs before and after it:

    - The shift of a plane is that, in whole blocks, with which it is most correlated with the plane
      before. This correlation is at least 0.75, and 0.05 higher than without a shift, because of at
      least three of 3 x 3 parts of the plane: where there are few objects, one of them may end
      where another begins. Oblique objects shift all planes, and planes that are far apart have
      little in common. Therefore at most one of the other pairs may be shifted too, and the median
      of their correlations is at least 0.75.
    - A plane is unlike the plane before if their correlation is lower, by 0.4, than those of all
      four other pairs, the median of which is at least 0.85.
    - A plane is brighter or darker if, relative to all four other pairs, the standard deviation of
      the plane changes by a factor of at least 1.8, and percentile 5, the background, in the same
      direction by at least 8 %. Objects that begin or end change only the former. The correlation,
      and the median of the others, are at least 0.75.

    Examples
    --------
    >>> blocks = np.ones((12, 12, 12), np.float32)
    >>> blocks[:6, 1::4, 1::4], blocks[6:, 1::4, 2::4] = 3, 3
    >>> blocks[9:] *= 2
    >>> compare_planes(blocks, np.ones(12, bool))
    Compared(misplaced=[], displaced=[], shifted=[6], unlike=[], brighter=[9])
    """
    if misplaced := _find_misplaced(blocks, is_sharp):
        return Compared(misplaced, [], [], [], [])
    count = len(blocks)
    near, far = (
        np.array([_correlate(blocks, z, step, is_sharp) for z in range(count - step)])
        for step in (1, 2)
    )
    displaced = _find_displaced(near, far)
    for z in displaced:
        near[max(0, z - 1) : z + 1] = np.nan
    shifted = _find_shifted(blocks, near)
    unlike = [z for z in _find_unlike(near) if z not in shifted]
    return Compared([], displaced, shifted, unlike, _find_brighter(blocks, near))


def _find_misplaced(blocks: Stack, is_sharp: NDArray[np.bool_]) -> list[int]:
    """Find planes that are more like planes elsewhere; none if these are few."""
    planes = np.flatnonzero(is_sharp)
    steps = [math.ceil(size / MAX_SIDE) for size in blocks.shape[1:]]
    if len(planes) < MIN_PLANES_TO_ORDER:
        return []
    values = np.stack([blocks[z][:: steps[0], :: steps[1]].ravel() for z in planes])
    values -= np.nanmean(values, axis=1, keepdims=True)
    values = np.nan_to_num(values)
    norms = np.linalg.norm(values, axis=1)
    values /= np.where(norms > 0, norms, 1)[:, None]
    correlations = values @ values.T
    distances = abs(planes[:, None] - planes)
    beside, elsewhere = (
        np.where(mask, correlations, -1).max(axis=1) for mask in (distances == 1, distances > 1)
    )
    is_misplaced = (elsewhere >= MIN_CORRELATION) & (elsewhere - beside >= MIN_ADVANTAGE)
    is_misplaced &= beside > -1  # one of those beside it is sharp
    found: list[int] = planes[is_misplaced].tolist()
    return found if len(found) > MAX_MISPLACED * len(planes) else []


def _find_displaced(near: Correlations, far: Correlations) -> list[int]:
    """Find planes from the correlations of neighbours, and of planes two steps apart."""
    if not len(far):
        return []
    # a wall that lies in one plane is related to the planes beside it, by a negative correlation
    excess = far - np.maximum(abs(near[:-1]), abs(near[1:]))  # NaN where a plane is not sharp
    return (np.flatnonzero(excess > MAX_OUT_OF_ORDER) + 1).tolist()


def _find_shifted(blocks: Stack, near: Correlations) -> list[int]:
    """Find planes that are shifted, from the correlations of neighbours without a shift."""
    gains, correlations = np.full((2, len(near)), np.nan)
    is_shifted = np.zeros(len(near), bool)
    for z in np.flatnonzero(~np.isnan(near)):
        before, after = blocks[z], blocks[z + 1]
        shift, correlations[z] = _find_shift(before, after, near[z])
        gains[z] = correlations[z] - near[z]
        is_shifted[z] = (
            correlations[z] >= MIN_CORRELATION
            and gains[z] >= MIN_GAIN
            and _count_parts(before, after, shift) >= MIN_PARTS
        )
    found = []
    for z in np.flatnonzero(is_shifted):
        around = _pairs_around(z, near)
        others = np.count_nonzero(gains[around] > 0)
        if len(around) > 1 and others <= 1 and np.median(correlations[around]) >= MIN_CORRELATION:
            found.append(int(z) + 1)
    return found


def _find_unlike(near: Correlations) -> list[int]:
    """Find planes before which the correlation of neighbours drops."""
    found = []
    for z in np.flatnonzero(near < 1 - MIN_DROP):
        around = near[_pairs_around(z, near)]
        if (
            len(around) == 2 * NEIGHBOURS
            and np.median(around) >= MIN_CORRELATION_AROUND
            and around.min() - near[z] >= MIN_DROP
        ):
            found.append(int(z) + 1)
    return found


def _find_brighter(blocks: Stack, near: Correlations) -> list[int]:
    """Find planes in which both the contrast and the background change, in the same direction."""
    contrast, background = np.full((2, len(near) + 1), np.nan)
    pairs = np.flatnonzero(~np.isnan(near))
    for z in np.union1d(pairs, pairs + 1):
        known = blocks[z][np.isfinite(blocks[z])]
        contrast[z] = known.std(dtype=float)
        background[z] = max(np.percentile(known, BACKGROUND_PERCENTILE), 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):  # of a background of 0
        steps = np.diff(np.log(contrast)), np.diff(np.log(background))
    found = []
    for z in np.flatnonzero(near >= MIN_CORRELATION):
        around = _pairs_around(z, near)
        if len(around) < 2 * NEIGHBOURS or np.median(near[around]) < MIN_CORRELATION:
            continue
        step, of_background = (each[z] - np.median(each[around]) for each in steps)
        direction = np.sign(step)
        if abs(step) >= MIN_STEP and direction * of_background >= MIN_STEP_OF_BACKGROUND:
            found.append(int(z) + 1)
    return found


def _pairs_around(z: np.intp, near: Correlations) -> NDArray[np.intp]:
    """Return the pairs of planes before and after a pair, without those not compared."""
    pairs = np.r_[max(0, z - NEIGHBOURS) : z, z + 1 : min(len(near), z + 1 + NEIGHBOURS)]
    known: NDArray[np.intp] = pairs[~np.isnan(near[pairs])]
    return known


def _find_shift(
    before: NDArray[np.float32], after: NDArray[np.float32], unshifted: float
) -> tuple[tuple[int, int], float]:
    """Return the shift with the highest correlation, searched in steps from 0, and this one."""
    most = [size // 4 for size in before.shape]
    shift, best = (0, 0), unshifted
    while True:
        y, x = shift
        nearby = [
            (_correlation(before, after, near), near)
            for near in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1))
            if abs(near[0]) <= most[0] and abs(near[1]) <= most[1]
        ]
        better = [each for each in nearby if each[0] > best]  # not NaN
        if not better:
            return shift, best
        best, shift = max(better)


def _count_parts(
    before: NDArray[np.float32], after: NDArray[np.float32], shift: tuple[int, int]
) -> int:
    """Return the number of parts of a plane that are much more alike with a shift than without."""
    (rows, shifted_rows), (columns, shifted_columns) = map(_overlap, shift)
    fixed, moved = after[rows, columns], after[shifted_rows, shifted_columns]
    here = before[rows, columns]
    gain = np.nan_to_num(
        (here - np.nanmean(here)) * ((moved - np.nanmean(moved)) - (fixed - np.nanmean(fixed)))
    )
    of_parts = np.array(
        [
            part.sum(dtype=float)
            for band in np.array_split(gain, PARTS, axis=0)
            for part in np.array_split(band, PARTS, axis=1)
        ]
    )
    return int(np.count_nonzero(of_parts > MIN_SHARE * of_parts.sum()))


def _correlate(blocks: Stack, z: int, step: int, is_sharp: NDArray[np.bool_]) -> float:
    """Return the correlation of a plane with the one `step` planes after it.

    NaN unless both are sharp.
    """
    both_sharp = is_sharp[z] and is_sharp[z + step]
    return _correlation(blocks[z], blocks[z + step]) if both_sharp else math.nan


def _correlation(
    before: NDArray[np.float32], after: NDArray[np.float32], shift: tuple[int, int] = (0, 0)
) -> float:
    """Return the correlation of a plane with another that is shifted by whole blocks.

    NaN if one of them is constant where they overlap.
    """
    (rows, shifted_rows), (columns, shifted_columns) = map(_overlap, shift)
    pair = before[rows, columns], after[shifted_rows, shifted_columns]
    known = np.isfinite(pair[0]) & np.isfinite(pair[1])
    everywhere = known.all()  # as in most stacks; a mask is slow
    first, second = (part.ravel() if everywhere else part[known] for part in pair)
    if not first.size or first.min() == first.max() or second.min() == second.max():
        return math.nan
    first, second = first - first.mean(dtype=float), second - second.mean(dtype=float)
    return float(first @ second / math.sqrt((first @ first) * (second @ second)))


def _overlap(shift: int) -> tuple[slice, slice]:
    """Return the parts of an axis and of the same axis, shifted, that overlap."""
    start, end = max(0, shift), max(0, -shift)
    return slice(end, -start or None), slice(start, -end or None)
