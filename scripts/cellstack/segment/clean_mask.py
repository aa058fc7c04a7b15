"""Morphological cleaning of a mask: holes, small objects, sheets, and rough outlines.

Each of :data:`METHODS` is called with a mask, a (Z, Y, X) ndarray of uint8 with values 0 and 1,
its voxel size along z, y and x in um, and its options as keywords. It returns a mask of the same
shape and type.

The methods :func:`erosion`, :func:`dilation`, :func:`opening` and :func:`closing` have the same
options:

shape : {"ball", "disc", "cube", "square"}
    Shape of the footprint. A disc and a square are applied to each plane.
radius_um : float
    Radius of the footprint in um, or half the side of a cube or square. An axis along which it is
    below half a voxel is skipped.

They are the functions of `skimage.morphology` with ``mode="ignore"``: the outside of the stack is
neither foreground nor background.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import cc3d
import numpy as np

from cellstack.config.methods import Methods
from cellstack.core import morphology
from cellstack.core.boxes import widen_box
from cellstack.core.components import keep_large_components
from cellstack.core.labels import find_boxes
from cellstack.core.planes import Stack, filter_slabs, map_parts
from cellstack.core.resampling import grid_factors
from cellstack.core.types import BoolVolume, Box, Labels, Mask, Spacing
from cellstack.core.voxels import voxels_up_to

METHODS = Methods()
# Sheets are searched first on a grid whose voxels are this fraction of their thickness, where parts
# are sheets from this fraction of their width on.
SHEET_GRID: Final = 1 / 4
COARSE_WIDTH: Final = 0.8


def clean_mask(
    mask: Mask,
    spacing: Spacing,
    steps: Iterable[tuple[str, dict[str, Any]]],
    no_data: BoolVolume | None = None,
) -> Mask:
    """Apply methods to a mask, one after the other.

    Parameters
    ----------
    mask : (Z, Y, X) ndarray of uint8
        1 in the foreground, 0 elsewhere.
    spacing : (3,) sequence of float
        Voxel size along z, y and x in um.
    steps : iterable of (str, dict)
        Names of :data:`METHODS` and their options.
    no_data : (Z, Y, X) ndarray of bool, optional
        Voxels that are background in the result.

    Returns
    -------
    (Z, Y, X) ndarray of uint8
        The cleaned mask, 0 or 1.

    Examples
    --------
    >>> mask = np.array([[[1, 1, 1, 0, 1], [1, 0, 1, 0, 0], [1, 1, 1, 0, 0]]], np.uint8)
    >>> steps = [
    ...     ("fill_holes", {"max_volume_um3": 1}),
    ...     ("remove_small_objects", {"max_volume_um3": 1}),
    ... ]
    >>> clean_mask(mask, (1, 1, 1), steps)
    array([[[1, 1, 1, 0, 0],
            [1, 1, 1, 0, 0],
            [1, 1, 1, 0, 0]]], dtype=uint8)
    """
    return clean_mask_with_record(mask, spacing, steps, no_data)[0]


def clean_mask_with_record(
    mask: Mask,
    spacing: Spacing,
    steps: Iterable[tuple[str, dict[str, Any]]],
    no_data: BoolVolume | None = None,
    core: Box = (slice(None), slice(None), slice(None)),
) -> tuple[Mask, dict[str, int]]:
    """Apply methods to a mask, and count what :func:`remove_sheets` removes.

    Parameters
    ----------
    mask, spacing, steps, no_data
        See :func:`clean_mask`.
    core : tuple of slice
        Part of the stack in which voxels are counted; for a block of a stack.

    Returns
    -------
    mask : (Z, Y, X) ndarray of uint8
        The cleaned mask, 0 or 1.
    record : dict
        ``foreground_voxels`` before cleaning, and ``sheet_voxels``, those removed as sheets.

    Examples
    --------
    >>> mask = np.zeros((9, 40, 40), np.uint8)
    >>> mask[4], mask[2:7, 2:7, 2:7] = 1, 1
    >>> steps = [("remove_sheets", {"max_thickness_um": 3, "min_width_um": 20})]
    >>> clean, record = clean_mask_with_record(mask, (1, 1, 1), steps)
    >>> int(clean.sum()), record
    (125, {'foreground_voxels': 1700, 'sheet_voxels': 1575})
    """
    record = {"foreground_voxels": int(np.count_nonzero(mask[core])), "sheet_voxels": 0}
    for method, options in steps:
        cleaned = METHODS[method](mask, spacing, **options)
        if method == "remove_sheets":
            removed = np.count_nonzero(mask[core]) - np.count_nonzero(cleaned[core])
            record["sheet_voxels"] += int(removed)
        mask = cleaned
    return mask if no_data is None else mask * ~no_data, record


@METHODS
def smooth(mask: Mask, spacing: Spacing, *, sigma_um: float) -> Mask:
    """Smooth outlines: blur the mask with a Gaussian and threshold it at 0.5.

    Parameters
    ----------
    sigma_um : float
        Standard deviation of the Gaussian in um.
    """
    from cellstack.core.filters import gaussian, gaussian_kernels  # slow to import, used here only

    def smooth_rows(rows: Mask) -> BoolVolume:
        blurred = gaussian(rows.swapaxes(0, 1), spacing, sigma_um=sigma_um)
        return (blurred > np.float32(0.5)).swapaxes(0, 1)

    # Some rows of all planes at a time: the blurred stack would be four times as large as the mask.
    halo = len(gaussian_kernels(sigma_um, spacing)[1]) // 2
    rows = filter_slabs(mask.swapaxes(0, 1), halo, smooth_rows, np.uint8)
    smoothed = np.empty_like(mask, order="C")
    for y, row in enumerate(rows):
        smoothed[:, y] = row
    return smoothed


@METHODS
def fill_holes(mask: Mask, spacing: Spacing, *, max_volume_um3: float) -> Mask:
    """Fill holes up to a volume, including those at the faces of the stack.

    The same as `skimage.morphology.remove_small_holes` with ``connectivity=1``.

    Parameters
    ----------
    max_volume_um3 : float
        Volume in um3 of the largest hole that is filled.
    """
    inverted = map_parts(mask, lambda part: 1 - part, np.uint8)
    outside = _without_small_objects(inverted, spacing, max_volume_um3)
    return np.subtract(1, outside, out=outside)


@METHODS
def remove_small_objects(mask: Mask, spacing: Spacing, *, max_volume_um3: float) -> Mask:
    """Remove connected components up to a volume.

    The same as `skimage.morphology.remove_small_objects` with ``connectivity=1``.

    Parameters
    ----------
    max_volume_um3 : float
        Volume in um3 of the largest object that is removed.
    """
    return _without_small_objects(mask, spacing, max_volume_um3)


@METHODS
def remove_sheets(
    mask: Mask, spacing: Spacing, *, max_thickness_um: float, min_width_um: float
) -> Mask:
    """Remove structures that are thin in one direction and wide in the two others.

    Such sheets are folds, cell walls or the rim of a drop of mounting medium. Parts of the mask
    are thin if an opening by a ball removes them. Connected thin parts are a sheet if they are
    wide, and are removed. Objects that touch a sheet are kept.

    Parameters
    ----------
    max_thickness_um : float
        Thickness in um up to which a part is thin: the diameter of the ball.
    min_width_um : float
        Minimum width of a sheet in um: four standard deviations of its voxels along its second
        longest principal axis, which is the diameter of a disc. Voxels near thick parts do not
        count, because the thin rims of touching flat objects form a wide net.

    Examples
    --------
    >>> mask = np.zeros((5, 30, 30), np.uint8)
    >>> mask[2] = 1
    >>> mask[2, 10] = 0  # parts of 10 x 30 and 19 x 30 voxels
    >>> remove_sheets(mask, (1, 1, 1), max_thickness_um=3, min_width_um=20).sum()
    np.uint64(300)
    """
    factors = grid_factors(max_thickness_um * SHEET_GRID, spacing)
    if max(factors) > 1:  # on a coarse grid it is much faster to see that there is no sheet
        coarse = _coarsen(mask, factors)
        wide = tuple(step * factor for step, factor in zip(spacing, factors, strict=True))
        thickness_um = max_thickness_um + 2 * max(wide)
        if not any(_find_sheets(coarse, wide, thickness_um, min_width_um * COARSE_WIDTH)):
            return mask
    cleaned = mask.copy()
    for box, is_sheet in _find_sheets(mask, spacing, max_thickness_um, min_width_um):
        cleaned[box][is_sheet] = 0
    return cleaned


@METHODS
def erosion(mask: Mask, spacing: Spacing, *, shape: str, radius_um: float) -> Mask:
    """Shrink the foreground. Objects narrower than the footprint vanish."""
    return morphology.erosion(mask, morphology.footprint(shape, radius_um, spacing))


@METHODS
def dilation(mask: Mask, spacing: Spacing, *, shape: str, radius_um: float) -> Mask:
    """Expand the foreground. Gaps narrower than the footprint close."""
    return morphology.dilation(mask, morphology.footprint(shape, radius_um, spacing))


@METHODS
def opening(mask: Mask, spacing: Spacing, *, shape: str, radius_um: float) -> Mask:
    """Remove specks, spikes and bridges narrower than the footprint, by erosion and dilation."""
    return morphology.opening(mask, morphology.footprint(shape, radius_um, spacing))


@METHODS
def closing(mask: Mask, spacing: Spacing, *, shape: str, radius_um: float) -> Mask:
    """Fill holes, dents and gaps narrower than the footprint, by dilation and erosion."""
    return morphology.closing(mask, morphology.footprint(shape, radius_um, spacing))


def _without_small_objects(mask: Stack, spacing: Spacing, max_volume_um3: float) -> Mask:
    limit = voxels_up_to(max_volume_um3, spacing)
    kept: Mask = keep_large_components(mask, limit)
    return kept


def _components(mask: Mask) -> Labels:
    """Label components whose voxels share at least a corner."""
    # cc3d does not accept a read-only view.
    components: Labels = cc3d.connected_components(
        np.require(mask, requirements="W"), connectivity=26
    )
    return components


def _find_sheets(
    mask: Mask, spacing: Spacing, max_thickness_um: float, min_width_um: float
) -> Iterator[tuple[Box, BoolVolume]]:
    """Yield a box and the voxels in it that belong to a sheet, see :func:`remove_sheets`."""
    from cellstack.core.distance import distance_map  # not needed for the other methods

    radius_um = max_thickness_um / 2
    components = _components(mask)
    for label, tight in find_boxes(components).items():
        if not _is_wide(tight, spacing, min_width_um):
            continue
        box = widen_box(tight)
        inside = components[box] == label
        if inside.all():  # without background around it, it has no thickness
            continue
        deep = distance_map(inside.view(np.uint8), spacing) >= radius_um
        thin = far = inside
        if deep.any():
            to_deep = distance_map((~deep).view(np.uint8), spacing)
            thin = inside & (to_deep > radius_um)
            far = inside & (to_deep > max_thickness_um)
        if not far.any():
            continue
        parts = _components(thin.view(np.uint8))
        sheets = {
            int(parts[far_box][is_far][0])
            for far_box, is_far in _each_component(far, spacing, min_width_um)
            if _width(is_far, spacing) >= min_width_um
        }
        boxes = find_boxes(parts) if sheets else {}
        for part in sorted(sheets):
            part_box = boxes[part]
            yield (
                tuple(
                    slice(outer.start + inner.start, outer.start + inner.stop)
                    for outer, inner in zip(box, part_box, strict=True)
                ),
                parts[part_box] == part,
            )


def _each_component(
    mask: BoolVolume, spacing: Spacing, min_width_um: float
) -> Iterator[tuple[Box, BoolVolume]]:
    """Yield the box and the mask of each component that can be wide."""
    components = _components(mask.view(np.uint8))
    for label, box in find_boxes(components).items():
        if _is_wide(box, spacing, min_width_um):
            yield box, components[box] == label


def _coarsen(mask: Mask, factors: Sequence[int]) -> Mask:
    """Return a mask in which a voxel is 1 if one of the voxels in its place is."""
    for axis, factor in enumerate(factors):
        along = np.moveaxis(mask, axis, 0)
        coarse = along[::factor].copy()
        for start in range(1, factor):
            others = along[start::factor]
            coarse[: len(others)] |= others
        mask = np.moveaxis(coarse, 0, axis)
    return mask


def _is_wide(box: Box, spacing: Spacing, min_width_um: float) -> bool:
    """Return whether a box is so long that a sheet can be in it.

    The variances of voxels that fill a box are a twelfth of the squares of its sides.
    """
    sides = ((side.stop - side.start) * step for side, step in zip(box, spacing, strict=True))
    return float(sum(side**2 for side in sides)) >= 12 / 16 * 2 * min_width_um**2


def _width(part: BoolVolume, spacing: Spacing) -> float:
    """Return four standard deviations in um along the second longest principal axis."""
    voxels = np.argwhere(part) * np.asarray(spacing)
    if len(voxels) < 2:
        return 0.0
    variances = np.linalg.eigvalsh(np.cov(voxels, rowvar=False))
    return 4 * math.sqrt(max(0.0, variances[1]))
