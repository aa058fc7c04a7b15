"""Overlaps between the objects of two label images, and the matching of objects.

The overlaps are kept as a sparse table, which all scores are computed from. The first label image
is called ground truth here, and the objects of the second one are called predicted.
"""

from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from cellstack.core.labels import highest_label
from cellstack.core.planes import Planes
from cellstack.core.types import Labels

MIN_FRACTION_INSIDE = 0.5  # of an object, for another one to contain it


class Overlaps(NamedTuple):
    """Pairs of objects that share voxels, including the background (0), ordered by label."""

    true_label: NDArray[np.int64]
    """(k,) label in the ground truth."""
    label: NDArray[np.int64]
    """(k,) predicted label."""
    voxels: NDArray[np.int64]
    """(k,) number of voxels in both."""
    true_voxels: NDArray[np.int64]
    """(m + 1,) number of voxels of the background and of each object of the ground truth."""
    label_voxels: NDArray[np.int64]
    """(n + 1,) number of voxels of the background and of each predicted object."""

    @property
    def n_true(self) -> int:
        """Number of objects in the ground truth."""
        return len(self.true_voxels) - 1

    @property
    def n_pred(self) -> int:
        """Number of predicted objects."""
        return len(self.label_voxels) - 1

    @property
    def is_object_pair(self) -> NDArray[np.bool_]:
        """(k,) whether neither of the two is the background."""
        return (self.true_label > 0) & (self.label > 0)


class Pairs(NamedTuple):
    """Pairs of an object of the ground truth and a predicted one."""

    true_label: NDArray[np.int64]
    """(k,) label in the ground truth."""
    label: NDArray[np.int64]
    """(k,) predicted label."""
    iou: NDArray[np.float64]
    """(k,) intersection over union."""


def count_overlaps(ground_truth: Planes, labels: Planes) -> Overlaps:
    """Count the voxels shared by each pair of objects.

    Parameters
    ----------
    ground_truth, labels : (Z, Y, X) ndarray or planes of unsigned int
        Label images of the same shape; 0 is background.

    Returns
    -------
    Overlaps

    Notes
    -----
    Planes are counted one by one, which takes about 30 bytes of memory per voxel of a plane.

    Examples
    --------
    >>> overlaps = count_overlaps(np.array([[[0, 1, 1, 1]]]), np.array([[[0, 0, 2, 2]]]))
    >>> np.column_stack([overlaps.true_label, overlaps.label, overlaps.voxels])
    array([[0, 0, 1],
           [1, 0, 1],
           [1, 2, 2]])
    """
    columns = highest_label(labels) + 1
    keys, counts = [], []
    for true_plane, plane in zip(ground_truth, labels, strict=True):
        plane_keys, plane_counts = _count_plane(true_plane, plane, columns)
        keys.append(plane_keys)
        counts.append(plane_counts)
    pairs, place = np.unique(np.concatenate(keys), return_inverse=True)
    # Counts are summed as floats, which hold integers up to 2**53.
    voxels = np.bincount(place, np.concatenate(counts)).astype(np.int64)
    true_label, label = np.divmod(pairs, columns)
    true_voxels = np.bincount(true_label, voxels)
    label_voxels = np.bincount(label, voxels, columns)
    return Overlaps(
        true_label, label, voxels, true_voxels.astype(np.int64), label_voxels.astype(np.int64)
    )


