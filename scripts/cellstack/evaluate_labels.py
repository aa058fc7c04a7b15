"""How right labels are, against a truth.

Halo: none, objects are compared as wholes.
"""

import numpy as np

THRESHOLDS = tuple(round(0.1 * i, 1) for i in range(1, 10))


def overlap_counts(truth, labels):
    """Count the voxels that each pair of objects shares.

    Parameters
    ----------
    truth, labels : ndarray of unsigned int, of the same shape
        1..m and 1..n without gaps, 0 is background.

    Returns
    -------
    (m + 1, n + 1) ndarray of int
        Row and column 0 are the backgrounds.
    """
    rows, columns = int(truth.max(initial=0)) + 1, int(labels.max(initial=0)) + 1
    pairs = truth.astype(np.int64).ravel() * columns + labels.ravel()
    return np.bincount(pairs, minlength=rows * columns).reshape(rows, columns)


def intersection_over_union(overlaps):
    """Compute the intersection over union of each pair of objects.

    Parameters
    ----------
    overlaps : (m + 1, n + 1) ndarray of int
        From :func:`overlap_counts`.

    Returns
    -------
    (m, n) ndarray of float
        In [0, 1].
    """
    union = overlaps.sum(1)[1:, None] + overlaps.sum(0)[None, 1:] - overlaps[1:, 1:]
    return overlaps[1:, 1:] / union


def match_objects(iou, threshold):
    """Match objects one to one so that as many pairs as possible reach a threshold, and among those with the greatest sum of IoU.

    Parameters
    ----------
    iou : (m, n) ndarray of float
        Intersection over union of truth and labels.
    threshold : float
        Least IoU of a pair.

    Returns
    -------
    rows, columns : (k,) ndarray of int
        The pairs, as indices into `iou`; label minus one.

    References
    ----------
    .. [1] The rule of `stardist.matching`: an optimal assignment that counts a pair more than any sum of IoU.
    """
    from scipy.optimize import linear_sum_assignment

    if iou.size == 0:
        return np.zeros(0, int), np.zeros(0, int)
    reward = (iou >= threshold) + iou / (2 * min(iou.shape))
    rows, columns = linear_sum_assignment(reward, maximize=True)
    good = iou[rows, columns] >= threshold
    return rows[good], columns[good]


def evaluate_labels(truth, labels):
    """Score labels against a truth at each of :data:`THRESHOLDS`.

    Parameters
    ----------
    truth, labels : ndarray of unsigned int, of the same shape
        1..m and 1..n without gaps, 0 is background.

    Returns
    -------
    list of dict
        One per threshold: iou_threshold, true_positives, false_positives, false_negatives, precision, recall, f1 and average_precision
        (TP / (TP + FP + FN)), each 1 where neither holds an object and 0 where only one does; mean_matched_iou, None where nothing matches.
    """
    iou = intersection_over_union(overlap_counts(truth, labels))
    share_of_nothing = 1.0 if iou.shape == (0, 0) else 0.0
    scores = []
    for threshold in THRESHOLDS:
        rows, columns = match_objects(iou, threshold)
        hits, extra, missed = len(rows), iou.shape[1] - len(rows), iou.shape[0] - len(rows)
        scores.append(
            {
                "iou_threshold": threshold,
                "true_positives": hits,
                "false_positives": extra,
                "false_negatives": missed,
                "precision": _share(hits, hits + extra, share_of_nothing),
                "recall": _share(hits, hits + missed, share_of_nothing),
                "f1": _share(2 * hits, 2 * hits + extra + missed, share_of_nothing),
                "average_precision": _share(hits, hits + extra + missed, share_of_nothing),
                "mean_matched_iou": float(iou[rows, columns].mean()) if hits else None,
            }
        )
    return scores


def _share(part, whole, share_of_nothing):
    return part / whole if whole else share_of_nothing
