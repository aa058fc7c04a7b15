"""Merging of neighbours that were one object, on the graph of regions that touch.

Halo: none can be stated, a merged object may be as large as its component.
"""

from typing import NamedTuple

import numpy as np

from cellstack import convex_hull, io, relabel, units, workers
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


def merge_objects(labels, stack, spacing, method, options, threads=1):
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
    threads : int
        Regions or borders that are looked at once. The result does not depend on it.

    Returns
    -------
    (Z, Y, X) ndarray of uint16 or uint32
        1..m, in the order of the first label of each.
    """
    root = METHODS[method](labels, stack, spacing, threads, **options)
    _, numbers = np.unique(root, return_inverse=True)
    return relabel.relabel(labels, numbers.astype(io.label_type(numbers.max(initial=0))))


@METHODS
def none(labels, stack, spacing, threads=1):
    """Merge nothing."""
    return np.arange(int(labels.max(initial=0)) + 1)


@METHODS
def convexity(labels, stack, spacing, threads=1, *, min_convexity, min_border, max_volume_um3):
    """Merge neighbours that together are as convex as apart, and between which it is not dark; the most convex pair first.

    Parameters
    ----------
    labels : (Z, Y, X) ndarray of uint16 or uint32
    stack : (Z, Y, X) ndarray of float32
    spacing : (3,) sequence of float
    threads : int
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
    if len(root) <= 2:  # one region has no neighbours
        return root
    borders, background = _look_at_planes(labels, stack, threads)
    boxes = relabel.find_boxes(labels)
    regions = _describe_regions(labels, stack, boxes, sorted({label for pair in borders for label in pair}), threads)
    limit = units.volume_voxels(max_volume_um3, spacing)
    hulls = {}

    def hull_of(label):  # of the regions whose border lets them be merged, few of all
        if label not in hulls:
            centres = convex_hull.ends_of_rows(labels[boxes[label]] == label) + [part.start for part in boxes[label]]
            hulls[label] = _measure_hull(centres)
        return hulls[label]

    def may_merge(pair):
        first, second = (regions[label] for label in pair)
        border = borders[pair]
        depth = min(first.height, second.height) - background
        return first.volume + second.volume <= limit and border.total / border.faces - background >= min_border * depth

    def judge(pair):
        apart = [hull_of(label) for label in pair]
        together = _measure_hull(np.concatenate([hull.corners for hull in apart]))
        first, second = (regions[label] for label in pair)
        volume = first.volume + second.volume
        height = (first.volume * first.height + second.volume * second.height) / volume
        return sum(hull.volume for hull in apart) / together.volume, _Region(volume, height), together

    pairs = [pair for pair in borders if may_merge(pair)]
    alone = sorted({label for pair in pairs for label in pair})
    hulls |= zip(alone, workers.in_processes(hull_of, alone, threads), strict=True)
    judged = dict(zip(pairs, workers.in_processes(judge, pairs, threads), strict=True))
    while True:
        fit = {pair: verdict[0] for pair, verdict in judged.items() if verdict[0] >= min_convexity}
        if not fit:
            return root
        kept, gone = pair = max(fit, key=fit.get)
        _, regions[kept], hulls[kept] = judged[pair]
        root[root == gone] = kept
        del borders[pair]
        for old in [old for old in borders if gone in old]:
            (other,) = set(old) - {gone}
            new = (min(kept, other), max(kept, other))
            moved, there = borders.pop(old), borders.get(new, _Border(0, 0.0))
            borders[new] = _Border(moved.faces + there.faces, moved.total + there.total)
        judged = {pair: verdict for pair, verdict in judged.items() if kept not in pair and gone not in pair}
        judged |= {pair: judge(pair) for pair in borders if kept in pair and may_merge(pair)}


def _look_at_planes(labels, stack, threads):
    """Give the border of each pair of touching labels, lower one first; and the mean intensity of the background."""
    count = int(labels.max(initial=0)) + 1

    def look_at(z):
        plane, values = labels[z], stack[z]
        sides = [(plane[:-1], plane[1:], values[:-1], values[1:]), (plane[:, :-1], plane[:, 1:], values[:, :-1], values[:, 1:])]
        if z > 0:
            sides.append((labels[z - 1], plane, stack[z - 1], values))
        keys, heights = zip(*(_faces_between(*side, count) for side in sides), strict=True)
        outside = plane == 0
        total = np.sum(values, where=outside, dtype=np.float64)
        return np.concatenate(keys), np.concatenate(heights), np.count_nonzero(outside), total

    keys, heights, voxels, totals = zip(*workers.in_processes(look_at, range(len(labels)), threads), strict=True)
    found, index = np.unique(np.concatenate(keys), return_inverse=True)
    faces, sums = np.bincount(index), np.bincount(index, np.concatenate(heights))
    borders = {divmod(int(key), count): _Border(int(number), float(total)) for key, number, total in zip(found, faces, sums, strict=True)}
    return borders, sum(totals) / max(1, sum(voxels))


def _faces_between(before, after, low, high, count):
    """Number the pairs of touching labels at each face between them, and average the intensities on both sides of it."""
    touching = np.flatnonzero((before != after).ravel())  # with the background, mostly
    pair = np.stack([each.ravel()[touching].astype(np.int64) for each in (before, after)])
    inside = pair.all(axis=0)
    heights = sum(each.ravel()[touching[inside]].astype(np.float64) for each in (low, high)) / 2
    return pair.min(axis=0)[inside] * count + pair.max(axis=0)[inside], heights


def _describe_regions(labels, stack, boxes, wanted, threads):
    def describe(label):
        mask = labels[boxes[label]] == label
        return _Region(int(np.count_nonzero(mask)), float(np.median(stack[boxes[label]][mask])))

    return dict(zip(wanted, workers.in_processes(describe, wanted, threads), strict=True))


def _measure_hull(centres):
    low = centres.min(axis=0)
    hull = convex_hull.hull_of(centres - low)
    corners = np.unique(hull.points[hull.vertices].round().astype(int), axis=0)
    return _Hull(corners + low, convex_hull.count_voxels(hull, corners.max(axis=0) + 1))
