"""Merging of neighbours that are parts of one object, on the region adjacency graph.

Each of :data:`METHODS` is called with `labels`, `stack`, `distance`, `spacing`, `threads`,
`typical` and `no_data`, as described at :func:`merge_objects`, and with its options as keywords. It
returns an (n + 1,) ndarray of int: for each label 0..n the lowest label of the object that it
belongs to after merging, or 0 if this object is removed.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cellstack.config.methods import Methods
from cellstack.core import convex_hull, parallel
from cellstack.core.boundaries import pair_keys
from cellstack.core.boxes import unite_boxes
from cellstack.core.labels import count_voxels, find_boxes, label_type, relabel, relabel_parts
from cellstack.core.planes import Stack
from cellstack.core.surroundings import measure_contrast
from cellstack.core.types import Boxes, Labels, Spacing, Volume
from cellstack.core.voxels import volume_voxels

METHODS = Methods()
LARGE_PERCENTILE = 90  # of the volumes before merging: that of a large object
MIN_REGIONS_FOR_LARGE = 20  # fewer may all be parts of objects

Pair = tuple[int, int]
"""Two labels, the lower one first."""

_Faces = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float32]]
"""Pairs of labels, intensities and depths at the faces between them."""


class Typical(NamedTuple):
    """Typical values of a stack, with which its objects are compared.

    Attributes
    ----------
    background : float
        Mean intensity of the background.
    large_voxels : float or None
        Volume in voxels of a large object before merging; None with too few objects.
    """

    background: float
    large_voxels: float | None


class _Region(NamedTuple):
    volume: int  # voxels
    intensity: float  # median
    depth: float  # greatest distance to the background, um


class _Hull(NamedTuple):
    corners: NDArray[np.int_]  # (n, 3) voxels at the corners of the convex hull
    volume: int  # number of voxels whose centre lies in the hull


class _Border(NamedTuple):
    faces: int  # number of voxel faces between the two regions
    total: float  # sum of the intensities at these faces
    depth: float  # greatest distance to the background, of the nearer voxel at a face, um


class _Merged(NamedTuple):
    convexity: float
    region: _Region
    hull: _Hull


def merge_objects(
    labels: Labels,
    stack: Volume,
    distance: Volume,
    spacing: Spacing,
    method: str,
    options: dict[str, Any],
    threads: int = 1,
    typical: Typical | None = None,
    no_data: Stack | None = None,
) -> Labels:
    """Merge neighbours by one of :data:`METHODS`.

    Parameters
    ----------
    labels : (Z, Y, X) ndarray of uint16 or uint32
        Labels 1..n; 0 is background.
    stack : (Z, Y, X) ndarray of float32
        Denoised intensities.
    distance : (Z, Y, X) ndarray of float32
        Distance to the background in um.
    spacing : (3,) sequence of float
        Voxel size along z, y and x in um.
    method : str
        Name of a method.
    options : dict
        Options of the method.
    threads : int
        Number of regions or borders that are measured at the same time. It does not change the
        result.
    typical : Typical, optional
        That of the stack of which this is a block. By default it is measured in `labels` and
        `stack`.
    no_data : (Z, Y, X) ndarray or stack of bool, optional
        Voxels without data, with which no object is compared.

    Returns
    -------
    (Z, Y, X) ndarray of uint16 or uint32
        Labels 1..m, in the order of the lowest label of each object.

    Examples
    --------
    >>> labels = np.repeat([1, 1, 2, 2, 0, 3], 12).reshape(1, 2, 36).astype(np.uint16)
    >>> options = {"min_convexity": 0.9, "min_neck": 0.9, "min_border_intensity_ratio": 0.8,
    ...            "max_volume_um3": 99, "max_relative_volume": 1.2, "small_relative_volume": 0.7,
    ...            "min_local_contrast": 1.25}
    >>> stack = (labels > 0).astype(np.float32)
    >>> merged = merge_objects(labels, stack, stack, (1, 1, 1), "convexity", options)
    >>> int(merged.max())
    2
    """
    numbers = number_objects(
        labels, stack, distance, spacing, method, options, threads, typical, no_data
    )
    return relabel(labels, numbers)


def number_objects(
    labels: Labels,
    stack: Volume,
    distance: Volume,
    spacing: Spacing,
    method: str,
    options: dict[str, Any],
    threads: int = 1,
    typical: Typical | None = None,
    no_data: Stack | None = None,
) -> NDArray[np.unsignedinteger[Any]]:
    """Return for each label its number after merging, see :func:`merge_objects`.

    Returns
    -------
    (n + 1,) ndarray of uint16 or uint32
        For the labels 0..n: 1..m, or 0 for the background and removed objects.

    Examples
    --------
    >>> labels = np.uint16([[[1, 2]]])
    >>> number_objects(labels, labels, labels, (1, 1, 1), "none", {})
    array([0, 1, 2], dtype=uint16)
    """
    root: NDArray[np.int_] = METHODS[method](
        labels, stack, distance, spacing, threads, typical, no_data, **options
    )
    _, numbers = np.unique(root, return_inverse=True)
    return numbers.astype(label_type(numbers.max(initial=0)))


def describe_typical(
    volumes: NDArray[np.int_], background_sum: float, background_voxels: int
) -> Typical:
    """Return the typical values of a stack.

    Parameters
    ----------
    volumes : (n,) ndarray of int
        Volumes of the objects before merging, in voxels, in any order.
    background_sum : float
        Sum of the intensities of the background.
    background_voxels : int
        Number of its voxels.

    Returns
    -------
    Typical

    Examples
    --------
    >>> describe_typical(np.arange(1, 22), 30.0, 300)
    Typical(background=0.1, large_voxels=19.0)
    """
    large = None
    if len(volumes) >= MIN_REGIONS_FOR_LARGE:
        large = float(np.percentile(volumes, LARGE_PERCENTILE))
    return Typical(background_sum / max(1, background_voxels), large)


@METHODS
def none(
    labels: Labels,
    stack: Volume,
    distance: Volume,
    spacing: Spacing,
    threads: int = 1,
    typical: Typical | None = None,
    no_data: Stack | None = None,
) -> NDArray[np.int_]:
    """Merge and remove nothing."""
    return np.arange(int(labels.max(initial=0)) + 1)


@METHODS
def convexity(
    labels: Labels,
    stack: Volume,
    distance: Volume,
    spacing: Spacing,
    threads: int = 1,
    typical: Typical | None = None,
    no_data: Stack | None = None,
    *,
    min_convexity: float,
    min_neck: float,
    min_border_intensity_ratio: float,
    max_volume_um3: float,
    max_relative_volume: float,
    small_relative_volume: float,
    min_local_contrast: float,
) -> NDArray[np.int_]:
    """Merge neighbours whose union is as convex as they are, without a neck or a dark border.

    The most convex pair is merged first. Then objects are removed that hardly stand out from their
    surroundings, such as haze.

    Parameters
    ----------
    min_convexity : float
        Minimum solidity of the merged pair (its voxels divided by those in its convex hull) as a
        fraction of the solidity of the two separate objects. It is 0.8 for two touching balls and
        1 for the halves of a cut ellipsoid, for any voxel size.
    min_neck : float
        Minimum depth of the border, its greatest distance to the background, as a fraction of that
        of the shallower object. It is near 0 for two touching balls, and 1 for a piece that is cut
        off an object without a neck.
    min_border_intensity_ratio : float
        Minimum mean intensity at the border as a fraction of the intensity of the darker object,
        both above the background.
    max_volume_um3 : float
        Maximum volume of a merged object in um3.
    max_relative_volume : float
        Maximum volume of a merged object as a multiple of the 90th percentile of the volumes before
        merging. Not used if there are fewer than 20 objects before merging.
    small_relative_volume : float
        Maximum volume, as a multiple of the same percentile, of a merged object for which
        `min_neck` is not required. Not used if there are fewer than 20 objects before merging.
    min_local_contrast : float
        Minimum difference between the mean of a merged object and that of the background around it,
        in standard deviations of this background, see
        :func:`cellstack.core.surroundings.measure_contrast`. An object that touches others almost
        everywhere, with fewer than 20 voxels of background, is kept. 0 to keep all.

    References
    ----------
    .. [1] G. Lin et al., "A hybrid 3D watershed algorithm incorporating gradient cues and object
       models for automatic segmentation of nuclei in confocal image stacks", Cytometry A 56, 2003:
       a similar tree of merges, scored by a model of the objects.
    """
    root = np.arange(int(labels.max(initial=0)) + 1)
    borders, background_sum, background_voxels = _look_at_planes(labels, stack, distance, threads)
    boxes = find_boxes(labels)
    with_neighbours = sorted({label for pair in borders for label in pair})
    regions = _describe_watershed(labels, stack, distance, boxes, with_neighbours, threads)
    max_voxels = volume_voxels(max_volume_um3, spacing)
    if typical is None:
        volumes = count_voxels(labels)[1:]
        typical = describe_typical(volumes[volumes > 0], background_sum, background_voxels)
    background, large = typical
    small_voxels = 0.0
    if large is not None:
        max_voxels = min(max_voxels, max_relative_volume * large)
        small_voxels = small_relative_volume * large
    hulls: dict[int, _Hull] = {}

    def hull_of(label: int) -> _Hull:
        if label not in hulls:
            box = boxes[label]
            ends = convex_hull.ends_of_rows(labels[box] == label)
            hulls[label] = _measure_hull(ends + [side.start for side in box])
        return hulls[label]

    def is_candidate(pair: Pair) -> bool:
        first, second = (regions[label] for label in pair)
        border = borders[pair]
        volume = first.volume + second.volume
        contrast = min(first.intensity, second.intensity) - background
        border_contrast = border.total / border.faces - background
        has_no_neck = border.depth >= min_neck * min(first.depth, second.depth)
        return (
            volume <= max_voxels
            and (has_no_neck or volume <= small_voxels)
            and border_contrast >= min_border_intensity_ratio * contrast
        )

    def try_merge(pair: Pair) -> _Merged:
        apart = [hull_of(label) for label in pair]
        together = _measure_hull(np.concatenate([hull.corners for hull in apart]))
        first, second = (regions[label] for label in pair)
        volume = first.volume + second.volume
        total = first.volume * first.intensity + second.volume * second.intensity
        return _Merged(
            sum(hull.volume for hull in apart) / together.volume,
            _Region(volume, total / volume, max(first.depth, second.depth)),
            together,
        )

    # Hulls are slow, so only those of candidates are measured.
    candidates = [pair for pair in borders if is_candidate(pair)]
    to_measure = sorted({label for pair in candidates for label in pair})
    measured = parallel.map_processes(hull_of, to_measure, threads)
    hulls.update(zip(to_measure, measured, strict=True))
    results = parallel.map_processes(try_merge, candidates, threads)
    merges = dict(zip(candidates, results, strict=True))
    while True:
        allowed = {
            pair: merged.convexity
            for pair, merged in merges.items()
            if merged.convexity >= min_convexity
        }
        if not allowed:
            break
        pair = max(allowed, key=lambda each: allowed[each])
        kept, gone = pair
        _, regions[kept], hulls[kept] = merges[pair]
        root[root == gone] = kept
        del borders[pair]
        for old in [old for old in borders if gone in old]:
            (other,) = set(old) - {gone}
            new = (min(kept, other), max(kept, other))
            moved, existing = borders.pop(old), borders.get(new, _Border(0, 0.0, 0.0))
            borders[new] = _Border(
                moved.faces + existing.faces,
                moved.total + existing.total,
                max(moved.depth, existing.depth),
            )
        merges = {
            pair: merged for pair, merged in merges.items() if kept not in pair and gone not in pair
        }
        merges |= {pair: try_merge(pair) for pair in borders if kept in pair and is_candidate(pair)}
    if min_local_contrast > 0:
        merged = relabel_parts(labels, root.astype(labels.dtype))
        whole: Boxes = {}
        for label, box in boxes.items():
            kept = int(root[label])
            whole[kept] = unite_boxes(whole.get(kept, box), box)
        contrast, _ = measure_contrast(merged, whole, stack, spacing, threads, no_data)
        faint = np.array(list(whole), int)[contrast < min_local_contrast]
        root[np.isin(root, faint)] = 0
    return root


def _look_at_planes(
    labels: Labels, stack: Volume, distance: Volume, threads: int
) -> tuple[dict[Pair, _Border], float, int]:
    """Return the border of each pair of neighbours, and sum and number of background voxels."""
    count = int(labels.max(initial=0)) + 1

    def look_at(z: int) -> tuple[list[_Faces], int, float]:
        plane = (labels[z], stack[z], distance[z])
        sides = [
            ([each[:-1] for each in plane], [each[1:] for each in plane]),
            ([each[:, :-1] for each in plane], [each[:, 1:] for each in plane]),
        ]
        if z > 0:
            sides.append(([labels[z - 1], stack[z - 1], distance[z - 1]], list(plane)))
        outside = labels[z] == 0
        total = np.sum(stack[z], where=outside, dtype=np.float64)
        faces = [_faces_between(*side, count) for side in sides]
        return faces, int(np.count_nonzero(outside)), total

    sides, voxels, totals = zip(
        *parallel.map_processes(look_at, range(len(labels)), threads), strict=True
    )
    keys, heights, depths = (
        np.concatenate(column)
        for column in zip(*[faces for plane in sides for faces in plane], strict=True)
    )
    found, index = np.unique(keys, return_inverse=True)
    number, sums = np.bincount(index), np.bincount(index, heights)
    deepest = np.zeros(len(found), depths.dtype)
    np.maximum.at(deepest, index, depths)
    borders = {
        divmod(int(key), count): _Border(int(faces), float(total), float(depth))
        for key, faces, total, depth in zip(found, number, sums, deepest, strict=True)
    }
    return borders, sum(totals), sum(voxels)


def _faces_between(before: Sequence[Any], after: Sequence[Any], count: int) -> _Faces:
    """Return the key of the pair at each face between labels, its intensity and its depth.

    `before` and `after` are the labels, intensities and distances of the voxels on the two sides.
    """
    touching = np.flatnonzero((before[0] != after[0]).ravel())  # with the background, mostly
    first, second = before[0].ravel()[touching], after[0].ravel()[touching]
    inside = (first > 0) & (second > 0)
    touching = touching[inside]
    low, high = (side[1].ravel()[touching].astype(np.float64) for side in (before, after))
    depths = np.minimum(before[2].ravel()[touching], after[2].ravel()[touching])
    return pair_keys(first[inside], second[inside], count), (low + high) / 2, depths


def _describe_watershed(
    labels: Labels,
    stack: Volume,
    distance: Volume,
    boxes: Boxes,
    selected: Sequence[int],
    threads: int,
) -> dict[int, _Region]:
    def describe(label: int) -> _Region:
        box = boxes[label]
        mask = labels[box] == label
        intensity = float(np.median(stack[box][mask]))
        return _Region(int(np.count_nonzero(mask)), intensity, float(distance[box][mask].max()))

    results = parallel.map_processes(describe, selected, threads)
    return dict(zip(selected, results, strict=True))


def _measure_hull(centres: NDArray[np.int_]) -> _Hull:
    """Return the convex hull of voxel centres."""
    low = centres.min(axis=0)
    hull = convex_hull.hull_of(centres - low)
    corners = np.unique(hull.points[hull.vertices].round().astype(int), axis=0)
    return _Hull(corners + low, convex_hull.count_voxels(hull, corners.max(axis=0) + 1))
