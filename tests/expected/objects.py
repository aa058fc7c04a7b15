"""Expected rows of objects.csv, from the mask of each object."""

import math
from itertools import product

import numpy as np
from expected.cells import pair_columns, pair_flags
from expected.neighbors import neighbor_columns, surface_of
from expected.scene import CHANNELS, SPACING, VOXEL, image_of, labels_of
from scipy import ndimage, stats
from scipy.spatial import SphericalVoronoi
from scipy.spatial.distance import cdist, pdist
from skimage import measure, morphology

from cellstack.files.stacks import read_stack


def objects_of(study, stack, kind):
    """Return the mask of each measured object, and its expected row without the sheet's columns."""
    labels = labels_of(study, stack, kind, "labels.ome.tif")
    segmentation = labels_of(study, stack, kind)
    masks = [labels == label for label in range(1, labels.max() + 1)]
    rows = []
    for label, mask in enumerate(masks, 1):
        row = {"stack": stack, "object": kind, "label": label} | shape_columns(mask)
        (row["segmentation_label"],) = np.unique(segmentation[mask])
        for channel in CHANNELS if stack == "drawn" else ("nuclei",):
            row |= intensity_columns(mask, image_of(study, stack, channel), channel)
        rows.append(row)
    neighbors = neighbor_columns(study, stack, kind)[1] if rows else {}
    for row in rows:
        row |= neighbors[row["segmentation_label"]]
    flags = expected_flags(study, stack, kind, masks, rows) if rows else []
    if kind == "cells":
        for mask, row, found in zip(masks, rows, flags, strict=True):
            pair = pair_columns(study, mask)
            row |= pair
            found += pair_flags(study, row["segmentation_label"], pair["nuclei_count"])
    for row, found in zip(rows, flags, strict=True):
        row |= {"flags": ";".join(found), "corrections": None}
    return masks, rows


def shape_columns(mask):
    """Return the columns of an object that follow from its mask in the stack."""
    where = np.argwhere(mask)
    first, last = where.min(axis=0), where.max(axis=0) + 1
    points = where * SPACING
    volume = len(where) * VOXEL
    box = mask[tuple(map(slice, first, last))]
    filled = ndimage.binary_fill_holes(mask, np.ones((3, 3, 3)))
    convex = morphology.convex_hull_image(box, offset_coordinates=False).sum()
    halves = np.concatenate([np.diag(SPACING), -np.diag(SPACING)]) / 2
    on_faces = np.concatenate([surface_of(mask) * SPACING + half for half in halves])
    area, unit_area = crofton(mask, SPACING), crofton(mask, (1, 1, 1))
    variances, vectors = np.linalg.eigh(np.cov(points.T, bias=True))
    columns = {
        "volume_voxels": len(where),
        "volume_um3": volume,
        "filled_volume_um3": filled.sum() * VOXEL,
        "convex_volume_um3": convex * VOXEL,
        "equivalent_diameter_um": 2 * (volume / (4 / 3 * np.pi)) ** (1 / 3),
        "feret_diameter_max_um": pdist(on_faces).max(),
        "surface_area_um2": area,
        "surface_area_unit_spacing": unit_area,
        "sphericity": np.pi ** (1 / 3) * (6 * volume) ** (2 / 3) / area,
        "solidity": len(where) / convex,
        "extent": len(where) / box.size,
        "euler_number": measure.euler_number(box, 3),
    }
    for place, axis in enumerate("zyx"):
        columns[f"centroid_{axis}_um"] = points[:, place].mean()
        columns[f"bbox_min_{axis}"], columns[f"bbox_max_{axis}"] = first[place], last[place]
    for face, is_touched in touched_faces(mask).items():
        columns[f"touches_{face.replace(' ', '_')}"] = int(is_touched)
    for place, name in enumerate(("minor", "middle", "major")):
        vector = vectors[:, place] * np.sign(vectors[np.abs(vectors[:, place]).argmax(), place])
        # the variance of a ball of radius r along an axis is r ** 2 / 5
        columns[f"axis_{name}_length_um"] = 2 * np.sqrt(5 * variances[place])
        columns |= {f"direction_{name}_{axis}": vector[i] for i, axis in enumerate("zyx")}
        columns[f"inertia_{name}_um2"] = np.delete(variances, place).sum()
    return columns


def touched_faces(mask):
    touched = {}
    for axis, side in enumerate(("plane", "row", "column")):
        along = np.moveaxis(mask, axis, 0)
        touched |= {f"first {side}": along[0].any(), f"last {side}": along[-1].any()}
    return touched


