"""How right labels are, against a truth.

Halo: none, objects are compared as wholes.
"""

import numpy as np

from cellstack import agreement, label_faults, overlaps, surface_distance

THRESHOLDS = tuple(round(0.1 * i, 1) for i in range(1, 10))
HALF = 0.5  # the threshold of what is given for one threshold alone


def evaluate_labels(truth, labels, spacing):
    """Score labels against a truth.

    **Matching.** Objects are matched one to one, such that as many pairs as possible have at least the IoU of the threshold, and among
    such choices the one with the greatest sum of IoU is taken. Above 0.5 no choice is left, as an object cannot share more than half of
    the union with two others. At 0.1 to 0.5 a pair counts from the threshold on, not only above it.

    Parameters
    ----------
    truth, labels : (Z, Y, X) ndarray of unsigned int, of the same shape
        1..m and 1..n without gaps, 0 is background.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.

    Returns
    -------
    dict
        ``thresholds``: a list with a row for each of :data:`THRESHOLDS`. ``summary``: scores of the stack as a whole. ``faults``: what is
        wrong with which object, see :func:`cellstack.label_faults.find_faults`. ``matches``: the pairs matched at IoU 0.5, as ``truth``,
        ``label`` and ``iou``. :mod:`cellstack.score_columns` defines the keys of the first two. Shares are 1 where neither side holds an
        object, and 0 where only one does; None is what cannot be told.
    """
    table = overlaps.count_overlaps(truth, labels)
    pairs = overlaps.pair_up(table)
    rows = [_score(table, overlaps.match_objects(pairs, threshold), threshold) for threshold in THRESHOLDS]
    faults = label_faults.find_faults(table, pairs)
    seg, det = agreement.cell_tracking_scores(table, pairs)
    split, merge = agreement.variation_of_information(table)
    matched = overlaps.match_objects(pairs, HALF)
    at_half = rows[THRESHOLDS.index(HALF)]
    summary = {
        "count_truth": len(table.truth_voxels) - 1,
        "count_found": len(table.label_voxels) - 1,
        **{name: at_half[name] for name in ("precision", "recall", "f1", "average_precision", "panoptic_quality")},
        "seg": seg,
        "det": det,
        "aggregated_jaccard_index": agreement.aggregated_jaccard_index(table, pairs),
        "adapted_rand_error": agreement.adapted_rand_error(table),
        "variation_of_information_split_bit": split,
        "variation_of_information_merge_bit": merge,
        **{f"count_{kind}": len(named) for kind, named in faults.items()},
        **_compare_shapes(truth, labels, table, matched, spacing),
    }
    named = zip(*(each.tolist() for each in matched), strict=True)
    matches = [dict(zip(matched._fields, pair, strict=True)) for pair in named]
    return {"thresholds": rows, "summary": summary, "faults": faults, "matches": matches}


def _score(table, matched, threshold):
    hits = len(matched.iou)
    missed, extra = len(table.truth_voxels) - 1 - hits, len(table.label_voxels) - 1 - hits
    return {
        "iou_threshold": threshold,
        "true_positives": hits,
        "false_positives": extra,
        "false_negatives": missed,
        "precision": agreement.share(hits, hits + extra, table),
        "recall": agreement.share(hits, hits + missed, table),
        "f1": agreement.share(2 * hits, 2 * hits + extra + missed, table),
        "average_precision": agreement.share(hits, hits + extra + missed, table),
        "panoptic_quality": agreement.share(2 * matched.iou.sum(), 2 * hits + extra + missed, table),
        "mean_matched_iou": float(matched.iou.mean()) if hits else None,
    }


def _compare_shapes(truth, labels, table, matched, spacing):
    """Compare volume and outline of the matched objects."""
    names = ("volume_bias_um3", "volume_bias_percent", "volume_sd_percent", "mean_surface_distance_um")
    if not len(matched.iou):
        return dict.fromkeys(names)
    expected = table.truth_voxels[matched.truth]
    excess = table.label_voxels[matched.label] - expected
    relative = 100 * excess / expected
    distances = surface_distance.surface_distances(truth, labels, matched, spacing)
    distances = distances[np.isfinite(distances)]
    values = (
        excess.mean() * np.prod(spacing),
        relative.mean(),
        relative.std(ddof=1) if len(relative) > 1 else None,
        distances.mean() if len(distances) else None,
    )
    return {name: None if value is None else float(value) for name, value in zip(names, values, strict=True)}
