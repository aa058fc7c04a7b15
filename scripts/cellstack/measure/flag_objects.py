"""Flags for measured objects that may be wrong.

Reasons are: cut by a face of the stack, unusual size, shape or brightness compared with the other
objects of the stack, several seeds close together, and low contrast.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from cellstack.config.reasons import (
    BRIGHT,
    CONTRAST,
    IRREGULAR,
    LARGE,
    LONG,
    NO_DATA,
    PARTS,
    SEEDS,
    SMALL,
    TOUCHES,
)
from cellstack.core.planes import Planes
from cellstack.core.points import Points
from cellstack.core.types import Spacing

MAX_DEVIATION = 3.5  # robust standard deviations from the median
# Smaller differences from the median are not unusual, however similar the other objects are:
MIN_VOLUME_RATIO = 2.0  # nuclei double their volume in a cell cycle
MIN_SOLIDITY_DIFFERENCE = 0.15
MAX_RELATIVE_LENGTH = 1.4  # times the median; two equal balls that touch have 2.4
MIN_OBJECTS = 5  # for a median and a robust standard deviation
CROWDED_DISTANCE = 0.5  # of the median diameter; seeds closer than this are flagged
MIN_CONTRAST = 1.2  # standard deviations of the background
MAX_RELATIVE_HEIGHT = 8.0  # times the median; dim objects beside brighter ones are drawn too small


def flag_objects(
    rows: Sequence[Mapping[str, float]],
    contrast: Sequence[float] | NDArray[np.float64] | None = None,
    crowded: Collection[int] = (),
    has_one_plane: bool = False,
    beside_no_data: Collection[int] = (),
    heights: Sequence[float] | NDArray[np.float64] | None = None,
    divided: Collection[int] = (),
) -> list[str]:
    """Return the flags of each object.

    Parameters
    ----------
    rows : list of dict
        Measured objects with ``segmentation_label``, ``volume_um3``, ``touches_...`` and, if their
        shape is to be flagged, ``solidity`` and ``axis_major_length_um``; see
        :mod:`cellstack.config.object_columns`.
    contrast : (n,) sequence of float, optional
        Contrast-to-noise ratios, see :func:`cellstack.core.surroundings.measure_contrast`; NaN is
        not flagged.
    crowded : collection of int
        Labels in segmentation.tif of objects with seeds close together, see :func:`find_crowded`.
    has_one_plane : bool
        Whether the stack has only one plane. All objects then touch the first and last plane, and
        this is not flagged.
    beside_no_data : collection of int
        Labels, ``label``, of objects that touch a region without data.
    heights : (n,) sequence of float, optional
        Intensities above the background, from the same function; NaN is not flagged.
    divided : collection of int
        Labels, ``label``, of objects in several parts, see
        :func:`cellstack.core.components.find_divided`.

    Returns
    -------
    list of str
        The flags of each object, separated by ";".

    Notes
    -----
    The logarithm of the volume and the solidity are compared with their medians, in units of 1.4826
    times the median absolute deviation. The limit is 3.5 units, or a factor of 2 in the volume and
    0.15 in the solidity if these are more. Without variation, neither is flagged. Only a low
    solidity is flagged. An object is long if the major axis of the ellipsoid with its second
    moments is more than 1.4 times the median, for example if it consists of two nuclei.

    Medians and deviations are computed over the objects that touch no face, or over all objects if
    fewer than five touch no face. With fewer than five objects, none of these is flagged. An object
    is bright if its intensity above the background is more than 8 times the median of at least five
    objects.

    References
    ----------
    .. [1] B. Iglewicz and D. C. Hoaglin, "How to Detect and Handle Outliers", ASQC Quality Press,
       1993: the limit of 3.5.

    Examples
    --------
    >>> rows = [
    ...     {"segmentation_label": i, "volume_um3": volume, "solidity": 0.9, "touches_last_row": 0}
    ...     for i, volume in enumerate([100, 104, 98, 101, 97, 400], 1)
    ... ]
    >>> flag_objects(rows)[-1]
    'large for its stack'
    """
    if not rows:
        return []
    faces = [name for name in rows[0] if name.startswith("touches_")]
    if has_one_plane:
        faces = [name for name in faces if not name.endswith("_plane")]
    touched = [
        [name.removeprefix("touches_").replace("_", " ") for name in faces if row[name]]
        for row in rows
    ]
    for row, names in zip(rows, touched, strict=True):
        if beside_no_data and row["label"] in beside_no_data:
            names.append(NO_DATA)
    complete = np.array([not each for each in touched])
    reference = complete if complete.sum() >= MIN_OBJECTS else np.ones(len(rows), bool)
    volumes, solidities, lengths = (
        np.array([row.get(name, np.nan) for row in rows])
        for name in ("volume_um3", "solidity", "axis_major_length_um")
    )
    size = _deviation(np.log(volumes), reference, np.log(MIN_VOLUME_RATIO))
    shape = _deviation(solidities, reference, MIN_SOLIDITY_DIFFERENCE)
    long = lengths > MAX_RELATIVE_LENGTH * np.median(lengths[reference])
    bright = _much_brighter(np.full(len(rows), np.nan) if heights is None else np.asarray(heights))
    flags = []
    for i, row in enumerate(rows):
        found = [TOUCHES + face for face in touched[i]]
        if size[i] < -1:
            found.append(SMALL)
        if size[i] > 1:
            found.append(LARGE)
        if long[i] and len(rows) >= MIN_OBJECTS:
            found.append(LONG)
        if shape[i] < -1:
            found.append(IRREGULAR)
        if row["segmentation_label"] in crowded:
            found.append(SEEDS)
        if contrast is not None and contrast[i] < MIN_CONTRAST:
            found.append(CONTRAST)
        if bright[i]:
            found.append(BRIGHT)
        if divided and row["label"] in divided:
            found.append(PARTS)
        flags.append(";".join(found))
    return flags


def _deviation(
    values: NDArray[np.float64], reference: NDArray[np.bool_], min_difference: float
) -> NDArray[np.float64]:
    """Return the distance from the median, relative to its limit; NaN without variation.

    The limit is 3.5 robust standard deviations, but at least `min_difference`.
    """
    median = np.median(values[reference])
    spread = 1.4826 * np.median(np.abs(values[reference] - median))
    if reference.sum() < MIN_OBJECTS or not spread > 0:
        return np.full(len(values), np.nan)
    limit = max(MAX_DEVIATION * spread, min_difference)
    return cast(NDArray[np.float64], (values - median) / limit)


def _much_brighter(heights: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return whether each height is far above the median of those that are known."""
    known = heights[np.isfinite(heights)]
    if len(known) < MIN_OBJECTS:
        return np.zeros(len(heights), bool)
    return heights > MAX_RELATIVE_HEIGHT * max(np.median(known), 0.0)


