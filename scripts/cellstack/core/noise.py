"""Estimation of the noise of a stack."""

from collections.abc import Iterator
from threading import Lock
from typing import cast

import numpy as np
from numpy.typing import NDArray

from cellstack.core import parallel
from cellstack.core.opencv import cv2
from cellstack.core.planes import Planes

SAMPLED_PLANES = 8  # from which the range of the median is estimated
SAMPLED_ROW_STEP = 8  # every 8th row of these planes
SAMPLED_RANGE = (0.47, 0.53)  # quantiles of the sample, between which the median is expected
ALL_BITS = (1, 0x7FFFFFFF)  # of positive floats, as integers
BITS_OF_BINS = 22  # of the number of bins in which differences are counted
ROWS_AT_ONCE = 64  # multiple of SAMPLED_ROW_STEP; their differences fit into the cache
MEDIAN_OF_NORMAL = 0.67449  # of the absolute value of a standard normal variable


def estimate_noise(stack: Planes, no_data: Planes | None = None) -> float:
    """Estimate the standard deviation of noise that is independent from pixel to pixel.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray or planes of float32, uint8 or uint16
        Each plane is read several times, and one is in memory at a time.
    no_data : (Z, Y, X) ndarray or planes of bool, optional
        Voxels that are left out.

    Returns
    -------
    float
        0 for a constant stack, or one with planes smaller than 3 x 3 pixels.

    Notes
    -----
    The median of the absolute second differences across both axes of the planes [1]_, few of
    which are edges [2]_. Differences of 0 are left out, since they come from clipped values. Noise
    that was blurred, for instance by resampling, is underestimated.

    References
    ----------
    .. [1] J. Immerkaer, "Fast noise variance estimation", Computer Vision and Image Understanding
       64, 1996.
    .. [2] D. L. Donoho and I. M. Johnstone, "Ideal spatial adaptation by wavelet shrinkage",
       Biometrika 81, 1994.

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(0, 0.1, (3, 100, 100)).astype("float32")
    >>> round(estimate_noise(noise), 3)
    0.1
    """
    # All differences at once would take as much memory as the stack. Therefore the median is found
    # by its rank among the differences in a narrow range, which is estimated from a sample.
    sampled = range(0, len(stack), max(1, len(stack) // SAMPLED_PLANES))
    sample = np.concatenate(
        [
            part[::SAMPLED_ROW_STEP].ravel()
            for z in sampled
            for part in _differences(stack, z, no_data)
        ]
    )
    sample = sample[sample > 0]
    found = _Counts(*ALL_BITS)
    if len(sample):
        low, high = np.quantile(sample, SAMPLED_RANGE, method="nearest").view(np.uint32).tolist()
        found = _Counts(low, high)
    found.add(stack, no_data)
    middle = (found.total - 1) // 2, found.total // 2
    if found.total == 0:
        return 0.0
    pair = []
    for rank in middle:
        while (bits := found.value(rank)) is None:
            found = _Counts(*found.range_of(rank))
            found.add(stack, no_data)
        pair.append(bits)
    median = float(np.array(pair, np.uint32).view(np.float32).mean())
    return median / (6 * MEDIAN_OF_NORMAL)


class _Counts:
    """Counts of positive differences.

    The bits of positive floats are integers in the same order. Those from `low` to `high` are
    counted in bins, of one value each if the range is narrow.

    Attributes
    ----------
    total, below : int
        Numbers of all positive differences, and of those below the range.
    """

    def __init__(self, low: int, high: int) -> None:
        self.low, self.high = low, high
        self.total = self.below = 0
        self._shift = max(0, (high - low).bit_length() - BITS_OF_BINS)
        self._bins = np.zeros(((high - low) >> self._shift) + 1, np.int64)

    def add(self, stack: Planes, no_data: Planes | None) -> None:
        """Count the differences of a stack."""
        lock = Lock()

        def look_at(z: int) -> None:
            for part in _differences(stack, z, no_data):
                bits = part.view(np.uint32)
                positive = int(np.count_nonzero(bits))
                below = int(np.count_nonzero(bits < self.low))
                above_low = bits - np.uint32(self.low)  # lower ones become very large
                within = above_low[above_low <= self.high - self.low]
                with lock:
                    self.total += positive
                    self.below += below - (bits.size - positive)
                    np.add.at(self._bins, within >> np.uint32(self._shift), 1)

        parallel.map_threads(look_at, range(len(stack)), parallel.threads_for(stack))
        self._used = np.flatnonzero(self._bins)
        self._cumulated = np.cumsum(self._bins[self._used])

    def value(self, rank: int) -> int | None:
        """Return the bits of the positive difference of a rank, if bins have one value."""
        low, high = self.range_of(rank)
        return low if low == high else None

    def range_of(self, rank: int) -> tuple[int, int]:
        """Return the range of the bits of the positive difference of a rank."""
        if rank < self.below:
            return ALL_BITS[0], self.low - 1
        place = int(np.searchsorted(self._cumulated, rank - self.below, side="right"))
        if place == len(self._used):
            return self.high + 1, ALL_BITS[1]
        low = self.low + (int(self._used[place]) << self._shift)
        return low, min(self.high, low + (1 << self._shift) - 1)


def _differences(stack: Planes, z: int, no_data: Planes | None) -> Iterator[NDArray[np.float32]]:
    """Yield the absolute second differences of rows of a plane; 0 at voxels without data."""
    second = np.array([1.0, -2.0, 1.0])  # along both axes: multiplies noise by 6
    plane = np.asarray(stack[z], np.float32)
    without = None if no_data is None else no_data[z]
    for row in range(1, max(2, len(plane) - 1), ROWS_AT_ONCE):
        rows = slice(row - 1, row + ROWS_AT_ONCE + 1)
        filtered = cv2.sepFilter2D(plane[rows], cv2.CV_32F, second, second)
        differences = np.abs(cast("NDArray[np.float32]", filtered[1:-1, 1:-1]))
        if without is not None:
            differences[without[rows][1:-1, 1:-1]] = 0
        yield differences
