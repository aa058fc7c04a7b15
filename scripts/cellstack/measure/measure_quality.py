"""Image quality of a channel: saturation, noise, dimming along z, focus, background, bad planes."""

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import product
from typing import Any, NamedTuple, TypedDict, cast

import numpy as np
from numpy.typing import NDArray

from cellstack.core.counting import agree, counted
from cellstack.core.intensities import count_planes, percentile_of_parts, percentiles_of_parts
from cellstack.core.noise import estimate_noise
from cellstack.core.opencv import cv2
from cellstack.core.planes import Allocate, Planes, Stack, slabs
from cellstack.core.types import Spacing
from cellstack.measure.compare_planes import compare_planes

BLOCK = 4  # pixels: side of the blocks from whose means the signal is computed
LOW, HIGH = 5, 99  # percentiles of the means of blocks: background and signal
HIGH_OF_STACK = 99.5
PERCENTILES = (1, 50, 99)  # that show whether bright or dark blocks are fewer
MIN_SIGNAL = 2.0  # standard deviations of the noise: above the range of block means of noise
MIN_PLANES_TO_FIT = 5
MIN_SIGNAL_OF_FOCUS = 4.0  # standard deviations of the noise
FOCUS_SIGMA = 1.0  # pixels
ROWS_AT_ONCE = 64  # of a plane, whose gradients fit into the cache
NEIGHBOURS = 2  # planes on each side with which the focus of a plane is compared
TILES = 4  # along y and x, in which the background is compared
BACKGROUND_PERCENTILE = 10
MAX_MEANS = 1 << 20  # of blocks, that are read at once
MAX_SAMPLE = 1 << 20  # voxels of a float image in which values are counted

MAX_SATURATED = 0.01
MIN_GREY_LEVELS = 24  # other images of 8 bits have more than 90
MIN_SIGNAL_TO_NOISE = 3.0  # noise alone has 1.1; images with clear objects have 6 or more
MAX_DIMMING, MIN_FIT = 2.0, 0.75  # ratio of the signal along z, and variance explained by the fit
MIN_FOCUS = 0.5  # of the median of the neighbours; in focus, 0.6 or more
MAX_BRIGHTNESS = 1.2  # of a blurred plane, in units of the signal of its neighbours
MAX_UNEVEN = 0.5  # of the signal: up to 0.3 without a gradient
MIN_PLANES_COMPARED = 5
MIN_PIXELS_UNCHANGED = 20  # fewer are defects of the camera
MAX_FLAT = 0.7  # of the pixels: in images up to 0.43, in labels from 0.86
MIN_ASYMMETRY = -0.05  # in images of nuclei or membranes from 0.03, in inverted ones up to -0.03
NOT_IN_TABLE = ("unchanged_pixels", "flat_fraction", "asymmetry")
MAX_PLANES_NAMED = 5
BAD_PLANES = (  # in the order of the flags: key, what is wrong, why it matters, also of spots
    ("blurred_planes", "out of focus", "objects are blurred there", False),
    ("repeated_planes", "identical to an earlier plane", "check the export", True),
    ("missing_planes", "empty", "objects are cut there", True),
    ("projection_planes", "the maximum projection of the others", "remove it from the image", True),
    (
        "misplaced_planes",
        "more like planes that are not beside them",
        "check the order of the planes",
        False,
    ),
    (
        "displaced_planes",
        "unlike the planes on both sides",
        "check the order of the planes",
        False,
    ),
    (
        "shifted_planes",
        "shifted relative to the plane before",
        "objects in both planes are distorted, align the planes",
        False,
    ),
    (
        "unlike_planes",
        "unlike the plane before",
        "check the order of the planes, and whether the sample moved",
        False,
    ),
    (
        "brighter_planes",
        "much brighter or darker than the plane before",
        "objects can be missing in dark planes, and intensities depend on z",
        False,
    ),
)

Number = float | None


