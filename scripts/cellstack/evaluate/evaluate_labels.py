"""Accuracy of a label image compared with a ground truth."""

import numpy as np

from cellstack.core import overlaps
from cellstack.core.overlaps import Overlaps, Pairs
from cellstack.core.planes import Stack
from cellstack.core.types import Spacing
from cellstack.evaluate import label_errors, scores, surface_distance
from cellstack.evaluate.evaluation import Evaluation, Scores
from cellstack.evaluate.label_errors import LabelError
from cellstack.evaluate.score_columns import OUTLINES

THRESHOLDS = tuple(round(0.1 * i, 1) for i in range(1, 10))
SUMMARY_THRESHOLD = 0.5
SUMMARY_SCORES = ("precision", "recall", "f1", "average_precision", "panoptic_quality")


def evaluate_labels(ground_truth: Stack, labels: Stack, spacing: Spacing) -> Evaluation:
    """Compute the scores of a label image.

    Parameters
    ----------
    ground_truth, labels : (Z, Y, X) ndarray or stack of unsigned int
        Label images of the same shape, numbered 1..m and 1..n; 0 is background.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.

    Returns
    -------
    dict
        - ``ground_truth``: "outlines".
        - ``thresholds``: the scores at each IoU threshold of :data:`THRESHOLDS`.
        - ``summary``: the scores of the whole stack.
        - ``errors``: see :func:`cellstack.evaluate.label_errors.find_errors`.
        - ``matches``: ``true_label``, ``label`` and ``iou`` of the pairs matched at IoU 0.5.

        :mod:`cellstack.evaluate.score_columns` defines the keys of the first two. A ratio is 1 if
        both images have no objects, and 0 if only one of them has none. None means not defined.

    Notes
    -----
    Objects are matched one to one, see :func:`cellstack.core.overlaps.match_objects`. A pair with
    an IoU equal to the threshold is a match.

    Examples
    --------
    >>> ground_truth = np.array([[[1, 1, 0, 2, 2]]], np.uint16)
    >>> labels = np.array([[[1, 1, 0, 0, 0]]], np.uint16)
    >>> summary = evaluate_labels(ground_truth, labels, (1.0, 0.5, 0.5))["summary"]
    >>> summary["precision"], summary["recall"], summary["count_missed"]
    (1.0, 0.5, 1)
    """
    table = overlaps.count_overlaps(ground_truth, labels)
    pairs = overlaps.pair_up(table)
    rows = [
        _score(table, overlaps.match_objects(pairs, threshold), threshold)
        for threshold in THRESHOLDS
    ]
    errors = label_errors.find_errors(table, pairs)
    seg, det = scores.cell_tracking_scores(table, pairs)
    split, merge = scores.variation_of_information(table)
    matched = overlaps.match_objects(pairs, SUMMARY_THRESHOLD)
    at_threshold = rows[THRESHOLDS.index(SUMMARY_THRESHOLD)]
    summary: Scores = {
        "count_ground_truth": table.n_true,
        "count_found": table.n_pred,
        **{name: at_threshold[name] for name in SUMMARY_SCORES},
        "f1_uncorrected": None,
        "seg": seg,
        "det": det,
        "aggregated_jaccard_index": scores.aggregated_jaccard_index(table, pairs),
        "adapted_rand_error": scores.adapted_rand_error(table),
        "variation_of_information_split_bit": split,
        "variation_of_information_merge_bit": merge,
        **{f"count_{kind}": len(listed) for kind, listed in errors.items()},
        **_compare_shapes(ground_truth, labels, table, matched, spacing),
    }
    matches: list[LabelError] = [
        {"true_label": true_label, "label": label, "iou": iou}
        for true_label, label, iou in zip(*(each.tolist() for each in matched), strict=True)
    ]
    return {
        "ground_truth": OUTLINES,
        "thresholds": rows,
        "summary": summary,
        "errors": errors,
        "matches": matches,
    }


def _score(table: Overlaps, matched: Pairs, threshold: float) -> Scores:
    """Return the scores at one threshold."""
    tp = len(matched.iou)
    fp, fn = table.n_pred - tp, table.n_true - tp
    default = scores.default_score(table)
    total = 2 * tp + fp + fn
    return {
        "iou_threshold": threshold,
        "true_positives": tp,
        "false_positives": fp,
        "false_negatives": fn,
        "precision": scores.ratio_or_default(tp, tp + fp, default),
        "recall": scores.ratio_or_default(tp, tp + fn, default),
        "f1": scores.ratio_or_default(2 * tp, total, default),
        "average_precision": scores.ratio_or_default(tp, tp + fp + fn, default),
        "panoptic_quality": scores.ratio_or_default(2 * matched.iou.sum(), total, default),
        "mean_matched_iou": float(matched.iou.mean()) if tp else None,
    }


def _compare_shapes(
    ground_truth: Stack, labels: Stack, table: Overlaps, matched: Pairs, spacing: Spacing
) -> Scores:
    """Compare the volumes and surfaces of matched objects."""
    if not len(matched.iou):
        return {
            "volume_bias_um3": None,
            "volume_bias_percent": None,
            "volume_bias_median_percent": None,
            "volume_sd_percent": None,
            "mean_surface_distance_um": None,
        }
    expected = table.true_voxels[matched.true_label]
    excess = table.label_voxels[matched.label] - expected
    relative = 100 * excess / expected
    distances = surface_distance.surface_distances(ground_truth, labels, matched, spacing)
    distances = distances[np.isfinite(distances)]
    return {
        "volume_bias_um3": float(excess.mean() * np.prod(spacing)),
        "volume_bias_percent": float(relative.mean()),
        "volume_bias_median_percent": float(np.median(relative)),
        "volume_sd_percent": float(relative.std(ddof=1)) if len(relative) > 1 else None,
        "mean_surface_distance_um": float(distances.mean()) if len(distances) else None,
    }
