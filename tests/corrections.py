"""Corrections derived from a ground truth, and the table that holds them."""

import csv

import numpy as np

from cellstack.config.corrections import COLUMNS, IMAGE_POSITION
from cellstack.config.table_rows import COORDINATES
from cellstack.core.distance import distance_map
from cellstack.core.labels import find_boxes
from cellstack.core.overlaps import count_overlaps, match_objects, pair_up
from cellstack.files.stacks import write_stack


def core(mask, spacing):
    """Return the place in um that is deepest in a mask."""
    depth = distance_map(np.pad(mask, 1).view("uint8"), spacing)[1:-1, 1:-1, 1:-1]
    place = np.unravel_index(depth.argmax(), mask.shape)
    return [float(at * step) for at, step in zip(place, spacing, strict=True)]


def correction(action, *points, **cells):
    return {"action": action, "points": [*points], "diameter_um": None} | (
        {"image": None, "image_position_um": None} | cells
    )


def derive_clicks(truth, labels, spacing):
    """Merge, split, delete and add whatever differs from a ground truth, by clicks alone."""
    table = count_overlaps(truth, labels)
    pairs = zip(table.true_label.tolist(), table.label.tolist(), table.voxels.tolist(), strict=True)
    shared = {(true, label): voxels for true, label, voxels in pairs}
    inside, parts = {}, {}  # true objects mostly in an object, and the other way round
    for (true, label), voxels in shared.items():
        if true and label and 2 * voxels > table.true_voxels[true]:
            inside.setdefault(label, []).append(true)
        if true and label and 2 * voxels > table.label_voxels[label]:
            parts.setdefault(true, []).append(label)
    found = []
    for label, trues in inside.items():
        if len(trues) > 1:
            cores = [core((truth == true) & (labels == label), spacing) for true in trues]
            found.append(correction("split", *cores))
    for true, of_true in parts.items():
        if len(of_true) > 1 and all(len(inside.get(label, [])) < 2 for label in of_true):
            cores = [core((truth == true) & (labels == label), spacing) for label in of_true]
            found.append(correction("merge", *cores))
    for label in range(1, table.n_pred + 1):
        if not any((true, label) in shared for true in range(1, table.n_true + 1)):
            found.append(correction("delete", core(labels == label, spacing)))
    for true in range(1, table.n_true + 1):
        if not any((true, label) in shared for label in range(1, table.n_pred + 1)):
            found.append(correction("add", core(truth == true, spacing)))
    return found


def derive_drawings(truth, labels, spacing, folder):
    """Delete what has no match in a ground truth, and draw what has none."""
    table = count_overlaps(truth, labels)
    matched = match_objects(pair_up(table), 0.5)
    found = [
        correction("delete", core(labels == label, spacing))
        for label in range(1, table.n_pred + 1)
        if label not in matched.label
    ]
    boxes = find_boxes(truth)
    kept = np.isin(labels, matched.label) & (labels > 0)
    for true in sorted(boxes.keys() - set(matched.true_label.tolist())):
        box = boxes[true]
        path = folder / f"truth-{true}.tif"
        write_stack(path, (truth[box] == true).astype("uint16"), spacing, is_labels=True)
        free = (truth == true) & ~kept
        position = [side.start * step for side, step in zip(box, spacing, strict=True)]
        drawn = {"image": str(path), "image_position_um": position}
        found.append(correction("add", core(free, spacing), **drawn))
    return found


def write_table(path, corrections, stack="colony", kind="nuclei"):
    """Write corrections as a user would, one row per point."""
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, COLUMNS)
        table.writeheader()
        for number, each in enumerate(corrections, 1):
            for point in each["points"]:
                row = {"stack": stack, "object": kind, "action": each["action"], "id": number}
                row |= dict(zip(COORDINATES, point, strict=True))
                row |= {key: each[key] for key in ("image", "diameter_um") if each[key]}
                if each["image_position_um"]:
                    row |= dict(zip(IMAGE_POSITION, each["image_position_um"], strict=True))
                table.writerow(row)
