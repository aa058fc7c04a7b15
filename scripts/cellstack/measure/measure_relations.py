"""Intensities of objects relative to the background, to other channels and to the surface."""

import itertools
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias, cast

import edt
import numpy as np
from numpy.typing import NDArray

from cellstack.config.object_columns import RELATIONS
from cellstack.core import parallel
from cellstack.core.boxes import box_within, widen_box
from cellstack.core.intensities import count_planes, exact_sum, percentile_of_parts
from cellstack.core.planes import ComputedPlanes, Planes, Stack
from cellstack.core.surroundings import MIN_BACKGROUND_VOXELS, find_surroundings
from cellstack.core.thresholds import otsu, otsu_of_stack
from cellstack.core.types import Box, Boxes, RawVolume, Spacing
from cellstack.measure.measure_quality import LOW, block_means

CORRELATION, BACKGROUND, SHELLS = RELATIONS
PARTS = "parts"  # group of columns of cells with nuclei
LOCAL, GLOBAL = "local", "global"  # kinds of background; the third is "none"
MIN_VOXELS_TO_CORRELATE = 3

Row: TypeAlias = dict[str, float | None]


class Levels(NamedTuple):
    """Intensities of a channel that are the same for all objects of a stack."""

    background: float
    threshold: float


class Channel(NamedTuple):
    """A channel, and the intensities that all objects of the stack share."""

    name: str
    raw: Stack
    no_data: Stack | None
    levels: Levels


def find_levels(
    raw: Planes, no_data: Planes | None = None, threshold: float | None = None
) -> Levels:
    """Find the background of a channel, and the threshold above which voxels are stained.

    Parameters
    ----------
    raw : (Z, Y, X) ndarray or planes of uint8, uint16 or float32
        Raw intensities. Each plane is read several times.
    no_data : (Z, Y, X) ndarray or planes of bool, optional
        Voxels without data, which are left out.
    threshold : float, optional
        By default, Otsu's threshold of all voxels.

    Returns
    -------
    Levels
        The background is percentile 5 of the means of blocks of 4 x 4 pixels, in which noise is
        four times lower than in pixels. NaN without data.

    Examples
    --------
    >>> raw = np.full((1, 8, 80), 100, np.uint16)
    >>> raw[..., 60:] = 500
    >>> find_levels(raw)
    Levels(background=100.0, threshold=300.0)
    """

    def known_means() -> Iterator[NDArray[np.float32]]:
        for z, plane in enumerate(raw):
            means = block_means(plane, None if no_data is None else ~no_data[z])
            yield means[~np.isnan(means)]

    if no_data is not None and all(plane.all() for plane in no_data):
        return Levels(math.nan, math.nan if threshold is None else threshold)
    background = percentile_of_parts(known_means, LOW)
    return Levels(background, _otsu(raw, no_data) if threshold is None else threshold)


def _otsu(raw: Planes, no_data: Planes | None) -> float:
    if raw.dtype.kind != "u":

        def known(z: int) -> NDArray[np.float32]:
            plane = raw[z]
            return plane if no_data is None else plane[~no_data[z]]

        return otsu_of_stack(ComputedPlanes(raw.shape, raw.dtype, known))
    counts = count_planes(raw, no_data)
    present = np.flatnonzero(counts)
    if len(present) == 1:
        return float(present[0])
    return otsu(counts[present], present.astype(float))


def correlate(first: RawVolume, second: RawVolume) -> tuple[float | None, float | None]:
    """Return the correlation of two channels over the voxels of an object.

    Parameters
    ----------
    first, second : (n,) ndarray of integer or float
        Intensities of the same voxels.

    Returns
    -------
    pearson, spearman : float or None
        None with fewer than three voxels, or if a channel is constant.

    Examples
    --------
    >>> pearson, spearman = correlate(np.array([1, 2, 3, 4]), np.array([1, 4, 9, 16]))
    >>> round(pearson, 3), round(spearman, 3)
    (0.984, 1.0)
    """
    from scipy.stats import rankdata  # slow to import, and only needed here

    is_constant = len(first) == 0 or np.ptp(first) == 0 or np.ptp(second) == 0
    if len(first) < MIN_VOXELS_TO_CORRELATE or is_constant:
        return None, None
    return _pearson(first, second), _pearson(rankdata(first), rankdata(second))