def crofton(mask, spacing):
    """Return the surface area from the lengths of chords in 13 directions.

    The directions are the axes of a cube, rounded to steps of whole voxels, and count as much as
    the part of the sphere around them. The part of the voxels that leave the object by a step of
    length s is 1.5 q - 0.5 q ** 3 with q = s / C for an ellipsoid with chords of up to C. Its
    surface area is 6 V times the mean of 1 / C.
    """
    axes = np.array([axis for axis in product((-1, 0, 1), repeat=3) if any(axis)])
    longest = np.abs(axes * spacing).max(axis=1, keepdims=True)
    steps = axes * np.floor(longest / spacing + 0.5).astype(int)
    lengths = np.linalg.norm(steps * spacing, axis=1)
    shares = SphericalVoronoi(steps * spacing / lengths[:, None]).calculate_areas() / (4 * np.pi)
    where = np.argwhere(mask)
    padded = np.pad(mask, np.abs(steps).max(axis=0).repeat(2).reshape(3, 2))
    start = np.abs(steps).max(axis=0)
    inverse_chord = 0
    for step, length, share in zip(steps, lengths, shares, strict=True):
        leaving = 1 - padded[tuple((where + start + step).T)].mean()
        roots = np.roots([-0.5, 0, 1.5, -leaving])
        q = min(root.real for root in roots if abs(root.imag) < 1e-9 and root.real > -1e-9)
        inverse_chord += share * q / length
    return 6 * len(where) * math.prod(spacing) * inverse_chord


def intensity_columns(mask, raw, channel):
    """Return the columns of one channel of an object."""
    values = np.sort(raw[mask].astype(float))
    places = np.argwhere(mask) * SPACING
    total = math.fsum(values)
    columns = {
        f"mean_intensity_{channel}": total / len(values),
        f"sd_intensity_{channel}": np.sqrt(
            ((values - values.mean()) ** 2).sum() / (len(values) - 1)
        ),
        f"min_intensity_{channel}": values[0],
        f"max_intensity_{channel}": values[-1],
        f"sum_intensity_{channel}": total,
    }
    for name, percent in (("median", 50), *((f"p{p}", p) for p in (5, 25, 75, 95))):
        rank = percent / 100 * (len(values) - 1)
        columns[f"{name}_intensity_{channel}"] = np.interp(rank, np.arange(len(values)), values)
    for i, axis in enumerate("zyx"):
        centre = (places[:, i] * raw[mask]).sum() / total if total > 0 else None
        columns[f"centroid_weighted_{channel}_{axis}_um"] = centre
    return columns


def expected_flags(study, stack, kind, masks, rows):
    """Return the flags of the objects of a stack, apart from those of nuclei in cells."""
    volumes = np.array([row["volume_voxels"] for row in rows])
    solidities = np.array([row["solidity"] for row in rows])
    touched = [[face for face, is_cut in touched_faces(mask).items() if is_cut] for mask in masks]
    complete = np.array([not faces for faces in touched])
    if complete.sum() < 5:
        complete[:] = True

    def deviations(values, least):
        spread = stats.median_abs_deviation(values[complete], scale="normal")
        limit = max(3.5 * spread, least) if spread else np.inf
        return (values - np.median(values[complete])) / limit

    sizes, shapes = deviations(np.log(volumes), np.log(2)), deviations(solidities, 0.15)
    lengths = np.array([row["axis_major_length_um"] for row in rows])
    diameters = [row["equivalent_diameter_um"] for row in rows]
    crowded = crowded_objects(study, stack, kind, np.median(diameters))
    raw = image_of(study, stack, "nuclei")
    segmentation = labels_of(study, stack, kind)
    flags = []
    for i, (mask, row) in enumerate(zip(masks, rows, strict=True)):
        found = [f"touches {face}" for face in touched[i]]
        distance = ndimage.distance_transform_edt(~mask, SPACING) / diameters[i]
        is_near = (segmentation == 0) & (distance > 0.05) & (distance <= 0.2)
        around = raw[is_near].astype(float)
        contrast = raw[mask].mean() - around.mean() if is_near.any() else np.inf
        noise = around.std(ddof=1) if kind == "nuclei" and len(around) >= 20 else 0
        row["contrast_to_noise_ratio"] = contrast / noise if noise else None
        possible = {
            "small for its stack": sizes[i] < -1,
            "large for its stack": sizes[i] > 1,
            "long for its stack": lengths[i] > 1.4 * np.median(lengths[complete]) and len(rows) > 4,
            "irregular for its stack": shapes[i] < -1,
            "seeds close together": row["segmentation_label"] in crowded,
            # the channel of the cells is the membrane, which is dark inside of them
            "low contrast": kind == "nuclei"
            and is_near.sum() >= 20
            and contrast < 1.2 * around.std(ddof=1),
        }
        flags.append(found + [flag for flag, is_set in possible.items() if is_set])
    return flags


def crowded_objects(study, stack, kind, diameter):
    """Return the objects with a seed nearer than half of the diameter to that of another."""
    file = study.result(stack, kind, "seeds.tif")
    if stack != "grown":
        return set()
    seeds = read_stack(file)[0].astype(int)
    numbers = range(1, seeds.max() + 1)
    places = np.array([np.argwhere(seeds == each).mean(axis=0) * SPACING for each in numbers])
    labels = labels_of(study, stack, kind)
    owners = np.array([labels[seeds == each][0] for each in numbers])
    near = (cdist(places, places) < diameter / 2) & (owners[:, None] != owners)
    close = np.isin(seeds, 1 + np.flatnonzero(near.any(axis=1)))
    return set(labels[close].tolist())
