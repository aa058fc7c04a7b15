"""Compare planes with those beside them: planes out of order, and planes that are shifted."""

import math

import numpy as np
from numpy.typing import NDArray

from cellstack.core.planes import Stack

# Correlation of the planes on both sides of a plane, minus the higher one with this plane: at most
# 0 in real stacks, and 0.4 in simulated ones with few objects in a plane
MAX_OUT_OF_ORDER = 0.5
# Chosen on stacks of which every second or third plane was left out, and on simulated ones
MIN_CORRELATION = 0.75  # of planes that are alike enough to find a shift
MIN_GAIN = 0.05  # of the correlation of shifted planes
PARTS = 3  # along y and x, of the field of view
MIN_PARTS = 3  # whose correlation is higher, so that not only one object is in another place
MIN_SHARE = 0.1  # of a part, of the higher covariance
NEIGHBOURS = 2  # pairs of planes on each side with which the shift of a pair is compared


def find_displaced_planes(blocks: Stack, is_sharp: NDArray[np.bool_]) -> list[int]:
    """Find the planes that differ from both neighbours, which are alike.

    Parameters
    ----------
    blocks : (Z, J, I) array of float32
        Means of blocks of pixels; NaN where there are no data.
    is_sharp : (Z,) ndarray of bool
        Planes that can be compared, because they have enough signal and are in focus.

    Returns
    -------
    list of int
        Planes, from 0.

    Examples
    --------
    >>> blocks = np.zeros((5, 8, 8), np.float32)
    >>> blocks[:, 2:4, 2:4], blocks[2] = 1, np.roll(blocks[2], 4)
    >>> blocks[2, 5, 5] = 1
    >>> find_displaced_planes(blocks, np.ones(5, bool))
    [2]
    """
    near, far = (
        np.array([_correlate(blocks, z, step, is_sharp) for z in range(len(blocks) - step)])
        for step in (1, 2)
    )
    if not len(far):
        return []
    # a wall that lies in one plane is related to the planes beside it, by a negative correlation
    excess = far - np.maximum(abs(near[:-1]), abs(near[1:]))  # NaN where a plane is not sharp
    return (np.flatnonzero(excess > MAX_OUT_OF_ORDER) + 1).tolist()


def find_shifted_planes(blocks: Stack, is_sharp: NDArray[np.bool_]) -> list[int]:
    """Find the planes that are shifted along y or x relative to the plane before.

    Parameters
    ----------
    blocks : (Z, J, I) array of float32
        Means of blocks of pixels; NaN where there are no data.
    is_sharp : (Z,) ndarray of bool
        Planes that can be compared, because they have enough signal and are in focus.

    Returns
    -------
    list of int
        Planes, from 0.

    Notes
    -----
    The shift of a plane is that, in whole blocks, with which it is most correlated with the plane
    before. This correlation is at least 0.75, and 0.05 higher than without a shift, because of at
    least three of 3 x 3 parts of the plane: where there are few objects, one of them may end where
    another begins. Oblique objects shift all planes, and planes that are far apart have little in
    common. Therefore at most one of the two planes before and the two after it may be shifted too,
    and the median of their correlations is at least 0.75.

    Examples
    --------
    >>> blocks = np.zeros((6, 12, 12), np.float32)
    >>> blocks[:3, 1::4, 1::4], blocks[3:, 1::4, 2::4] = 1, 1
    >>> find_shifted_planes(blocks, np.ones(6, bool))
    [3]
    """
    gains, correlations = np.full((2, max(0, len(blocks) - 1)), np.nan)
    is_shifted = np.zeros(len(gains), bool)
    for z in np.flatnonzero(is_sharp[:-1] & is_sharp[1:]):
        before, after = blocks[z], blocks[z + 1]
        shift = _find_shift(before, after)
        correlations[z] = _correlation(before, after, shift)
        gains[z] = correlations[z] - _correlation(before, after)
        is_shifted[z] = (
            correlations[z] >= MIN_CORRELATION
            and gains[z] >= MIN_GAIN
            and _count_parts(before, after, shift) >= MIN_PARTS
        )
    found = []
    for z in np.flatnonzero(is_shifted):
        nearby = np.r_[max(0, z - NEIGHBOURS) : z, z + 1 : min(len(gains), z + 1 + NEIGHBOURS)]
        known = nearby[~np.isnan(gains[nearby])]
        others = np.count_nonzero(gains[known] > 0)
        if len(known) > 1 and others <= 1 and np.median(correlations[known]) >= MIN_CORRELATION:
            found.append(int(z) + 1)
    return found


def _find_shift(before: NDArray[np.float32], after: NDArray[np.float32]) -> tuple[int, int]:
    """Return the shift of a plane with the highest correlation, searched in steps from 0."""
    most = [size // 4 for size in before.shape]
    shift, best = (0, 0), _correlation(before, after)
    while True:
        y, x = shift
        nearby = [
            (_correlation(before, after, near), near)
            for near in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1))
            if abs(near[0]) <= most[0] and abs(near[1]) <= most[1]
        ]
        better = [each for each in nearby if each[0] > best]  # not NaN
        if not better:
            return shift
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
