"""How far two sets of labels agree in a stack as a whole: one number each, from the table of overlaps.

Halo: none, objects are compared as wholes.
"""

import numpy as np

SPLIT_COST, MISS_COST, EXTRA_COST = 5, 10, 1  # of the Cell Tracking Challenge


def share(part, whole, overlaps):
    """Divide, with 1 for nothing of nothing where neither side holds an object, and 0 where only one does."""
    if whole:
        return float(part / whole)
    return 1.0 if len(overlaps.truth_voxels) == len(overlaps.label_voxels) == 1 else 0.0


def cell_tracking_scores(overlaps, pairs):
    """Compute SEG and DET of the Cell Tracking Challenge.

    An object of the truth is found by the object that covers more than half of it; one object may find several.

    Parameters
    ----------
    overlaps : cellstack.overlaps.Overlaps
    pairs : cellstack.overlaps.Pairs
        All pairs that share a voxel.

    Returns
    -------
    seg : float
        Mean IoU over the objects of the truth, 0 for those that are not found.
    det : float
        1 minus the cost of correcting the labels (5 to split one that finds several, for each one more than the first; 10 for each not
        found; 1 for each that finds none), divided by the cost of starting from nothing, at least 0.

    References
    ----------
    .. [1] M. Maška et al., "The Cell Tracking Challenge: 10 years of objective benchmarking", Nature Methods 20, 2023.
    .. [2] P. Matula et al., "Cell tracking accuracy measurement based on comparison of acyclic oriented graphs", PLoS ONE 10, 2015.
    """
    inside = (overlaps.truth > 0) & (overlaps.label > 0)
    finds = overlaps.voxels[inside] > overlaps.truth_voxels[pairs.truth] / 2
    count_truth, count_labels = len(overlaps.truth_voxels) - 1, len(overlaps.label_voxels) - 1
    finders = len(np.unique(pairs.label[finds]))
    hits = np.count_nonzero(finds)
    cost = SPLIT_COST * (hits - finders) + MISS_COST * (count_truth - hits) + EXTRA_COST * (count_labels - finders)
    worst = MISS_COST * count_truth
    return share(pairs.iou[finds].sum(), count_truth, overlaps), share(worst - min(cost, worst), worst, overlaps)


def aggregated_jaccard_index(overlaps, pairs):
    """Compute the aggregated Jaccard index.

    Each object of the truth takes the object with which it has the greatest IoU, and one may be taken several times. The voxels that
    these pairs share are divided by those that they cover, plus all voxels of objects that nobody took.

    Parameters
    ----------
    overlaps : cellstack.overlaps.Overlaps
    pairs : cellstack.overlaps.Pairs
        All pairs that share a voxel.

    Returns
    -------
    float
        In [0, 1]; not symmetric.

    References
    ----------
    .. [1] N. Kumar et al., "A dataset and a technique for generalized nuclear segmentation", IEEE Transactions on Medical Imaging 36, 2017.
    """
    best = np.lexsort((-pairs.iou, pairs.truth))  # by truth, the greatest IoU first
    best = best[np.unique(pairs.truth[best], return_index=True)[1]]
    shared = (pairs.iou * (overlaps.truth_voxels[pairs.truth] + overlaps.label_voxels[pairs.label]) / (1 + pairs.iou))[best]
    covered = overlaps.truth_voxels[1:].sum() + overlaps.label_voxels[pairs.label[best]].sum() - shared.sum()
    idle = np.ones(len(overlaps.label_voxels), bool)
    idle[pairs.label[best]] = False
    return share(shared.sum(), covered + overlaps.label_voxels[1:][idle[1:]].sum(), overlaps)


def variation_of_information(overlaps):
    """Compute the two parts of the variation of information, on the voxels of the truth's objects.

    The background of the truth is left out, or it would outweigh all objects of a sparse stack; background within its objects counts as one
    more label.

    Parameters
    ----------
    overlaps : cellstack.overlaps.Overlaps

    Returns
    -------
    split, merge : float or None
        In bits: how uncertain the label is where the object of the truth is known, and the other way round. None where the truth is empty.

    References
    ----------
    .. [1] M. Meilă, "Comparing clusterings: an information based distance", Journal of Multivariate Analysis 98, 2007.
    .. [2] `skimage.metrics.variation_of_information` with ``ignore_labels=(0,)``.
    """
    joint, truth, label = _in_truth(overlaps)
    if not joint.size:
        return None, None
    total = joint.sum()
    return tuple(float(-(joint / total * np.log2(joint / given)).sum()) + 0.0 for given in (truth, label))


def adapted_rand_error(overlaps):
    """Compute the adapted Rand error, on the voxels of the truth's objects, as SNEMI3D does.

    Parameters
    ----------
    overlaps : cellstack.overlaps.Overlaps

    Returns
    -------
    float or None
        1 minus the F score of pairs of voxels that belong together; None where the truth has no two voxels in one object.

    References
    ----------
    .. [1] I. Arganda-Carreras et al., "Crowdsourcing the creation of image segmentation algorithms for connectomics", Frontiers in
       Neuroanatomy 9, 2015.
    .. [2] `skimage.metrics.adapted_rand_error`.
    """
    joint, truth, label = _in_truth(overlaps)
    together = (joint * (joint - 1)).sum()
    # summed over pairs, each object's own sum of n (n - 1) comes in shares of n
    possible = (joint * (truth - 1)).sum() + (joint * (label - 1)).sum()
    return float(1 - 2 * together / possible) if possible else None


def _in_truth(overlaps):
    """Give the voxels of each pair within the truth's objects, with those of its object of the truth and of its label there, as floats."""
    inside = overlaps.truth > 0
    joint = overlaps.voxels[inside].astype(float)
    label = np.bincount(overlaps.label[inside], joint, minlength=1)
    return joint, overlaps.truth_voxels[overlaps.truth[inside]].astype(float), label[overlaps.label[inside]]
