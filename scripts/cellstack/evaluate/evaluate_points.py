"""Accuracy of a label image compared with points, one in each object."""

import numpy as np

from cellstack.core import overlaps
from cellstack.core.planes import Planes
from cellstack.evaluate import scores
from cellstack.evaluate.evaluation import Evaluation, Scores
from cellstack.evaluate.label_errors import LabelError
from cellstack.evaluate.score_columns import BY_STACK, BY_THRESHOLD, KEY, POINTS


def evaluate_points(ground_truth: Planes, labels: Planes) -> Evaluation:
    """Compute the scores that need no outlines.

    An object that contains a point is a true positive, whether it contains one or several; an
    object without a point is a false positive. Each point needs a separate object: points that
    share an object, except for one of them, and points in no object are false negatives.

    Parameters
    ----------
    ground_truth : (Z, Y, X) ndarray or planes of unsigned int
        Points: a voxel for each of the labels 1..m; 0 elsewhere.
    labels : (Z, Y, X) ndarray or planes of unsigned int
        Label image of the same shape, numbered 1..n; 0 is background.

    Returns
    -------
    dict
        As that of :func:`cellstack.evaluate.evaluate_labels.evaluate_labels`, where
        ``ground_truth`` is "points", ``thresholds`` has one entry without a threshold, scores
        that need outlines are None, and ``errors`` has only the following kinds, the worst first:

        - ``merged``: ``label`` of an object with several points, and their ``true_labels``.
        - ``missed``: ``true_label`` of a point in no object.
        - ``spurious``: ``label`` of an object without a point.

        ``matches`` are the ``true_label`` and ``label`` of objects with one point. Errors have
        no ``wrong_voxels`` and matches no ``iou``.

    Examples
    --------
    >>> points = np.array([[[1, 0, 2, 0, 3]]], np.uint16)
    >>> labels = np.array([[[1, 1, 1, 0, 0]]], np.uint16)
    >>> summary = evaluate_points(points, labels)["summary"]
    >>> summary["precision"], summary["count_merged"], summary["count_missed"]
    (1.0, 1, 1)
    """
    table = overlaps.count_overlaps(ground_truth, labels)
    inside = table.is_object_pair
    points_of: dict[int, list[int]] = {}
    for point, label in zip(
        table.true_label[inside].tolist(), table.label[inside].tolist(), strict=True
    ):
        points_of.setdefault(label, []).append(point)
    missed = np.setdiff1d(np.arange(1, table.n_true + 1), table.true_label[inside])
    spurious = np.setdiff1d(np.arange(1, table.n_pred + 1), table.label[inside])
    spurious = spurious[np.argsort(-table.label_voxels[spurious], kind="stable")]
    merged = sorted(
        (label for label, points in points_of.items() if len(points) > 1),
        key=lambda label: (-len(points_of[label]), label),
    )
    errors: dict[str, list[LabelError]] = {
        "merged": [{"label": label, "true_labels": points_of[label]} for label in merged],
        "missed": [{"true_label": point, "label": None} for point in missed.tolist()],
        "spurious": [{"label": label, "true_label": None} for label in spurious.tolist()],
    }
    matches: list[LabelError] = [
        {"true_label": points[0], "label": label}
        for label, points in sorted(points_of.items())
        if len(points) == 1
    ]
    at_points = _score(len(points_of), table.n_pred, table.n_true, scores.default_score(table))
    summary = dict.fromkeys((name for name in BY_STACK if name not in KEY), None) | {
        "count_ground_truth": table.n_true,
        "count_found": table.n_pred,
        **{name: value for name, value in at_points.items() if name in BY_STACK},
        **{f"count_{kind}": len(listed) for kind, listed in errors.items()},
    }
    return {
        "ground_truth": POINTS,
        "thresholds": [at_points],
        "summary": summary,
        "errors": errors,
        "matches": matches,
    }


def _score(tp: int, n_pred: int, n_true: int, default: float) -> Scores:
    """Return the columns of scores.csv; those that need an IoU are None."""
    named: Scores = dict.fromkeys((name for name in BY_THRESHOLD if name not in KEY), None)
    return named | {
        "true_positives": tp,
        "false_positives": n_pred - tp,
        "false_negatives": n_true - tp,
        "precision": scores.ratio_or_default(tp, n_pred, default),
        "recall": scores.ratio_or_default(tp, n_true, default),
        "f1": scores.ratio_or_default(2 * tp, n_pred + n_true, default),
        "average_precision": scores.ratio_or_default(tp, n_pred + n_true - tp, default),
    }
