"""Errors of single objects: split, merged, missed, spurious, or with a low IoU."""

from collections.abc import Iterable
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from cellstack.core.overlaps import Overlaps, Pairs, match_objects

MIN_IOU_DETECTED = 0.1
MIN_IOU_CORRECT = 0.5
MIN_INSIDE = 0.5  # fraction of an object that lies in another one, for it to be a part of that
MIN_PART = 0.1  # fraction of an object that each of its parts covers

Objects = NDArray[np.int64]


class LabelError(TypedDict, total=False):
    """An error, and the objects that it concerns."""

    true_label: int | None
    """Label in the ground truth."""
    true_labels: list[int]
    label: int | None
    """Label in the predicted label image."""
    labels: list[int]
    iou: float
    wrong_voxels: int


def find_errors(overlaps: Overlaps, pairs: Pairs) -> dict[str, list[LabelError]]:
    """Find the objects that are segmented incorrectly.

    A predicted object is a part of a true object if more than half of it is inside and it covers at
    least a tenth of the true object. A true object with two or more parts is split. Merged is the
    reverse: two or more true objects are parts of one predicted object.
    Neither counts as missed or spurious.

    Parameters
    ----------
    overlaps : Overlaps
    pairs : Pairs
        All pairs that share a voxel, see :func:`cellstack.core.overlaps.pair_up`.

    Returns
    -------
    dict of str to list of dict
        Errors by kind:

        - ``split``: ``true_label`` and the ``labels`` of its parts.
        - ``merged``: ``label`` and the ``true_labels`` of its parts.
        - ``missed``: a ``true_label`` without a match at IoU 0.1 that is not a part of a merged
          object, and the ``label`` that covers most of it or None.
        - ``spurious``: a ``label`` without a match that is not a part of a split object, and the
          ``true_label`` that covers most of it or None.
        - ``low_iou``: ``true_label`` and ``label`` of a match with an IoU below 0.5, neither of
          them split or merged, and their ``iou``.

        Each has ``wrong_voxels``: the voxels outside the largest part of a split or merged
        object, all voxels of a missed or spurious one, and those in only one of the two objects of
        a pair with low IoU.

    Examples
    --------
    >>> from cellstack.core.overlaps import count_overlaps, pair_up
    >>> overlaps = count_overlaps(np.array([[[1, 1, 1, 0, 2]]]), np.array([[[1, 3, 3, 0, 0]]]))
    >>> errors = find_errors(overlaps, pair_up(overlaps))
    >>> errors["split"]
    [{'true_label': 1, 'labels': [1, 3], 'wrong_voxels': 1}]
    >>> errors["missed"]
    [{'true_label': 2, 'label': None, 'wrong_voxels': 1}]
    """
    voxels = overlaps.voxels[overlaps.is_object_pair]
    of_true = voxels / overlaps.true_voxels[pairs.true_label]
    of_label = voxels / overlaps.label_voxels[pairs.label]
    split = _with_parts(
        pairs.true_label, pairs.label, (of_label > MIN_INSIDE) & (of_true >= MIN_PART)
    )
    merged = _with_parts(
        pairs.label, pairs.true_label, (of_true > MIN_INSIDE) & (of_label >= MIN_PART)
    )
    detected = match_objects(pairs, MIN_IOU_DETECTED)
    missed = _remaining(overlaps.n_true, detected.true_label, [*split, *_flatten(merged)])
    spurious = _remaining(overlaps.n_pred, detected.label, [*merged, *_flatten(split)])
    in_true = _largest_overlaps(pairs.true_label, pairs.label, voxels)
    in_label = _largest_overlaps(pairs.label, pairs.true_label, voxels)
    true_voxels, label_voxels = overlaps.true_voxels.tolist(), overlaps.label_voxels.tolist()

    errors: dict[str, list[LabelError]] = {
        kind: [] for kind in ("split", "merged", "missed", "spurious", "low_iou")
    }
    for true_label, labels in split.items():
        wrong = true_voxels[true_label] - in_true[true_label][1]
        errors["split"].append({"true_label": true_label, "labels": labels, "wrong_voxels": wrong})
    for label, true_labels in merged.items():
        wrong = label_voxels[label] - in_label[label][1]
        errors["merged"].append({"label": label, "true_labels": true_labels, "wrong_voxels": wrong})
    for true_label in missed:
        partner, _ = in_true.get(true_label, (None, 0))
        wrong = true_voxels[true_label]
        errors["missed"].append({"true_label": true_label, "label": partner, "wrong_voxels": wrong})
    for label in spurious:
        partner, _ = in_label.get(label, (None, 0))
        wrong = label_voxels[label]
        errors["spurious"].append({"label": label, "true_label": partner, "wrong_voxels": wrong})
    in_split_or_merged_true = {*split, *_flatten(merged)}
    in_split_or_merged = {*merged, *_flatten(split)}
    for true_label, label, iou in zip(*(column.tolist() for column in detected), strict=True):
        if iou >= MIN_IOU_CORRECT:
            continue
        if true_label in in_split_or_merged_true or label in in_split_or_merged:
            continue
        # Of two objects with s voxels in total, s (1 - IoU) / (1 + IoU) are in only one of them.
        total = true_voxels[true_label] + label_voxels[label]
        wrong = round(total * (1 - iou) / (1 + iou))
        errors["low_iou"].append(
            {"true_label": true_label, "label": label, "iou": iou, "wrong_voxels": wrong}
        )
    return errors


def _flatten(parts: dict[int, list[int]]) -> Iterable[int]:
    return (part for each in parts.values() for part in each)


def _with_parts(
    objects: Objects, parts: Objects, is_part: NDArray[np.bool_]
) -> dict[int, list[int]]:
    """Return the parts of each object that has two or more, ordered by label."""
    listed: dict[int, list[int]] = {}
    for label, part in zip(objects[is_part].tolist(), parts[is_part].tolist(), strict=True):
        listed.setdefault(label, []).append(part)
    return {label: sorted(each) for label, each in sorted(listed.items()) if len(each) > 1}


def _remaining(count: int, matched: Objects, explained: list[int]) -> list[int]:
    """Return the labels 1..count that are neither matched nor explained by a split or merge."""
    remaining = np.ones(count + 1, bool)
    remaining[0] = False
    remaining[matched] = False
    remaining[explained] = False
    return [int(label) for label in np.flatnonzero(remaining)]


def _largest_overlaps(
    objects: Objects, partners: Objects, voxels: NDArray[np.int64]
) -> dict[int, tuple[int, int]]:
    """Return for each object the partner with the largest overlap, and the overlap in voxels."""
    order = np.lexsort((-voxels, objects))
    first = order[np.unique(objects[order], return_index=True)[1]]
    largest = zip(partners[first].tolist(), voxels[first].tolist(), strict=True)
    return dict(zip(objects[first].tolist(), largest, strict=True))