def _pearson(first: NDArray[np.generic], second: NDArray[np.generic]) -> float:
    a, b = (values.astype(np.float64) for values in (first, second))
    a, b = a - a.mean(), b - b.mean()
    # no matrix product, whose last digits depend on the number of threads
    ratio = float((a * b).sum()) / math.sqrt(float((a * a).sum()) * float((b * b).sum()))
    return min(max(ratio, -1.0), 1.0)


def colocalize(
    first: RawVolume, second: RawVolume, levels: tuple[Levels, Levels]
) -> tuple[float | None, float | None, float | None]:
    """Return Manders' coefficients and the overlap coefficient of two channels of an object.

    Parameters
    ----------
    first, second : (n,) ndarray of integer or float
        Intensities of the same voxels.
    levels : tuple of Levels
        Background and threshold of both channels. Intensities below the background count as 0.

    Returns
    -------
    m1 : float or None
        Fraction of the intensity of the first channel, above its background, in voxels where the
        second is above its threshold.
    m2 : float or None
        The same with the channels exchanged.
    overlap : float or None
        Sum of the products of both intensities above background, divided by the square root of the
        product of the sums of their squares.

    Notes
    -----
    None if a channel has no intensity above the background.

    References
    ----------
    .. [1] E. M. M. Manders, F. J. Verbeek and J. A. Aten, "Measurement of co-localization of
       objects in dual-colour confocal images", J. Microscopy 169, 1993. As
       `skimage.measure.manders_coloc_coeff` and `manders_overlap_coeff`, after the background was
       subtracted.

    Examples
    --------
    >>> first, second = np.array([10, 30, 10]), np.array([0, 8, 1])
    >>> m1, m2, overlap = colocalize(first, second, (Levels(10, 20), Levels(0, 5)))
    >>> m1, round(m2, 3), round(overlap, 3)
    (1.0, 0.889, 0.992)
    """
    a, b = (
        np.maximum(values - np.float64(level.background), 0)
        for values, level in zip((first, second), levels, strict=True)
    )
    total_a, total_b = float(a.sum()), float(b.sum())
    if not (total_a > 0 and total_b > 0):
        return None, None, None
    m1 = float(a[second > levels[1].threshold].sum()) / total_a
    m2 = float(b[first > levels[0].threshold].sum()) / total_b
    overlap = float((a * b).sum()) / math.sqrt(float((a * a).sum()) * float((b * b).sum()))
    return m1, m2, overlap


def number_shells(
    labels: Stack,
    label: int,
    box: Box,
    spacing: Spacing,
    count: int,
    width_um: float | None = None,
) -> NDArray[np.uint8]:
    """Divide an object into shells by the distance to its surface.

    Parameters
    ----------
    labels : (Z, Y, X) ndarray or stack of unsigned int
        Objects.
    label : int
        The object.
    box : tuple of slice
        Its bounding box.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    count : int
        Number of shells.
    width_um : float, optional
        Thickness of a shell; the last shell has all voxels that are deeper. By default, all have
        the same thickness: the maximum distance divided by `count`.

    Returns
    -------
    ndarray of uint8
        For each voxel of the box the number of its shell, from 1 at the surface; 0 outside the
        object. All are 0 if the object fills the stack.

    Notes
    -----
    The distance is that to the nearest voxel centre outside the object. Space beyond the faces
    of the stack is not outside.

    Examples
    --------
    >>> labels = np.uint16([[[0, 1, 1, 1, 1, 1, 0]]])
    >>> number_shells(labels, 1, (slice(0, 1), slice(0, 1), slice(1, 6)), (1, 1, 0.5), 2)
    array([[[1, 2, 2, 2, 1]]], dtype=uint8)
    """
    wide = widen_box(box)
    mask = np.ascontiguousarray(labels[wide] == label)
    distance = edt.edt(mask.view(np.uint8), anisotropy=tuple(map(float, spacing)), parallel=1)
    highest = float(distance.max())
    if math.isinf(highest):
        return np.zeros([side.stop - side.start for side in box], np.uint8)
    width = highest / count if width_um is None else width_um
    # minus a margin for rounding, so that the voxels at a limit belong to the outer shell
    shells = np.ceil(distance / width - 1e-5).clip(1, count).astype(np.uint8) * mask
    return cast(NDArray[np.uint8], shells[box_within(box, wide)])