def find_crowded(
    seeds: Planes, segmentation: Planes, spacing: Spacing, distance_um: float
) -> set[int]:
    """Find objects with a seed that is close to the seed of another object.

    Parameters
    ----------
    seeds : (Z, Y, X) ndarray or planes of unsigned int
        Seeds 1..k; 0 elsewhere.
    segmentation : (Z, Y, X) ndarray or planes of uint16 or uint32
        All objects, measured or not.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    distance_um : float
        Seeds are close if their centroids are less than this distance apart.

    Returns
    -------
    set of int
        Labels in `segmentation`.

    Examples
    --------
    >>> seeds = np.uint16([[[1, 0, 2, 0, 3, 0, 0, 0, 4]]])
    >>> find_crowded(seeds, np.uint16([[[5, 5, 5, 6, 6, 6, 7, 7, 7]]]), (1.0, 1.0, 0.5), 1.5)
    {5, 6}
    """
    each_place, each_seed, each_label = [], [], []
    for z, (plane, labels) in enumerate(zip(seeds, segmentation, strict=True)):
        within = np.flatnonzero(plane > 0)  # faster on a bool array
        each_place.append(within + z * plane.size)
        each_seed.append(plane.ravel()[within])
        each_label.append(labels.ravel()[within])
    places = np.concatenate(each_place)
    present, first, index, counts = np.unique(
        np.concatenate(each_seed), return_index=True, return_inverse=True, return_counts=True
    )
    if len(present) < 2:
        return set()
    centroids = [
        np.bincount(index, along) / counts for along in np.unravel_index(places, seeds.shape)
    ]
    pairs = Points(np.stack(centroids, axis=1) * np.asarray(spacing)).pairs(distance_um)
    labels_of_voxels = np.concatenate(each_label)
    owners = labels_of_voxels[first]
    close = np.zeros(len(present), bool)
    close[[each for a, b in pairs if owners[a] != owners[b] for each in (a, b)]] = True
    return set(np.unique(labels_of_voxels[close[index]]).tolist()) - {0}
