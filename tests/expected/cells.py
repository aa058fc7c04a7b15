"""Expected columns of contacts.csv, and of cells that follow from their nuclei."""

import math
from collections import Counter
from itertools import product

import numpy as np
from expected.scene import (
    BLOCK,
    CHANNELS,
    ONE,
    OTHER,
    SLOPE_Y,
    SLOPE_Z,
    SPACING,
    VOXEL,
    WALLS,
    image_of,
    labels_of,
)
from scipy import ndimage

from cellstack.config.object_columns import PAIR_COLUMNS
from cellstack.files.stacks import read_stack


def contacts_between(study):
    """Return the expected rows of contacts.csv."""
    cells = labels_of(study, "drawn", "cells")
    selected = labels_of(study, "drawn", "cells", "labels.ome.tif")
    ridges = read_stack(study.result("drawn", "cells", "membrane_ridges.tif"))[0].astype(float)
    faces, strengths = {}, {}
    for axis in range(3):
        along, high = np.moveaxis(cells, axis, 0), np.moveaxis(ridges, axis, 0)
        is_face = (along[:-1] != along[1:]) & (along[:-1] > 0) & (along[1:] > 0)
        highest = np.maximum(high[:-1], high[1:])[is_face]
        sides = np.sort([along[:-1][is_face], along[1:][is_face]], axis=0)
        for *pair, strength in zip(*sides.tolist(), highest, strict=True):
            faces.setdefault(tuple(pair), Counter())[axis] += 1
            strengths.setdefault(tuple(pair), []).append((VOXEL / SPACING[axis], strength))
    areas = {}
    for pair, count in faces.items():
        if pair == (ONE, OTHER):
            side_z, side_y, _ = np.multiply(BLOCK, SPACING)
            areas[pair] = side_z * side_y * np.sqrt(1 + SLOPE_Y**2 + SLOPE_Z**2)
        else:
            ((axis, number_of_faces),) = count.items()  # it is flat
            areas[pair] = number_of_faces * VOXEL / SPACING[axis]
    of_cell = Counter()
    for (one, other), area in areas.items():
        of_cell[one] += area
        of_cell[other] += area
    rows = []
    for one, other in sorted(areas):
        weights, values = np.transpose(strengths[one, other])
        strength, area = np.average(values, weights=weights), areas[one, other]
        is_large = area >= WALLS["min_contact_fraction"] * min(of_cell[one], of_cell[other])
        rows.append(
            {
                "stack": "drawn",
                "object": "cells",
                "segmentation_label_1": one,
                "segmentation_label_2": other,
                "label_1": selected[cells == one].max(),
                "label_2": selected[cells == other].max(),
                "contact_area_um2": area,
                "wall_strength": strength,
                "wall_missing": int(is_large and strength < WALLS["min_wall_strength"]),
            }
        )
    return rows


def pair_columns(study, cell):
    """Return the columns of a cell that follow from its nuclei."""
    nuclei = labels_of(study, "drawn", "nuclei")
    inside = {
        label: (cell & (nuclei == label)).sum()
        for label in range(1, nuclei.max() + 1)
        if 2 * (cell & (nuclei == label)).sum() > (nuclei == label).sum()
    }
    names = [name for name in PAIR_COLUMNS if "<channel>" not in name]
    columns = dict.fromkeys(names) | {"nuclei_count": len(inside)}
    parts = {"nucleus": cell & np.isin(nuclei, list(inside))}
    parts["cytoplasm"] = cell & ~parts["nucleus"]
    for part, channel in product(parts, CHANNELS):
        values = image_of(study, "drawn", channel)[parts[part]].astype(float)
        columns[f"{part}_mean_intensity_{channel}"] = values.mean() if inside else None
        columns[f"{part}_sum_intensity_{channel}"] = math.fsum(values) if inside else None
    if inside:
        centres = [np.argwhere(each).mean(axis=0) * SPACING for each in (parts["nucleus"], cell)]
        to_wall = ndimage.distance_transform_edt(cell, SPACING)[parts["nucleus"]]
        columns |= {
            "nucleus_segmentation_label": max(inside, key=inside.get),
            "nucleus_volume_um3": parts["nucleus"].sum() * VOXEL,
            "nucleus_to_cell_volume_ratio": parts["nucleus"].sum() / cell.sum(),
            "nucleus_offset_um": math.dist(*centres),
            "nucleus_wall_distance_min_um": to_wall.min(),
            "nucleus_wall_distance_mean_um": to_wall.mean(),
        }
    return columns


def pair_flags(study, cell, count):
    """Return the flags of a cell for its nuclei and the walls towards its neighbours."""
    flags = {0: ["no nucleus"], 1: []}.get(count, [f"{count} nuclei"])
    for row in contacts_between(study):
        pair = [row["segmentation_label_1"], row["segmentation_label_2"]]
        if row["wall_missing"] and cell in pair:
            flags += [f"no wall to {each}" for each in pair if each != cell]
    return flags
