"""Merging of neighbours that were one object, on the graph of regions that touch.

Halo: none can be stated, a merged object may be as large as its component.
"""

from typing import NamedTuple

import numpy as np

from cellstack import convex_hull, io, units
from cellstack.methods import Methods

METHODS = Methods()


class _Region(NamedTuple):
    volume: int  # voxels
    height: float  # median intensity
    corners: np.ndarray  # (n, 3) voxels at the corners of the convex hull
    hull_volume: int  # voxels whose centre lies within it


class _Border(NamedTuple):
    faces: int  # of voxels, shared by the two regions
    total: float  # of the intensities at them


def merge_objects(labels, stack, spacing, method, options):
    """Merge neighbours by one of :data:`METHODS`.

    Parameters
    ----------
    labels : (Z, Y, X) ndarray of uint16 or uint32
        1..n, 0 is background.
    stack : (Z, Y, X) ndarray of float32
        Denoised intensities.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    method : str
        Name of a method.
    options : dict
        Its options.

    Returns
    -------
    (Z, Y, X) ndarray of uint16 or uint32
        1..m, in the order of the first label of each.
    """
    root = METHODS[method](labels, stack, spacing, **options)
    _, numbers = np.unique(root, return_inverse=True)
    return numbers.astype(io.label_type(numbers.max(initial=0)))[labels]


@METHODS
def none(labels, stack, spacing):
    """Merge nothing."""
    return np.arange(int(labels.max(initial=0)) + 1)


@METHODS
def convexity(labels, stack, spacing, *, min_convexity, min_border, max_volume_um3):
    """Merge neighbours that together are as convex as apart, and between which it is not dark; the most convex pair first.

    Parameters
    ----------
    labels : (Z, Y, X) ndarray of uint16 or uint32
    stack : (Z, Y, X) ndarray of float32
    spacing : (3,) sequence of float
    min_convexity : float
        The least solidity of the pair, its voxels over those in its convex hull, as a part of that of the two apart. Two touching balls
        have 0.8, the halves of a cut ellipsoid 1; it is the same for any spacing.
    min_border : float
        The least mean intensity at the border, as a part of that within the darker of the two; both above the background.
    max_volume_um3 : float
        The greatest volume of a merged object in um3.

    Returns
    -------
    (n + 1,) ndarray of int
        For each label the label with which it is merged, the lowest of them; its own where there is none.

    References
    ----------
    .. [1] G. Lin et al., "A hybrid 3D watershed algorithm incorporating gradient cues and object models for automatic segmentation of
       nuclei in confocal image stacks", Cytometry A 56, 2003, has such a tree of merges, scored by a model of the objects.
    """
    root = np.arange(int(labels.max(initial=0)) + 1)
    borders = _find_borders(labels, stack)
    if not borders:
        return root
    regions = _describe_regions(labels, stack, {label for pair in borders for label in pair})
    background = float(np.mean(stack, where=labels == 0, dtype=np.float64)) if not labels.all() else 0.0
    limit = units.volume_voxels(max_volume_um3, spacing)

    def judge(pair):
        first, second = (regions[label] for label in pair)
        border = borders[pair]
        volume = first.volume + second.volume
        depth = min(first.height, second.height) - background
        if volume > limit or border.total / border.faces - background < min_border * depth:
            return None
        corners, hull_volume = _measure_hull(np.concatenate([first.corners, second.corners]))
        height = (first.volume * first.height + second.volume * second.height) / volume
        return (first.hull_volume + second.hull_volume) / hull_volume, _Region(volume, height, corners, hull_volume)

    judged = {pair: judge(pair) for pair in borders}
    while True:
        fit = {pair: verdict[0] for pair, verdict in judged.items() if verdict and verdict[0] >= min_convexity}
        if not fit:
            return root
        kept, gone = pair = max(fit, key=fit.get)
        regions[kept] = judged[pair][1]
        root[root == gone] = kept
        del borders[pair], judged[pair]
        for old in [old for old in borders if gone in old]:
            (other,) = set(old) - {gone}
            new = (min(kept, other), max(kept, other))
            moved, there = borders.pop(old), borders.get(new, _Border(0, 0.0))
            borders[new] = _Border(moved.faces + there.faces, moved.total + there.total)
            del judged[old]
        judged |= {each: judge(each) for each in borders if kept in each}


def _find_borders(labels, stack):
    """Count the faces between each pair of touching labels, lower one first, and add up the intensities at them."""
    count = int(labels.max(initial=0)) + 1
    keys, heights = [], []
    for axis in range(3):
        (before, after), (low, high) = ((each[:-1], each[1:]) for each in (np.moveaxis(labels, axis, 0), np.moveaxis(stack, axis, 0)))
        touching = np.nonzero((before != after) & (before > 0) & (after > 0))
        pair = [each[touching].astype(np.int64) for each in (before, after)]
        keys.append(np.minimum(*pair) * count + np.maximum(*pair))
        heights.append((low[touching].astype(np.float64) + high[touching]) / 2)
    found, index = np.unique(np.concatenate(keys), return_inverse=True)
    faces, totals = np.bincount(index), np.bincount(index, np.concatenate(heights))
    return {divmod(int(key), count): _Border(int(number), float(total)) for key, number, total in zip(found, faces, totals, strict=True)}


def _describe_regions(labels, stack, wanted):
    import cc3d

    regions = {}
    boxes = cc3d.statistics(labels)["bounding_boxes"]
    for label in sorted(wanted):
        box = boxes[label]
        mask = labels[box] == label
        corners, hull_volume = _measure_hull(convex_hull.ends_of_rows(mask) + [part.start for part in box])
        regions[label] = _Region(int(mask.sum()), float(np.median(stack[box][mask])), corners, hull_volume)
    return regions


def _measure_hull(centres):
    low = centres.min(axis=0)
    hull = convex_hull.hull_of(centres - low)
    corners = np.unique(hull.points[hull.vertices].round().astype(int), axis=0)
    return corners + low, convex_hull.count_voxels(hull, corners.max(axis=0) + 1)