def measure_relations(
    segmentation: Stack,
    boxes: Boxes,
    channels: Sequence[Channel],
    spacing: Spacing,
    *,
    groups: Collection[str],
    background: str = GLOBAL,
    shells: int = 5,
    shell_width_um: float | None = None,
    pairs: Mapping[int, Mapping[str, str]] | None = None,
    threads: int = 1,
) -> list[Row]:
    """Measure intensities relative to the background, to other channels and to the surface.

    Parameters
    ----------
    segmentation : (Z, Y, X) ndarray or stack of uint16 or uint32
        All objects, measured or not; 0 is background.
    boxes : dict of int to tuple of slice
        The bounding boxes of the objects to measure, by label in `segmentation`.
    channels : sequence of Channel
        See :func:`find_levels`.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    groups : collection of str
        The groups of columns to measure: ``"correlation"``, ``"background"``, ``"shells"`` and, for
        cells with nuclei, ``"parts"``.
    background : {"global", "local", "none"}
        Background of the groups background and shells: that of the stack; the median of the voxels
        around the object, see :func:`cellstack.core.surroundings.find_surroundings`; or 0. The
        local background is NaN with fewer than 20 voxels. The group correlation uses that of the
        stack, or 0 for ``"none"``.
    shells : int
        Number of shells.
    shell_width_um : float, optional
        Their thickness, see :func:`number_shells`.
    pairs : dict of int to dict of str to str, optional
        The rows of pairs.csv by label in `segmentation`, with the mean raw intensities of nucleus
        and cytoplasm; needed for the group parts.
    threads : int
        Number of objects measured in parallel. The result does not depend on it.

    Returns
    -------
    list of dict
        One for each object, in the order of `boxes`; :mod:`cellstack.config.object_columns`
        defines the keys.

    Examples
    --------
    >>> from cellstack.core.labels import find_boxes
    >>> labels = np.zeros((1, 24, 24), np.uint16)
    >>> labels[:, 8:16, 8:16] = 1
    >>> raw = 100 + 50 * (labels > 0).astype(np.uint16)
    >>> channel = Channel("nuclei", raw, None, find_levels(raw))
    >>> (row,) = measure_relations(
    ...     labels, find_boxes(labels), [channel], (1.0, 1.0, 1.0), groups=["background"]
    ... )
    >>> row["background_intensity_nuclei"], row["mean_intensity_above_background_nuclei"]
    (100.0, 50.0)
    """
    two_channels = list(itertools.combinations(range(len(channels)), 2))
    if background not in (LOCAL, GLOBAL):
        channels = [each._replace(levels=each.levels._replace(background=0.0)) for each in channels]

    def measure(item: tuple[int, Box]) -> Row:
        label, box = item
        mask = segmentation[box] == label
        values = [each.raw[box][mask] for each in channels]
        row: Row = {}
        if CORRELATION in groups:
            for each in channels:
                row[f"colocalization_background_{each.name}"] = each.levels.background
                row[f"colocalization_threshold_{each.name}"] = each.levels.threshold
            for i, j in two_channels:
                row |= _compare(channels[i], channels[j], values[i], values[j])
        if BACKGROUND not in groups and SHELLS not in groups:
            return row
        levels = [each.levels.background for each in channels]
        if background == LOCAL:
            levels = _local_background(segmentation, label, box, spacing, channels)
        if BACKGROUND in groups:
            for each, inside, level in zip(channels, values, levels, strict=True):
                row |= _above_background(each.name, inside, level)
                if PARTS in groups:
                    row |= _parts_above_background(each.name, (pairs or {}).get(label, {}), level)
        if SHELLS in groups:
            numbers = number_shells(segmentation, label, box, spacing, shells, shell_width_um)[mask]
            row |= _measure_shells(numbers, shells, spacing, channels, values, levels)
        return row

    return parallel.map_processes(measure, list(boxes.items()), threads)


