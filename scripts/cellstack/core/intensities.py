"""Intensities of a stack: sums, percentiles and distributions, and mappings of them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from cellstack.core.labels import relabel
from cellstack.core.planes import Planes
from cellstack.core.types import Labels, RawVolume, Volume

HALF_OF_BITS = 1 << 16  # number of values of half of the bits of a float32
SIGN_BIT = np.uint32(1 << 31)
VALUES_PER_BLOCK = 1 << 20  # counted at once, since numpy.bincount copies them to int64


def exact_sum(values: NDArray[np.integer[Any]] | NDArray[np.floating[Any]]) -> int | float:
    """Return the sum of intensities, exact for integers and in float64 for floats.

    Examples
    --------
    >>> exact_sum(np.full(100_000, 65_535, np.uint16))
    6553500000
    """
    dtype = np.int64 if values.dtype.kind in "iu" else np.float64
    return cast("int | float", values.sum(dtype=dtype).item())


def standard_deviation(stack: NDArray[np.floating[Any]]) -> float:
    """Return the standard deviation of a stack, of which one plane at a time is copied.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of float
        It may be memory-mapped.

    Returns
    -------
    float
        0 for a stack without voxels.

    Examples
    --------
    >>> standard_deviation(np.float32([[[1, 1]], [[3, 3]]]))
    1.0
    """
    if stack.size == 0:
        return 0.0
    mean = sum(float(plane.sum(dtype=np.float64)) for plane in stack) / stack.size
    squares = (float(np.square(plane - mean, dtype=np.float64).sum()) for plane in stack)
    return float((sum(squares) / stack.size) ** 0.5)


def percentiles(stack: RawVolume, percents: Sequence[float]) -> list[float]:
    """Return percentiles, with linear interpolation.

    Parameters
    ----------
    stack : ndarray of uint8, uint16 or float32
    percents : sequence of float
        In [0, 100].

    Returns
    -------
    list of float

    Notes
    -----
    As `numpy.percentile`; those of integers are taken from counts, which is faster.

    Examples
    --------
    >>> percentiles(np.uint8([[[1, 2, 4, 8]]]), (0, 50, 75))
    [1.0, 3.0, 5.0]
    """
    if stack.dtype.kind != "u":
        return [float(value) for value in np.percentile(stack, percents)]
    return _percentiles_of_counts(count_values(cast(Labels, stack)), percents)


def percentiles_of_planes(
    planes: Planes, percents: Sequence[float], no_data: Planes | None = None
) -> list[float]:
    """Return percentiles of a stack that need not fit into memory, see :func:`percentiles`.

    Parameters
    ----------
    planes : (Z, Y, X) ndarray or planes of uint8, uint16 or float32
        One plane is in memory at a time; those of floats are read twice.
    percents : sequence of float
        In [0, 100].
    no_data : (Z, Y, X) ndarray or planes of bool, optional
        Voxels that are left out, not all.

    Returns
    -------
    list of float

    Examples
    --------
    >>> planes = np.uint8([[[1, 2]], [[4, 8]]])
    >>> percentiles_of_planes(planes, (0, 50, 75))
    [1.0, 3.0, 5.0]
    """
    if isinstance(planes, np.ndarray) and no_data is None:
        return percentiles(planes, percents)
    if planes.dtype.kind == "u":
        return _percentiles_of_counts(count_planes(planes, no_data), percents)

    def values() -> Iterator[NDArray[np.float32]]:
        for z, plane in enumerate(planes):
            yield plane if no_data is None else plane[~no_data[z]]

    return percentiles_of_parts(values, percents)


def percentiles_of_parts(
    read: Callable[[], Iterable[NDArray[np.float32]]], percents: Sequence[float]
) -> list[float]:
    """Return percentiles of floats that need not fit into memory, exactly as `numpy.percentile`.

    Parameters
    ----------
    read : callable
        Returns the values in parts of any shape. It is called twice.
    percents : sequence of float
        In [0, 100].

    Returns
    -------
    list of float
        NaN without values.

    Examples
    --------
    >>> percentiles_of_parts(lambda: np.float32([[1, 8], [4, 2]]), (0, 50, 75))
    [1.0, 3.0, 5.0]
    """
    below, above, weights = _neighbours_of_ranks(read, np.asarray(percents, float))
    return [float(value) for value in _between(below, above, weights)]


def percentile_of_parts(read: Callable[[], Iterable[NDArray[np.float32]]], percent: float) -> float:
    """Return one percentile, see :func:`percentiles_of_parts`.

    As `numpy.percentile` of a number, it is rounded to float32.

    Examples
    --------
    >>> percentile_of_parts(lambda: np.float32([[1, 8], [4, 2]]), 75)
    5.0
    """
    below, above, weights = _neighbours_of_ranks(read, np.array([percent], float))
    return float(_between(below[0], above[0], float(weights[0])))


def _between(below: Any, above: Any, weights: Any) -> Any:
    """Interpolate from the nearer value, as `numpy.percentile`."""
    steps = above - below
    return np.where(np.less(weights, 0.5), below + steps * weights, above - steps * (1 - weights))


def _neighbours_of_ranks(
    read: Callable[[], Iterable[NDArray[np.float32]]], percents: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float64]]:
    """Return the values below and above percentiles, and the weight of those above.

    The first time, values are counted by the upper half of their bits, the second time those with
    the upper half of a wanted value by the lower half.
    """
    upper = np.zeros(HALF_OF_BITS, int)
    for part in read():
        upper += np.bincount(_ordered_bits(part) >> 16, minlength=HALF_OF_BITS)
    cumulated = np.cumsum(upper)
    if cumulated[-1] == 0:
        unknown = np.full(len(percents), np.nan, np.float32)
        return unknown, unknown, np.zeros(len(percents))
    ranks = percents / 100 * (cumulated[-1] - 1)
    wanted = np.concatenate([np.floor(ranks), np.ceil(ranks)]).astype(int)
    bins = np.searchsorted(cumulated, wanted, side="right")
    lower = {place: np.zeros(HALF_OF_BITS, int) for place in set(bins.tolist())}
    for part in read():
        ordered = _ordered_bits(part)
        places = ordered >> 16
        for place, counts in lower.items():
            own = ordered[places == place] & np.uint32(HALF_OF_BITS - 1)
            counts += np.bincount(own, minlength=HALF_OF_BITS)
    rests = wanted - (cumulated - upper)[bins]
    ordered = np.array(
        [
            (place << 16) + int(np.searchsorted(np.cumsum(lower[place]), rest, side="right"))
            for place, rest in zip(bins.tolist(), rests.tolist(), strict=True)
        ],
        np.uint32,
    )
    found = np.where(ordered & SIGN_BIT, ordered ^ SIGN_BIT, ~ordered).view(np.float32)
    below, above = np.split(found, 2)
    return below, above, ranks - np.floor(ranks)


def _ordered_bits(values: NDArray[np.float32]) -> NDArray[np.uint32]:
    """Return the bits of floats as integers in the same order."""
    bits = np.ascontiguousarray(values).view(np.uint32).ravel()
    # the shift repeats the sign in all bits: those of negative values are inverted
    ordered: NDArray[np.uint32] = bits ^ ((bits.view(np.int32) >> 31).view(np.uint32) | SIGN_BIT)
    return ordered


def _percentiles_of_counts(counts: NDArray[np.int_], percents: Sequence[float]) -> list[float]:
    """Return percentiles of the values 0, 1, ..., which occur that often."""
    cumulated = np.cumsum(counts)
    ranks = np.asarray(percents) / 100 * (counts.sum() - 1)
    below = np.searchsorted(cumulated, np.floor(ranks), side="right")
    above = np.searchsorted(cumulated, np.ceil(ranks), side="right")
    return [float(value) for value in below + (above - below) * (ranks - np.floor(ranks))]


def count_values(stack: NDArray[np.unsignedinteger[Any]]) -> NDArray[np.int_]:
    """Return how often each value from 0 to the maximum of a stack occurs.

    Parameters
    ----------
    stack : ndarray of uint8 or uint16

    Returns
    -------
    (maximum + 1,) ndarray of int

    Examples
    --------
    >>> count_values(np.uint8([[[3, 1, 1]]]))
    array([0, 2, 0, 1])
    """
    flat, counts = stack.ravel(), np.zeros(int(stack.max(initial=0)) + 1, int)
    for start in range(0, len(flat), VALUES_PER_BLOCK):
        counts += np.bincount(flat[start : start + VALUES_PER_BLOCK], minlength=len(counts))
    return counts


def count_planes(planes: Planes, no_data: Planes | None = None) -> NDArray[np.int_]:
    """Return how often each value occurs in a stack that need not fit into memory.

    Parameters
    ----------
    planes : (Z, Y, X) ndarray or planes of uint8 or uint16
    no_data : (Z, Y, X) ndarray or planes of bool, optional
        Voxels that are left out.

    Returns
    -------
    (maximum + 1,) ndarray of int
        See :func:`count_values`.

    Examples
    --------
    >>> count_planes(np.uint8([[[3, 1]], [[1, 0]]]), np.array([[[False, False]], [[False, True]]]))
    array([0, 2, 0, 1])
    """
    counts = np.zeros(1, int)
    for z, plane in enumerate(planes):
        own = count_values(plane if no_data is None else plane[~no_data[z]])
        counts = np.pad(counts, (0, max(0, len(own) - len(counts))))
        counts[: len(own)] += own
    return counts


def rescale(stack: RawVolume, bottom: float, top: float) -> Volume:
    """Map intensities linearly, `bottom` to 0 and `top` to 1, and clip them to [0, 1].

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of uint8, uint16 or float32
    bottom, top : float

    Returns
    -------
    (Z, Y, X) ndarray of float32
        All zeros unless `top` is above `bottom`.

    Examples
    --------
    >>> rescale(np.uint8([[[0, 10, 15, 30]]]), 10, 20)
    array([[[0. , 0. , 0.5, 1. ]]], dtype=float32)
    """
    if top <= bottom:
        return np.zeros(stack.shape, np.float32)
    if stack.dtype.kind == "u":  # one look-up per voxel is faster than arithmetic
        return relabel(cast(Labels, stack), _linear_table(stack.dtype, bottom, top))
    scaled = (cast(Volume, stack) - np.float32(bottom)) * np.float32(1 / (top - bottom))
    return np.clip(scaled, 0, 1, out=scaled)


@lru_cache(maxsize=1)  # the parts of a stack need the same table
def _linear_table(dtype: "np.dtype[Any]", bottom: float, top: float) -> NDArray[np.float32]:
    """Return what :func:`rescale` maps each value of an integer type to."""
    values = _all_values(dtype)
    table: NDArray[np.float32] = np.clip((values - bottom) / (top - bottom), 0, 1).astype(
        np.float32
    )
    return table


def cumulative_distribution(
    stack: Planes, no_data: Planes | None = None, *, nbins: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the cumulative distribution of intensities.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray or planes of uint8, uint16 or float32
        Each plane is read at most twice, and one is in memory at a time.
    no_data : (Z, Y, X) ndarray or planes of bool, optional
        Voxels that are left out, not all.
    nbins : int
        Number of bins for floats, from the minimum to the maximum. Integers have one bin per
        value.

    Returns
    -------
    levels : (n,) ndarray of float64
        Centres of the bins.
    fractions : (n,) ndarray of float64
        Fraction of voxels up to each level; 0 for a stack with a single value.

    Examples
    --------
    >>> levels, fractions = cumulative_distribution(np.uint8([[[0, 1, 1, 2]]]), nbins=256)
    >>> fractions
    array([0.25, 0.75, 1.  ])
    """
    if stack.dtype.kind == "u":
        counts = count_planes(stack, no_data)
        levels = np.arange(len(counts), dtype=float)
    else:
        counts, levels = _histogram_of_planes(stack, nbins, no_data)
    fractions = np.cumsum(counts) / counts.sum()
    return levels, fractions * (np.count_nonzero(counts) > 1)


