"""Expected columns of neighbors.csv and neighborhood.csv, from masks of single objects."""

import math
from collections import Counter
from functools import cache
from itertools import combinations

import numpy as np
import pytest
from expected.scene import (
    KINDS,
    NEAREST,
    RADIUS,
    SHAPE,
    SPACING,
    VOXEL,
    diameter_of,
    labels_of,
)
from scipy import ndimage

from cellstack.config.object_columns import GROUPS


def surface_of(mask):
    """Return the voxels that have a neighbour outside a mask; faces of the stack are outside."""
    return np.argwhere(mask & ~ndimage.binary_erosion(mask))


def gap_between(first, second):
    """Return the minimum distance between the voxels of two masks, as boxes."""
    if (first & second).any():
        return 0.0
    voxels, others = surface_of(first), surface_of(second)
    steps = np.maximum(0, np.abs(voxels[:, None] - others) - 1)
    return np.sqrt(((steps * SPACING) ** 2).sum(axis=-1)).min()


def areas_of_contacts(labels):
    """Return the area of each contact, also of that with the background, tile by tile."""
    side = max(5 * min(SPACING), 2 * max(SPACING))
    tile = np.maximum(1, np.rint(np.divide(side, SPACING))).astype(int)
    vectors = {}
    for axis in range(3):
        along = np.moveaxis(labels, axis, 0)
        for place in np.argwhere(along[1:] != along[:-1]):
            voxel = np.insert(place[1:], axis, place[0])
            ends = int(labels[tuple(voxel)]), int(labels[tuple(voxel + np.eye(3, dtype=int)[axis])])
            vector = vectors.setdefault((*sorted(ends), *(voxel // tile)), np.zeros(3))
            vector[axis] += np.sign(ends[1] - ends[0]) * VOXEL / SPACING[axis]
    areas = Counter()
    for (one, other, *_), vector in vectors.items():
        areas[one, other] += float(np.linalg.norm(vector))
    return areas


@cache
def neighbor_columns(study, stack, kind):
    """Return the expected rows of pairs of neighbours, and the columns of each object."""
    labels = labels_of(study, stack, kind)
    selected = labels_of(study, stack, kind, "labels.ome.tif")
    radius = RADIUS * diameter_of(study, stack, kind)
    names = [int(label) for label in np.unique(labels[labels > 0])]
    masks = {label: labels == label for label in names}
    centres = {label: np.argwhere(masks[label]).mean(axis=0) * SPACING for label in names}
    areas = areas_of_contacts(labels)
    gaps = {pair: gap_between(*(masks[label] for label in pair)) for pair in combinations(names, 2)}
    pairs, columns = set(), {}
    for label in names:
        others = sorted(set(names) - {label}, key=lambda x: math.dist(centres[x], centres[label]))
        apart = [math.dist(centres[x], centres[label]) for x in others]
        to_others = {x: gaps[min(x, label), max(x, label)] for x in others}
        within = [x for x, distance in zip(others, apart, strict=True) if distance <= radius]
        touching = [x for x in others if (min(x, label), max(x, label)) in areas]
        nearest = [] if 0 in to_others.values() else [min(to_others, key=to_others.get)]
        listed = {*within, *touching, *others[:NEAREST], *nearest}
        pairs |= {(min(x, label), max(x, label)) for x in listed}
        contact = sum(areas[min(x, label), max(x, label)] for x in touching)
        to_faces = [
            min(centre + step / 2, (size - 0.5) * step - centre)
            for centre, step, size in zip(centres[label], SPACING, SHAPE, strict=True)
        ]
        columns[label] = {
            "nearest_centroid_distance_um": apart[0],
            "nearest_surface_distance_um": min(to_others.values()),
            "mean_nearest_centroid_distance_um": (
                np.mean(apart[:NEAREST]) if len(apart) >= NEAREST else None
            ),
            "neighbor_count": len(within),
            "touching_count": len(touching),
            "contact_fraction": contact / (contact + areas[0, label]),
            "local_density_per_mm3": len(within) / ball_in_stack(centres[label], radius) * 1e9,
            "edge_distance_um": min(to_faces),
            "nearest_incomplete": int(min(to_faces) < apart[0]),
            "neighborhood_incomplete": int(min(to_faces) < radius),
            **nearest_of_other_kind(study, stack, kind, masks[label]),
        }
    rows = {
        (one, other): {
            "stack": stack,
            "object": kind,
            "segmentation_label_1": one,
            "segmentation_label_2": other,
            "label_1": selected[masks[one]].max(),
            "label_2": selected[masks[other]].max(),
            "centroid_distance_um": math.dist(centres[one], centres[other]),
            "surface_distance_um": gaps[one, other],
            "contact_area_um2": areas.get((one, other), 0),
            "touching": int((one, other) in areas),
            "within_radius": int(math.dist(centres[one], centres[other]) <= radius),
        }
        for one, other in sorted(pairs)
    }
    return rows, columns


def ball_in_stack(centre, radius):
    """Return the volume of a ball in the stack, by parts of voxels."""
    parts = 4
    places = [
        ((np.arange(size * parts) + 0.5) / parts - 0.5) * step
        for size, step in zip(SHAPE, SPACING, strict=True)
    ]
    squares = [(place - at) ** 2 for place, at in zip(places, centre, strict=True)]
    return np.count_nonzero(sum(np.ix_(*squares)) <= radius**2) * VOXEL / parts**3


def nearest_of_other_kind(study, stack, kind, mask):
    """Return distance and label of the nearest cell or nucleus that is not that of the object."""
    names = GROUPS["other_kind"]
    if len(KINDS[stack]) == 1:
        return dict.fromkeys(names)
    others = labels_of(study, stack, "cells" if kind == "nuclei" else "nuclei")
    gaps = {}
    for label in np.unique(others[others > 0]):
        other = others == label
        nucleus = mask if kind == "nuclei" else other
        if 2 * (mask & other).sum() <= nucleus.sum():
            gaps[label] = gap_between(mask, other)
    smallest = min(gaps.values())
    nearest = {label for label, gap in gaps.items() if gap == pytest.approx(smallest, abs=1e-9)}
    return dict(zip(names, (nearest, smallest), strict=True))
