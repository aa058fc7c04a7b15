"""Estimation of the typical diameter of the objects in a stack.

The estimate is the diameter at which the detected objects are as large as the size searched for.
"""

import logging
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias, cast

import cc3d
import numpy as np
from numpy.typing import NDArray

from cellstack.core import filters, resampling
from cellstack.core.blobs import blobness
from cellstack.core.counting import counted
from cellstack.core.distance import distance_map
from cellstack.core.intensities import percentiles, rescale
from cellstack.core.no_data import fill_no_data
from cellstack.core.noise import estimate_noise
from cellstack.core.planes import Allocate, Stack, slabs
from cellstack.core.types import Labels, Mask, RawVolume, Spacing, Volume
from cellstack.errors import InputError
from cellstack.segment import per_object_threshold
from cellstack.segment.find_seeds import find_seeds
from cellstack.segment.outline_threshold import AT_CENTRE
from cellstack.segment.split_objects import split_objects

log = logging.getLogger(__name__)

Defaults: TypeAlias = Mapping[str, Mapping[str, float]]
Diameters: TypeAlias = NDArray[np.float64]
View: TypeAlias = tuple[Volume, Spacing]  # a stack on a coarser grid

SCALE_STEP = 1.3  # ratio of neighbouring scales
MIN_DIAMETER_PIXELS = 5
MAX_DIAMETER_FRACTION = 0.75  # of the shorter side of a plane
GRID_VOXELS_PER_DIAMETER = 8
VOXEL_BUDGET = 100_000  # largest size of the grid on which a scale is tried
FINAL_VOXEL_BUDGET = 800_000  # the same for the comparison of scales and the final estimate
SEARCH_FACTORS = (2, 2, 2)  # of the grid on which the part with most objects is searched for
PERCENTILE_SAMPLE_VOXELS = 1_000_000
LEVEL_AT_CENTRE = 0.45  # of the outlines, relative to the intensity at the centre
MAX_ITERATIONS = 6
CONVERGENCE_TOLERANCE = 0.02  # relative change of an estimate
STEADINESS_STEP = 1.25  # ratio of a scale to those around it that measure its steadiness
HALF_MERIT_COUNT = 3  # number of objects at which the merit of a scale is half that of many objects
# Smaller objects inside larger ones, such as nuclei in an embryo, are preferred if they have at
# least this steadiness and this correlation with the intensities in the larger objects:
MIN_STEADINESS_INSIDE, MIN_CORRELATION_INSIDE = 0.5, 0.6
MAX_MERIT_OF_RIVAL = 0.5  # relative to the best scale; better scales make the estimate uncertain
MIN_OBJECTS = 3  # for a certain estimate
MERGE_TOLERANCE = 0.1  # relative difference below which two estimates are the same
MIN_RELATIVE_DIAMETER = 0.5  # smaller objects do not contribute to the final estimate
MIN_UNCUT_VOLUME = 0.1  # fraction of the volume of objects that are not cut, to use only these
MAX_RATIO_TO_GIVEN = 1.5  # of an estimate that confirms a given diameter


class Estimate(NamedTuple):
    """An estimated diameter and the data from which it was derived.

    Attributes
    ----------
    diameter_um : float or None
        None if no object was found at any scale.
    found_um : (n,) ndarray of float
        Diameters of the objects found with this diameter, in ascending order.
    scales_um, sizes_um : (m,) ndarray of float
        Scales that were tried, in descending order, and the size of the objects found at each; NaN
        if there were none.
    doubt : str
        Why the estimate is uncertain; empty if it is not, or if a given diameter was checked.
    """

    diameter_um: float | None
    found_um: Diameters
    scales_um: Diameters
    sizes_um: Diameters
    doubt: str = ""