def _compare(first: Channel, second: Channel, a: RawVolume, b: RawVolume) -> Row:
    names = f"{first.name}_{second.name}"
    pearson, spearman = correlate(a, b)
    m1, m2, overlap = colocalize(a, b, (first.levels, second.levels))
    return {
        f"pearson_{names}": pearson,
        f"spearman_{names}": spearman,
        f"manders_m1_{names}": m1,
        f"manders_m2_{names}": m2,
        f"overlap_coefficient_{names}": overlap,
    }


def _local_background(
    segmentation: Stack,
    label: int,
    box: Box,
    spacing: Spacing,
    channels: Sequence[Channel],
) -> list[float]:
    """Return the median of each channel around an object; NaN with too few voxels."""
    around, _, is_background = find_surroundings(segmentation, label, box, spacing)
    levels = []
    for each in channels:
        has_data = is_background if each.no_data is None else is_background & ~each.no_data[around]
        values = each.raw[around][has_data]
        enough = len(values) >= MIN_BACKGROUND_VOXELS
        levels.append(float(np.median(values)) if enough else math.nan)
    return levels


def _above_background(channel: str, values: RawVolume, level: float) -> Row:
    total = exact_sum(values) - level * len(values)
    return {
        f"background_intensity_{channel}": level,
        f"mean_intensity_above_background_{channel}": total / len(values),
        f"sum_intensity_above_background_{channel}": total,
    }


def _parts_above_background(channel: str, pair: Mapping[str, str], level: float) -> Row:
    """Return the intensity of nucleus and cytoplasm of a cell, and their ratio."""
    nucleus, cytoplasm = (
        float(pair.get(f"{part}_mean_intensity_{channel}") or math.nan) - level
        for part in ("nucleus", "cytoplasm")
    )
    is_above = nucleus > 0 and cytoplasm > 0
    return {
        f"nucleus_mean_intensity_above_background_{channel}": nucleus,
        f"cytoplasm_mean_intensity_above_background_{channel}": cytoplasm,
        f"nucleus_to_cytoplasm_ratio_{channel}": nucleus / cytoplasm if is_above else None,
    }


def _measure_shells(
    numbers: NDArray[np.uint8],
    count: int,
    spacing: Spacing,
    channels: Sequence[Channel],
    values: Sequence[RawVolume],
    levels: Sequence[float],
) -> Row:
    """Return the intensities in each shell; None in a shell without voxels."""
    voxels = np.bincount(numbers, minlength=count + 1)[1:]
    volume = float(np.prod(spacing))
    row: Row = {f"shell_{i}_volume_um3": n * volume for i, n in enumerate(voxels.tolist(), 1)}
    for each, inside, level in zip(channels, values, levels, strict=True):
        sums = np.bincount(numbers, inside, minlength=count + 1)[1:]
        height = float(inside.mean(dtype=np.float64)) - level
        for i, (total, n) in enumerate(zip(sums.tolist(), voxels.tolist(), strict=True), 1):
            mean = total / n if n else None
            relative = None if mean is None or not height > 0 else (mean - level) / height
            row[f"shell_{i}_mean_intensity_{each.name}"] = mean
            row[f"shell_{i}_relative_intensity_{each.name}"] = relative
    return row
