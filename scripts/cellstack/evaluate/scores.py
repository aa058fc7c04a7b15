"""Scores of a whole stack, computed from the table of overlaps.

The predicted objects are those of the label image that is compared with the ground truth.
"""

import numpy as np
from numpy.typing import NDArray

from cellstack.core.overlaps import Overlaps, Pairs

SPLIT_COST, MISS_COST, EXTRA_COST = 5, 10, 1  # weights of the Cell Tracking Challenge


def default_score(overlaps: Overlaps) -> float:
    """Return the value of a score that is 0/0: 1 if both images have no object, otherwise 0."""
    return 1.0 if overlaps.n_true == overlaps.n_pred == 0 else 0.0


def ratio_or_default(numerator: float, denominator: float, default: float) -> float:
    """Return a ratio, or `default` if the denominator is 0.

    Examples
    --------
    >>> ratio_or_default(3, 4, 1.0), ratio_or_default(0, 0, 1.0)
    (0.75, 1.0)
    """
    return float(numerator / denominator) if denominator else default


def cell_tracking_scores(overlaps: Overlaps, pairs: Pairs) -> tuple[float, float]:
    """Return SEG and DET of the Cell Tracking Challenge.

    A true object is detected by the predicted object that covers more than half of it. One
    predicted object may detect several true ones.

    Parameters
    ----------
    overlaps : Overlaps
    pairs : Pairs
        All pairs that share a voxel, see :func:`cellstack.core.overlaps.pair_up`.

    Returns
    -------
    seg : float
        Mean IoU over the true objects, 0 for those that are not detected.
    det : float
        1 minus the cost of correcting the labels, relative to the cost of adding all objects to an
        empty image; at least 0. The costs are 5 for each split that is needed, 10 for each missed
        object and 1 for each object that detects none.

    References
    ----------
    .. [1] M. Maška et al., "The Cell Tracking Challenge: 10 years of objective benchmarking",
       Nature Methods 20, 2023.
    .. [2] P. Matula et al., "Cell tracking accuracy measurement based on comparison of acyclic
       oriented graphs", PLoS ONE 10, 2015.

    Examples
    --------
    >>> from cellstack.core.overlaps import count_overlaps, pair_up
    >>> overlaps = count_overlaps(np.array([[[1, 1, 0, 2, 2]]]), np.array([[[1, 1, 0, 0, 0]]]))
    >>> cell_tracking_scores(overlaps, pair_up(overlaps))
    (0.5, 0.5)
    """
    voxels = overlaps.voxels[overlaps.is_object_pair]
    detects = voxels > overlaps.true_voxels[pairs.true_label] / 2
    detected = int(np.count_nonzero(detects))
    detectors = len(np.unique(pairs.label[detects]))
    n_true, n_pred = overlaps.n_true, overlaps.n_pred
    cost = (
        SPLIT_COST * (detected - detectors)
        + MISS_COST * (n_true - detected)
        + EXTRA_COST * (n_pred - detectors)
    )
    worst = MISS_COST * n_true
    default = default_score(overlaps)
    seg = ratio_or_default(pairs.iou[detects].sum(), n_true, default)
    det = ratio_or_default(worst - min(cost, worst), worst, default)
    return seg, det


def aggregated_jaccard_index(overlaps: Overlaps, pairs: Pairs) -> float:
    """Return the aggregated Jaccard index.

    Each true object is paired with the predicted object of the greatest IoU; one predicted object
    may be used several times. The sum of the intersections is divided by the sum of the unions and
    of all voxels of predicted objects that were not used.

    Parameters
    ----------
    overlaps : Overlaps
    pairs : Pairs
        All pairs that share a voxel, see :func:`cellstack.core.overlaps.pair_up`.

    Returns
    -------
    float
        In [0, 1]. It is not symmetric.

    References
    ----------
    .. [1] N. Kumar et al., "A dataset and a technique for generalized nuclear segmentation", IEEE
       Transactions on Medical Imaging 36, 2017.
    """
    best = np.lexsort((-pairs.iou, pairs.true_label))  # by true label, the greatest IoU first
    best = best[np.unique(pairs.true_label[best], return_index=True)[1]]
    sizes = overlaps.true_voxels[pairs.true_label] + overlaps.label_voxels[pairs.label]
    shared = (pairs.iou * sizes / (1 + pairs.iou))[best]
    used = pairs.label[best]
    covered = overlaps.true_voxels[1:].sum() + overlaps.label_voxels[used].sum() - shared.sum()
    unused = np.ones(len(overlaps.label_voxels), bool)
    unused[used] = False
    extra = overlaps.label_voxels[1:][unused[1:]].sum()
    return ratio_or_default(shared.sum(), covered + extra, default_score(overlaps))


def variation_of_information(overlaps: Overlaps) -> tuple[float, float] | tuple[None, None]:
    """Return the two parts of the variation of information, within the true objects.

    The background of the ground truth is left out, because it would outweigh all objects of a
    sparse stack. Predicted background within the true objects counts as one more label.

    Parameters
    ----------
    overlaps : Overlaps

    Returns
    -------
    split, merge : float or None
        In bits: the conditional entropy of the predicted label given the true label, and of the
        true label given the predicted one. None if there are no true objects.

    References
    ----------
    .. [1] M. Meilă, "Comparing clusterings: an information based distance", Journal of Multivariate
       Analysis 98, 2007.
    .. [2] `skimage.metrics.variation_of_information` with ``ignore_labels=(0,)``.
    """
    joint, true, predicted = _within_true_objects(overlaps)
    if not joint.size:
        return None, None
    total = joint.sum()
    split = float(-(joint / total * np.log2(joint / true)).sum()) + 0.0  # 0 and not -0
    merge = float(-(joint / total * np.log2(joint / predicted)).sum()) + 0.0
    return split, merge


def adapted_rand_error(overlaps: Overlaps) -> float | None:
    """Return the adapted Rand error within the true objects, as defined by SNEMI3D.

    Parameters
    ----------
    overlaps : Overlaps

    Returns
    -------
    float or None
        1 minus the F score of the pairs of voxels that belong to the same object. None if no true
        object has two voxels.

    References
    ----------
    .. [1] I. Arganda-Carreras et al., "Crowdsourcing the creation of image segmentation algorithms
       for connectomics", Frontiers in Neuroanatomy 9, 2015.
    .. [2] `skimage.metrics.adapted_rand_error`.
    """
    joint, true, predicted = _within_true_objects(overlaps)
    same_in_both = (joint * (joint - 1)).sum()
    # Summed over pairs of objects; the n (n - 1) of each object is distributed over its n voxels.
    same_in_one = (joint * (true - 1)).sum() + (joint * (predicted - 1)).sum()
    return float(1 - 2 * same_in_both / same_in_one) if same_in_one else None


def _within_true_objects(
    overlaps: Overlaps,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the voxels of each pair, of its true and of its predicted object.

    Voxels in the background of the ground truth are not counted.
    """
    inside = overlaps.true_label > 0
    joint = overlaps.voxels[inside].astype(float)
    true = overlaps.true_voxels[overlaps.true_label[inside]].astype(float)
    predicted = np.bincount(overlaps.label[inside], joint, minlength=1)
    return joint, true, predicted[overlaps.label[inside]].astype(float)
