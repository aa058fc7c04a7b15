"""Merging of neighbours that were one object, on the graph of regions that touch.

Halo: none can be stated, a merged object may be as large as its component.
"""

from typing import NamedTuple

import numpy as np

from cellstack import convex_hull, io, relabel, units
from cellstack.methods import Methods

METHODS = Methods()


class _Region(NamedTuple):
    volume: int  # voxels
    height: float  # median intensity


class _Hull(NamedTuple):
    corners: np.ndarray  # (n, 3) voxels at the corners of the convex hull
    volume: int  # voxels whose centre lies within it


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
    return relabel.relabel(labels, numbers.astype(io.label_type(numbers.max(initial=0))))


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
    import cc3d  # where nothing touches, this does without

    boxes = cc3d.statistics(labels)["bounding_boxes"]
    regions = _describe_regions(labels, stack, boxes, {label for pair in borders for label in pair})
    hulls = {}
    background = float(np.mean(stack, where=labels == 0, dtype=np.float64)) if not labels.all() else 0.0
    limit = units.volume_voxels(max_volume_um3, spacing)

    def hull_of(label):  # of the regions whose border lets them be merged, few of all
        if label not in hulls:
            centres = convex_hull.ends_of_rows(labels[boxes[label]] == label) + [part.start for part in boxes[label]]
            hulls[label] = _measure_hull(centres)
        return hulls[label]

    def judge(pair):
        first, second = (regions[label] for label in pair)
        border = borders[pair]
        volume = first.volume + second.volume
        depth = min(first.height, second.height) - background
        if volume > limit or border.total / border.faces - background < min_border * depth:
            return None
        apart = [hull_of(label) for label in pair]
        together = _measure_hull(np.concatenate([hull.corners for hull in apart]))
        height = (first.volume * first.height + second.volume * second.height) / volume
        return sum(hull.volume for hull in apart) / together.volume, _Region(volume, height), together

    judged = {pair: judge(pair) for pair in borders}
    while True:
        fit = {pair: verdict[0] for pair, verdict in judged.items() if verdict and verdict[0] >= min_convexity}
        if not fit:
            return root
        kept, gone = pair = max(fit, key=fit.get)
        _, regions[kept], hulls[kept] = judged[pair]
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
    keys, heights = [np.zeros(0, np.int64)], [np.zeros(0)]

    def add(before, after, low, high):
        touching = np.flatnonzero((before != after).ravel())  # with the background, mostly
        pair = np.stack([each.ravel()[touching].astype(np.int64) for each in (before, after)])
        inside = pair.all(axis=0)
        keys.append(pair.min(axis=0)[inside] * count + pair.max(axis=0)[inside])
        heights.append(sum(each.ravel()[touching[inside]].astype(np.float64) for each in (low, high)) / 2)

    for z, (plane, values) in enumerate(zip(labels, stack, strict=True)):
        if z > 0:
            add(labels[z - 1], plane, stack[z - 1], values)
        add(plane[:-1], plane[1:], values[:-1], values[1:])
        add(plane[:, :-1], plane[:, 1:], values[:, :-1], values[:, 1:])
    found, index = np.unique(np.concatenate(keys), return_inverse=True)
    faces, totals = np.bincount(index), np.bincount(index, np.concatenate(heights))
    return {divmod(int(key), count): _Border(int(number), float(total)) for key, number, total in zip(found, faces, totals, strict=True)}


def _describe_regions(labels, stack, boxes, wanted):
    regions = {}
    for label in sorted(wanted):
        mask = labels[boxes[label]] == label
        regions[label] = _Region(int(np.count_nonzero(mask)), float(np.median(stack[boxes[label]][mask])))
    return regions


def _measure_hull(centres):
    low = centres.min(axis=0)
    hull = convex_hull.hull_of(centres - low)
    corners = np.unique(hull.points[hull.vertices].round().astype(int), axis=0)
    return _Hull(corners + low, convex_hull.count_voxels(hull, corners.max(axis=0) + 1))
