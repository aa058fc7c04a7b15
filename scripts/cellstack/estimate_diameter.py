"""The typical diameter of an object, estimated from the stack: the scale at which what is found is as large as what is looked for.

Halo: none can be stated, the estimate is of the stack as a whole.
"""

import logging
import math
from typing import NamedTuple

import cc3d
import numpy as np

from cellstack import adjust_contrast, coarse_grid, denoise, find_seeds, half_height, split_objects
from cellstack.errors import InputError

LOGGER = logging.getLogger(__name__)
STEP = 1.3  # from one scale to the next
SMALLEST = 5  # pixels across: smaller things have no shape
LARGEST = 0.75  # of the stack's shorter lateral side: what is larger does not lie whole in it
GRID = 8  # voxels of the grid across an object, where the stack has as many
BUDGET = 100_000  # voxels of the grid that are looked at for one scale
CLOSER = 400_000  # the same where it is decided between scales, and at the end
SAMPLE = 1_000_000  # voxels of which the percentiles are taken
ROUNDS = 6  # in which an estimate settles, at most
SETTLED = 0.02  # part of it by which it may change in the last
OFF = 1.25  # how far beside a scale it is seen whether the size stays the same
FEW = 3  # objects that are half as good as many
ALIKE = 0.1  # part by which two scales differ at most that are one
SIZEABLE = 0.5  # of the diameter by which stages go: smaller parts are specks
SMOOTHING = {"image": 0.06, "distance": 0.05}  # of the diameter; these and the next as the defaults were when the rest was tried
BLOBS = {"sigma_um": 0.3, "min_distance_um": 0.5, "surround_um": 1.5, "reach_um": 1.2}
CONTRAST = {"level": 0.45, "min_contrast": 0.25, "min_contrast_to_noise": 8, "face_weight": 0.5}
SEEDS = {"sigma_um": 0.3, "min_distance_um": 0.4}
WEIGHT = 0.5
LEAST_WHOLE = 0.1  # of the volume of all objects, without which the cut ones count too: the others are specks between them


class Estimate(NamedTuple):
    """A diameter, and what it was found from.

    Attributes
    ----------
    diameter_um : float or None
        None where nothing was found at any scale.
    found_um : (n,) ndarray of float
        Diameters of the objects that were found by it, in ascending order.
    scales_um, sizes_um : (m,) ndarray of float
        The scales that were tried, from the largest on, and how large was what was found there; NaN where that was nothing.
    """

    diameter_um: float | None
    found_um: np.ndarray
    scales_um: np.ndarray
    sizes_um: np.ndarray


def estimate_diameter(raw, spacing, min_um=None, max_um=None):
    """Estimate the typical diameter of the bright objects of a stack.

    Parameters
    ----------
    raw : (Z, Y, X) ndarray of uint8, uint16 or float
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    min_um, max_um : float, optional
        Between which scales it is looked for; by default from five pixels to three quarters of the stack's shorter lateral side.

    Returns
    -------
    Estimate
        Of the objects that no lateral face cuts, or of all where hardly one is whole.

    Raises
    ------
    InputError
        `min_um` lies above `max_um`, or above the stack's size.

    Notes
    -----
    At each of some scales objects are found much as the default chain finds them if it is told that diameter. Below the true one they come
    out larger than what was looked for, for a part of an object is drawn with what is bright around it; above it they come out smaller. The
    estimate lies where both are equal. Sizes are weighted by volume, so that specks of noise and of texture have little say. Where
    they are equal at several scales, as at those of nuclei and of their clumps, see :func:`_merit`.

    Each scale is looked at on a grid as coarse as it bears, and in the brightest part of the stack alone where that grid is large.
    """
    side = min(length * step for length, step in zip(raw.shape[1:], spacing[1:], strict=True))
    largest = max_um or LARGEST * side
    smallest = min_um or min(SMALLEST * max(spacing[1:]), largest)
    if smallest > largest:
        raise InputError(f"estimate_diameter: min_um {smallest:.3g} is above max_um, {largest:.3g}; give a smaller one")
    views = _Views(np.asarray(raw), spacing)
    scales, sizes = _scan(views, largest, smallest)
    if not np.isfinite(sizes).any():
        return Estimate(None, np.empty(0), scales, sizes)
    fits = [
        scale for scale, size, above, there in zip(scales[1:], sizes[1:], scales, sizes, strict=False) if there < above and size >= scale
    ]
    if not fits:  # the object is larger or smaller than all scales
        fits = [scales[np.nanargmin(np.abs(np.log(sizes / scales)))]]
    settled = []
    for scale in (_settle(views, fit) for fit in fits):
        if all(abs(scale / other - 1) > ALIKE for other in settled):
            settled.append(scale)
    best = max(settled, key=lambda scale: _merit(views, min(settled), scale)) if len(settled) > 1 else settled[0]
    found = _look(views.view(best, CLOSER), best)
    sizeable = found[found >= SIZEABLE * best]
    return Estimate(float(f"{np.median(sizeable):.3g}") if len(sizeable) else best, found, scales, sizes)