class Quality(TypedDict):
    """Image quality of a channel, see :data:`cellstack.config.columns.QUALITY_COLUMNS`."""

    saturated_fraction: float
    zero_fraction: float
    count_grey_levels: int
    noise_sd_intensity: float
    signal_to_noise_ratio: Number
    dimming_ratio: Number
    dimming_fit_fraction: Number
    signal_start_um: Number
    signal_end_um: Number
    background_range_ratio: Number
    blurred_planes: list[int]
    repeated_planes: list[int]
    missing_planes: list[int]
    misplaced_planes: list[int]
    displaced_planes: list[int]
    shifted_planes: list[int]
    unlike_planes: list[int]
    brighter_planes: list[int]
    unchanged_pixels: int
    projection_planes: list[int]
    flat_fraction: float
    asymmetry: float


class Profile(TypedDict):
    """Values of each plane; None in a plane without data."""

    mean: list[Number]
    signal: list[Number]
    focus: list[Number]


class _Pixels(NamedTuple):
    """Pixels compared with each other, in all planes and beside each other."""

    unchanged: NDArray[Any]  # values of those that are the same in all planes
    projections: list[int]  # planes that are the maximum projection of the others
    flat_fraction: float  # of those with a medium value that the next one along x has too


class _Voxels(NamedTuple):
    """Statistics of the voxels with data."""

    total: int
    low: float
    high: float
    of_high: int  # how many have the highest value
    zeros: int
    levels: int  # how many different values occur, in a float image among part of the voxels