def estimate_diameter(
    raw: Stack,
    spacing: Spacing,
    defaults: Defaults,
    min_um: float | None = None,
    max_um: float | None = None,
    no_data: Stack | None = None,
    allocate: Allocate = np.empty,
) -> Estimate:
    """Estimate the typical diameter of the bright objects in a stack.

    Parameters
    ----------
    raw : (Z, Y, X) ndarray or stack of uint8, uint16 or float32
        A few planes are in memory at a time.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    defaults : dict of dict
        Default options of the stages for objects with a diameter of 1 um:
        ``{"denoise": {"sigma_um": ...}, "binarize": {...}, "find_seeds": {"smoothing_um": ...,
        "sigma_um": ..., "min_distance_um": ..., "weight": ...}}``, for the methods `gaussian`,
        `per_object` and `distance_and_blobs`.
    min_um, max_um : float, optional
        Limits of the diameter. By default five pixels, and three quarters of the shorter side of a
        plane.
    no_data : (Z, Y, X) ndarray or stack of bool, optional
        Voxels without data. They are filled, see :func:`cellstack.core.no_data.fill_no_data`, in a
        stack of more than 16 million voxels some planes at a time.
    allocate : callable
        Allocates the filled stack, which need not be in memory.

    Returns
    -------
    Estimate
        Diameters of the objects that no lateral face cuts, or of all objects if nearly all are cut.

    Raises
    ------
    InputError
        `min_um` is above `max_um`, or above three quarters of the shorter side of a plane.

    Notes
    -----
    At each of several scales, objects are segmented with the default options for objects of that
    diameter. Below the true diameter, the detected objects are larger than the scale, since a part
    of an object merges with its bright surroundings; above it, they are smaller. The estimate is
    the scale at which both are equal. Sizes are weighted by volume, so small fragments of noise
    and texture have little influence. If several scales qualify, such as those of nuclei and of
    clusters of nuclei, the one with the highest merit is used, see :meth:`_Search.merit`, or a
    smaller one if the objects of the former are clusters, see :meth:`_Search.is_cluster`.

    Each scale is tried on the coarsest grid that resolves it and, if that grid is large, only in
    the part of the stack with the strongest response of the blob filter.
    """
    largest, smallest = _limits(raw, spacing, min_um, max_um)
    search = _open(raw, spacing, defaults, no_data, allocate)
    return _search_all(search, largest, smallest)


def check_diameter(
    raw: Stack,
    spacing: Spacing,
    defaults: Defaults,
    given_um: float,
    min_um: float | None = None,
    max_um: float | None = None,
    no_data: Stack | None = None,
    allocate: Allocate = np.empty,
) -> Estimate:
    """Estimate the diameter of the bright objects near a given diameter, if possible.

    Parameters
    ----------
    raw, spacing, defaults, min_um, max_um, no_data, allocate
        See :func:`estimate_diameter`.
    given_um : float
        The diameter to be checked.

    Returns
    -------
    Estimate
        If the detected objects are larger than the scale at 2/3 of `given_um`, and smaller at 3/2
        of it, the estimate is interpolated between these two scales. Otherwise `given_um` is
        unlikely, and the estimate is that of :func:`estimate_diameter`, which takes about ten times
        as long.
    """
    search = _open(raw, spacing, defaults, no_data, allocate)
    scales = np.array([given_um * MAX_RATIO_TO_GIVEN, given_um / MAX_RATIO_TO_GIVEN])
    found = [search.find_diameters(scale) for scale in scales]
    sizes = np.array([_typical_size(diameters) for diameters in found])
    if sizes[0] < scales[0] and sizes[1] >= scales[1]:
        excess = np.log(sizes / scales)
        fraction = excess[1] / (excess[1] - excess[0])
        diameter = float(scales[1] * (scales[0] / scales[1]) ** fraction)
        return Estimate(float(f"{diameter:.3g}"), found[1], scales, sizes)
    log.info("no objects of %.3g um: all scales are searched", given_um)
    largest, smallest = _limits(raw, spacing, min_um, max_um)
    return _search_all(search, largest, smallest)


def _limits(
    raw: Stack, spacing: Spacing, min_um: float | None, max_um: float | None
) -> tuple[float, float]:
    """Return the largest and the smallest diameter to be tried."""
    side = min(length * step for length, step in zip(raw.shape[1:], spacing[1:], strict=True))
    largest = max_um or MAX_DIAMETER_FRACTION * side
    smallest = min_um or min(MIN_DIAMETER_PIXELS * max(spacing[1:]), largest)
    if smallest > largest:
        raise InputError(
            f"estimate_diameter: min_um {smallest:.3g} is above max_um, {largest:.3g}; "
            "give a smaller min_um"
        )
    return largest, smallest


def _open(
    raw: Stack, spacing: Spacing, defaults: Defaults, no_data: Stack | None, allocate: Allocate
) -> "_Search":
    if no_data is None:
        return _Search(_Views(raw, spacing), defaults)
    filled = allocate(raw.shape, raw.dtype)
    for slab in slabs(raw.shape):
        part, without = raw[slab.planes], no_data[slab.planes]
        if not without.all():
            part = fill_no_data(part, without, spacing)
        filled[slab.planes] = part
    return _Search(_Views(filled, spacing), defaults)