class _Views:
    """A stack in [0, 1] on grids that are as coarse as a scale bears."""

    def __init__(self, raw, spacing):
        self.raw, self.spacing = raw, spacing
        every = math.ceil(math.sqrt(raw.size / SAMPLE))
        self.limits = adjust_contrast.percentiles(np.ascontiguousarray(raw[:, ::every, ::every]), (0.5, 99.5))
        if self.limits[0] == self.limits[1]:
            self.limits = [float(raw.min()), float(raw.max())]
        # of a large stack one grid is made that is half as coarse as the finest with all of the stack, and all coarser ones from that
        finest = GRID * (math.prod(spacing) * raw.size / CLOSER) ** (1 / 3)
        factors = [max(1, factor // 2) for factor in _factors(finest, spacing)]
        self.base, self.base_spacing = self._reduce(raw, factors), _wider(spacing, factors)
        self.from_above = self.base.mean(axis=0)

    def view(self, scale, budget=BUDGET):
        """Give the stack, or its brightest part, on the grid of a scale, and the spacing of that."""
        factors = _factors(scale, self.spacing)
        sides = [-(-length // factor) for length, factor in zip(self.raw.shape, factors, strict=True)]
        if math.prod(sides) <= budget:
            factors = _factors(scale, self.base_spacing)
            return coarse_grid.block_means(self.base, factors), _wider(self.base_spacing, factors)
        side = int(math.sqrt(budget / sides[0]))
        part = self._brightest([max(1, min(length, side * factor)) for length, factor in zip(self.raw.shape[1:], factors[1:], strict=True)])
        return self._reduce(self.raw[part], factors), _wider(self.spacing, factors)

    def _reduce(self, raw, factors):
        slabs = [raw[start : start + factors[0]] for start in range(0, len(raw), factors[0])]
        return np.concatenate([coarse_grid.block_means(adjust_contrast.rescale(slab, *self.limits), factors) for slab in slabs])

    def _brightest(self, lengths):
        """Choose the window of some rows and columns that is brightest from above."""
        steps = [base / step for base, step in zip(self.base_spacing[1:], self.spacing[1:], strict=True)]
        high, wide = (
            max(1, min(size, round(length / step))) for size, length, step in zip(self.from_above.shape, lengths, steps, strict=True)
        )
        sums = np.pad(self.from_above, ((1, 0), (1, 0))).astype(np.float64).cumsum(axis=0).cumsum(axis=1)
        light = sums[high:, wide:] - sums[:-high, wide:] - sums[high:, :-wide] + sums[:-high, :-wide]
        corner = np.unravel_index(np.argmax(light), light.shape)
        starts = [
            min(int(at * step), size - length) for at, step, size, length in zip(corner, steps, self.raw.shape[1:], lengths, strict=True)
        ]
        return slice(None), *(slice(start, start + length) for start, length in zip(starts, lengths, strict=True))


def _factors(scale, spacing):
    return tuple(max(1, int(scale / GRID / step)) for step in spacing)


def _wider(spacing, factors):
    return tuple(step * factor for step, factor in zip(spacing, factors, strict=True))


def _scan(views, largest, smallest):
    """Try scales from the largest on; give them, and the sizes of what is found there."""
    scales, sizes = [], []
    scale = largest
    while scale >= smallest or not scales:
        scales.append(scale)
        sizes.append(_size(_look(views.view(scale), scale)))
        LOGGER.info("looked for objects of %.3g um: found %s", scale, f"such of {sizes[-1]:.3g} um" if sizes[-1] > 0 else "none")
        scale /= STEP
    return np.array(scales), np.array(sizes)


def _merit(views, finest, scale):
    """Tell how well a scale fits: its mask explains the stack, the size that is found does not go along with it, and objects are many.

    The first is the correlation of mask and brightness on the grid of the finest scale, so that all scales are comparable. The second is 1
    where the size stays the same, and 0 where it changes along with the scale, as in noise, which looks alike at all scales. The third is
    small for a few large ones, as clumps are, or what is brighter in all of one corner.
    """
    image, spacing = views.view(finest, CLOSER)
    mask, _ = _mark(image, spacing, scale)
    explained = np.corrcoef(image.ravel(), mask.ravel())[0, 1] if mask.any() and not mask.all() else 0.0
    below, above = (_look(views.view(near, CLOSER), near) for near in (scale / OFF, scale * OFF))
    steadiness = max(0.0, 1 - abs(np.log(_size(above) / _size(below))) / np.log(OFF**2)) if len(below) and len(above) else 0.0
    LOGGER.info("%d objects of %.3g um explain %.2f of the stack, and are %.2f steady", len(above), scale, explained, steadiness)
    return explained * steadiness * len(above) / (len(above) + FEW)


def _settle(views, fit):
    """Look again for objects of the size that was found, until it stays the same or leaves the neighbourhood of the fit."""
    scale = fit
    for _ in range(ROUNDS):
        size = _size(_look(views.view(scale), scale))
        if not size > 0:
            break
        before, scale = scale, float(np.clip(size, fit / STEP**2, fit * STEP**2))
        if abs(scale / before - 1) < SETTLED:
            break
    return scale


def _mark(image, spacing, scale):
    noise = denoise.estimate_noise(image)
    smooth = denoise.gaussian(image, spacing, sigma_um=SMOOTHING["image"] * scale)
    sizes = {name: part * scale for name, part in BLOBS.items()}
    return half_height.mark_blobs(smooth, spacing, noise, **sizes, **CONTRAST).view(np.uint8), smooth


def _look(view, scale):
    """Find objects of a scale, and give the diameters in ascending order of those that count, see :func:`_diameters`."""
    image, spacing = view
    mask, smooth = _mark(image, spacing, scale)
    components = cc3d.connected_components(mask, connectivity=26)
    distance = find_seeds.distance_map(mask, spacing, SMOOTHING["distance"] * scale)
    options = {name: part * scale for name, part in SEEDS.items()} | {"weight": WEIGHT}
    seeds = find_seeds.find_seeds(distance, components, spacing, "combined", options, smooth)
    labels = split_objects.split_objects(seeds, mask, smooth, distance, "distance", {})
    return _diameters(labels, spacing)


def _diameters(labels, spacing):
    """Measure the objects that no lateral face cuts, or all where these hold but a small part of the volume.

    The diameter is that of a ball of the volume; of an object that the first or last plane cuts that of its widest plane, if larger.
    """
    planes, count = len(labels), int(labels.max(initial=0)) + 1
    numbers = labels + count * np.arange(planes)[:, None, None]
    sections = np.bincount(numbers.ravel(), minlength=planes * count).reshape(planes, count)
    z, y, x = spacing
    voxels = sections.sum(axis=0)
    diameters = np.cbrt(6 / np.pi * z * y * x * voxels)
    widest = np.sqrt(4 / np.pi * y * x * sections.max(axis=0))
    diameters = np.where(sections[0] + sections[-1] > 0, np.maximum(diameters, widest), diameters)
    is_whole = np.arange(count) > 0
    for face in (labels[:, 0], labels[:, -1], labels[:, :, 0], labels[:, :, -1]):
        is_whole[face.ravel()] = False
    if voxels[is_whole].sum() < LEAST_WHOLE * voxels[1:].sum():
        is_whole[1:] = True
    return np.sort(diameters[is_whole])


def _size(diameters):
    """Give the diameter below which half of the volume lies; NaN where there is nothing."""
    if len(diameters) == 0:
        return np.nan
    volume = np.cumsum(diameters**3)
    return float(diameters[np.searchsorted(volume, volume[-1] / 2)])