def measure_quality(
    raw: Planes,
    spacing: Spacing,
    no_data: Planes | None = None,
    allocate: Allocate = np.empty,
) -> tuple[Quality, Profile]:
    """Measure the image quality of a channel.

    Parameters
    ----------
    raw : (Z, Y, X) ndarray or planes of uint8, uint16 or float32
        Raw intensities. A plane is read several times.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    no_data : (Z, Y, X) ndarray or planes of bool, optional
        Voxels without data, which are left out.
    allocate : callable
        Allocates the means of blocks of pixels, which need not be in memory.

    Returns
    -------
    quality : Quality
        Planes are counted from 0. None where nothing can be measured.
    profile : Profile

    Notes
    -----
    The noise is estimated by :func:`cellstack.core.noise.estimate_noise`. The signal is measured in
    means of blocks of 4 x 4 pixels, in which noise is four times lower: percentile 99 (of the whole
    stack, 99.5) minus percentile 5. A plane has signal if this is at least twice the noise.

    An exponential is fitted to the signal of these planes. ``dimming_ratio`` is its value at the
    last of them divided by that at the first, and ``dimming_fit_fraction`` the fraction of the
    variance of the logarithm that it explains.

    The focus of a plane is the mean square gradient divided by the variance, after smoothing by one
    pixel. A plane is blurred if this is less than half the median of its neighbours with signal, up
    to two on each side and at least one, and missing if it is constant although others are not.

    For misplaced, displaced, shifted, unlike and brighter planes see
    :func:`cellstack.measure.compare_planes.compare_planes`. Only planes with signal that are not
    blurred are compared. A plane is repeated if it is identical to any plane before it.

    ``asymmetry`` is (percentile 1 + percentile 99 - 2 * median) / (percentile 99 - percentile 1) of
    the means of blocks, below 0 if dark blocks are fewer than bright ones.

    Pixels are unchanged if they have the same value in all planes, and if this value is at least
    percentile 99.5 of the means of blocks. The first and the last plane can be the maximum
    projection of the others. ``flat_fraction`` is the fraction of the pixels, neither of the lowest
    nor of the highest value, whose neighbour along x has the same value. These are only looked for
    in stacks of at least five planes, most of which are neither repeated nor missing.

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(100, 5, (6, 64, 64)).astype(np.float32)
    >>> noise[3] = noise[2]
    >>> quality, profile = measure_quality(noise, (1.0, 0.5, 0.5))
    >>> quality["repeated_planes"], round(quality["noise_sd_intensity"]), round(profile["mean"][0])
    ([3], 5, 100)
    """
    noise = estimate_noise(raw, no_data)
    sides = [size // min(BLOCK, size) for size in raw.shape[1:]]
    blocks = allocate([len(raw), *sides], np.float32)
    signal: list[float] = []
    is_missing, has_data, is_repeated = np.zeros((3, len(raw)), bool)
    focus: list[float] = []
    means: list[Number] = []
    seen: set[bytes] = set()
    for z, plane in enumerate(raw):
        valid = None if no_data is None else ~no_data[z]
        blocks[z] = of_plane = block_means(plane, valid)
        signal.append(_spread(of_plane[~np.isnan(of_plane)], HIGH))
        is_missing[z] = plane.max() == plane.min()
        focus.append(math.nan if is_missing[z] else _focus(plane, valid))
        digest = hashlib.blake2b(plane.tobytes()).digest()
        is_repeated[z] = not is_missing[z] and digest in seen
        seen.add(digest)
        values = _values(plane, valid)
        has_data[z] = len(values) > 0
        means.append(float(values.mean(dtype=float)) if has_data[z] else None)
    found = _count_voxels(raw, no_data)
    bottom, top, low, medium, high = percentiles_of_parts(
        lambda: _known_means(blocks), (LOW, HIGH_OF_STACK, *PERCENTILES)
    )
    of_stack = top - bottom
    has_signal = np.flatnonzero(np.array(signal) > max(MIN_SIGNAL * noise, 0))  # NaN: False
    blurred = _blurred_planes(focus, signal, MIN_SIGNAL_OF_FOCUS * noise)
    is_sharp = np.array(signal) >= MIN_SIGNAL_OF_FOCUS * noise
    is_sharp[blurred] = False
    compared = compare_planes(blocks, is_sharp)
    ratio, fit = _fit_dimming(has_signal, signal)
    of_pixels = _Pixels(np.zeros(0), [], 0.0)
    if 2 * np.count_nonzero(is_repeated | is_missing) < len(raw) >= MIN_PLANES_COMPARED:
        of_pixels = _compare_pixels(raw, no_data, found.low, found.high)
    quality: Quality = {
        "saturated_fraction": found.of_high / found.total if found.high > found.low else 0.0,
        "zero_fraction": found.zeros / found.total if found.total else 0.0,
        "count_grey_levels": found.levels,
        "noise_sd_intensity": float(noise),
        "signal_to_noise_ratio": of_stack / noise if noise > 0 else None,
        "dimming_ratio": ratio,
        "dimming_fit_fraction": fit,
        "signal_start_um": float(has_signal[0] * spacing[0]) if len(has_signal) else None,
        "signal_end_um": float(has_signal[-1] * spacing[0]) if len(has_signal) else None,
        "background_range_ratio": _unevenness(blocks, of_stack),
        "blurred_planes": blurred,
        "repeated_planes": np.flatnonzero(is_repeated).tolist(),
        "misplaced_planes": compared.misplaced,
        "displaced_planes": compared.displaced,
        "shifted_planes": compared.shifted,
        "unlike_planes": compared.unlike,
        "brighter_planes": compared.brighter,
        "unchanged_pixels": int(np.count_nonzero(of_pixels.unchanged >= top)),
        "projection_planes": of_pixels.projections,
        "flat_fraction": of_pixels.flat_fraction,
        "asymmetry": (low + high - 2 * medium) / (high - low) if high > low else 0.0,
        "missing_planes": [] if all(is_missing) else np.flatnonzero(is_missing & has_data).tolist(),
    }
    return quality, {"mean": means, "signal": _known(signal), "focus": _known(focus)}


def _compare_pixels(raw: Planes, no_data: Planes | None, low: float, high: float) -> _Pixels:
    """Find pixels that are the same in all planes, flat regions, and planes that are projections.

    Regions of the lowest and the highest value, `low` and `high`, can be flat in any image.
    """
    first, last = raw[0], raw[len(raw) - 1]
    is_unchanged = np.ones(first.shape, bool)
    is_first, is_last = True, True
    flat, medium = 0, 0
    for z, plane in enumerate(raw):
        is_unchanged &= plane == first
        if no_data is not None:
            is_unchanged &= ~no_data[z]
        is_medium = (plane[:, :-1] > low) & (plane[:, :-1] < high)
        medium += int(np.count_nonzero(is_medium))
        flat += int(np.count_nonzero(is_medium & (plane[:, 1:] == plane[:, :-1])))
        is_first = is_first and bool((plane <= first).all())
        is_last = is_last and bool((plane <= last).all())
    ends = ((0, is_first), (len(raw) - 1, is_last))
    projections = [z for z, is_highest in ends if is_highest]
    return _Pixels(first[is_unchanged], projections, flat / medium if medium else 0.0)


def flag_quality(
    quality: Quality, *, has_spots: bool = False, shows_objects: bool = False
) -> list[str]:
    """Return the reasons to check a channel.

    Parameters
    ----------
    quality : Quality
    has_spots : bool
        Whether the channel shows small spots. Its signal, most of which is background, is not
        flagged.
    shows_objects : bool
        Whether the channel shows nuclei or the membrane. Its histogram is flagged if most of it is
        bright.

    Returns
    -------
    list of str

    Notes
    -----
    The limits were tested on real and simulated stacks: visible and simulated defects are flagged,
    and none of about thirty stacks without defects is.
    """
    flags = []
    if (saturated := quality["saturated_fraction"]) > MAX_SATURATED:
        flags.append(
            f"saturated: {100 * saturated:.2g} % of the voxels have the highest value (intensities "
            "are too low, and volumes can be too large)"
        )
    levels = quality["count_grey_levels"]
    if 1 < levels < MIN_GREY_LEVELS:
        flags.append(
            f"only {levels} different values (intensities are coarse, check the export of the "
            "image)"
        )
    if quality["flat_fraction"] > MAX_FLAT:
        flags.append(
            "most pixels have the value of the next one (labels or a mask instead of intensities?)"
        )
    if (pixels := quality["unchanged_pixels"]) >= MIN_PIXELS_UNCHANGED:
        flags.append(
            f"{pixels} bright pixels have the same value in all planes (a scale bar or text in the "
            "image can become an object)"
        )
    if shows_objects and quality["asymmetry"] < MIN_ASYMMETRY:
        flags.append(
            "most voxels are bright (check whether the image is inverted: nuclei, and the walls of "
            "cells, must be brighter than what is around them)"
        )
    if not has_spots:
        flags += _flag_signal(quality)
    for key, what, why, also_spots in BAD_PLANES:
        planes = cast(Mapping[str, Sequence[int]], quality)[key]
        if planes and (also_spots or not has_spots):
            named = ", ".join(map(str, planes[:MAX_PLANES_NAMED]))
            more = ", ..." if len(planes) > MAX_PLANES_NAMED else ""
            verb = agree(len(planes), "is", "are")
            flags.append(f"{counted(len(planes), 'planes')} {verb} {what}: {named}{more} ({why})")
    return flags


def _flag_signal(quality: Quality) -> list[str]:
    """Return the flags of the signal and of the background."""
    flags = []
    noise_ratio = quality["signal_to_noise_ratio"]
    if noise_ratio is not None and noise_ratio < MIN_SIGNAL_TO_NOISE:
        flags.append(
            f"low signal to noise: the signal is {noise_ratio:.2g} times the noise of a voxel "
            "(noise can be mistaken for objects)"
        )
    ratio, fit = quality["dimming_ratio"], quality["dimming_fit_fraction"]
    if ratio and fit and fit >= MIN_FIT and max(ratio, 1 / ratio) >= MAX_DIMMING:
        end, percent = ("last", ratio) if ratio < 1 else ("first", 1 / ratio)
        flags.append(
            f"dim at the {end} planes: {100 * percent:.0f} % of the signal at the other end (dim "
            "objects can be missing, and intensities depend on z, see depth_attenuation of "
            "correct_background)"
        )
    if (uneven := quality["background_range_ratio"]) and uneven > MAX_UNEVEN:
        flags.append(
            f"uneven background: it varies by {100 * uneven:.0f} % of the signal (see "
            "correct_background)"
        )
    return flags


def quality_row(
    quality: Quality, *, has_spots: bool = False, shows_objects: bool = False
) -> dict[str, object]:
    """Return the cells of :data:`cellstack.config.columns.QUALITY_COLUMNS` except stack
    and channel.

    Planes are counted instead of listed. Flags are those of :func:`flag_quality`.
    """
    planes = {
        f"count_{name}": len(cast(Mapping[str, Sequence[int]], quality)[name])
        for name in ("blurred_planes", "repeated_planes", "missing_planes")
    }
    others = {
        key: value
        for key, value in quality.items()
        if not key.endswith("_planes") and key not in NOT_IN_TABLE
    }
    flags = flag_quality(quality, has_spots=has_spots, shows_objects=shows_objects)
    return {"flags": ";".join(flags), **others, **planes}


def _count_voxels(raw: Planes, no_data: Planes | None) -> _Voxels:
    """Count voxels of integers from their histogram, and those of floats plane by plane."""
    if raw.dtype.kind == "u":
        counts = count_planes(raw, no_data)
        levels = np.flatnonzero(counts)
        if not len(levels):
            return _Voxels(0, math.inf, -math.inf, 0, 0, 0)
        low, high = float(levels[0]), float(levels[-1])
        of_high, zeros = int(counts[-1]), int(counts[0])
        return _Voxels(int(counts.sum()), low, high, of_high, zeros, len(levels))
    total, low, high, of_high, zeros = 0, math.inf, -math.inf, 0, 0
    for values in _values_of_planes(raw, no_data):
        top = float(values.max(initial=-np.inf))
        if top > high:
            high, of_high = top, 0
        of_high += int(np.count_nonzero(values == high))
        low = min(low, float(values.min(initial=np.inf)))
        total, zeros = total + len(values), zeros + int(np.count_nonzero(values == 0))
    step = max(1, total // MAX_SAMPLE)
    sample, seen = np.zeros(0, raw.dtype), 0
    for values in _values_of_planes(raw, no_data):
        sample = np.union1d(sample, values[-seen % step :: step])
        seen += len(values)
    return _Voxels(total, low, high, of_high, zeros, len(sample))


def _values_of_planes(raw: Planes, no_data: Planes | None) -> Iterator[NDArray[Any]]:
    """Yield the voxels with data of each plane."""
    for z, plane in enumerate(raw):
        yield _values(plane, None if no_data is None else ~no_data[z])


def _values(plane: NDArray[np.generic], valid: NDArray[np.bool_] | None) -> NDArray[np.generic]:
    return plane.ravel() if valid is None else plane[valid]


def block_means(plane: NDArray[np.generic], valid: NDArray[np.bool_] | None) -> NDArray[np.float32]:
    """Return the means of blocks of 4 x 4 pixels of a plane.

    Parameters
    ----------
    plane : (Y, X) ndarray of integer or float
    valid : (Y, X) ndarray of bool, optional
        Pixels that have data.

    Returns
    -------
    (J, I) ndarray of float32
        NaN in blocks that lack data. Rows and columns that fill no block are left out.

    Examples
    --------
    >>> block_means(np.repeat(np.uint8([[1, 9]]), 4, axis=0).repeat(4, axis=1), None)
    array([[1., 9.]], dtype=float32)
    """
    means = _shrink(plane)
    if valid is not None:
        means[_shrink(valid) < 1] = np.nan
    return means


def _shrink(image: NDArray[np.generic]) -> NDArray[np.float32]:
    sides = [min(BLOCK, size) for size in image.shape]
    rows, columns = (size // side for size, side in zip(image.shape, sides, strict=True))
    part = image[: rows * sides[0], : columns * sides[1]].astype(np.float32)
    small = cv2.resize(part, (columns, rows), interpolation=cv2.INTER_AREA)
    return cast("NDArray[np.float32]", small).reshape(rows, columns)


def _known_means(
    blocks: Stack, rows: slice = slice(None), columns: slice = slice(None)
) -> Iterator[NDArray[np.float32]]:
    """Yield the means of blocks of pixels without those that are not known."""
    for slab in slabs(blocks.shape, max_voxels=MAX_MEANS):
        part = blocks[slab.planes, rows, columns]
        yield part[~np.isnan(part)]


def _spread(means: NDArray[np.float32], high: float) -> float:
    """Return the difference of a high and a low percentile; NaN without means."""
    if not len(means):
        return math.nan
    bottom, top = np.percentile(means, (LOW, high))
    return float(top - bottom)


def _focus(plane: NDArray[np.generic], valid: NDArray[np.bool_] | None) -> float:
    """Return the mean square gradient divided by the variance; NaN without variance."""
    smooth = cv2.GaussianBlur(plane.astype(np.float32), (0, 0), FOCUS_SIGMA)
    if min(smooth.shape) < 2:
        return math.nan
    square = np.empty((smooth.shape[0] - 1, smooth.shape[1] - 1), np.float32)
    for row in range(0, len(square), ROWS_AT_ONCE):
        part = smooth[row : row + ROWS_AT_ONCE + 1]
        down, across = part[1:, 1:] - part[:-1, 1:], part[1:, 1:] - part[1:, :-1]
        square[row : row + ROWS_AT_ONCE] = down**2 + across**2
    if valid is not None:
        inside = cv2.erode(valid.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
        square, smooth = square[inside[1:, 1:]], smooth[inside]
    variance = float(smooth.var(dtype=float)) if smooth.size else 0.0
    return float(square.mean(dtype=float)) / variance if variance > 0 else math.nan


def _blurred_planes(
    focus: Sequence[float], signal: Sequence[float], min_signal: float
) -> list[int]:
    """Return the planes with a much lower focus than those around them.

    Planes with less signal are left out, since noise has a high focus.
    """
    known = [z for z, value in enumerate(signal) if value >= min_signal and focus[z] >= 0]
    found = []
    for z in known:
        before = [i for i in range(z - NEIGHBOURS, z) if i in known]
        after = [i for i in range(z + 1, z + 1 + NEIGHBOURS) if i in known]
        if before and after:
            typical = float(np.median([focus[i] for i in before + after]))
            brightness = float(np.median([signal[i] for i in before + after]))
            # blur makes a plane dimmer, and brighter objects are not a defect
            if focus[z] < MIN_FOCUS * typical and signal[z] < MAX_BRIGHTNESS * brightness:
                found.append(z)
    return found


def _fit_dimming(
    planes: NDArray[np.intp], signal: Sequence[float]
) -> tuple[float, float] | tuple[None, None]:
    """Fit an exponential to the signal of planes; see :func:`measure_quality`."""
    if len(planes) < MIN_PLANES_TO_FIT:
        return None, None
    logarithms = np.log(np.array(signal)[planes])
    centred = planes - planes.mean()
    slope = float(centred @ logarithms) / float(centred @ centred)
    variance = float(logarithms.var())
    explained = slope**2 * float(centred.var()) / variance if variance > 0 else 0.0
    return math.exp(slope * float(planes[-1] - planes[0])), explained


def _unevenness(blocks: Stack, signal: float) -> Number:
    """Return the range of the background over tiles of the field of view, divided by the signal."""
    levels = []
    sides = [
        [slice(part[0], part[-1] + 1) for part in np.array_split(range(size), min(TILES, size))]
        for size in blocks.shape[1:]
    ]
    for tile in product(*sides):
        level = percentile_of_parts(partial(_known_means, blocks, *tile), BACKGROUND_PERCENTILE)
        if not math.isnan(level):
            levels.append(level)
    return (max(levels) - min(levels)) / signal if levels and signal > 0 else None


def _known(values: Sequence[float]) -> list[Number]:
    return [None if math.isnan(value) else value for value in values]
