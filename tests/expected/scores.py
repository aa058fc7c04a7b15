"""Expected scores, from the IoU of each pair of objects."""

import numpy as np
from expected.scene import SPACING, labels_of
from scipy import ndimage
from scipy.optimize import linear_sum_assignment
from scipy.spatial import cKDTree


def scored(study, stack, kind):
    """Return ground truth, labels, and voxels and IoU of each pair of objects, from 1."""
    real, labels = labels_of(study, stack, kind, "ground_truth.tif"), labels_of(study, stack, kind)
    shared = np.zeros((real.max() + 1, labels.max() + 1))
    np.add.at(shared, (real.ravel(), labels.ravel()), 1)
    sizes = shared.sum(axis=1), shared.sum(axis=0)
    iou = shared / (sizes[0][:, None] + sizes[1] - shared)
    return real, labels, shared, *sizes, iou[1:, 1:]


def match(iou, threshold):
    """Return rows and columns of the largest matching, and of these of that of greatest IoU."""
    reward = np.where(iou >= threshold, len(iou) + 1 + iou, 0)
    rows, columns = linear_sum_assignment(-reward)
    is_match = reward[rows, columns] > 0
    return rows[is_match], columns[is_match]


def rates(iou, threshold):
    matched = iou[match(iou, threshold)]
    hits, (real, found) = len(matched), iou.shape
    return {
        "precision": hits / found,
        "recall": hits / real,
        "f1": 2 * hits / (real + found),
        "average_precision": hits / (real + found - hits),
        "panoptic_quality": 2 * matched.sum() / (real + found),
    }


def surface_distance(one, other):
    """Return the average symmetric distance of two surfaces; faces of the stack are no surface."""
    surfaces = [
        np.argwhere(mask & ~ndimage.binary_erosion(mask, border_value=1)) * SPACING
        for mask in (one, other)
    ]
    distances = [cKDTree(b).query(a)[0] for a, b in (surfaces, surfaces[::-1])]
    return np.concatenate(distances).mean()