def _histogram_of_planes(
    stack: Planes, nbins: int, no_data: Planes | None
) -> tuple[NDArray[np.int_], NDArray[np.float64]]:
    """Return the counts and centres of equal bins, as `numpy.histogram` of the complete stack."""

    def values(z: int) -> NDArray[np.float32]:
        plane: NDArray[np.float32] = stack[z]
        return plane if no_data is None else plane[~no_data[z]]

    parts = [(part.min(), part.max()) for part in map(values, range(len(stack))) if part.size]
    low, high = min(low for low, _ in parts), max(high for _, high in parts)
    counts = np.zeros(nbins, int)
    for z in range(len(stack)):
        own, edges = np.histogram(values(z), nbins, (low, high))
        counts += own
    return counts, (edges[1:] + edges[:-1]) / 2


def interpolate(
    stack: RawVolume, levels: NDArray[np.float64], fractions: NDArray[np.float64]
) -> Volume:
    """Map `levels` to `fractions`, with linear interpolation.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of uint8, uint16 or float32
        Values beyond the first and the last level get the first and the last fraction.
    levels, fractions : (n,) ndarray of float
        For instance from :func:`cumulative_distribution`.

    Returns
    -------
    (Z, Y, X) ndarray of float32

    Examples
    --------
    >>> interpolate(np.uint8([[[0, 5, 9]]]), np.array([0.0, 10.0]), np.array([0.0, 1.0]))
    array([[[0. , 0.5, 0.9]]], dtype=float32)
    """
    if stack.dtype.kind == "u":
        table = np.interp(_all_values(stack.dtype), levels, fractions).astype(np.float32)
        return relabel(cast(Labels, stack), table)
    mapped = np.empty(stack.shape, np.float32)
    for plane, target in zip(stack, mapped, strict=True):  # numpy.interp works in float64
        target[:] = np.interp(plane, levels, fractions)
    return mapped


def divide_by_sd(values: Volume, sd: float) -> Volume:
    """Divide an image by a standard deviation; the result is 0 if that is 0.

    Examples
    --------
    >>> values = np.float32([[[0, 2, 4]]])
    >>> divide_by_sd(values, 2.0), divide_by_sd(values, 0.0)
    (array([[[0., 1., 2.]]], dtype=float32), array([[[0., 0., 0.]]], dtype=float32))
    """
    scale = np.float32(sd)
    return values / scale if scale > 0 else np.zeros_like(values)


def _all_values(dtype: "np.dtype[Any]") -> NDArray[np.int_]:
    """Return all values of an integer type."""
    return np.arange(256**dtype.itemsize)