def _search_all(search: "_Search", largest: float, smallest: float) -> Estimate:
    """Estimate the diameter from all scales between two limits."""
    scales, sizes = search.scan(largest, smallest)
    if not np.isfinite(sizes).any():
        return Estimate(None, np.empty(0), scales, sizes)
    candidates: list[float] = []
    for candidate in _crossings(scales, sizes):
        refined = search.refine(candidate)
        if all(abs(refined / other - 1) > MERGE_TOLERANCE for other in candidates):
            candidates.append(refined)
    best, rival = _choose(search, candidates)
    found = search.find_diameters(best, FINAL_VOXEL_BUDGET)
    large = found[found >= MIN_RELATIVE_DIAMETER * best]
    diameter = float(f"{np.median(large):.3g}") if len(large) else best
    doubt = f"objects of {rival:.3g} um fit the stack nearly as well" if rival else ""
    if len(large) < MIN_OBJECTS:
        doubt = f"it is based on {counted(len(large), 'objects')}"
    return Estimate(diameter, found, scales, sizes, doubt)


def _choose(search: "_Search", candidates: Sequence[float]) -> tuple[float, float | None]:
    """Return the best of several scales, and another one that is nearly as good, if any."""
    if len(candidates) == 1:
        return candidates[0], None
    finest = min(candidates)
    merits = {scale: search.merit(finest, scale) for scale in candidates}
    best = max(candidates, key=merits.__getitem__)
    for smaller in sorted((each for each in candidates if each < best), reverse=True):
        if search.is_cluster(finest, best, smaller):
            best = smaller
    rivals = [
        scale
        for scale in candidates
        if merits[scale] > MAX_MERIT_OF_RIVAL * merits[best]
        and scale != best
        and not (scale > best and search.is_cluster(finest, scale, best))
    ]
    return best, max(rivals, key=merits.__getitem__, default=None)


def _crossings(scales: Diameters, sizes: Diameters) -> list[float]:
    """Return the scales between which and the next larger scale the estimate must lie.

    These are scales at which the objects found are not smaller than the scale, while they are
    smaller at the next larger scale. If there are none, return the scale that is closest to the
    size of the objects found there.
    """
    crossings = [
        float(scale)
        for larger, size_at_larger, scale, size in zip(
            scales[:-1], sizes[:-1], scales[1:], sizes[1:], strict=True
        )
        if size_at_larger < larger and size >= scale
    ]
    return crossings or [float(scales[np.nanargmin(np.abs(np.log(sizes / scales)))])]


