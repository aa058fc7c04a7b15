"""What is wrong with which object: split, merged, missed, spurious, or drawn badly.

Halo: none, objects are compared as wholes.
"""

import numpy as np

from cellstack.overlaps import match_objects

FOUND = 0.1  # IoU from which on an object counts as found at all
RIGHT = 0.5  # IoU from which on it counts as right
SHARE = 0.1  # of an object, that each of its parts must have


def find_faults(overlaps, pairs):
    """Name each faulty object by its label.

    A label is a part of an object of the truth if more than half of it lies in there and it covers at least a tenth of that object. An
    object with two parts or more is split. With truth and labels exchanged, the same makes a label merged: two objects or more lie in
    it by more than half, each with at least a tenth of the label. Neither counts as missed or spurious.

    Parameters
    ----------
    overlaps : cellstack.overlaps.Overlaps
    pairs : cellstack.overlaps.Pairs
        All pairs that share a voxel.

    Returns
    -------
    dict of str to list of dict
        Objects of the truth under ``truth``, of the labels under ``label``.

        ``split``: an object of the truth and its parts (``labels``). ``merged``: a label and the objects in it (``truths``). ``missed``:
        an object without a match at IoU 0.1 that is in no merged label, and the label that covers most of it, or None. ``spurious``: a
        label without a match that is part of no split object, and the object that covers most of it, or None. ``low_iou``: a matched
        pair below IoU 0.5 that is neither split nor merged.

        Each has ``wrong_voxels``, by which faults can be ranked: what lies outside of the largest part, of the largest object in a merged
        label, of the pair's intersection; all voxels of what is missed or spurious.
    """
    inside = (overlaps.truth > 0) & (overlaps.label > 0)
    shared = overlaps.voxels[inside]
    of_truth, of_label = shared / overlaps.truth_voxels[pairs.truth], shared / overlaps.label_voxels[pairs.label]
    split = _several(pairs.truth, pairs.label, (of_label > 0.5) & (of_truth >= SHARE))
    merged = _several(pairs.label, pairs.truth, (of_truth > 0.5) & (of_label >= SHARE))
    found = match_objects(pairs, FOUND)
    missed = _others(overlaps.truth_voxels, found.truth, [*split, *merged.values()])
    spurious = _others(overlaps.label_voxels, found.label, [*merged, *split.values()])
    fitting = {int(truth): int(label) for truth, label in _mostly(pairs.truth, pairs.label, shared)}
    covering = {int(label): int(truth) for label, truth in _mostly(pairs.label, pairs.truth, shared)}
    in_split, in_merged = {label for each in split.values() for label in each}, {truth for each in merged.values() for truth in each}
    low = [
        {"truth": int(truth), "label": int(label), "iou": float(iou)}
        for truth, label, iou in zip(*found, strict=True)
        if iou < RIGHT and truth not in in_merged | split.keys() and label not in in_split | merged.keys()
    ]
    largest_part, largest_object = _greatest(pairs.truth, shared), _greatest(pairs.label, shared)
    truth_voxels, label_voxels = overlaps.truth_voxels.tolist(), overlaps.label_voxels.tolist()
    return {
        "split": [_fault(truth_voxels[truth] - largest_part[truth], truth=truth, labels=labels) for truth, labels in split.items()],
        "merged": [_fault(label_voxels[label] - largest_object[label], label=label, truths=truths) for label, truths in merged.items()],
        "missed": [_fault(truth_voxels[truth], truth=truth, label=fitting.get(truth)) for truth in missed],
        "spurious": [_fault(label_voxels[label], label=label, truth=covering.get(label)) for label in spurious],
        # of two sizes that add up to s, a share of (1 - IoU) / (1 + IoU) lies in one of both alone
        "low_iou": [
            _fault(round((truth_voxels[each["truth"]] + label_voxels[each["label"]]) * (1 - each["iou"]) / (1 + each["iou"])), **each)
            for each in low
        ],
    }


def _fault(wrong_voxels, **named):
    return named | {"wrong_voxels": int(wrong_voxels)}


def _greatest(objects, shared):
    """Give the greatest number of voxels that each object shares with a single other one."""
    greatest = {}
    for label, count in zip(objects.tolist(), shared.tolist(), strict=True):
        greatest[label] = max(count, greatest.get(label, 0))
    return greatest


def _several(wholes, parts, belongs):
    """List the parts of each whole that has two or more."""
    listed = {}
    for whole, part in zip(wholes[belongs], parts[belongs], strict=True):
        listed.setdefault(int(whole), []).append(int(part))
    return {whole: sorted(each) for whole, each in sorted(listed.items()) if len(each) > 1}


def _others(voxels, matched, accounted):
    """List the objects that are neither matched nor accounted for."""
    rest = np.ones(len(voxels), bool)
    rest[0] = False
    rest[matched] = False
    for each in accounted:
        rest[each] = False
    return [int(label) for label in np.flatnonzero(rest)]


def _mostly(objects, others, shared):
    """Pair each object with the other one that covers most of it."""
    order = np.lexsort((-shared, objects))
    first = order[np.unique(objects[order], return_index=True)[1]]
    return zip(objects[first], others[first], strict=True)