def _count_plane(
    ground_truth: Labels, labels: Labels, columns: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Count each pair of labels in a plane, by runs along x, so that few keys are sorted."""
    key = ground_truth.ravel() * np.int64(columns) + labels.ravel()
    starts = np.flatnonzero(np.diff(key, prepend=-1))
    keys, place = np.unique(key[starts], return_inverse=True)
    counts = np.bincount(place, np.diff(starts, append=key.size))
    return keys, cast(NDArray[np.float64], counts)


def find_containers(overlaps: Overlaps) -> NDArray[np.int64]:
    """Find the object of the second label image that contains each object of the first one.

    Parameters
    ----------
    overlaps : Overlaps

    Returns
    -------
    (m + 1,) ndarray of int
        The label of the object that contains more than half of each object 0..m; 0 if there is
        none, and for the background.

    Examples
    --------
    >>> nuclei, cells = np.uint16([[[0, 1, 1, 1, 0, 2]]]), np.uint16([[[1, 1, 1, 2, 2, 0]]])
    >>> find_containers(count_overlaps(nuclei, cells))
    array([0, 1, 0])
    """
    containers = np.zeros(overlaps.n_true + 1, np.int64)
    contained, container = overlaps.true_label, overlaps.label
    inside = overlaps.voxels > MIN_FRACTION_INSIDE * overlaps.true_voxels[contained]
    owned = (contained > 0) & inside
    containers[contained[owned]] = container[owned]
    return containers


def pair_up(overlaps: Overlaps) -> Pairs:
    """Return the intersection over union of each pair of objects that share a voxel.

    Parameters
    ----------
    overlaps : Overlaps

    Returns
    -------
    Pairs
        One for each entry of `overlaps` without the background.

    Examples
    --------
    >>> pairs = pair_up(count_overlaps(np.array([[[0, 1, 1, 1]]]), np.array([[[2, 2, 2, 2]]])))
    >>> pairs.iou
    array([0.75])
    """
    inside = overlaps.is_object_pair
    true_label, label = overlaps.true_label[inside], overlaps.label[inside]
    voxels = overlaps.voxels[inside]
    union = overlaps.true_voxels[true_label] + overlaps.label_voxels[label] - voxels
    return Pairs(true_label, label, voxels / union)


def match_objects(pairs: Pairs, threshold: float) -> Pairs:
    """Match objects one to one.

    Of all possible matchings, those with the most pairs are considered, and of these the one with
    the greatest sum of IoU is returned.

    Parameters
    ----------
    pairs : Pairs
    threshold : float
        Minimum IoU of a matched pair, above 0.

    Returns
    -------
    Pairs
        The matched pairs, ordered by label of the ground truth.

    Notes
    -----
    Above an IoU of 0.5 an object reaches the threshold with at most one other object, so there is
    only one matching. Below, the objects that reach it with each other form small groups, and each
    group is solved by the Hungarian method.

    References
    ----------
    .. [1] U. Schmidt et al., "Cell detection with star-convex polygons", MICCAI 2018.
       `stardist.matching` solves the same problem on the full table.

    Examples
    --------
    >>> pairs = Pairs(np.array([1, 1, 2]), np.array([1, 2, 1]), np.array([0.45, 0.5, 0.3]))
    >>> matched = match_objects(pairs, 0.2)
    >>> matched.true_label, matched.label
    (array([1, 2]), array([2, 1]))
    """
    from scipy.optimize import linear_sum_assignment
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    good = pairs.iou >= threshold
    true_label, label, iou = pairs.true_label[good], pairs.label[good], pairs.iou[good]
    if len(iou) == 0:
        return Pairs(true_label, label, iou)
    count = int(true_label.max()) + 1
    size = count + int(label.max()) + 1
    graph = coo_array((np.ones(len(iou)), (true_label, count + label)), (size, size))
    _, groups = connected_components(graph, directed=False)
    group = groups[true_label]
    alone = np.bincount(group, minlength=size)[group] == 1
    chosen = list(np.flatnonzero(alone))
    contested = np.flatnonzero(~alone)
    contested = contested[np.argsort(group[contested], kind="stable")]
    borders = np.flatnonzero(np.diff(group[contested])) + 1
    for edges in np.split(contested, borders) if len(contested) else []:
        rows, row = np.unique(true_label[edges], return_inverse=True)
        columns, column = np.unique(label[edges], return_inverse=True)
        reward = np.zeros((len(rows), len(columns)))
        # One more pair outweighs any sum of IoU.
        reward[row, column] = 1 + iou[edges] / (2 * min(reward.shape))
        assigned = np.zeros(reward.shape, bool)
        assigned[linear_sum_assignment(reward, maximize=True)] = True
        chosen += list(edges[assigned[row, column]])
    order = np.sort(np.array(chosen))
    return Pairs(true_label[order], label[order], iou[order])