class _Views:
    """A stack in [0, 1] on grids as coarse as each scale allows."""

    def __init__(self, raw: Stack, spacing: Spacing) -> None:
        self.raw, self.spacing = raw, spacing
        every = math.ceil(math.sqrt(raw.size / PERCENTILE_SAMPLE_VOXELS))
        sample = np.ascontiguousarray(raw[:, ::every, ::every])
        self.low, self.high = percentiles(cast(RawVolume, sample), (0.5, 99.5))
        if self.low == self.high:
            self.low = float(min(plane.min() for plane in raw))
            self.high = float(max(plane.max() for plane in raw))
        # All coarser grids are derived from this base grid, which is half as coarse as the finest
        # grid that covers the whole stack.
        voxel_um = (math.prod(spacing) * raw.size / FINAL_VOXEL_BUDGET) ** (1 / 3)
        finest = GRID_VOXELS_PER_DIAMETER * voxel_um
        factors = [max(1, factor // 2) for factor in _factors(finest, spacing)]
        self.base, self.base_spacing = self._reduce(factors), _coarser(spacing, factors)
        self.search_grid = resampling.block_means(self.base, SEARCH_FACTORS)
        self.search_spacing = _coarser(self.base_spacing, SEARCH_FACTORS)

    def view(self, scale: float, blob_sigma_um: float, budget: int) -> View:
        """Return the stack, or the part with most objects, on the grid of a scale, and its spacing.

        `blob_sigma_um` is that of the filter that finds objects of the scale.
        """
        factors = _factors(scale, self.spacing)
        sides = [
            -(-length // factor) for length, factor in zip(self.raw.shape, factors, strict=True)
        ]
        if math.prod(sides) <= budget:
            factors = _factors(scale, self.base_spacing)
            grid = resampling.block_means(self.base, factors)
            return grid, _coarser(self.base_spacing, factors)
        side = int(math.sqrt(budget / sides[0]))
        lengths = [
            max(1, min(length, side * factor))
            for length, factor in zip(self.raw.shape[1:], factors[1:], strict=True)
        ]
        window = self._richest(lengths, blob_sigma_um)
        return self._reduce(factors, window), _coarser(self.spacing, factors)

    def _reduce(
        self, factors: Sequence[int], window: Sequence[slice] = (slice(None), slice(None))
    ) -> Volume:
        """Return the stack, or a window of its planes, on a coarser grid."""
        starts = range(0, len(self.raw), factors[0])
        parts = (self.raw[(slice(start, start + factors[0]), *window)] for start in starts)
        scaled = (rescale(part, self.low, self.high) for part in parts)
        return np.concatenate([resampling.block_means(slab, factors) for slab in scaled])

    def _richest(self, lengths: Sequence[int], blob_sigma_um: float) -> list[slice]:
        """Return the window of given numbers of rows and columns with the strongest blobs.

        The brightest one can be haze without objects.
        """
        response = blobness(self.search_grid, self.search_spacing, blob_sigma_um).sum(axis=0)
        steps = np.divide(self.search_spacing[1:], self.spacing[1:]).tolist()
        rows, columns = (
            max(1, min(size, round(length / step)))
            for size, length, step in zip(response.shape, lengths, steps, strict=True)
        )
        padded = np.pad(response, ((1, 0), (1, 0))).astype(np.float64)
        sums = padded.cumsum(axis=0).cumsum(axis=1)
        total = sums[rows:, columns:] - sums[:-rows, columns:]
        total = total - sums[rows:, :-columns] + sums[:-rows, :-columns]
        corner = np.unravel_index(np.argmax(total), total.shape)
        window = []
        for position, step, size, length in zip(
            corner, steps, self.raw.shape[1:], lengths, strict=True
        ):
            start = min(int(position * step), size - length)
            window.append(slice(start, start + length))
        return window


def _factors(scale: float, spacing: Spacing) -> tuple[int, ...]:
    return tuple(max(1, int(scale / GRID_VOXELS_PER_DIAMETER / step)) for step in spacing)


def _coarser(spacing: Spacing, factors: Sequence[int]) -> tuple[float, ...]:
    return tuple(step * factor for step, factor in zip(spacing, factors, strict=True))


class _Search:
    """The segmentation of a stack with the default options of the stages at different scales."""

    def __init__(self, views: _Views, defaults: Defaults) -> None:
        self.views, self.defaults = views, defaults

    def scan(self, largest: float, smallest: float) -> tuple[Diameters, Diameters]:
        """Return the scales between two limits, in descending order, and the sizes found there."""
        scales: list[float] = []
        sizes: list[float] = []
        scale = largest
        while scale >= smallest or not scales:
            size = _typical_size(self.find_diameters(scale))
            found = f"{size:.3g} um" if size > 0 else "none"
            log.info("searched for objects of %.3g um: found %s", scale, found)
            scales.append(scale)
            sizes.append(size)
            scale /= SCALE_STEP
        return np.array(scales), np.array(sizes)

    def refine(self, start: float) -> float:
        """Return the scale at which the size found equals the scale, searched near `start`."""
        scale = start
        limits = start / SCALE_STEP**2, start * SCALE_STEP**2
        for _ in range(MAX_ITERATIONS):
            size = _typical_size(self.find_diameters(scale))
            if not size > 0:
                break
            before, scale = scale, float(np.clip(size, *limits))
            if abs(scale / before - 1) < CONVERGENCE_TOLERANCE:
                break
        return scale

    def merit(self, finest: float, scale: float) -> float:
        """Return how well a scale explains the stack, from 0 to 1: the product of three numbers.

        - The correlation of mask and intensities, on the grid of the finest scale so that scales
          can be compared.
        - The steadiness: 1 if the size of objects does not depend on the scale, 0 if it is
          proportional to it, as in noise, which is similar at all scales.
        - A number that is small for a few large objects, such as clusters of nuclei or one corner
          that is brighter than the others.
        """
        image, spacing = self._view(finest, FINAL_VOXEL_BUDGET)
        mask, _ = self.mark(image, spacing, scale)
        explained = _correlation(image, mask)
        steadiness, count = self._steadiness(scale)
        log.info(
            "%s of %.3g um: correlation with the stack %.2f, steadiness %.2f",
            counted(count, "objects"),
            scale,
            explained,
            steadiness,
        )
        return explained * steadiness * count / (count + HALF_MERIT_COUNT)

    def is_cluster(self, finest: float, scale: float, smaller: float) -> bool:
        """Return whether the objects of a scale consist of distinct objects of a smaller scale."""
        image, spacing = self._view(finest, FINAL_VOXEL_BUDGET)
        inside = self.mark(image, spacing, scale)[0] > 0
        mask, _ = self.mark(image, spacing, smaller)
        explained = _correlation(image[inside], mask[inside])
        steadiness, _ = self._steadiness(smaller)
        log.info("correlation in objects of %.3g um: %.2f", scale, explained)
        return explained > MIN_CORRELATION_INSIDE and steadiness > MIN_STEADINESS_INSIDE

    def _steadiness(self, scale: float) -> tuple[float, int]:
        """Return the steadiness of a scale, see `merit`, and the number of objects."""
        smaller = self.find_diameters(scale / STEADINESS_STEP, FINAL_VOXEL_BUDGET)
        larger = self.find_diameters(scale * STEADINESS_STEP, FINAL_VOXEL_BUDGET)
        if not (len(smaller) and len(larger)):
            return 0.0, len(larger)
        change = abs(np.log(_typical_size(larger) / _typical_size(smaller)))
        return max(0.0, float(1 - change / np.log(STEADINESS_STEP**2))), len(larger)

    def mark(self, image: Volume, spacing: Spacing, scale: float) -> tuple[Mask, Volume]:
        """Return the mask of objects of a scale, and the denoised image."""
        noise = estimate_noise(image)
        smooth = filters.gaussian(image, spacing, **self._options("denoise", scale))
        # relative to their means, outlines would hardly depend on the scale
        options = self._options("binarize", scale) | {"level": LEVEL_AT_CENTRE}
        marked = per_object_threshold.mark_blobs(
            smooth, spacing, noise, mean_limits=AT_CENTRE, **options
        )
        return marked.mask.view(np.uint8), smooth

    def find_diameters(self, scale: float, budget: int = VOXEL_BUDGET) -> Diameters:
        """Return the diameters of the objects found at a scale, in ascending order."""
        image, spacing = self._view(scale, budget)
        mask, smooth = self.mark(image, spacing, scale)
        components = cc3d.connected_components(mask, connectivity=26)
        options = self._options("find_seeds", scale)
        distance = distance_map(mask, spacing, options.pop("smoothing_um"))
        seeds = find_seeds(distance, components, spacing, "distance_and_blobs", options, smooth)
        labels = split_objects(seeds, mask, smooth, distance, spacing, "distance", {})
        return _diameters(labels, spacing)

    def _view(self, scale: float, budget: int) -> View:
        return self.views.view(scale, self._options("binarize", scale)["sigma_um"], budget)

    def _options(self, stage: str, scale: float) -> dict[str, Any]:
        """Return the default options of a stage for objects with a diameter of `scale`."""
        return {
            name: value * scale if name.endswith("_um") else value
            for name, value in self.defaults[stage].items()
        }


def _correlation(image: Volume, mask: Mask) -> float:
    """Return the correlation of intensities with a mask; 0 if the mask is constant."""
    return float(np.corrcoef(image.ravel(), mask.ravel())[0, 1]) if 0 < mask.mean() < 1 else 0.0


def _diameters(labels: Labels, spacing: Spacing) -> Diameters:
    """Return the diameters of objects in ascending order.

    These are the objects that no lateral face cuts or, if their fraction of the total volume is
    small, all objects. The diameter is that of the sphere of the same volume. For objects cut by
    the first or last plane it is that of the circle of the area of their largest section, if
    larger.
    """
    planes, count = len(labels), int(labels.max(initial=0)) + 1
    numbers = labels + count * np.arange(planes)[:, None, None]
    sections = np.bincount(numbers.ravel(), minlength=planes * count).reshape(planes, count)
    z, y, x = spacing
    voxels = sections.sum(axis=0)
    diameters = np.cbrt(6 / np.pi * z * y * x * voxels)
    largest_section = np.sqrt(4 / np.pi * y * x * sections.max(axis=0))
    is_cut_in_z = sections[0] + sections[-1] > 0
    diameters = np.where(is_cut_in_z, np.maximum(diameters, largest_section), diameters)
    is_counted = np.arange(count) > 0
    for face in (labels[:, 0], labels[:, -1], labels[:, :, 0], labels[:, :, -1]):
        is_counted[face.ravel()] = False
    if voxels[is_counted].sum() < MIN_UNCUT_VOLUME * voxels[1:].sum():
        is_counted[1:] = True
    return np.sort(diameters[is_counted])


def _typical_size(diameters: Diameters) -> float:
    """Return the diameter up to which objects make up half of the volume; NaN without objects."""
    if len(diameters) == 0:
        return math.nan
    volume = np.cumsum(diameters**3)
    return float(diameters[np.searchsorted(volume, volume[-1] / 2)])
