"""Regions of a stack without data: padding that rotation, stitching or registration adds.

The voxels of such a region have one exact value, mostly 0, and the region reaches a face of the
stack. It is recognized by the step around it: beside a camera's offset the intensities change by
many times the noise within two voxels, and no other voxels have values in between. A stack whose
true background is 0, because it was simulated, deconvolved, clipped or its background subtracted,
has no such step.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from cellstack.core.planes import (
    ComputedPlanes,
    ComputedStack,
    Planes,
    Stack,
    section,
    slabs,
    stack_of_planes,
)
from cellstack.core.types import BoolVolume, Box, RawVolume, Scalar, Spacing

MIN_FACE_FRACTION = 0.002  # of all pixels at the faces, that have the value and equal neighbours
MIN_FRACTION = 0.0005  # of the stack
SECTIONS_PER_AXIS = 8  # across each axis, in which the step is measured
BLURRED_VOXELS = 2  # around the region, whose values may be interpolated
NEAR_VOXELS, FAR_VOXELS = (3, 4), (6, 7)  # distances from the region at which the step is measured
MIN_STEP = 3.0  # standard deviations of the noise
MAX_DEVIATION = 4.0  # standard deviations of the noise, of voxels like those around the region
MAX_RISE = 1.5  # of the step, from near to far; the blurred rim of an object rises further
GAP_WIDTH = 0.25  # of the step: the range of values beside the exact one
MAX_GAP_FRACTION = 0.001  # of the data, that may have values within the gap
MIN_BACKGROUND = 0.25  # of the data, as dark as the surroundings of the region
MIN_SIGNAL = 6.0  # standard deviations of the noise by which objects exceed that background
MIN_LARGEST_PIECE = 0.8  # of the data of a section
MAX_RUNS = 1.5  # pieces of data along a line of voxels, on average
MIN_FACE_COVER = 0.25  # of the area of a face, covered by data
MIN_COVERED_FACES = 2
MAD_OF_DIFFERENCE = 0.67449 * 2**0.5  # of two values with a standard deviation of 1


class NoData(NamedTuple):
    """Voxels of a stack without data, see :func:`mark_no_data`.

    Attributes
    ----------
    value : float
        The exact value of the voxels without data.
    limit : float
        Voxels beside them with values between `value` and `limit` are interpolated.
    """

    value: float
    limit: float


def find_no_data(stack: Stack) -> NoData | None:
    """Find the value of the voxels without data, if a stack has any.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray or stack of uint8, uint16 or float32
        Raw intensities.

    Returns
    -------
    NoData or None
        None if all voxels are data.

    Notes
    -----
    All of these must hold for the most frequent value at the faces of the stack:

    - At least 0.2 % of the pixels at the faces have this value and the same value beside them, and
      at least 0.05 % of all voxels have it.
    - Three voxels away from them, the quartile nearer to it differs from it by at least 3 standard
      deviations of the noise. Farther away the difference is at most 1.5 times as large: the step
      is complete, unlike the blurred rim of an object.
    - At most 0.1 % of the other voxels have values within a quarter of the step from it.
    - In sections, the other voxels form one piece with few gaps. Either it contains objects in a
      background like that beside the region, or it covers a quarter of two faces of the stack.
      Bright objects with sharp edges before a background of exactly 0 do not.
    - A value above the intensities beside the region could be saturation. It counts only without
      a blurred rim, and if the piece covers a quarter of two faces.

    Sections across all axes are examined, and the whole stack only if the first condition holds.

    Examples
    --------
    >>> stack = np.random.default_rng(0).poisson(300, (8, 40, 40)).astype(np.uint16)
    >>> stack[2:6, 12:20, 12:20] += 900
    >>> find_no_data(stack) is None
    True
    >>> stack[:, :, 36:] = 0
    >>> found = find_no_data(stack)
    >>> found.value, int(mark_no_data(stack, found).sum()) == 8 * 40 * 4
    (0.0, True)
    """
    value = _constant_at_faces(stack)
    if value is None:
        return None
    count = sum(np.count_nonzero(plane == value) for plane in stack)
    if not MIN_FRACTION <= count / stack.size < 1:
        return None
    if sorted(stack.shape)[1] == 1:  # a line of voxels has no section
        return None
    parts = zip(*(_values_of_section(each, value) for each in _sections(stack)), strict=True)
    beside, near, far, data, differences = (np.concatenate(part) for part in parts)
    if min(map(len, (near, data, differences))) == 0:
        return None
    is_dark = value < np.median(near)
    quartile = 25 if is_dark else 75
    level = float(np.percentile(near, quartile))
    noise = float(np.median(np.abs(differences))) / MAD_OF_DIFFERENCE
    step = abs(level - value)
    rise = abs(float(np.percentile(far, quartile)) - value) if len(far) else step
    in_gap = np.mean(np.abs(data - value) < GAP_WIDTH * step)
    if step <= MIN_STEP * noise or rise > MAX_RISE * step or in_gap > MAX_GAP_FRACTION:
        return None
    largest_piece, runs = _shape_of_data(stack, value)
    if largest_piece < MIN_LARGEST_PIECE or runs > MAX_RUNS:
        return None
    background = np.mean(np.abs(data - level) <= MAX_DEVIATION * noise)
    signal = float(np.percentile(data, 99.5)) - level
    has_background = background >= MIN_BACKGROUND and signal > MIN_SIGNAL * noise
    covers_faces = _covered_faces(stack, value) >= MIN_COVERED_FACES
    is_sharp = abs(float(np.median(beside)) - level) < step / 2
    if not (has_background or covers_faces if is_dark else is_sharp and covers_faces):
        return None
    limit = level + np.sign(value - level) * MAX_DEVIATION * noise
    return NoData(value, float(limit))


def mark_no_data(stack: RawVolume, no_data: NoData) -> BoolVolume:
    """Mark the voxels without data.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of uint8, uint16 or float32
        Raw intensities.
    no_data : NoData
        From :func:`find_no_data`.

    Returns
    -------
    (Z, Y, X) ndarray of bool
        Voxels with the value, and voxels at most two steps away from them, along any axis or
        diagonal, whose values are interpolated.

    Examples
    --------
    >>> mark_no_data(np.uint8([[[0, 0, 40, 99, 97]]]), NoData(0.0, 80.0))
    array([[[ True,  True,  True, False, False]]])
    """
    marked: BoolVolume = stack == no_data.value
    low, high = sorted((no_data.value, no_data.limit))
    for _ in range(BLURRED_VOXELS):
        grown = widen(marked)
        for z, plane in enumerate(stack):
            grown[z] &= (plane >= low) & (plane <= high)
        marked = grown
    return marked


def no_data_of_parts(stack: Stack, no_data: NoData) -> ComputedStack:
    """Mark the voxels without data of each part of a stack when it is read.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray or stack of uint8, uint16 or float32
        Raw intensities.
    no_data : NoData
        From :func:`find_no_data`.

    Returns
    -------
    ComputedStack
        Of bool, see :func:`mark_no_data`.

    Examples
    --------
    >>> stack = np.uint8([[[0, 0, 40, 99, 97]]])
    >>> no_data_of_parts(stack, NoData(0.0, 80.0))[:, :, 2:4]
    array([[[ True, False]]])
    """

    def mark(box: Box) -> BoolVolume:
        wide = []
        inner = []
        for side, length in zip(box, stack.shape, strict=True):
            covered = range(side.start, side.stop, side.step)
            first = max(0, min(covered, default=0) - BLURRED_VOXELS)
            wide.append(slice(first, min(length, max(covered, default=0) + BLURRED_VOXELS + 1)))
            inner.append(np.asarray(covered, int) - first)
        marked = mark_no_data(stack[tuple(wide)], no_data)
        return cast(BoolVolume, marked[np.ix_(*inner)])

    return ComputedStack(stack.shape, np.bool_, mark)


def widen(mask: BoolVolume) -> BoolVolume:
    """Add the voxels beside a mask, across faces, edges and corners.

    Examples
    --------
    >>> widen(np.array([[[False, False, True, False]]]))
    array([[[False,  True,  True,  True]]])
    """
    wide = mask
    for axis in range(3):
        along = np.moveaxis(wide, axis, 0)
        wide = wide.copy()
        result = np.moveaxis(wide, axis, 0)
        result[1:] |= along[:-1]
        result[:-1] |= along[1:]
    return wide


def fill_no_data(stack: NDArray[Scalar], no_data: BoolVolume, spacing: Spacing) -> NDArray[Scalar]:
    """Replace voxels without data by the mean of the data near them.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray of uint8, uint16 or float32
    no_data : (Z, Y, X) ndarray of bool
        Voxels without data, not all.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.

    Returns
    -------
    (Z, Y, X) ndarray of the type of `stack`
        Integers are rounded.

    Notes
    -----
    See :func:`fill_no_data_of_planes`.

    Examples
    --------
    >>> stack = np.uint8([[[0, 0, 0, 8, 6, 4]]])
    >>> fill_no_data(stack, stack == 0, (1.0, 1.0, 1.0))
    array([[[8, 8, 8, 8, 6, 4]]], dtype=uint8)
    """
    filled = np.empty_like(stack)
    for z, plane in enumerate(fill_no_data_of_planes(stack, no_data, spacing)):
        filled[z] = plane
    return filled


def fill_no_data_of_planes(stack: Stack, no_data: Stack, spacing: Spacing) -> ComputedPlanes:
    """Replace voxels without data when a plane is read.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray or stack of uint8, uint16 or float32
    no_data : (Z, Y, X) ndarray or stack of bool
        Voxels without data, not all.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.

    Returns
    -------
    ComputedPlanes
        Of the type of `stack`. Integers are rounded.

    Notes
    -----
    Voxels get the mean of the data in a block of voxels, which is as small as possible and has
    about the same width in um along all axes.

    References
    ----------
    .. [1] S. J. Gortler et al., "The lumigraph", SIGGRAPH 1996: the pull-push algorithm.

    Examples
    --------
    >>> stack = np.uint8([[[0, 0, 0, 8, 6, 4]]])
    >>> fill_no_data_of_planes(stack, stack == 0, (1.0, 1.0, 1.0))[0]
    array([[8, 8, 8, 8, 6, 4]], dtype=uint8)
    """
    from cellstack.core.resampling import block_means  # slow to import, rarely needed

    widths = np.asarray(spacing, float)
    finest = widths[np.array(stack.shape) > 1].min(initial=np.inf)
    factors = [2 if step < 1.5 * finest else 1 for step in widths.tolist()]
    slabs = [slice(z, z + factors[0]) for z in range(0, len(stack), factors[0])]
    sums, weights = (
        np.concatenate([block_means(np.asarray(part(slab), np.float32), factors) for slab in slabs])
        for part in (
            lambda slab: np.where(no_data[slab], 0, stack[slab]),
            lambda slab: ~no_data[slab],
        )
    )
    empty = weights == 0
    means = sums / np.where(empty, 1, weights)
    if empty.any():
        means = fill_no_data(means, empty, (widths * factors).tolist())

    def fill(z: int) -> NDArray[Any]:
        plane, without = np.array(stack[z]), no_data[z]
        mean = means[z // factors[0]].repeat(factors[1], axis=0).repeat(factors[2], axis=1)
        mean = mean[: plane.shape[0], : plane.shape[1]][without]
        plane[without] = np.rint(mean) if stack.dtype.kind == "u" else mean
        return plane

    return ComputedPlanes(stack.shape, stack.dtype, fill)


def fill_no_data_of_parts(stack: Stack, no_data: Stack | None, spacing: Spacing) -> Stack:
    """Replace voxels without data when a part is read, see :func:`fill_no_data_of_planes`.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray or stack of uint8, uint16 or float32
    no_data : (Z, Y, X) ndarray or stack of bool, or None
        Voxels without data.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.

    Returns
    -------
    stack
        The same one if no voxel, or every voxel, is without data.
    """
    if no_data is None or all(plane.all() for plane in no_data):
        return stack
    return stack_of_planes(fill_no_data_of_planes(stack, no_data, spacing))


def labels_beside(labels: Planes, no_data: Stack) -> NDArray[np.int_]:
    """Return the labels that reach the border of the regions without data, or lie in them.

    Parameters
    ----------
    labels : (Z, Y, X) ndarray or planes of unsigned int
        0 is background.
    no_data : (Z, Y, X) ndarray or stack of bool
        Voxels without data.

    Returns
    -------
    (n,) ndarray of int
        In ascending order.

    Examples
    --------
    >>> labels_beside(np.uint16([[[1, 0, 2, 0, 3, 3]]]), np.arange(6).reshape(1, 1, 6) > 4)
    array([3])
    """
    found: list[NDArray[np.int_]] = []
    for slab in slabs(labels.shape, halo=1):
        near = widen(no_data[slab.extent])
        found += [
            np.unique(labels[z][near[z - slab.extent.start]]).astype(int)
            for z in range(slab.planes.start, slab.planes.stop)
        ]
    unique = np.unique(np.concatenate([np.zeros(0, int), *found]))
    return unique[unique > 0]


def _constant_at_faces(stack: Stack) -> float | None:
    """Return the most frequent value of pixels at the faces that have equal neighbours."""
    pixels, constant = 0, []
    for axis in range(3):
        for index in (0, -1):
            face = section(stack, axis, index)
            pixels += face.size
            inner = face[:-1, :-1] if min(face.shape) > 1 else face
            same = np.ones(inner.shape, bool)
            if min(face.shape) > 1:
                same = (inner == face[1:, :-1]) & (inner == face[:-1, 1:])
            constant.append(inner[same])
    values = np.concatenate(constant)
    if len(values) < max(1, MIN_FACE_FRACTION * pixels):
        return None
    found, counts = np.unique(values, return_counts=True)
    if counts.max() < MIN_FACE_FRACTION * pixels:
        return None
    return float(found[np.argmax(counts)])


def _sections(stack: Stack) -> Iterator[NDArray[np.float32]]:
    """Yield sections of a stack across each axis, except sections one pixel wide."""
    for axis in range(3):
        if min(np.delete(stack.shape, axis)) == 1:
            continue
        count = min(SECTIONS_PER_AXIS, stack.shape[axis])
        places = (np.arange(count) + 0.5) * stack.shape[axis] / count
        for place in places.astype(int).tolist():
            yield section(stack, axis, place).astype(np.float32)


def _values_of_section(
    section: NDArray[np.float32], value: float
) -> tuple[NDArray[np.float32], ...]:
    """Return values beside the region, near it and farther away, all data, and differences."""
    distance = np.full(section.shape, FAR_VOXELS[1] + 1)
    reached = section == value
    distance[reached] = 0
    for steps in range(1, FAR_VOXELS[1] + 1):
        reached = widen(reached[None])[0]
        distance[reached & (distance > steps)] = steps
    data = distance > BLURRED_VOXELS
    near, far = (
        (distance >= first) & (distance <= last) for first, last in (NEAR_VOXELS, FAR_VOXELS)
    )
    pairs = data[:, 1:] & data[:, :-1]
    differences = np.diff(section, axis=1)[pairs]
    return section[distance == 1], section[near], section[far], section[data], differences


def _shape_of_data(stack: Stack, value: float) -> tuple[float, float]:
    """Return the fraction of the data in the largest piece of a section, and pieces per line."""
    import cc3d

    largest = total = runs = lines = 0
    for values in _sections(stack):
        data = values != value
        pieces = cc3d.connected_components(data[None], connectivity=6)
        largest += int(np.bincount(pieces.ravel())[1:].max(initial=0))
        total += int(data.sum())
        for along in (data, data.T):
            starts = along[0].astype(int) + np.count_nonzero(along[1:] & ~along[:-1], axis=0)
            runs += int(starts.sum())
            lines += int(np.count_nonzero(starts))
    return largest / max(1, total), runs / max(1, lines)


def _covered_faces(stack: Stack, value: float) -> int:
    """Return the number of faces of which at least a quarter is covered by data."""
    faces = [section(stack, axis, i) for axis in range(3) for i in (0, -1) if stack.shape[axis] > 1]
    return sum(float(np.mean(face != value)) >= MIN_FACE_COVER for face in faces)
