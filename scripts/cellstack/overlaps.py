"""Which objects of a truth and of labels share voxels: the sparse table that all scores are computed from.

Halo: none, objects are compared as wholes.
"""

from typing import NamedTuple

import numpy as np


class Overlaps(NamedTuple):
    """The pairs of objects that share voxels, the background (0) among them, in rising order."""

    truth: np.ndarray  # (k,) label in the truth
    label: np.ndarray  # (k,) label in the labels
    voxels: np.ndarray  # (k,) voxels that both cover
    truth_voxels: np.ndarray  # (m + 1,) size of each object of the truth, of the background first
    label_voxels: np.ndarray  # (n + 1,) the same for the labels


class Pairs(NamedTuple):
    """Pairs of an object of the truth and one of the labels, without the background."""

    truth: np.ndarray  # (k,) label in the truth
    label: np.ndarray  # (k,) label in the labels
    iou: np.ndarray  # (k,) intersection over union


def count_overlaps(truth, labels):
    """Count the voxels that each pair of objects shares.

    Memory: the two stacks and some 30 bytes per voxel of one plane.

    Parameters
    ----------
    truth, labels : (Z, Y, X) ndarray of unsigned int, of the same shape
        1..m and 1..n, 0 is background.

    Returns
    -------
    Overlaps
    """
    columns = int(labels.max(initial=0)) + 1
    found = [_count_plane(*planes, columns) for planes in zip(truth, labels, strict=True)]
    keys, place = np.unique(np.concatenate([key for key, _ in found]), return_inverse=True)
    voxels = np.bincount(place, np.concatenate([count for _, count in found])).astype(np.int64)  # floats hold whole numbers up to 2**53
    rows, partners = np.divmod(keys, columns)
    sizes = [np.bincount(each, voxels, length).astype(np.int64) for each, length in ((rows, int(truth.max()) + 1), (partners, columns))]
    return Overlaps(rows, partners, voxels, *sizes)


def _count_plane(truth, labels, columns):
    """Count each pair in a plane; labels come in long runs along x, so that few keys are left to be sorted."""
    key = truth.ravel() * np.int64(columns) + labels.ravel()
    starts = np.flatnonzero(np.diff(key, prepend=-1))
    keys, place = np.unique(key[starts], return_inverse=True)
    return keys, np.bincount(place, np.diff(starts, append=key.size))


def pair_up(overlaps):
    """Compute the intersection over union of all pairs of objects that share a voxel.

    Parameters
    ----------
    overlaps : Overlaps

    Returns
    -------
    Pairs
    """
    inside = (overlaps.truth > 0) & (overlaps.label > 0)
    truth, label, shared = overlaps.truth[inside], overlaps.label[inside], overlaps.voxels[inside]
    return Pairs(truth, label, shared / (overlaps.truth_voxels[truth] + overlaps.label_voxels[label] - shared))


def match_objects(pairs, threshold):
    """Match objects one to one: as many pairs as possible reach a threshold, and of all such choices the one with the greatest sum of IoU.

    Above an IoU of 0.5 an object reaches the threshold with one other at most, so there is nothing to choose. Below, objects that reach
    it with each other form small groups, and in each group the assignment is optimal (Hungarian method).

    Parameters
    ----------
    pairs : Pairs
    threshold : float
        Least IoU of a pair, above 0.

    Returns
    -------
    Pairs
        The matched ones, in rising order of the truth's labels.

    References
    ----------
    .. [1] `stardist.matching` has the same rule, on the full table: U. Schmidt et al., MICCAI 2018.
    """
    from scipy.optimize import linear_sum_assignment
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    good = pairs.iou >= threshold
    truth, label, iou = (each[good] for each in pairs)
    if len(iou) == 0:
        return Pairs(truth, label, iou)
    count = int(truth.max()) + 1
    size = count + int(label.max()) + 1
    _, group = connected_components(coo_array((np.ones(len(iou)), (truth, count + label)), (size, size)), directed=False)
    alone = np.bincount(group[truth], minlength=size)[group[truth]] == 1
    chosen = list(np.flatnonzero(alone))
    contested = np.flatnonzero(~alone)
    contested = contested[np.argsort(group[truth[contested]], kind="stable")]
    for edges in np.split(contested, np.flatnonzero(np.diff(group[truth[contested]])) + 1) if len(contested) else []:
        (rows, row), (columns, column) = (np.unique(each[edges], return_inverse=True) for each in (truth, label))
        reward = np.zeros((len(rows), len(columns)))
        reward[row, column] = 1 + iou[edges] / (2 * min(reward.shape))  # one more pair weighs more than any sum of IoU
        assigned = np.zeros(reward.shape, bool)
        assigned[linear_sum_assignment(reward, maximize=True)] = True
        chosen += list(edges[assigned[row, column]])
    chosen = np.sort(np.array(chosen))
    return Pairs(truth[chosen], label[chosen], iou[chosen])
